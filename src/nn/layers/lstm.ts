// The long short-term memory. Knows no network.

import type { Node } from "../../graph/node.ts"
import { add, matmul, mul, slice } from "../../graph/ops.ts"
import { type Activation, activate, activationKind } from "../activations.ts"
import { layerOfMany } from "../layer.ts"
import { flag, optional } from "../options.ts"
import {
  cellParameters,
  inputsOf,
  type RecurrentFactory,
  type RecurrentOptions,
  recur,
  recurrentOptions,
} from "./recurrent.ts"

/** The options of {@link lstm}. */
export interface LSTMOptions extends RecurrentOptions {
  /** The function of the gates (default sigmoid). */
  readonly recurrentActivation?: Activation
  /** Whether the biases of the forget gate begin as 1, so that nothing is forgotten at first (default true). */
  readonly unitForgetBias?: boolean
}

/**
 * A long short-term memory: [i, f, g, o] = x_t·W + b + h_(t−1)·U, c_t = σ(f)·c_(t−1) + σ(i)·activation(g),
 * h_t = σ(o)·activation(c_t) with σ the recurrentActivation; `[batch, steps, features] -> [batch, units]`, or of all steps
 * `[batch, steps, units]`. Further inputs: h_0 and c_0 `[batch, units]`, else zeros. With `returnState` it gives [output, h, c].
 * Throws E_CONFIG for a wrong option. Source: Hochreiter and Schmidhuber 1997; Gers et al. 2000. Keras: LSTM.
 * @example
 * ```ts
 * import { dense, lstm, sequential } from "trilobite"
 * const model = sequential([
 *   lstm({ units: 32, returnSequences: true, inputShape: [100, 8] }),
 *   lstm({ units: 32 }),
 *   dense({ units: 1, activation: "sigmoid" }),
 * ])
 * model.countParams() // => 13601
 * ```
 */
export const lstm: RecurrentFactory<LSTMOptions> = /* @__PURE__ */ layerOfMany<LSTMOptions>(
  "LSTM",
  {
    ...recurrentOptions,
    recurrentActivation: optional(activationKind(), "sigmoid"),
    unitForgetBias: optional(flag(), true),
  },
  (config, inputs, scope) => {
    const { units, activation, recurrentActivation } = config
    const { kernel, recurrent, bias } = cellParameters(config, inputs[0]!, scope, 4, {
      ...(config.unitForgetBias ? { ones: [units, 2 * units] } : {}),
    })
    return recur(config, inputs, scope, {
      states: 2,
      before: (x) => inputsOf(x, kernel, bias),
      step: (item, [, c], h) => {
        const z = add(item, matmul(h, recurrent))
        const part = (i: number): Node => slice(z, 1, i * units, (i + 1) * units)
        const gate = (i: number): Node => activate(recurrentActivation, part(i))
        const state = add(mul(gate(1), c!), mul(gate(0), activate(activation, part(2))))
        return [mul(gate(3), activate(activation, state)), state]
      },
    })
  },
) as RecurrentFactory<LSTMOptions>
