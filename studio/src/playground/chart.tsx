// The costs over the epochs: of the points that train and of those that test, and of B beside A.

import { type Signal, signal } from "@preact/signals"
import type { JSX } from "preact"
import { useEffect, useMemo, useRef, useState } from "preact/hooks"
import { cost } from "../ui/format.ts"
import { apart, axis, linePath, linTicks, logAxis, logTicks } from "../ui/plot.ts"
import type { Curve } from "./training.ts"

interface Drawn {
  readonly name: string
  readonly epochs: readonly number[]
  readonly values: readonly number[]
  readonly kind: string
}

const HEIGHT = 146
const [LEFT, TOP, BOTTOM] = [44, 10, 24]

/** The chart. */
export function CostChart(props: {
  readonly curve: Curve
  readonly other?: Curve | undefined
  readonly scale: Signal<"log" | "linear">
}): JSX.Element {
  const { curve, other, scale } = props
  const box = useRef<HTMLElement>(null)
  const [width, setWidth] = useState(440)
  useEffect(() => {
    const measure = (): void => setWidth(Math.max(240, box.current?.clientWidth ?? 240))
    measure()
    const watch = new ResizeObserver(measure)
    watch.observe(box.current!)
    return () => watch.disconnect()
  }, [])
  const at = useMemo(() => signal<number | undefined>(undefined), [])
  const lines = linesOf(curve, other)
  const all = lines.flatMap(({ values }) => values.filter((v) => Number.isFinite(v)))
  const log = scale.value === "log" && all.every((v) => v > 0)
  const last = Math.max(1, curve.epochs.at(-1) ?? 0, other?.epochs.at(-1) ?? 0)
  const right = width - (other === undefined ? 84 : 98)
  const x = axis(0, last, LEFT, right)
  const [low, high] = range(all, log)
  const y = (log ? logAxis : axis)(low, high, HEIGHT - BOTTOM - 4, TOP)
  const ticks = (log ? logTicks : linTicks)(low, high)
  const ends = lines.map(({ values, epochs }) => ({ x: x(epochs.at(-1) ?? 0), y: y(values.at(-1) ?? low) }))
  const heights = apart(
    ends.map((end) => (Number.isFinite(end.y) ? end.y : TOP)),
    16,
  )
  const shown = at.value === undefined ? undefined : nearest(curve.epochs, at.value)
  const move = (event: PointerEvent): void => {
    const own = box.current!.getBoundingClientRect()
    at.value = Math.round(x.back(event.clientX - own.left))
  }
  const says =
    curve.epochs.length < 2
      ? "Cost: nothing has been trained yet."
      : `Cost by epoch: ${lines.map(({ name, values }) => `${name} ${cost(values.at(-1)!)}`).join(", ")} after ${curve.epochs.at(-1)} epochs.`
  return (
    <section ref={box} class="costs" aria-label="Cost">
      <svg
        viewBox={`0 0 ${width} ${HEIGHT}`}
        width={width}
        height={HEIGHT}
        role="img"
        aria-label={says}
        onPointerMove={move}
        onPointerLeave={() => {
          at.value = undefined
        }}
        onKeyDown={(event) => {
          const direction = { ArrowLeft: -1, ArrowRight: 1 }[event.key]
          if (direction === undefined || curve.epochs.length === 0) return
          event.preventDefault()
          const i = Math.max(
            0,
            Math.min(
              curve.epochs.length - 1,
              (shown ?? curve.epochs.length - 1) + direction * (event.shiftKey ? 10 : 1),
            ),
          )
          at.value = curve.epochs[i]!
        }}
      >
        {ticks.map((tick) => (
          <g key={tick}>
            <path d={`M${LEFT} ${y(tick)}H${right}`} class="grid" />
            <text x={LEFT - 6} y={y(tick) + 4} text-anchor="end" class="t-12 t-3">
              {cost(tick)
                .replace(/(\.\d*?)0+$/, "$1")
                .replace(/\.$/, "")}
            </text>
          </g>
        ))}
        <text x={LEFT} y={HEIGHT - 6} class="t-12 t-3">
          epoch 0
        </text>
        <text x={right} y={HEIGHT - 6} text-anchor="end" class="t-12 t-3">
          {last}
        </text>
        {lines.map(({ name, epochs, values, kind }) => (
          <path key={name} d={linePath(epochs.map((e, i) => [x(e), y(values[i]!)] as const))} class={`ln ${kind}`} />
        ))}
        {curve.epochs.length < 2 && (
          <text x={width / 2} y={(HEIGHT - BOTTOM) / 2} text-anchor="middle" class="t-3 halo">
            Press Play: the cost will appear here.
          </text>
        )}
        {curve.epochs.length >= 2 &&
          lines.map(({ name, values, kind }, i) => (
            <text
              key={name}
              x={ends[i]!.x + 7}
              y={heights[i]! + 4}
              class={`halo ${kind.includes("thin") ? "t-3" : "b"} ${kind.includes("this") ? "t-this" : kind.includes("that") ? "t-that" : "t-ink"}`}
            >
              {name} {cost(values.at(-1)!)}
            </text>
          ))}
        {shown !== undefined && curve.epochs.length > 1 && (
          <g>
            <path d={`M${x(curve.epochs[shown]!)} ${TOP}V${HEIGHT - BOTTOM}`} class="axis" />
            {[curve.test, curve.train].map((values, i) => (
              <circle key={i} cx={x(curve.epochs[shown]!)} cy={y(values[shown]!)} r="3.5" class="dot" />
            ))}
            <text x={Math.min(x(curve.epochs[shown]!) + 6, right - 150)} y={TOP + 8} class="halo t-12">
              epoch {curve.epochs[shown]}: test {cost(curve.test[shown]!)}, train {cost(curve.train[shown]!)}
            </text>
          </g>
        )}
      </svg>
      <div class="row under">
        <button
          type="button"
          class="link"
          aria-pressed={scale.value === "log"}
          title={scale.value === "log" && !log ? "The axis is linear: there are costs of zero." : undefined}
          onClick={() => {
            scale.value = scale.value === "log" ? "linear" : "log"
          }}
        >
          log axis
        </button>
        <Table curve={curve} />
      </div>
    </section>
  )
}

function linesOf(curve: Curve, other: Curve | undefined): Drawn[] {
  const { epochs, train, test } = curve
  if (other === undefined) {
    return [
      { name: "train", epochs, values: train, kind: "thin" },
      { name: "test", epochs, values: test, kind: "" },
    ]
  }
  return [
    { name: "B test", epochs: other.epochs, values: other.test, kind: "that" },
    { name: "train", epochs, values: train, kind: "thin" },
    { name: "A test", epochs, values: test, kind: "this" },
  ]
}

function range(all: readonly number[], log: boolean): readonly [number, number] {
  if (all.length === 0) return log ? [0.1, 1] : [0, 1]
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]
  for (const v of all) [low, high] = [Math.min(low, v), Math.max(high, v)]
  if (log) return [low / 1.15, Math.max(high * 1.15, low * 2)]
  return [Math.min(0, low), high * 1.05 || 1]
}

function nearest(epochs: readonly number[], at: number): number | undefined {
  let best: number | undefined
  for (let i = 0; i < epochs.length; i++) {
    if (best === undefined || Math.abs(epochs[i]! - at) < Math.abs(epochs[best]! - at)) best = i
  }
  return best
}

/** The same numbers to read and to copy. */
function Table({ curve }: { readonly curve: Curve }): JSX.Element {
  const open = useMemo(() => signal(false), [])
  return (
    <details onToggle={(event) => (open.value = event.currentTarget.open)}>
      <summary>table</summary>
      {open.value && (
        <div class="scroll">
          <table>
            <thead>
              <tr>
                <th scope="col">epoch</th>
                <th scope="col">train</th>
                <th scope="col">test</th>
              </tr>
            </thead>
            <tbody>
              {curve.epochs.map((epoch, i) => (
                <tr key={epoch}>
                  <td>{epoch}</td>
                  <td>{cost(curve.train[i]!)}</td>
                  <td>{cost(curve.test[i]!)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </details>
  )
}
