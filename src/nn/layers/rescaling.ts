// A fixed scale and offset, such as pixels of 0..255 to 0..1. Knows no network.

import { add, mul } from "../../graph/ops.ts"
import { type LayerFactory, type LayerOptions, layer } from "../layer.ts"
import { finiteNumber, optional, required } from "../options.ts"

/** The options of {@link rescaling}. */
export interface RescalingOptions extends LayerOptions {
  /** What every number is multiplied by. */
  readonly scale: number
  /** What is added then (default 0). */
  readonly offset?: number
}

/**
 * y = x · scale + offset, `[...] -> [...]`. Throws E_CONFIG for numbers that are not finite. Keras: Rescaling.
 * @example
 * ```ts
 * import { rescaling } from "trilobite"
 * rescaling({ scale: 1 / 255, inputShape: [784] }).config.offset // => 0
 * ```
 */
export const rescaling: LayerFactory<RescalingOptions> = /* @__PURE__ */ layer<RescalingOptions>(
  "Rescaling",
  { scale: required(finiteNumber()), offset: optional(finiteNumber(), 0) },
  ({ scale, offset }, x) => add(mul(x, scale), offset),
  { passesMask: true },
)
