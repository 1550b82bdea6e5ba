// Digits and the wall as canvases: one pixel for each image of the epoch, the batch at readable size, one image large.

import type { Signal } from "@preact/signals"
import type { JSX } from "preact"
import { useLayoutEffect, useMemo, useRef } from "preact/hooks"
import type { RoundFacts } from "../engine/jobs/round-facts.ts"
import { pixelOf, rgbOf } from "../ui/colour.ts"
import { count } from "../ui/format.ts"
import { useWidth } from "../ui/size.ts"
import { colours, token } from "../ui/theme.ts"

const WIDE = 300
const HIGH = 200

/** The wall: image i stands at place i. Those that the epoch has used are dark, those of this round are lit. */
export function Wall(props: {
  readonly order: Int32Array
  readonly from: number
  readonly to: number
  readonly says: string
}): JSX.Element {
  const { order, from, to, says } = props
  const canvas = useRef<HTMLCanvasElement>(null)
  useLayoutEffect(() => {
    const context = canvas.current!.getContext("2d")!
    const picture = context.createImageData(WIDE, HIGH)
    const words = new Uint32Array(picture.data.buffer)
    // What has been used is darker in both themes.
    const names = colours.value === "dark" ? ["rule-strong", "paper-sunk"] : ["rule", "ink-2"]
    const pixel = (name: string): number => pixelOf(rgbOf(token(name)))
    const [pale, dark, lit] = [...names, "ember-fill"].map(pixel) as [number, number, number]
    words.fill(pale)
    for (let i = 0; i < from; i++) words[order[i]!] = dark
    for (let i = from; i < to; i++) words[order[i]!] = lit
    context.putImageData(picture, 0, 0)
  }, [order, from, to, colours.value])
  return <canvas ref={canvas} class="bt-wall" width={WIDE} height={HIGH} role="img" aria-label={says} />
}

/** Draws digits of 28 × 28 in ink beside one another; a picture of them all. */
function atlas(pixels: Uint8Array, from: number, many: number): HTMLCanvasElement {
  const across = Math.min(32, many)
  const sheet = document.createElement("canvas")
  sheet.width = 28 * across
  sheet.height = 28 * Math.ceil(many / across)
  const context = sheet.getContext("2d")!
  const ink = rgbOf(token("ink"))
  const one = context.createImageData(28, 28)
  for (let i = 0; i < many; i++) {
    for (let p = 0; p < 784; p++) one.data.set([...ink, pixels[(from + i) * 784 + p]!], 4 * p)
    context.putImageData(one, 28 * (i % across), 28 * Math.floor(i / across))
  }
  return sheet
}

/** One image, large. */
export function Digit(props: {
  readonly pixels: Uint8Array
  readonly at: number
  readonly size: number
  readonly says: string
}): JSX.Element {
  const { pixels, at, size, says } = props
  const canvas = useRef<HTMLCanvasElement>(null)
  useLayoutEffect(() => {
    const sharp = Math.max(1, Math.round(devicePixelRatio))
    const own = canvas.current!
    own.width = own.height = size * sharp
    const context = own.getContext("2d")!
    context.imageSmoothingEnabled = size % 28 !== 0
    context.drawImage(atlas(pixels, at, 1), 0, 0, own.width, own.height)
  }, [pixels, at, size, colours.value])
  return (
    <canvas
      ref={canvas}
      class="bt-digit"
      style={{ width: `${size}px`, height: `${size}px` }}
      role="img"
      aria-label={says}
    />
  )
}

/** The side of a cell so that all digits have room, and how many stand beside one another. */
export function cellsFor(many: number, width: number, height: number, most = 56): { cell: number; across: number } {
  for (let cell = most; cell > 6; cell--) {
    const across = Math.min(many, Math.floor(width / cell))
    if (across > 0 && across * Math.floor(height / cell) >= many) return { cell, across }
  }
  return { cell: 6, across: Math.max(1, Math.floor(width / 6)) }
}

/** The digits of the round; a click or the arrow keys choose one. */
export function BatchGrid(props: {
  readonly facts: RoundFacts
  readonly chosen: Signal<number>
  readonly height: number
  readonly labels?: boolean
}): JSX.Element {
  const { facts, chosen, height, labels = false } = props
  const [box, width] = useWidth(0)
  const canvas = useRef<HTMLCanvasElement>(null)
  const many = facts.images.length
  const at = Math.min(chosen.value, many - 1)
  const { cell, across } = useMemo(() => cellsFor(many, width || 240, height), [many, width, height])
  const [wide, high] = [across * cell, Math.ceil(many / across) * cell]
  useLayoutEffect(() => {
    if (width === 0) return
    const sharp = devicePixelRatio || 1
    const own = canvas.current!
    own.width = wide * sharp
    own.height = high * sharp
    const context = own.getContext("2d")!
    context.scale(sharp, sharp)
    context.imageSmoothingQuality = "high"
    const sheet = atlas(facts.pixels, 0, many)
    const columns = sheet.width / 28
    const side = Math.max(5, Math.min(cell - 3, labels && cell >= 24 ? cell - 6 : cell - 1))
    context.font = `600 11px ${token("sans")}`
    context.textAlign = "right"
    for (let i = 0; i < many; i++) {
      const [x, y] = [(i % across) * cell, Math.floor(i / across) * cell]
      const [sx, sy] = [28 * (i % columns), 28 * Math.floor(i / columns)]
      context.drawImage(sheet, sx, sy, 28, 28, x + 1, y + 1, side, side)
      if (labels && cell >= 24) {
        context.fillStyle = token("ink-3")
        context.fillText(String(facts.labels[i]), x + cell - 3, y + cell - 4)
      }
    }
    context.strokeStyle = token("ink")
    context.lineWidth = 1.5
    context.strokeRect((at % across) * cell + 0.75, Math.floor(at / across) * cell + 0.75, cell - 1.5, cell - 1.5)
  }, [facts, at, cell, across, width, labels, colours.value])
  const choose = (event: PointerEvent): void => {
    const place = canvas.current!.getBoundingClientRect()
    const column = Math.floor((event.clientX - place.left) / cell)
    const row = Math.floor((event.clientY - place.top) / cell)
    const next = row * across + column
    if (column >= 0 && column < across && next >= 0 && next < many) chosen.value = next
  }
  const keys = (event: KeyboardEvent): void => {
    const step = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: across, ArrowUp: -across }[event.key]
    const to = event.key === "Home" ? 0 : event.key === "End" ? many - 1 : step === undefined ? undefined : at + step
    if (to === undefined) return
    event.preventDefault()
    chosen.value = Math.max(0, Math.min(many - 1, to))
  }
  const says = `image ${at + 1} of ${many}: number ${count(facts.images[at]! + 1)}, a ${facts.labels[at]}`
  return (
    <div ref={box} class="bt-grid">
      <canvas
        ref={canvas}
        style={{ width: `${wide}px`, height: `${high}px` }}
        role="slider"
        tabIndex={0}
        aria-label="Image of the batch"
        aria-valuemin={1}
        aria-valuemax={many}
        aria-valuenow={at + 1}
        aria-valuetext={says}
        onPointerDown={choose}
        onKeyDown={keys}
      />
    </div>
  )
}
