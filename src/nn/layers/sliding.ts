// Windows that slide over sequences and images: sizes for each axis, and the places that padding adds. Knows no layer.

import { configError } from "../../core/errors.ts"
import type { Node } from "../../graph/node.ts"
import { padWith } from "../../graph/places.ts"
import { type Kind, type OptionalOption, oneOf, optional } from "../options.ts"

/** One number for all axes, or one for each. */
export type Sizes = number | readonly number[]

/** Whether windows stay within the input, or places around it give ⌈places / strides⌉ windows. */
export type Padding = "valid" | "same"

const isSize = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 1

/** Whole numbers from 1: one, or one for each of so many axes. */
/* @__NO_SIDE_EFFECTS__ */
export function sizesFor(places: 1 | 2): Kind<Sizes> {
  const expected = `a whole number of at least 1, or an array of ${places} of them`
  const isList = (value: unknown): value is readonly number[] =>
    Array.isArray(value) && value.length === places && value.every(isSize)
  return { expected, read: (value) => (isSize(value) ? value : isList(value) ? [...value] : undefined) }
}

/** The row of `padding` in a table. */
export const padding: OptionalOption<Padding> = /* @__PURE__ */ optional(
  /* @__PURE__ */ oneOf<Padding>("padding", ["valid", "same"]),
  "valid",
)

/** One number for each axis. */
export function perAxis(sizes: Sizes, places: number): readonly number[] {
  return typeof sizes === "number" ? Array<number>(places).fill(sizes) : sizes
}

/** How windows slide along each axis. */
export interface Sliding {
  readonly size: readonly number[]
  readonly strides: readonly number[]
  readonly dilations: readonly number[]
}

/** Places from the first to the last of a window. */
export function spanOf(size: number, dilation: number): number {
  return (size - 1) * dilation + 1
}

/**
 * Places before and after an axis of n: with `same` as few as give ⌈n / stride⌉ windows, an odd one at the end; with `causal`
 * all before the first.
 */
export function edgesOf(
  padding: Padding | "causal",
  n: number,
  span: number,
  stride: number,
): readonly [before: number, after: number] {
  if (padding === "valid") return [0, 0]
  if (padding === "causal") return [span - 1, 0]
  const total = Math.max(0, (Math.ceil(n / stride) - 1) * stride + span - n)
  return [Math.floor(total / 2), Math.ceil(total / 2)]
}

/**
 * The value, channels last, with a number around it as the padding asks. Throws E_CONFIG if a window is larger than the padded
 * input.
 */
export function paddedFor(x: Node, padding: Padding | "causal", sliding: Sliding, value = 0): Node {
  const edges = sliding.size.map((size, d) => {
    const n = x.shape[d + 1]!
    const span = spanOf(size, sliding.dilations[d]!)
    const [before, after] = edgesOf(padding, n, span, sliding.strides[d]!)
    if (n + before + after < span) {
      throw configError({
        what: "the window is larger than the input.",
        expected: `at most ${n} places along axis ${d + 1}`,
        got: `${span} places`,
        hint: 'Use a smaller window, or padding: "same".',
      })
    }
    return [before, after] as const
  })
  return padWith(x, [[0, 0], ...edges, [0, 0]], value)
}
