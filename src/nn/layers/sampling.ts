// Images at computed places. Knows graphs, no layer.

import { clip } from "../../graph/compose.ts"
import type { Node } from "../../graph/node.ts"
import { add, broadcastTo, div, floor, indexOver, less, lessEqual, mul, reshape, sub, where } from "../../graph/ops.ts"
import { lookup } from "../../graph/places.ts" // biome-ignore format: one line
import { finiteNumber, type OptionTable, oneOf, optional } from "../options.ts"

/** What stands beyond the edge: the image mirrored (`d c b a | a b c d | d c b a`), a number, the image again, or its edge. */
export type FillMode = "reflect" | "constant" | "wrap" | "nearest"

/** How an image is continued and what stands between its pixels. */
export interface SamplingOptions {
  /** What stands beyond the edge (default reflect). */
  readonly fillMode?: FillMode
  /** Between pixels: straight lines (`bilinear`) or the nearest pixel (default bilinear). */
  readonly interpolation?: "bilinear" | "nearest"
  /** The number beyond the edge for `constant` (default 0). */
  readonly fillValue?: number
}

/** The options with their defaults. */
export type Sampling = Required<SamplingOptions>

/** The rows of a table of options. */
export const sampling: OptionTable<SamplingOptions> = {
  fillMode: /* @__PURE__ */ optional(
    /* @__PURE__ */ oneOf<FillMode>("fill mode", ["reflect", "constant", "wrap", "nearest"]),
    "reflect",
  ),
  interpolation: /* @__PURE__ */ optional(
    /* @__PURE__ */ oneOf<"bilinear" | "nearest">("interpolation", ["bilinear", "nearest"]),
    "bilinear",
  ),
  fillValue: /* @__PURE__ */ optional(/* @__PURE__ */ finiteNumber(), 0),
}

/** A place along an axis of n pixels for any whole number. */
function within(mode: FillMode, i: Node, n: number): Node {
  const turned = (period: number): Node => sub(i, mul(floor(div(i, period)), period))
  if (mode === "wrap") return turned(n)
  if (mode !== "reflect") return clip(i, 0, n - 1)
  const j = turned(2 * n)
  return where(less(j, n), j, sub(2 * n - 1, j))
}

/**
 * The image `[batch, height, width, channels]` at places given in pixels from the middle of the first one, `y` and `x` of shapes
 * that stretch to `[batch, height, width]`: as many pixels as it has.
 */
export function sampled(image: Node, y: Node, x: Node, { fillMode, interpolation, fillValue }: Sampling): Node {
  const [batch, height, width, channels] = image.shape as [number, number, number, number]
  const table = reshape(image, [batch * height * width, channels])
  // A batch may be several images of each example: the numbers of the second begin behind the rows of the first.
  const before = mul(reshape(indexOver([-batch]), [-batch, 1, 1]), height * width)
  const at = (row: Node, column: Node): Node => {
    const place = add(mul(within(fillMode, row, height), width), within(fillMode, column, width))
    const places = reshape(broadcastTo(place, [batch, height, width]), [-1, -batch, height * width, 1])
    const pixels = reshape(lookup(table, reshape(add(places, before), [batch, height * width])), image.shape)
    if (fillMode !== "constant") return pixels
    const inside = (i: Node, n: number): Node => mul(lessEqual(0, i), lessEqual(i, n - 1))
    const known = broadcastTo(mul(inside(row, height), inside(column, width)), [batch, height, width])
    return where(reshape(known, [batch, height, width, 1]), pixels, fillValue)
  }
  if (interpolation === "nearest") return at(floor(add(y, 0.5)), floor(add(x, 0.5)))
  const [top, left] = [floor(y), floor(x)]
  const share = (place: Node, first: Node): Node =>
    reshape(broadcastTo(sub(place, first), [batch, height, width]), [batch, height, width, 1])
  const [down, right] = [share(y, top), share(x, left)]
  const mix = (a: Node, b: Node, part: Node): Node => add(mul(a, sub(1, part)), mul(b, part))
  const line = (row: Node): Node => mix(at(row, left), at(row, add(left, 1)), right)
  return mix(line(top), line(add(top, 1)), down)
}
