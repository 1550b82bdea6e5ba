// The wall of images: a canvas that draws what can be seen of it, and one image enlarged with the grey under the pointer.

import type { Signal } from "@preact/signals"
import type { JSX } from "preact"
import { useEffect, useRef, useState } from "preact/hooks"
import { rgbOf } from "../ui/colour.ts"
import { count } from "../ui/format.ts"
import { useWidth } from "../ui/size.ts"
import { colours, token } from "../ui/theme.ts"
import { Digit } from "./digit.tsx"
import { type Digits, EDGE, PIXELS, paint } from "./mnist.ts"

/** Pixels of a tile with the space around it. */
const TILE = EDGE + 6
/** How many times the enlarged image is larger. */
const LARGER = 6

interface WallProps {
  readonly of: Digits
  readonly shown: Uint32Array
  /** The image that is enlarged, by its number in the split. */
  readonly at: Signal<number>
  readonly mistaken?: ReadonlyMap<number, number>
}

/** The tile under a place of the wall: its place in the order and the pixel in it. */
export function tileAt(
  x: number,
  y: number,
  columns: number,
): { readonly place: number; readonly pixel: number | undefined } {
  const [column, row] = [Math.min(columns - 1, Math.max(0, Math.floor(x / TILE))), Math.max(0, Math.floor(y / TILE))]
  const [px, py] = [Math.floor(x - column * TILE - 3), Math.floor(y - row * TILE - 3)]
  const inside = px >= 0 && py >= 0 && px < EDGE && py < EDGE
  return { place: row * columns + column, pixel: inside ? py * EDGE + px : undefined }
}

/** The wall and the enlarged image. */
export function Wall({ of, shown, at, mistaken }: WallProps): JSX.Element {
  const [box, width] = useWidth(0)
  const scroll = useRef<HTMLDivElement>(null)
  const canvas = useRef<HTMLCanvasElement>(null)
  const [pixel, setPixel] = useState<number>()
  const columns = Math.max(1, Math.floor(width / TILE))
  const rows = Math.ceil(shown.length / columns)
  const place = Math.max(0, shown.indexOf(at.value))
  const image = shown[place]!
  const theme = colours.value

  const draw = (): void => {
    const [own, outer] = [canvas.current, scroll.current]
    if (own === null || outer === null || width === 0) return
    const high = Math.min(outer.clientHeight, rows * TILE)
    if (own.width !== columns * TILE || own.height !== high) [own.width, own.height] = [columns * TILE, high]
    const context = own.getContext("2d")!
    const target = context.createImageData(own.width, high)
    const ink = rgbOf(token("ink"))
    const first = Math.floor(outer.scrollTop / TILE)
    const shift = outer.scrollTop - first * TILE
    // Whole tiles are drawn on a taller sheet, of which the part that is seen is shown.
    const sheet = new ImageData(own.width, (Math.ceil(high / TILE) + 1) * TILE)
    for (let k = 0; k < (sheet.height / TILE) * columns; k++) {
      const index = shown[first * columns + k]
      if (index === undefined) break
      const corner = { width: own.width, x: (k % columns) * TILE + 3, y: Math.floor(k / columns) * TILE + 3 }
      paint(sheet.data, corner, of.pixels, index, ink)
    }
    target.data.set(sheet.data.subarray(4 * own.width * Math.round(shift), 4 * own.width * (Math.round(shift) + high)))
    context.putImageData(target, 0, 0)
    const [column, row] = [place % columns, Math.floor(place / columns)]
    context.strokeStyle = token("ember")
    context.lineWidth = 2
    context.strokeRect(column * TILE + 1, row * TILE - outer.scrollTop + 1, TILE - 2, TILE - 2)
  }
  useEffect(draw, [of, shown, width, place, theme])
  const choose = (next: number): void => {
    const limited = Math.min(shown.length - 1, Math.max(0, next))
    at.value = shown[limited]!
    setPixel(undefined)
    const [outer, y] = [scroll.current!, Math.floor(limited / columns) * TILE]
    if (y < outer.scrollTop) outer.scrollTop = y
    else if (y + TILE > outer.scrollTop + outer.clientHeight) outer.scrollTop = y + TILE - outer.clientHeight
  }
  const keys = (event: KeyboardEvent): void => {
    const page = columns * Math.max(1, Math.floor(scroll.current!.clientHeight / TILE))
    const next = {
      ArrowLeft: place - 1,
      ArrowRight: place + 1,
      ArrowUp: place - columns,
      ArrowDown: place + columns,
      PageUp: place - page,
      PageDown: place + page,
      Home: 0,
      End: shown.length - 1,
    }[event.key]
    if (next === undefined) return
    event.preventDefault()
    choose(next)
  }
  const point = (event: PointerEvent): void => {
    const { left, top } = canvas.current!.getBoundingClientRect()
    const found = tileAt(event.clientX - left, event.clientY - top + scroll.current!.scrollTop, columns)
    if (found.place >= shown.length) return
    at.value = shown[found.place]!
    setPixel(found.pixel)
  }
  const words = `image ${count(image)}, a ${of.labels[image]}`
  return (
    <div class="wall">
      <div
        ref={scroll}
        class="wall-scroll"
        role="slider"
        tabIndex={0}
        aria-label="Images, one after another"
        aria-valuemin={0}
        aria-valuemax={shown.length - 1}
        aria-valuenow={place}
        aria-valuetext={words}
        onScroll={draw}
        onKeyDown={keys}
      >
        <div ref={box} style={{ height: `${rows * TILE}px` }}>
          <canvas ref={canvas} onPointerMove={point} onPointerDown={point} onPointerLeave={() => setPixel(undefined)} />
        </div>
      </div>
      <Enlarged of={of} image={image} pixel={pixel} onPixel={setPixel} times={mistaken?.get(image)} />
    </div>
  )
}

function Enlarged(props: {
  readonly of: Digits
  readonly image: number
  readonly pixel: number | undefined
  readonly onPixel: (pixel: number | undefined) => void
  readonly times: number | undefined
}): JSX.Element {
  const { of, image, pixel, onPixel, times } = props
  const point = (event: PointerEvent): void => {
    const { left, top } = (event.currentTarget as Element).getBoundingClientRect()
    const [x, y] = [Math.floor((event.clientX - left) / LARGER), Math.floor((event.clientY - top) / LARGER)]
    onPixel(x >= 0 && y >= 0 && x < EDGE && y < EDGE ? y * EDGE + x : undefined)
  }
  const label = of.labels[image]!
  return (
    <figure class="large">
      <div class="frame" onPointerMove={point} onPointerLeave={() => onPixel(undefined)}>
        <Digit of={of} index={image} size={EDGE * LARGER} label={`Image ${image}, a ${label}`} />
        {pixel !== undefined && (
          <i
            class="pixel"
            style={{ left: `${(pixel % EDGE) * LARGER}px`, top: `${Math.floor(pixel / EDGE) * LARGER}px` }}
          />
        )}
      </div>
      <figcaption>
        <b>a {label}</b>
        <span>image {count(image)}</span>
        <span>
          {pixel === undefined
            ? "point at a pixel"
            : `row ${Math.floor(pixel / EDGE)}, column ${pixel % EDGE}: grey ${of.pixels[image * PIXELS + pixel]}`}
        </span>
        {times !== undefined && <span>{times === 1 ? "read wrong once" : `read wrong ${times} times`}</span>}
      </figcaption>
    </figure>
  )
}
