// Where the channels of images and sequences stand. Layers compute with them last; a transpose costs no kernel.

import { configError } from "../../core/errors.ts"
import { formatShape } from "../../core/shape.ts"
import type { Node } from "../../graph/node.ts"
import { transpose } from "../../graph/ops.ts"
import { type OptionalOption, oneOf, optional } from "../options.ts"

/** Where the channels stand: after the places, `[batch, ...places, channels]`, or before them. */
export type DataFormat = "channelsLast" | "channelsFirst"

/** The option of layers of images and sequences. */
export interface DataFormatOption {
  /** Where the channels stand: `channelsLast` or `channelsFirst`, `[batch, channels, ...places]` (default channelsLast). */
  readonly dataFormat?: DataFormat
}

/** The option's row in a table. */
export const dataFormat: OptionalOption<DataFormat> = /* @__PURE__ */ optional(
  /* @__PURE__ */ oneOf<DataFormat>("data format", ["channelsLast", "channelsFirst"]),
  "channelsLast",
)

/**
 * What a layer makes of a value with so many axes of places, its channels moved behind them and, if the result has as many
 * axes, back. Throws E_CONFIG for a value of another number of axes.
 */
export function withChannelsLast(format: DataFormat, places: 1 | 2, x: Node, make: (x: Node) => Node): Node {
  if (x.shape.length !== places + 2) {
    const [names, what] = places === 1 ? ["steps", "sequence"] : ["height, width", "image"]
    const expected = format === "channelsLast" ? `[batch, ${names}, channels]` : `[batch, channels, ${names}]`
    throw configError({ what: `the input is no ${what}.`, expected, got: formatShape(x.shape) })
  }
  if (format === "channelsLast") return make(x)
  const made = make(transpose(x, places === 1 ? [0, 2, 1] : [0, 2, 3, 1]))
  return made.shape.length === x.shape.length ? transpose(made, places === 1 ? [0, 2, 1] : [0, 3, 1, 2]) : made
}
