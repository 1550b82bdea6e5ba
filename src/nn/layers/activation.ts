// An activation function as a layer of its own. Knows no network.

import { type Activation, activate, activationKind } from "../activations.ts"
import { type LayerFactory, type LayerOptions, layer } from "../layer.ts"
import { required } from "../options.ts"

/** The options of {@link activation}. */
export interface ActivationOptions extends LayerOptions {
  /** The name of the function, an object with its type and options, or a traced function of your own. */
  readonly activation: Activation
}

/**
 * Applies an activation function, `[...] -> [...]`. Throws E_CONFIG for an unknown name. Keras: Activation.
 * @example
 * ```ts
 * import { activation } from "trilobite"
 * activation({ activation: "tanh" }).type // => "Activation"
 * ```
 */
export const activation: LayerFactory<ActivationOptions> = /* @__PURE__ */ layer<ActivationOptions>(
  "Activation",
  { activation: required(activationKind()) },
  (config, x) => activate(config.activation, x),
  { passesMask: true },
)
