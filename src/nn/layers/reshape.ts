// The same numbers of each example with other sizes. Knows no network.

import { configError } from "../../core/errors.ts"
import { formatShape, size } from "../../core/shape.ts"
import * as ops from "../../graph/ops.ts"
import { type LayerFactory, type LayerOptions, layer } from "../layer.ts"
import { required, sizes } from "../options.ts"

/** The options of {@link reshape}. */
export interface ReshapeOptions extends LayerOptions {
  /** The sizes of one example, without the batch; one may be −1 and is found from the others. */
  readonly targetShape: readonly number[]
}

/**
 * Sees each example with other sizes, `[batch, ...] -> [batch, ...targetShape]`.
 * Throws E_CONFIG if the number of elements differs. Keras: Reshape.
 * @example
 * ```ts
 * import { reshape } from "trilobite"
 * reshape({ targetShape: [28, -1], inputShape: [784] }).config.targetShape // => [28, -1]
 * ```
 */
export const reshape: LayerFactory<ReshapeOptions> = /* @__PURE__ */ layer<ReshapeOptions>(
  "Reshape",
  { targetShape: required(sizes(true)) },
  ({ targetShape }, x) => {
    const [batch, ...example] = x.shape
    const known = targetShape.reduce((product, n) => (n === -1 ? product : product * n), 1)
    const target = targetShape.map((n) => (n === -1 ? size(example) / known : n))
    if (!target.every(Number.isInteger) || size(target) !== size(example)) {
      const what = `cannot see an example of ${formatShape(example)} as ${formatSizes(targetShape)}.`
      throw configError({
        what,
        expected: `${size(example)} elements`,
        got: `${known}${known === size(target) ? "" : " times a whole number"}`,
      })
    }
    return ops.reshape(x, [batch!, ...target])
  },
)

function formatSizes(shape: readonly number[]): string {
  return `[${shape.join(", ")}]`
}
