// The costs over the epochs: of the points that train and of those that test, and of B beside A.

import type { ReadonlySignal, Signal } from "@preact/signals"
import type { JSX } from "preact"
import { Chart, type Line } from "../ui/chart.tsx"
import { cost, trimmed } from "../ui/format.ts"
import type { Curve, Training } from "./training.ts"

const none: Curve = { epochs: [], train: [], test: [] }

/** Said where there is nothing to be learnt. */
export const NO_POINTS = "There are too few points: draw some on the map, or open a table."

/** The chart. */
export function CostChart(props: {
  readonly training: Training
  readonly log: Signal<boolean>
  /** Whether there are points to be learnt. */
  readonly ready: ReadonlySignal<boolean>
}): JSX.Element {
  const { training, log, ready } = props
  const other = training.kept.value?.curve
  const curve = (training.curve.value.epochs.at(-1) ?? 0) === 0 ? none : training.curve.value
  const x = epochsOf(curve, other)
  const lines = linesOf(curve, other, x)
  const last = ({ label, values }: Line): string => `${label} ${cost(values.findLast((value) => value !== null)!)}`
  return (
    <Chart
      title="Cost"
      says={
        curve.epochs.length === 0
          ? "Cost: nothing has been trained yet."
          : `Cost by epoch: ${lines.map(last).join(", ")} after ${curve.epochs.at(-1)} epochs.`
      }
      x={x.length === 0 ? [0] : x}
      lines={lines}
      log={log}
      format={cost}
      tick={(value) => trimmed(cost(value))}
      height={170}
      ends="line"
      room={other === undefined ? 92 : 106}
      empty={ready.value ? "Press Play: the cost will appear here." : NO_POINTS}
    />
  )
}

/** The epochs at which somebody looked at A or B. */
function epochsOf(curve: Curve, other: Curve | undefined): readonly number[] {
  if (other === undefined) return curve.epochs
  return [...new Set([...curve.epochs, ...other.epochs])].sort((a, b) => a - b)
}

function linesOf(curve: Curve, other: Curve | undefined, x: readonly number[]): Line[] {
  const along = (epochs: readonly number[], values: readonly number[]): (number | null)[] => {
    if (other === undefined) return values.map((value) => value)
    const at = new Map(epochs.map((epoch, i) => [epoch, values[i]!]))
    return x.map((epoch) => at.get(epoch) ?? null)
  }
  const line = (label: string, { epochs }: Curve, values: readonly number[], tone: string, width = 2): Line => ({
    label,
    values: along(epochs, values),
    tone,
    width,
    spans: true,
  })
  const train = line("train", curve, curve.train, "ink-3", 1.4)
  if (other === undefined) return [train, line("test", curve, curve.test, "ink")]
  return [line("B test", other, other.test, "that"), train, line("A test", curve, curve.test, "this")]
}
