// A whole network as one layer of another. Knows networks, no model.

import { configError } from "../core/errors.ts"
import { type Shape, sameShape } from "../core/shape.ts"
import { callable, type Layer } from "./layer.ts"
import { type Network, traceInside } from "./network.ts"
import type { Cell } from "./weights.ts"

/** What a network is called as a layer, and the values that it has elsewhere. */
export interface NestedOptions {
  readonly name: string | undefined
  readonly inputShape?: Shape | undefined
  readonly batchSize?: number | undefined
  readonly trainable?: boolean
  /** The network as plain JSON. */
  readonly config: { readonly [key: string]: unknown }
  /** The values of its parameters, by their keys in the network: they are shared with whoever has them. */
  readonly cells?: ReadonlyMap<string, Cell> | undefined
}

/** The types of such layers, by the kind of their network. */
export const nestedTypes: { readonly [K in Network["kind"]]: string } = {
  sequential: "Sequential",
  functional: "Functional",
}

/** The network as a layer: its parameters are those of its layers, `model/dense/kernel`. */
export function nestedLayer(network: Network, options: NestedOptions): Layer {
  const { name, inputShape, batchSize, trainable = true, config, cells } = options
  return callable({
    type: nestedTypes[network.kind],
    name,
    config,
    inputShape,
    batchSize,
    trainable,
    call: (inputs, scope) => {
      if (inputs.length !== network.inputs.length) {
        const got = `${inputs.length}`
        throw configError({ what: "the number of inputs does not fit.", expected: `${network.inputs.length}`, got })
      }
      network.inputs.forEach(({ name: input, shape }, i) => {
        const given = inputs[i]!.shape.slice(1)
        if (shape === undefined || sameShape(shape, given)) return
        const what = `its input ${JSON.stringify(input)} has another shape.`
        throw configError({ what, expected: `[batch, ${shape.join(", ")}]`, got: `[batch, ${given.join(", ")}]` })
      })
      const given = inputs.map((node, i) => ({ node, mask: scope.masks[i] }))
      const made = traceInside(network, given, (layer, masks) =>
        scope.inner(layer.name, layer.trainable, { cells, masks }),
      )
      for (const [i, { mask }] of made.entries()) scope.passMask(mask, i)
      return made.map(({ node }) => node)
    },
  })
}
