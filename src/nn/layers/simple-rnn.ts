// The simple recurrent layer. Knows no network.

import { add, matmul } from "../../graph/ops.ts"
import { activate } from "../activations.ts"
import { layerOfMany } from "../layer.ts"
import {
  cellParameters,
  inputsOf,
  type RecurrentFactory,
  type RecurrentOptions,
  recur,
  recurrentOptions,
} from "./recurrent.ts"

/** The options of {@link simpleRNN}. */
export type SimpleRNNOptions = RecurrentOptions

/**
 * A recurrent layer: h_t = activation(x_t·W + b + h_(t−1)·U), `[batch, steps, features] -> [batch, units]`, or of all steps
 * `[batch, steps, units]`. Further inputs: h_0 `[batch, units]`, else zeros. With `returnState` it gives [output, h].
 * Throws E_CONFIG for a wrong option. Source: Elman 1990. Keras: SimpleRNN.
 * @example
 * ```ts
 * import { dense, sequential, simpleRNN } from "trilobite"
 * const model = sequential([simpleRNN({ units: 16, inputShape: [20, 3] }), dense({ units: 1 })])
 * model.countParams() // => 337
 * ```
 */
export const simpleRNN: RecurrentFactory<SimpleRNNOptions> = /* @__PURE__ */ layerOfMany<SimpleRNNOptions>(
  "SimpleRNN",
  recurrentOptions,
  (config, inputs, scope) => {
    const { kernel, recurrent, bias } = cellParameters(config, inputs[0]!, scope, 1)
    return recur(config, inputs, scope, {
      states: 1,
      before: (x) => inputsOf(x, kernel, bias),
      step: (item, _, h) => [activate(config.activation, add(item, matmul(h, recurrent)))],
    })
  },
) as RecurrentFactory<SimpleRNNOptions>
