// One digit of MNIST as a small picture.

import type { JSX } from "preact"
import { useEffect, useRef } from "preact/hooks"
import { rgbOf } from "../ui/colour.ts"
import { colours, token } from "../ui/theme.ts"
import { type Digits, EDGE, paint } from "./mnist.ts"

/** An image, its pixels as squares, in ink. */
export function Digit(props: {
  readonly of: Digits
  readonly index: number
  readonly size: number
  readonly label: string
}): JSX.Element {
  const { of, index, size, label } = props
  const canvas = useRef<HTMLCanvasElement>(null)
  const theme = colours.value
  useEffect(() => {
    const context = canvas.current?.getContext("2d")
    if (!context || index >= of.count) return
    const image = context.createImageData(EDGE, EDGE)
    paint(image.data, { width: EDGE, x: 0, y: 0 }, of.pixels, index, rgbOf(token("ink")))
    context.putImageData(image, 0, 0)
  }, [of, index, theme])
  return (
    <canvas
      ref={canvas}
      class="digit"
      width={EDGE}
      height={EDGE}
      role="img"
      aria-label={label}
      style={{ width: `${size}px`, height: `${size}px` }}
    />
  )
}
