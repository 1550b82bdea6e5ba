// An image of 28 by 28 pixels, large enough to see: ink on paper in the colours of the theme.

import type { JSX } from "preact"
import { useEffect, useRef } from "preact/hooks"
import { rgbOf } from "../ui/colour.ts"
import { colours, token } from "../ui/theme.ts"
import { SIDE } from "./intermediate-ink.ts"

/** The image; what it shows stands beside it or in `label`. */
export function Digit(props: { readonly pixels: Uint8Array | undefined; readonly label?: string }): JSX.Element {
  const { pixels, label } = props
  const canvas = useRef<HTMLCanvasElement>(null)
  const theme = colours.value
  useEffect(() => {
    const context = canvas.current!.getContext("2d")!
    context.clearRect(0, 0, SIDE, SIDE)
    if (pixels === undefined) return
    const ink = rgbOf(token("ink"))
    const image = context.createImageData(SIDE, SIDE)
    for (let i = 0; i < pixels.length; i++) image.data.set([...ink, pixels[i]!], 4 * i)
    context.putImageData(image, 0, 0)
  }, [pixels, theme])
  const hidden =
    label === undefined ? { "aria-hidden": "true" as const } : { role: "img" as const, "aria-label": label }
  return <canvas ref={canvas} class="digit" width={SIDE} height={SIDE} {...hidden} />
}
