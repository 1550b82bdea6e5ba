// Layers that hold another layer, as an option. Knows no layer by name.

import { callLayer, type Masked } from "./masks.ts"
import { snakeCase } from "./names.ts"
import { asLayer, type LayerLike } from "./network.ts"
import type { Kind } from "./options.ts"
import type { Scope } from "./scope.ts"
import type { LayerData } from "./symbolic.ts"

/** A layer, or a model as one. In a file it stands as other layers do. */
/* @__NO_SIDE_EFFECTS__ */
export function layerKind(): Kind<LayerLike> {
  return { expected: "a layer, such as dense({ units: 10 })", read: (value) => asLayer(value), holdsLayer: true }
}

/** The name under which the parameters of a held layer stand: its own, or that of its type. */
export function innerName({ name, type }: Pick<LayerData, "name" | "type">): string {
  return name ?? snakeCase(type)
}

/** What the held layer makes of values: its parameters are `outer/inner/kernel`. */
export function callInner(held: LayerLike, inputs: readonly Masked[], scope: Scope): readonly Masked[] {
  const layer = asLayer(held)!
  return callLayer(layer, inputs, (masks) => scope.inner(innerName(layer), layer.trainable, { masks }))
}
