// The curves of lesson 6: the rounds of the first epoch, then cost and accuracy by epochs, with the gap and the best point.

import type { Signal } from "@preact/signals"
import type { JSX } from "preact"
import { Chart, type Line } from "../ui/chart.tsx"
import { cost, percent, trimmed } from "../ui/format.ts"
import { gapFrom } from "../ui/scales.ts"
import { bestEpoch, type Epoch, type Watched } from "./intermediate-run.ts"

/** Both charts. */
export function Curves(props: {
  readonly run: Watched | undefined
  readonly other: Watched | undefined
  readonly log: Signal<boolean>
  readonly empty: string
}): JSX.Element {
  const { run, other, log, empty } = props
  const epochs = run?.epochs ?? []
  if (run === undefined || epochs.length < 2) return <Rounds costs={run?.costs ?? []} run={run} empty={empty} />
  const most = Math.max(run.settings.epochs, 2)
  const x = epochs.map((_, i) => i + 1)
  const beside = other?.epochs.slice(0, epochs.length) ?? []
  const same = other?.settings.loss === run.settings.loss
  return (
    <div class="curves">
      <CostCurve epochs={epochs} x={x} most={most} log={log} beside={same ? beside : []} />
      <Chart
        title="Accuracy"
        says={`Accuracy after ${epochs.length} epochs: training ${percent(epochs.at(-1)!.accuracy)}, validation ${percent(epochs.at(-1)!.valAccuracy)}.`}
        x={x}
        most={most}
        lines={[
          { label: "training", values: epochs.map((e) => e.accuracy), tone: "ink-3", width: 1.6 },
          { label: "validation", values: epochs.map((e) => e.valAccuracy), tone: "ink", width: 2.6 },
          ...besideLines(x, beside, (e) => e.valAccuracy),
        ]}
        format={(v) => percent(v, v >= 0.995 ? 2 : 1)}
        tick={(v) => percent(v, 0)}
        height={250}
        empty=""
      />
    </div>
  )
}

function besideLines(x: readonly number[], epochs: readonly Epoch[], of: (epoch: Epoch) => number): Line[] {
  if (epochs.length === 0) return []
  const values = x.map((_, i) => (epochs[i] === undefined ? null : of(epochs[i])))
  return [{ label: "shallow net", values, tone: "that" }]
}

/** The cost of every round of the first epoch, and their mean so far. */
function Rounds(props: {
  readonly costs: readonly number[]
  readonly run: Watched | undefined
  readonly empty: string
}): JSX.Element {
  const { costs, run, empty } = props
  let sum = 0
  const means = costs.map((c, i) => {
    sum += c
    return sum / (i + 1)
  })
  const last = costs.at(-1)
  return (
    <Chart
      title="Cost, round by round, in the first epoch"
      says={last === undefined ? "No round has been trained yet." : `Cost ${cost(last)} in round ${costs.length}.`}
      unit="round"
      x={costs.map((_, i) => i + 1)}
      most={run?.rounds || 469}
      lines={[
        { label: "each round", values: costs, tone: "ink-3", width: 1 },
        { label: "mean so far", values: means, tone: "ink", width: 2.4 },
      ]}
      format={cost}
      tick={(value) => trimmed(cost(value))}
      height={250}
      room={96}
      empty={empty}
    />
  )
}

function CostCurve(props: {
  readonly epochs: readonly Epoch[]
  readonly x: readonly number[]
  readonly most: number
  readonly log: Signal<boolean>
  readonly beside: readonly Epoch[]
}): JSX.Element {
  const { epochs, x, most, log, beside } = props
  const best = bestEpoch(epochs)
  const lowest = best === 0 ? undefined : epochs[best - 1]!
  const [training, validation] = [epochs.map(({ loss }) => loss), epochs.map(({ valLoss }) => valLoss)]
  const from = gapFrom(training, validation)
  return (
    <Chart
      title="Cost"
      says={
        lowest === undefined
          ? "The costs are not numbers."
          : `After ${epochs.length} epochs training costs ${cost(epochs.at(-1)!.loss)} and validation ${cost(epochs.at(-1)!.valLoss)}; it was best in epoch ${best} with ${cost(lowest.valLoss)}.`
      }
      x={x}
      most={most}
      log={log}
      lines={[
        { label: "training", values: training, tone: "ink-3", width: 1.6 },
        { label: "validation", values: validation, tone: "ink", width: 2.6 },
        ...besideLines(x, beside, (e) => e.valLoss),
      ]}
      format={cost}
      tick={(value) => trimmed(cost(value))}
      height={250}
      empty=""
      {...(from === undefined ? {} : { gap: { below: 0, above: 1, from } })}
      {...(lowest === undefined
        ? {}
        : { best: { line: 1, epoch: best, text: `best ${cost(lowest.valLoss)}, epoch ${best}` } })}
    />
  )
}
