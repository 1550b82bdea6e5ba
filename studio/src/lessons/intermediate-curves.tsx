// The curves of lesson 6: the rounds of the first epoch, then cost and accuracy by epochs, with the gap and the best point.

import type { Signal } from "@preact/signals"
import { type JSX, render } from "preact"
import { useRef } from "preact/hooks"
import type uPlot from "uplot"
import { cost, percent } from "../ui/format.ts"
import { RunCurve, type Series } from "../ui/run-curve.tsx"
import { token } from "../ui/theme.ts"
import { Trilobite } from "../ui/trilobite.tsx"
import { bestEpoch, type Epoch, gapFrom, type Watched } from "./intermediate-run.ts"

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
      <RunCurve
        title="Accuracy"
        says={`Accuracy after ${epochs.length} epochs: training ${percent(epochs.at(-1)!.accuracy)}, validation ${percent(epochs.at(-1)!.valAccuracy)}.`}
        x={x}
        most={most}
        series={[
          ...besideSeries(x, beside, (e) => e.valAccuracy),
          { label: "training", values: epochs.map((e) => e.accuracy), tone: "ink-3", width: 1.6 },
          { label: "validation", values: epochs.map((e) => e.valAccuracy), width: 2.6 },
        ]}
        format={(v) => percent(v, v >= 0.995 ? 2 : 1)}
        height={230}
        room={84}
      />
    </div>
  )
}

function besideSeries(x: readonly number[], epochs: readonly Epoch[], of: (epoch: Epoch) => number): Series[] {
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
    <RunCurve
      title="Cost, round by round, in the first epoch"
      says={last === undefined ? "No round has been trained yet." : `Cost ${cost(last)} in round ${costs.length}.`}
      unit="round"
      x={costs.map((_, i) => i + 1)}
      most={run?.rounds || 469}
      series={[
        { label: "each round", values: costs, tone: "ink-3", width: 1 },
        { label: "mean so far", values: means, width: 2.4 },
      ]}
      format={cost}
      height={230}
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
  const walker = useRef<HTMLElement | undefined>(undefined)
  const best = bestEpoch(epochs)
  const lowest = best === 0 ? undefined : epochs[best - 1]!
  return (
    <RunCurve
      title="Cost"
      says={
        lowest === undefined
          ? "The costs are not numbers."
          : `After ${epochs.length} epochs training costs ${cost(epochs.at(-1)!.loss)} and validation ${cost(epochs.at(-1)!.valLoss)}; it was best in epoch ${best} with ${cost(lowest.valLoss)}.`
      }
      x={x}
      most={most}
      log={log}
      series={[
        ...besideSeries(x, beside, (e) => e.valLoss),
        { label: "training", values: epochs.map((e) => e.loss), tone: "ink-3", width: 1.6 },
        { label: "validation", values: epochs.map((e) => e.valLoss), width: 2.6 },
      ]}
      format={cost}
      height={230}
      room={84}
      under={(plot) => {
        fillGap(plot, epochs)
        walker.current = stand(plot, walker.current, best, lowest?.valLoss)
      }}
    />
  )
}

/** The ground between training and validation, from where validation last crossed. */
function fillGap(plot: uPlot, epochs: readonly Epoch[]): void {
  const from = gapFrom(epochs)
  if (from === 0 || epochs.length - from < 1) return
  const { ctx } = plot
  const place = (i: number, value: number): [number, number] => [
    plot.valToPos(i, "x", true),
    plot.valToPos(value, "y", true),
  ]
  ctx.save()
  ctx.fillStyle = token("paper-sunk")
  ctx.beginPath()
  for (let i = from; i <= epochs.length; i++) ctx.lineTo(...place(i, epochs[i - 1]!.valLoss))
  for (let i = epochs.length; i >= from; i--) ctx.lineTo(...place(i, epochs[i - 1]!.loss))
  ctx.fill()
  ctx.restore()
}

const SIZE = 40

/** Puts the trilobite at the best point of validation, with its words above. */
function stand(plot: uPlot, before: HTMLElement | undefined, epoch: number, value: number | undefined): HTMLElement {
  let host = before
  if (host === undefined || host.parentElement !== plot.over) {
    host = document.createElement("div")
    host.className = "best"
    host.setAttribute("aria-hidden", "true")
    plot.over.append(host)
  }
  host.hidden = value === undefined
  if (value === undefined) return host
  const [x, y] = [plot.valToPos(epoch, "x"), plot.valToPos(value, "y")]
  const right = x > plot.over.clientWidth / 2
  host.style.left = `${x}px`
  host.style.top = `${y}px`
  render(
    <>
      <svg width={SIZE} height={SIZE * 0.72} viewBox={`${-SIZE * 0.52} ${-SIZE * 0.64} ${SIZE} ${SIZE * 0.72}`}>
        <Trilobite x={0} y={0} size={SIZE} mood="content" />
      </svg>
      <span class={right ? "words left" : "words"}>
        best {cost(value)}, epoch {epoch}
      </span>
    </>,
    host,
  )
  return host
}
