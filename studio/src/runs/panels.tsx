// The small pictures of a run: what its layers do, what it mixes up, how fast it goes.

import type { JSX } from "preact"
import type { Signals } from "../../../cli/studio/api.ts"
import { Chart, hairline, type Line } from "../ui/chart.tsx"
import { count, percent, rate } from "../ui/format.ts"
import { MixUps } from "../ui/mix-ups.tsx"
import { Histograms } from "./histograms.tsx"
import { Mistakes } from "./mistakes.tsx"
import { asOf, configOf, lastToCome, type RunView } from "./view.ts"
import { layerNames, layerTones, rowsWord } from "./words.ts"

/** A small number on an axis or beside a point: two or three digits. */
export const small = (value: number): string =>
  value === 0
    ? "0"
    : Math.abs(value) < 0.001
      ? value.toExponential(0).replace("-", "−")
      : String(Number(value.toPrecision(2)))

interface PartProps {
  readonly run: RunView
  readonly hollow: boolean
}

/** The measures of each layer as lines; epochs without any are left out. */
function layerLines(
  signals: readonly Signals[],
  take: (layer: Signals["layers"][number]) => number | undefined,
): { readonly x: readonly number[]; readonly lines: readonly Line[] } {
  const seen = signals.filter(({ layers }) => layers.some((layer) => take(layer) !== undefined))
  const layers = seen.at(-1)?.layers ?? []
  const [names, tones] = [layerNames(layers.length), layerTones(layers.length)]
  const lines = layers.map(({ layer }, i): Line => {
    const values = seen.map((at) => {
      const found = at.layers.find((other) => other.layer === layer)
      return (found === undefined ? undefined : take(found)) ?? null
    })
    return { label: names[i]!, values, tone: tones[i]! }
  })
  return { x: seen.map(({ epoch }) => epoch), lines: lines.filter(({ values }) => values.some((v) => v !== null)) }
}

function says(what: string, lines: readonly Line[]): string {
  const ends = lines.map(({ label, values }) => `${label} ${small(values.at(-1) ?? Number.NaN)}`)
  return `${what}; at the end: ${ends.join(", ")}.`
}

/** The first row: speed of learning, weights, mix-ups, surest mistakes. */
export function FirstRow({ run, hollow }: PartProps): JSX.Element {
  const { signals } = run
  const speeds = layerLines(signals, ({ speed }) => speed)
  const most = lastToCome(run)
  const weights = asOf(signals, hairline.value, ({ layers }) => (layers.length > 0 ? layers : undefined))
  const answers = asOf(signals, hairline.value, (at) => at.answers)
  const last = run.epochs.at(-1)?.epoch
  return (
    <div class="four">
      <Chart
        title="Speed of learning"
        says={says("How far each layer’s weights went in an epoch", speeds.lines)}
        {...speeds}
        most={most}
        log
        format={small}
        ends="names"
        room={58}
        height={190}
        hollow={hollow}
        empty="after the first epoch"
      />
      <Histograms layers={weights?.value ?? []} epoch={weights?.epoch} last={last} />
      {configOf(run).task !== "regression" && (
        <>
          <MixUps
            confusion={answers?.value.confusion}
            classes={configOf(run).classes}
            epoch={answers?.epoch}
            last={last}
          />
          <Mistakes answers={answers?.value} epoch={answers?.epoch} last={last} run={run} />
        </>
      )}
    </div>
  )
}

/** The second row: gradients, flat and dead neurons, learning rate, throughput. */
export function SecondRow({ run, hollow }: PartProps): JSX.Element {
  const { signals } = run
  const what = rowsWord(run)
  const most = lastToCome(run)
  const gradients = layerLines(signals, ({ gradient }) => gradient)
  const flat = layerLines(signals, ({ saturated }) => saturated)
  const x = signals.map(({ epoch }) => epoch)
  const line = (label: string, of: (at: Signals) => number): readonly Line[] => [
    { label, values: signals.map((at) => (Number.isFinite(of(at)) ? of(at) : null)), tone: "ink" },
  ]
  const shared = { most, hollow, height: 170, empty: "after the first epoch" }
  const rates = line("learning rate", ({ learningRate }) => learningRate)
  const speeds = line(`${what} a second`, ({ samplesPerSecond }) => samplesPerSecond)
  const rows = signals.at(-1)?.rows ?? 0
  return (
    <div class="four even">
      <Chart
        {...shared}
        {...gradients}
        title="Gradient size"
        says={says(
          `Length of the gradient of each layer’s weights, for ${count(rows)} training ${what}`,
          gradients.lines,
        )}
        log
        dots
        format={small}
        ends="names"
        room={58}
      />
      <Chart
        {...shared}
        {...flat}
        title="Flat and dead"
        aside={<span>{deadText(signals)}</span>}
        says={says(
          `Share of neurons’ answers on the flat part of their curve, over ${count(rows)} ${what}`,
          flat.lines,
        )}
        dots
        format={(value) => percent(value, 0)}
        ends="names"
        room={58}
      />
      <Chart
        {...shared}
        x={x}
        lines={rates}
        title="Learning rate"
        says={`Learning rate by epoch; at the end ${rate(signals.at(-1)?.learningRate ?? Number.NaN)}.`}
        format={(value) => String(Number(value.toPrecision(3)))}
        ends="values"
        room={44}
      />
      <Chart
        {...shared}
        x={x}
        lines={speeds}
        title="Throughput"
        aside={<span>a second</span>}
        says={`Training ${what} in a second by epoch; at the end ${count(Math.round(signals.at(-1)?.samplesPerSecond ?? 0))}.`}
        format={(value) => (value >= 10_000 ? `${Math.round(value / 1000)} k` : count(Math.round(value)))}
        ends="values"
        room={50}
      />
    </div>
  )
}

function deadText(signals: readonly Signals[]): string {
  const seen = asOf(signals, undefined, ({ layers }) => {
    const hidden = layers.flatMap(({ dead }) => (dead === undefined ? [] : [dead]))
    return hidden.length === 0 ? undefined : hidden.reduce((a, b) => a + b, 0)
  })
  return seen === undefined ? "" : `${count(seen.value)} dead`
}
