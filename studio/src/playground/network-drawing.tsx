// The drawing of a network: its lines, its tiles and its outputs, on one canvas.

import { effect, type ReadonlySignal } from "@preact/signals"
import type { JSX } from "preact"
import { useLayoutEffect, useMemo, useRef } from "preact/hooks"
import type { PlayEvent } from "../engine/jobs/play.ts"
import { colours } from "../ui/theme.ts"
import { featureRows, gridPlaces } from "./data.ts"
import { type Layout, lineBetween, TILE, widthOf } from "./layout.ts"
import { neuronKind } from "./map.tsx"
import { outputsOf } from "./net.ts"
import { bandPixels, markPath, type Palette, palette, pointLook, signedField } from "./paint.ts"
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

interface DrawingProps {
  readonly settings: Settings
  readonly classes: number
  readonly live: ReadonlySignal<PlayEvent | undefined>
  readonly layout: Layout
  readonly lit: Neuron | undefined
  readonly line: Line | undefined
}

/** The lines and tiles, on one canvas. */
export function Drawing(props: DrawingProps): JSX.Element {
  const { settings, classes, live, layout, lit, line } = props
  const canvas = useRef<HTMLCanvasElement>(null)
  const theme = colours.value
  const p = useMemo(palette, [theme])
  const tile = useMemo(() => {
    const own = document.createElement("canvas")
    own.width = own.height = TILE
    const image = new ImageData(TILE, TILE)
    return { own, image, words: new Uint32Array(image.data.buffer) }
  }, [])
  const inputs = useMemo(() => {
    const all = featureRows(gridPlaces(SMALL), settings.features)
    return settings.features.map((_, k) =>
      signedField(
        all.filter((__, i) => i % settings.features.length === k),
        "open",
      ),
    )
  }, [settings.features.join()])
  const lines = useMemo(() => document.createElement("canvas"), [])
  const drawn = useRef(Number.NEGATIVE_INFINITY)
  /** Draws; the lines, which cost most and change least, only a few times a second while it trains. */
  const draw = (event: PlayEvent | undefined, anew: boolean): void => {
    const own = canvas.current!
    const scale = Math.min(2, devicePixelRatio)
    const [w, h] = [Math.round(layout.width * scale), Math.round(layout.height * scale)]
    if (own.width !== w || own.height !== h) [own.width, own.height] = [w, h]
    const ctx = own.getContext("2d")!
    ctx.setTransform(scale, 0, 0, scale, 0, 0)
    ctx.clearRect(0, 0, layout.width, layout.height)
    if (event !== undefined) {
      const now = performance.now()
      if (anew || !event.playing || now - drawn.current > BETWEEN_LINES) {
        drawn.current = now
        // Given its size, a canvas is empty.
        ;[lines.width, lines.height] = [w, h]
        const own = lines.getContext("2d")!
        own.setTransform(scale, 0, 0, scale, 0, 0)
        drawLines(own, event, layout, p, lit, line)
      }
      ctx.drawImage(lines, 0, 0, layout.width, layout.height)
    }
    layout.nodes.slice(0, -1).forEach((nodes, layer) => {
      nodes.forEach(({ x, y }, unit) => {
        const field = layer === 0 ? inputs[unit] : fieldOf(event, settings, layer - 1, unit)
        ctx.save()
        ctx.beginPath()
        ctx.roundRect(x - TILE / 2, y - TILE / 2, TILE, TILE, 7)
        ctx.fillStyle = p.raised
        ctx.fill()
        if (field !== undefined) {
          bandPixels(field, SMALL, TILE, p, tile.words)
          tile.own.getContext("2d")!.putImageData(tile.image, 0, 0)
          ctx.clip()
          ctx.drawImage(tile.own, x - TILE / 2, y - TILE / 2, TILE, TILE)
        }
        ctx.restore()
        ctx.beginPath()
        ctx.roundRect(x - TILE / 2, y - TILE / 2, TILE, TILE, 7)
        const isLit = lit !== undefined && lit[0] === layer - 1 && lit[1] === unit
        ctx.strokeStyle = isLit ? p.ink : p.outline
        ctx.lineWidth = isLit ? 2.4 : 1
        ctx.stroke()
      })
    })
    drawOutputs(ctx, layout, classes, p, lit)
  }
  // Drawn with every look, and in the frame that it belongs to.
  useLayoutEffect(() => {
    let anew = true
    return effect(() => {
      draw(live.value, anew)
      anew = live.value === undefined
    })
  }, [settings, classes, layout, lit, line, p])
  const [first, ...others] = [settings.features.length, ...settings.layers]
  const says = `Network: ${first} inputs, hidden layers of ${others.join(", ")} ${settings.activation} neurons, ${outputsOf(classes)} output`
  return (
    <canvas
      ref={canvas}
      class="lines"
      role="img"
      aria-label={says}
      style={{ width: `${layout.width}px`, height: `${layout.height}px` }}
    />
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
