// The gated recurrent unit. Knows no network.

import type { Node } from "../../graph/node.ts"
import { add, matmul, mul, reshape, slice, sub } from "../../graph/ops.ts"
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

/** The options of {@link gru}. */
export interface GRUOptions extends RecurrentOptions {
  /** The function of the gates (default sigmoid). */
  readonly recurrentActivation?: Activation
  /** Whether the reset gate multiplies what the weights have made of h, not h itself; biases are then `[2, 3·units]` (default true). */
  readonly resetAfter?: boolean
}

/**
 * A gated recurrent unit: z = σ(x_t·W_z + h·U_z), r = σ(x_t·W_r + h·U_r), ĥ = activation(x_t·W_h + r·(h·U_h)), or
 * with `resetAfter: false` activation(x_t·W_h + (r·h)·U_h), and h_t = z·h + (1 − z)·ĥ, with biases beside x_t·W and, if
 * `resetAfter`, beside h·U too; `[batch, steps, features] -> [batch, units]`, or of all steps `[batch, steps, units]`. A further input:
 * h_0 `[batch, units]`, else zeros. With `returnState` it gives [output, h].
 * Throws E_CONFIG for a wrong option. Source: Cho et al. 2014. Keras: GRU.
 * @example
 * ```ts
 * import { dense, gru, sequential } from "trilobite"
 * const model = sequential([gru({ units: 16, inputShape: [50, 4] }), dense({ units: 1 })])
 * model.countParams() // => 1073
 * ```
 */
export const gru: RecurrentFactory<GRUOptions> = /* @__PURE__ */ layerOfMany<GRUOptions>(
  "GRU",
  {
    ...recurrentOptions,
    recurrentActivation: optional(activationKind(), "sigmoid"),
    resetAfter: optional(flag(), true),
  },
  (config, inputs, scope) => {
    const { units, activation, recurrentActivation, resetAfter } = config
    const { kernel, recurrent, bias } = cellParameters(config, inputs[0]!, scope, 3, {
      ...(resetAfter ? { shape: [2, 3 * units] } : {}),
    })
    const row = (i: number): Node | undefined =>
      bias === undefined || !resetAfter ? bias : reshape(slice(bias, 0, i, i + 1), [3 * units])
    const part = (x: Node, i: number, count = 1): Node => slice(x, 1, i * units, (i + count) * units)
    return recur(config, inputs, scope, {
      states: 1,
      before: (x) => inputsOf(x, kernel, row(0)),
      step: (item, [h], dropped) => {
        const gates = resetAfter ? recurrent : part(recurrent, 0, 2)
        const own = inputsOf(dropped, gates, resetAfter ? row(1) : undefined)
        const gate = (i: number): Node => activate(recurrentActivation, add(part(item, i), part(own, i)))
        const [z, r] = [gate(0), gate(1)]
        const inner = resetAfter ? mul(r, part(own, 2)) : matmul(mul(r, dropped), part(recurrent, 2))
        const candidate = activate(activation, add(part(item, 2), inner))
        return [add(mul(z, h!), mul(sub(1, z), candidate))]
      },
    })
  },
) as RecurrentFactory<GRUOptions>
