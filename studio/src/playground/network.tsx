// The network: a tile for each neuron with what it answers everywhere, a line for each weight.

import { type ReadonlySignal, type Signal, useComputed } from "@preact/signals"
import type { JSX } from "preact"
import { useEffect, useMemo, useRef, useState } from "preact/hooks"
import type { PlayEvent } from "../engine/jobs/play.ts"
import { plain } from "../ui/format.ts"
import { columns, distanceTo, type Layout, lineBetween, type Place, rows, TILE } from "./layout.ts"
import { outputsOf } from "./net.ts"
import { Drawing, type Line, weightAt } from "./network-drawing.tsx"
import type { Neuron } from "./session.ts"
import { type FeatureName, MOST_LAYERS, MOST_NEURONS, type Settings } from "./settings.ts"
import type { Shown } from "./shown.ts"
import { Weights } from "./weights.tsx"
import { featureSpoken, featureWords } from "./words.tsx"

/** What the network shows and does. */
export interface NetworkProps {
  readonly shown: Shown
  readonly small: boolean
  readonly hover: Signal<Neuron | undefined>
  readonly onPin: (neuron: Neuron | undefined) => void
  readonly onLayers: (layers: readonly number[]) => void
  readonly onWeight: (layer: number, from: number, to: number, value: number) => void
}

/** The network. */
export function Network(props: NetworkProps): JSX.Element {
  const { shown, small, hover, onPin } = props
  const box = useRef<HTMLDivElement>(null)
  const [room, setRoom] = useState<readonly [number, number]>([760, 620])
  const [line, setLine] = useState<Line | undefined>(undefined)
  useEffect(() => {
    const own = box.current!
    const measure = (): void => setRoom([own.clientWidth, Math.min(660, own.clientHeight)])
    measure()
    const watch = new ResizeObserver(measure)
    watch.observe(own)
    return () => watch.disconnect()
  }, [])
  const [settings, classes] = [shown.net.value, shown.classes.value]
  const sizes = [settings.features.length, ...settings.layers, outputsOf(classes)]
  const layout = useMemo(
    () => (small ? rows(sizes, room[0]) : columns(sizes, room[0], room[1])),
    [sizes.join(), room[0], room[1], small],
  )
  const lit = useComputed(() => hover.value ?? shown.pin.value)
  const pick = (at: Place): Line | undefined => (small ? undefined : nearest(layout, at))
  const place = (e: PointerEvent | MouseEvent): Place => {
    const own = (e.currentTarget as HTMLElement).getBoundingClientRect()
    return { x: e.clientX - own.left, y: e.clientY - own.top }
  }
  return (
    <div ref={box} class={`net${small ? " rows" : ""}`}>
      <div class="netin" style={{ width: `${layout.width}px`, minHeight: `${layout.height}px` }}>
        <Drawing settings={settings} classes={classes} live={shown.live} layout={layout} lit={lit} line={line} />
        <div
          class="catch"
          aria-hidden="true"
          onPointerMove={(e) => setLine(pick(place(e)))}
          onPointerLeave={() => setLine(undefined)}
          onClick={(e) => {
            const found = pick(place(e))
            onPin(found && [found.layer, found.to])
            if (found !== undefined) requestAnimationFrame(() => focusWeight(box.current!, found.from))
          }}
        />
        <Heads settings={settings} onLayers={props.onLayers} layout={layout} />
        {layout.nodes[0]!.map((at, unit) => (
          <Input key={unit} name={settings.features[unit]!} under={small} at={at} />
        ))}
        {layout.nodes
          .slice(1, -1)
          .map((nodes, layer) =>
            nodes.map((at, unit) => (
              <Tile key={`${layer} ${unit}`} {...props} neuron={[layer, unit]} lit={lit} at={at} />
            )),
          )}
        <Outputs classes={classes} pin={shown.pin} onPin={onPin} layout={layout} />
        <Facts {...props} layout={layout} line={line} />
      </div>
    </div>
  )
}

/** What is known of the neuron or the line under the pointer, or of the pinned neuron. */
function Facts(props: NetworkProps & { readonly layout: Layout; readonly line: Line | undefined }): JSX.Element | null {
  const { shown, hover, onPin, onWeight, layout, line } = props
  const [pin, over] = [shown.pin.value, hover.value]
  if (pin === undefined && over === undefined && line === undefined) return null
  const event = shown.told.value
  if (event === undefined) return null
  if (pin !== undefined) {
    const close = (): void => onPin(undefined)
    return <Weights key={pin.join()} event={event} neuron={pin} layout={layout} onWeight={onWeight} onClose={close} />
  }
  return (
    <>
      {over !== undefined && <Tip event={event} neuron={over} layout={layout} />}
      {line !== undefined && <LineTip event={event} line={line} layout={layout} />}
    </>
  )
}

function focusWeight(box: HTMLElement, from: number): void {
  box.querySelectorAll<HTMLInputElement>(".weights input")[from + 1]?.select()
}

function nearest(layout: Layout, at: Place): Line | undefined {
  let [best, found]: [number, Line | undefined] = [7, undefined]
  for (let layer = 0; layer + 1 < layout.nodes.length; layer++) {
    const [a, b] = [layout.nodes[layer]!, layout.nodes[layer + 1]!]
    if (at.x < a[0]!.x || at.x > b[0]!.x) continue
    const last = layer + 2 === layout.nodes.length
    for (const [from, start] of a.entries()) {
      for (const [to, end] of b.entries()) {
        const far = distanceTo(lineBetween(start, end, layout.rows, last), at)
        if (far < best) [best, found] = [far, { layer, from, to }]
      }
    }
  }
  return found
}

/** The heads of the layers: how many neurons, and how to have fewer or more. */
function Heads(props: {
  readonly settings: Settings
  readonly onLayers: NetworkProps["onLayers"]
  readonly layout: Layout
}): JSX.Element {
  const { settings, onLayers, layout } = props
  const { layers, features } = settings
  const pitch = layout.rows || layers.length < 2 ? 999 : layout.heads[2]!.x - layout.heads[1]!.x
  const short = pitch < 200
  const set = (layer: number, n: number): void => {
    if (n === 0) onLayers(layers.filter((_, i) => i !== layer))
    else onLayers(layers.map((old, i) => (i === layer ? n : old)))
  }
  const insert = (at: number): void => onLayers([...layers.slice(0, at), layers[at - 1] ?? 4, ...layers.slice(at)])
  const between = (i: number): number => (layout.heads[i]!.x + layout.heads[i + 1]!.x) / 2
  return (
    <div class="heads">
      <div class="head" style={{ left: `${layout.heads[0]!.x}px`, top: `${layout.heads[0]!.y}px` }}>
        {features.length} {features.length === 1 ? "input" : "inputs"}
      </div>
      {layers.map((n, i) => (
        <div key={i} class="head" style={{ left: `${layout.heads[i + 1]!.x}px`, top: `${layout.heads[i + 1]!.y}px` }}>
          <button
            type="button"
            class="pm"
            aria-label={n === 1 ? `Remove layer ${i + 1}` : `One neuron fewer in layer ${i + 1}`}
            disabled={n === 1 && layers.length === 1}
            onClick={() => set(i, n - 1)}
          >
            −
          </button>
          {short ? n : `${n} ${n === 1 ? "neuron" : "neurons"}`}
          <button
            type="button"
            class="pm"
            aria-label={`One neuron more in layer ${i + 1}`}
            disabled={n === MOST_NEURONS}
            onClick={() => set(i, n + 1)}
          >
            +
          </button>
          {layout.rows && layers.length < MOST_LAYERS && (
            <button type="button" class="link" onClick={() => insert(i + 1)}>
              layer after this
            </button>
          )}
        </div>
      ))}
      {!layout.rows &&
        layers.length < MOST_LAYERS &&
        layers.map((_, i) => (
          <div
            key={i}
            class="head"
            style={{
              left: `${i + 1 === layers.length ? Math.max(between(i + 1), layout.heads[i + 1]!.x + (short ? 62 : 88)) : between(i + 1)}px`,
              top: "12px",
            }}
          >
            <button
              type="button"
              class="pm new"
              aria-label={`A layer after layer ${i + 1}`}
              title="One layer more"
              onClick={() => insert(i + 1)}
            >
              +
            </button>
          </div>
        ))}
    </div>
  )
}

const corner = ({ x, y }: Place): { readonly left: string; readonly top: string } => ({
  left: `${x - TILE / 2}px`,
  top: `${y - TILE / 2}px`,
})

/** The place of an input; the drawing lies beneath. */
function Input(props: { readonly name: FeatureName; readonly under: boolean; readonly at: Place }): JSX.Element {
  const { name, under, at } = props
  return (
    <span
      class={`tile input${under ? " under" : ""}`}
      style={corner(at)}
      role="img"
      aria-label={`input ${featureSpoken[name]}`}
    >
      <span class="name">{featureWords[name]}</span>
    </span>
  )
}

/** The place of a neuron, for pointer and keyboard; the drawing lies beneath. What is said of it follows the training by itself. */
function Tile(
  props: NetworkProps & {
    readonly neuron: Neuron
    readonly lit: ReadonlySignal<Neuron | undefined>
    readonly at: Place
  },
): JSX.Element {
  const { shown, hover, onPin, neuron, lit, at } = props
  const [layer, unit] = neuron
  const isThis = (other: Neuron | undefined): boolean => other?.[0] === layer && other[1] === unit
  const look = useComputed(() => `tile${isThis(lit.value) ? " lit" : ""}`)
  const says = useComputed(() => {
    const event = shown.told.value
    const facts = event === undefined ? "" : `: ${factsOf(event, neuron).join(", ")}`
    return `Layer ${layer + 1}, neuron ${unit + 1}${facts}`
  })
  const pinned = useComputed(() => isThis(shown.pin.value)).value
  return (
    <button
      type="button"
      class={look}
      style={corner(at)}
      aria-pressed={pinned}
      aria-label={says}
      onClick={() => onPin(pinned ? undefined : neuron)}
      onPointerEnter={(e) => {
        if (e.pointerType === "mouse") hover.value = neuron
      }}
      onPointerLeave={() => {
        hover.value = undefined
      }}
      onFocus={() => {
        hover.value = neuron
      }}
      onBlur={() => {
        hover.value = undefined
      }}
    />
  )
}

function Outputs(props: {
  readonly classes: number
  readonly pin: ReadonlySignal<Neuron | undefined>
  readonly onPin: NetworkProps["onPin"]
  readonly layout: Layout
}): JSX.Element {
  const { classes, onPin, layout } = props
  const pin = props.pin.value
  const layer = layout.nodes.length - 2
  return (
    <>
      {layout.nodes.at(-1)!.map(({ x, y }, unit) => {
        const pinned = pin !== undefined && pin[0] === layer && pin[1] === unit
        return (
          <button
            key={unit}
            type="button"
            class={`out${layout.rows ? " beside" : ""}`}
            style={{ left: `${x}px`, top: `${y}px` }}
            aria-pressed={pinned}
            onClick={() => onPin(pinned ? undefined : [layer, unit])}
          >
            {classes > 2 ? `class ${unit + 1}` : "output ŷ"}
          </button>
        )
      })}
    </>
  )
}

/** What is to be said of a neuron. */
function factsOf({ weights, means }: PlayEvent, [layer, unit]: Neuron): string[] {
  const bias = weights[2 * layer + 1]?.[unit]
  const [next, units] = [weights[2 * layer + 2], weights[2 * layer + 3]?.length ?? 0]
  const mean = means[layer]?.[unit]
  if (bias === undefined || mean === undefined) return []
  const out = next === undefined ? [] : [...next.subarray(unit * units, (unit + 1) * units)]
  const passes =
    out.length === 1
      ? `passes on with weight ${plain(out[0]!)}`
      : `passes on with weights from ${plain(Math.min(...out))} to ${plain(Math.max(...out))}`
  return [`bias ${plain(bias)}`, `on average ${plain(mean)}`, ...(out.length === 0 ? [] : [passes])]
}

function Tip({
  event,
  neuron,
  layout,
}: {
  readonly event: PlayEvent
  readonly neuron: Neuron
  readonly layout: Layout
}): JSX.Element | null {
  const node = layout.nodes[neuron[0] + 1]?.[neuron[1]]
  const facts = factsOf(event, neuron)
  if (node === undefined || facts.length === 0) return null
  const left = node.x > layout.width / 2
  return (
    <div
      class="tip"
      aria-hidden="true"
      style={{
        left: `${left ? node.x - TILE / 2 - 226 : node.x + TILE / 2 + 14}px`,
        top: `${Math.max(30, node.y - 36)}px`,
      }}
    >
      <b>
        Layer {neuron[0] + 1}, neuron {neuron[1] + 1}
      </b>
      <br />
      {facts.slice(0, 2).join(", ")}
      <br />
      {facts[2]}
    </div>
  )
}

function LineTip({
  event,
  line,
  layout,
}: {
  readonly event: PlayEvent
  readonly line: Line
  readonly layout: Layout
}): JSX.Element | null {
  const [a, b] = [layout.nodes[line.layer]?.[line.from], layout.nodes[line.layer + 1]?.[line.to]]
  if (a === undefined || b === undefined || event.weights[2 * line.layer] === undefined) return null
  return (
    <div
      class="tip line"
      aria-hidden="true"
      style={{ left: `${(a.x + b.x) / 2 + 12}px`, top: `${(a.y + b.y) / 2 - 16}px` }}
    >
      weight <b>{plain(weightAt(event, line), 3)}</b>
    </div>
  )
}
