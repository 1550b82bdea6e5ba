// Cost and accuracy of a run, or of two: training thin, validation bold.

import type { Signal } from "@preact/signals"
import type { JSX } from "preact"
import type { Epoch, Run } from "../../../cli/studio/api.ts"
import { Chart, type Line } from "../ui/chart.tsx"
import { cost, percent, plain } from "../ui/format.ts"
import { gapFrom } from "../ui/scales.ts"
import { bestOf, lastToCome, measureOf, smoothed, validationName } from "./view.ts"

/** What the reader has chosen of the charts. */
export interface ChartChoices {
  readonly log: Signal<boolean>
  readonly smooth: Signal<number>
}

/** The ways of smoothing: epochs of which the mean is drawn. */
export const smoothings: readonly number[] = [1, 3, 9]

const valuesOf = (x: readonly number[], epochs: readonly Epoch[], name: string): (number | null)[] => {
  const byEpoch = new Map(epochs.map((epoch) => [epoch.epoch, epoch[name]]))
  return x.map((at) => byEpoch.get(at) ?? null)
}

interface Part {
  readonly x: readonly number[]
  readonly run: Run
  readonly other: Run | undefined
  readonly over: number
}

/** The lines of a measure: of one run training and validation, of two validation by name and training quietly. */
function linesOf({ x, run, other, over }: Part, training: string, validation: string): readonly Line[] {
  const line = (of: Run, name: string, label: string, tone: string, width: number, quiet = false): Line => {
    const values = valuesOf(x, of.epochs, name)
    const raw = over > 1 ? { raw: values } : {}
    return { label, values: smoothed(values, over), tone, width, quiet, ...raw }
  }
  if (other === undefined) {
    return [line(run, training, "training", "ink-3", 1.6), line(run, validation, "validation", "ink", 2.4)]
  }
  return [
    line(run, training, "A training", "this", 1.2, true),
    line(other, training, "B training", "that", 1.2, true),
    line(run, validation, "A", "this", 2.4),
    line(other, validation, "B", "that", 2.4),
  ]
}

/** The two charts. */
export function Curves(props: {
  readonly run: Run
  readonly other: Run | undefined
  readonly choices: ChartChoices
  readonly hollow: boolean
  readonly empty: string
}): JSX.Element {
  const { run, other, choices, hollow, empty } = props
  const x = [...new Set([...run.epochs, ...(other?.epochs ?? [])].map(({ epoch }) => epoch))].sort((a, b) => a - b)
  const over = choices.smooth.value
  const part = { x, run, other, over }
  const costs = linesOf(part, "loss", "valLoss")
  const measure = measureOf(run)
  const [training, validation] = [measure.name, validationName(measure.name)]
  const rates = linesOf(part, training, validation)
  const [share, tick] = measure.isShare
    ? [percent, (value: number) => percent(value, 0)]
    : [(value: number) => plain(value, 3), (value: number) => plain(value, 2)]
  const best = bestOf(run)
  const from = other === undefined ? gapFrom(costs[0]!.values, costs[1]!.values) : undefined
  const most = Math.max(lastToCome(run), lastToCome(other))
  const shared = { x, most, hollow, empty, height: 300 }
  const nextSmooth = smoothings[(smoothings.indexOf(over) + 1) % smoothings.length]!
  return (
    <div class="two">
      <Chart
        {...shared}
        title="Cost"
        aside={
          <button
            type="button"
            class="link"
            title={nextSmooth === 1 ? "Show the lines as they are" : `Smooth over ${nextSmooth} epochs`}
            onClick={() => (choices.smooth.value = nextSmooth)}
          >
            {over === 1 ? "as measured" : `smoothed over ${over} epochs`}
          </button>
        }
        says={saysOf("Cost", run, "loss", "valLoss", cost)}
        lines={costs}
        log={choices.log}
        format={cost}
        tick={(value) => String(value)}
        {...(from === undefined ? {} : { gap: { below: 0, above: 1, from } })}
        {...(best === undefined || other !== undefined || over > 1
          ? {}
          : { best: { line: 1, epoch: best.epoch, text: `best ${cost(best.valLoss!)}, epoch ${best.epoch}` } })}
      />
      <Chart
        {...shared}
        title={measure.title}
        says={saysOf(measure.title, run, training, validation, share)}
        lines={rates}
        format={share}
        tick={tick}
        ends={other === undefined ? "values" : "both"}
        {...(measure.isShare && (run.epochs.at(-1)?.[validation] ?? 0) > 0.9 ? { top: 1 } : {})}
        room={72}
      />
    </div>
  )
}

function saysOf(title: string, run: Run, training: string, validation: string, format: (v: number) => string): string {
  const [first, last] = [run.epochs[0], run.epochs.at(-1)]
  if (first === undefined || last === undefined) return `${title} by epoch: nothing yet.`
  const way = (name: string): string =>
    first[name] === undefined || last[name] === undefined
      ? "was not measured"
      : `goes from ${format(first[name])} to ${format(last[name])}`
  const best = title === "Cost" ? bestOf(run) : undefined
  const lowest = best === undefined ? "" : ` It was lowest in epoch ${best.epoch}, at ${format(best.valLoss!)}.`
  return `${title} by epoch. Validation ${way(validation)}; training ${way(training)}.${lowest}`
}
