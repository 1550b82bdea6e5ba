// Each example as one list of numbers. Knows no network.

import { size } from "../../core/shape.ts"
import { reshape } from "../../graph/ops.ts"
import { type LayerFactory, type LayerOptions, layer } from "../layer.ts"

/**
 * All numbers of an example along one axis, `[batch, a, b, ...] -> [batch, a·b·...]`. Keras: Flatten.
 * @example
 * ```ts
 * import { flatten } from "trilobite"
 * flatten({ inputShape: [28, 28] }).inputShape // => [28, 28]
 * ```
 */
export const flatten: LayerFactory<LayerOptions> = /* @__PURE__ */ layer<LayerOptions>("Flatten", {}, (_, x) => {
  const [batch, ...rest] = x.shape
  return reshape(x, [batch!, size(rest)])
})
