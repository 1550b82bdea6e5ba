// The drawing of a network: its lines and outputs on one canvas, its tiles on another above it.

import type { ReadonlySignal } from "@preact/signals"
import type { JSX } from "preact"
import { useMemo, useRef } from "preact/hooks"
import type { PlayEvent } from "../engine/jobs/play.ts"
import { usePainting } from "../ui/frames.ts"
import { colours } from "../ui/theme.ts"
import { featureRows, gridPlaces } from "./data.ts"
import { type Layout, lineBetween, TILE, widthOf } from "./layout.ts"
import { neuronKind } from "./map.tsx"
import { outputsOf } from "./net.ts"
import { bandPixels, markPath, type Palette, palette, pointLook, roundCorners, signedField } from "./paint.ts"
import { type Neuron, SMALL } from "./session.ts"
import type { Settings } from "./settings.ts"

/** A line: from a unit of the layer before `layer` to one of it; layers are counted from the first hidden one. */
export interface Line {
  readonly layer: number
  readonly from: number
  readonly to: number
}

/** Milliseconds between two drawings of the lines while it trains. */
const BETWEEN_LINES = 100

/** The radius of a tile's corners, as playground.css has it for what lies above the drawing. */
const ROUND = 7

interface DrawingProps {
  readonly settings: Settings
  readonly classes: number
  readonly live: ReadonlySignal<PlayEvent | undefined>
  readonly layout: Layout
  readonly lit: ReadonlySignal<Neuron | undefined>
  readonly line: Line | undefined
}

/** Makes a canvas as large as the layout, in device pixels, and gives its context in the units of the page. */
function sized(own: HTMLCanvasElement, { width, height }: Layout, scale: number): CanvasRenderingContext2D {
  const [w, h] = [Math.round(width * scale), Math.round(height * scale)]
  if (own.width !== w || own.height !== h) [own.width, own.height] = [w, h]
  const ctx = own.getContext("2d")!
  ctx.setTransform(scale, 0, 0, scale, 0, 0)
  return ctx
}

const scaleNow = (): number => Math.min(2, devicePixelRatio)

/** The lines, the outputs and the tiles. */
export function Drawing(props: DrawingProps): JSX.Element {
  const { settings, classes, live, layout, lit, line } = props
  const [lines, tiles] = [useRef<HTMLCanvasElement>(null), useRef<HTMLCanvasElement>(null)]
  const theme = colours.value
  const p = useMemo(palette, [theme])
  const inputs = useMemo(() => {
    const all = featureRows(gridPlaces(SMALL), settings.features)
    return settings.features.map((_, k) =>
      signedField(
        all.filter((__, i) => i % settings.features.length === k),
        "open",
      ),
    )
  }, [settings.features.join()])
  const drawn = useRef(Number.NEGATIVE_INFINITY)
  const known = useRef<readonly unknown[]>([])
  const shown = useRef<Layout>(undefined)
  // The lines cost most and change least: while it trains they are drawn a few times a second, unless something else has changed.
  usePainting(
    () => {
      const event = live.peek()
      const now = performance.now()
      const all = [classes, layout, lit.peek(), line, p, event === undefined]
      const anew = all.some((value, i) => value !== known.current[i])
      if (!anew && event?.playing && now - drawn.current < BETWEEN_LINES) return
      drawn.current = now
      known.current = all
      const ctx = sized(lines.current!, layout, scaleNow())
      ctx.clearRect(0, 0, layout.width, layout.height)
      if (event !== undefined) drawLines(ctx, event, layout, p, lit.peek(), line)
      drawOutputs(ctx, layout, classes, p, lit.peek())
    },
    () => [live.value, lit.value],
    [settings, classes, layout, line, p],
  )
  const image = useMemo(() => ({ pixels: new ImageData(1, 1), words: new Uint32Array(1) }), [])
  usePainting(
    () => {
      const event = live.peek()
      const scale = scaleNow()
      const side = Math.round(TILE * scale)
      if (image.pixels.width !== side) {
        image.pixels = new ImageData(side, side)
        image.words = new Uint32Array(image.pixels.data.buffer)
      }
      const ctx = sized(tiles.current!, layout, scale)
      if (shown.current !== layout) ctx.clearRect(0, 0, layout.width, layout.height)
      shown.current = layout
      const at = (place: number): number => Math.round((place - TILE / 2) * scale)
      layout.nodes.slice(0, -1).forEach((nodes, layer) => {
        nodes.forEach(({ x, y }, unit) => {
          const field = layer === 0 ? inputs[unit] : fieldOf(event, settings, layer - 1, unit)
          if (field === undefined) image.words.fill(p.empty)
          else bandPixels(field, SMALL, side, p, image.words)
          roundCorners(image.words, side, ROUND * scale)
          ctx.putImageData(image.pixels, at(x), at(y))
        })
      })
    },
    () => live.value,
    [settings, layout, p],
  )
  const [first, ...others] = [settings.features.length, ...settings.layers]
  const says = `Network: ${first} inputs, hidden layers of ${others.join(", ")} ${settings.activation} neurons, ${outputsOf(classes)} output`
  const style = { width: `${layout.width}px`, height: `${layout.height}px` }
  return (
    <>
      <canvas ref={lines} class="lines" role="img" aria-label={says} style={style} />
      <canvas ref={tiles} class="lines" style={style} />
    </>
  )
}

function fieldOf(
  event: PlayEvent | undefined,
  settings: Settings,
  layer: number,
  unit: number,
): Float32Array | undefined {
  const all = event?.fields[layer]
  if (all === undefined || all.length < (unit + 1) * SMALL * SMALL) return undefined
  return signedField(all.subarray(unit * SMALL * SMALL, (unit + 1) * SMALL * SMALL), neuronKind(settings))
}

/** The weight of a line. */
export function weightAt({ weights }: PlayEvent, { layer, from, to }: Line): number {
  const [kernel, bias] = [weights[2 * layer]!, weights[2 * layer + 1]!]
  return kernel[from * bias.length + to]!
}

function drawLines(
  ctx: CanvasRenderingContext2D,
  event: PlayEvent,
  layout: Layout,
  p: Palette,
  lit: Neuron | undefined,
  line: Line | undefined,
): void {
  for (let layer = 0; layer + 1 < layout.nodes.length; layer++) {
    const last = layer + 2 === layout.nodes.length
    for (const [from, a] of layout.nodes[layer]!.entries()) {
      for (const [to, b] of layout.nodes[layer + 1]!.entries()) {
        const touches =
          lit !== undefined && ((lit[0] === layer && lit[1] === to) || (lit[0] === layer - 1 && lit[1] === from))
        // On a small screen only the lines of the neuron that was touched are drawn.
        if (layout.rows && !touches) continue
        const own = line !== undefined && line.layer === layer && line.from === from && line.to === to
        const weight = weightAt(event, { layer, from, to })
        const [s, c, d, e] = lineBetween(a, b, layout.rows, last)
        ctx.beginPath()
        ctx.moveTo(s.x, s.y)
        ctx.bezierCurveTo(c.x, c.y, d.x, d.y, e.x, e.y)
        const width = widthOf(weight)
        ctx.lineWidth = own ? width + 1.5 : width
        ctx.setLineDash(weight < 0 ? [Math.max(4, 1.1 * width), Math.max(3.5, 0.9 * width)] : [])
        ctx.strokeStyle = weight < 0 ? p.neg : p.pos
        const strength = Math.min(0.88, 0.3 + 0.25 * Math.abs(weight))
        ctx.globalAlpha = own ? 1 : lit === undefined || touches ? strength : 0.15
        ctx.stroke()
      }
    }
  }
  ctx.globalAlpha = 1
  ctx.setLineDash([])
}

function drawOutputs(
  ctx: CanvasRenderingContext2D,
  layout: Layout,
  classes: number,
  p: Palette,
  lit: Neuron | undefined,
): void {
  const layer = layout.nodes.length - 2
  for (const [unit, { x, y }] of layout.nodes.at(-1)!.entries()) {
    const isLit = lit !== undefined && lit[0] === layer && lit[1] === unit
    ctx.strokeStyle = p.ink
    ctx.lineWidth = isLit ? 3.2 : 2
    if (!layout.rows) {
      ctx.beginPath()
      ctx.moveTo(x + 10, y)
      ctx.lineTo(x + 28, y)
      ctx.moveTo(x + 23, y - 5)
      ctx.lineTo(x + 28, y)
      ctx.lineTo(x + 23, y + 5)
      ctx.stroke()
    }
    markPath(ctx, 0, x, y, 10)
    ctx.fillStyle = p.paper
    ctx.fill()
    ctx.stroke()
    if (classes < 3) continue
    const [mark, colour] = pointLook(unit, classes, p)
    markPath(ctx, mark, x, y, 4.5)
    ctx.fillStyle = colour
    ctx.fill()
  }
}
