// The map: what the network answers at every place, with the points that train and test it.

import type { ReadonlySignal, Signal } from "@preact/signals"
import type { JSX } from "preact"
import { useLayoutEffect, useMemo, useRef } from "preact/hooks"
import { cost } from "../ui/format.ts"
import { usePainting } from "../ui/frames.ts"
import { colours } from "../ui/theme.ts"
import { type Data, RANGE } from "./data.ts"
import {
  bandPixels,
  borders,
  certainty,
  classPixels,
  contours,
  drawPoints,
  type Palette,
  palette,
  signedField,
  strokePieces,
} from "./paint.ts"
import { GRID } from "./session.ts"
import type { Settings } from "./settings.ts"

/** What is drawn on one side of the map. */
export interface Layer {
  readonly field: Float32Array
  readonly data: Data
  /** What the values are: shares of the second class, shares of several, numbers, or a hidden neuron's answers. */
  readonly kind: "share" | "classes" | "numbers" | "signed" | "open"
}

/** The kind of a network's answers. */
export const kindOf = (classes: number): Layer["kind"] =>
  classes === 0 ? "numbers" : classes > 2 ? "classes" : "share"

/** The kind of a hidden neuron's answers. */
export const neuronKind = ({ activation }: Settings): "share" | "signed" | "open" =>
  activation === "tanh" ? "signed" : activation === "sigmoid" ? "share" : "open"

/** What is kept between two drawings of a layer. */
interface Spare {
  /** The bands, with their pixels as words of 32 bits. */
  image: ImageData
  words: Uint32Array
  /** The points, which change more seldom than what the network says of their places, and what they were drawn for. */
  readonly marks: HTMLCanvasElement
  marked: { readonly data: Data; readonly size: number; readonly p: Palette } | undefined
}

function spare(): Spare {
  const marks = document.createElement("canvas")
  return { image: new ImageData(1, 1), words: new Uint32Array(1), marks, marked: undefined }
}

/** The picture of the points, drawn anew if anything about it has changed. */
function marksOf(own: Spare, data: Data, size: number, p: Palette): HTMLCanvasElement {
  const { marks, marked } = own
  if (marked?.data === data && marked.size === size && marked.p === p) return marks
  marks.width = marks.height = size
  const ctx = marks.getContext("2d")!
  drawPoints(ctx, data.test, data.classes, true, size, p)
  drawPoints(ctx, data.train, data.classes, false, size, p)
  own.marked = { data, size, p }
  return marks
}

/** Draws bands, contours and points from one column to another; the map is `size` device pixels wide. */
function drawLayer(
  ctx: CanvasRenderingContext2D,
  { field, data, kind }: Layer,
  [from, to]: readonly [number, number],
  size: number,
  p: Palette,
  own: Spare,
): void {
  if (own.image.width !== size) {
    own.image = new ImageData(size, size)
    own.words = new Uint32Array(own.image.data.buffer)
  }
  const values = kind === "classes" || kind === "numbers" ? field : signedField(field, kind)
  const { classes } = data
  if (kind === "classes") classPixels(values, GRID, classes, size, p, own.words)
  else bandPixels(values, GRID, size, p, own.words)
  // Pixels as they are, at once: a canvas that is drawn on another one is copied first, which took most of the time.
  ctx.putImageData(own.image, 0, 0, from, 0, to - from, size)
  ctx.save()
  ctx.beginPath()
  ctx.rect(from, 0, to - from, size)
  ctx.clip()
  ctx.lineJoin = ctx.lineCap = "round"
  ctx.strokeStyle = p.ink
  if (kind === "classes") drawBorders(ctx, values, classes, size)
  else {
    ctx.globalAlpha = 0.22
    ctx.lineWidth = size / 520
    strokePieces(ctx, contours(values, GRID, borders), size)
    ctx.globalAlpha = 1
    ctx.lineWidth = size / 210
    strokePieces(ctx, contours(values, GRID, [0]), size)
  }
  ctx.drawImage(marksOf(own, data, size, p), 0, 0)
  ctx.restore()
}

/** Where the surest class changes, strong, and how sure it is, faint. */
function drawBorders(ctx: CanvasRenderingContext2D, field: Float32Array, classes: number, size: number): void {
  const margin = new Float32Array(GRID * GRID)
  const sure = new Float32Array(GRID * GRID)
  for (let c = 0; c < classes; c++) {
    for (let i = 0; i < margin.length; i++) {
      let other = 0
      for (let k = 0; k < classes; k++) if (k !== c) other = Math.max(other, field[i * classes + k]!)
      margin[i] = field[i * classes + c]! - other
      sure[i] = certainty(field[i * classes + c]!, classes)
    }
    ctx.globalAlpha = 0.22
    ctx.lineWidth = size / 520
    strokePieces(ctx, contours(sure, GRID, [0.5, 0.8, 0.96]), size)
    ctx.globalAlpha = 1
    ctx.lineWidth = size / 210
    strokePieces(ctx, contours(margin, GRID, [0]), size)
  }
}

/** What the map shows. */
export interface MapProps {
  readonly layer: ReadonlySignal<Layer>
  /** B, at the right of the line, if it is compared. */
  readonly other?: Layer | undefined
  /** Where the line stands, in percent. */
  readonly split: Signal<number>
  readonly says: ReadonlySignal<string>
  /** Called with places while the reader draws points; absent: there is nothing to draw. */
  readonly onBrush?: ((x1: number, x2: number) => void) | undefined
  readonly read: Signal<string>
}

/** The map. */
export function ContourMap(props: MapProps): JSX.Element {
  const { layer, other, split, says, onBrush, read } = props
  const canvas = useRef<HTMLCanvasElement>(null)
  const tools = useMemo(() => ({ a: spare(), b: spare() }), [])
  const theme = colours.value
  const p = useMemo(palette, [theme])
  const line = split.value
  const size = useRef(0)
  const draw = (): void => {
    const [own, side] = [canvas.current!, size.current]
    if (side === 0) return
    if (own.width !== side) own.width = own.height = side
    const ctx = own.getContext("2d")!
    const cut = other === undefined ? side : Math.round((side * line) / 100)
    drawLayer(ctx, layer.peek(), [0, cut], side, p, tools.a)
    if (other === undefined) return
    drawLayer(ctx, other, [cut, side], side, p, tools.b)
    ctx.strokeStyle = p.ink
    ctx.lineWidth = side / 200
    ctx.beginPath()
    ctx.moveTo(cut, 0)
    ctx.lineTo(cut, side)
    ctx.stroke()
  }
  const ask = usePainting(draw, () => layer.value, [layer, other, line, p])
  // The size is told, not asked for while drawing: the question would lay out the page in every frame.
  useLayoutEffect(() => {
    const measure = (): void => {
      size.current = Math.round(canvas.current!.clientWidth * Math.min(2, devicePixelRatio))
      ask()
    }
    measure()
    const watch = new ResizeObserver(measure)
    watch.observe(canvas.current!)
    return () => watch.disconnect()
  }, [])
  const placeAt = (event: PointerEvent): readonly [number, number] => {
    const box = canvas.current!.getBoundingClientRect()
    const at = (share: number): number => (Math.min(1, Math.max(0, share)) * 2 - 1) * RANGE
    return [at((event.clientX - box.left) / box.width), -at((event.clientY - box.top) / box.height)]
  }
  const hover = (event: PointerEvent): void => {
    const [x1, x2] = placeAt(event)
    if (onBrush !== undefined && event.buttons > 0) onBrush(x1, x2)
    read.value = readAt(other !== undefined && ((x1 / RANGE + 1) / 2) * 100 > line ? other : layer.peek(), x1, x2)
  }
  return (
    <div class={`mapwrap${onBrush === undefined ? "" : " brush"}`}>
      <canvas
        ref={canvas}
        class="map"
        role="img"
        aria-label={says}
        onPointerDown={(event) => {
          if (onBrush === undefined) return
          canvas.current!.setPointerCapture(event.pointerId)
          onBrush(...placeAt(event))
        }}
        onPointerMove={hover}
        onPointerLeave={() => {
          read.value = ""
        }}
      />
      {other !== undefined && <SplitLine split={split} />}
    </div>
  )
}

/** What the network says at a place, in words. */
function readAt({ field, data, kind }: Layer, x1: number, x2: number): string {
  const cell = (v: number): number => Math.min(GRID - 1, Math.max(0, Math.floor(((v + RANGE) / (2 * RANGE)) * GRID)))
  const at = cell(-x2) * GRID + cell(x1)
  const place = `at ${x1.toFixed(1)}, ${x2.toFixed(1)}`.replace(/-/g, "−")
  if (kind === "classes") {
    const shares = Array.from(field.subarray(at * data.classes, (at + 1) * data.classes))
    const best = shares.indexOf(Math.max(...shares))
    return `${place}: class ${best + 1}, ${(100 * shares[best]!).toFixed(1)} % sure`
  }
  const value = field[at]!
  return kind === "share" ? `${place}: ${(100 * value).toFixed(1)} % green` : `${place}: ${cost(value)}`
}

/** The line between A and B. */
function SplitLine({ split }: { readonly split: Signal<number> }): JSX.Element {
  const line = useRef<HTMLDivElement>(null)
  const set = (percent: number): void => {
    split.value = Math.round(Math.min(98, Math.max(2, percent)))
  }
  const drag = (event: PointerEvent): void => {
    const box = line.current!.parentElement!.getBoundingClientRect()
    set((100 * (event.clientX - box.left)) / box.width)
  }
  return (
    <div
      ref={line}
      class="splitline"
      role="slider"
      tabIndex={0}
      aria-label="Line between A and B"
      aria-valuemin={2}
      aria-valuemax={98}
      aria-valuenow={split.value}
      aria-valuetext={`A has ${split.value} percent of the map`}
      style={{ left: `${split.value}%` }}
      onPointerDown={(event) => line.current!.setPointerCapture(event.pointerId)}
      onPointerMove={(event) => event.buttons > 0 && drag(event)}
      onKeyDown={(event) => {
        const direction = { ArrowLeft: -1, ArrowRight: 1 }[event.key]
        if (direction === undefined) return
        event.preventDefault()
        set(split.peek() + direction * (event.shiftKey ? 10 : 1))
      }}
    >
      <span class="ab">A</span>
      <span class="ab b">B</span>
    </div>
  )
}
