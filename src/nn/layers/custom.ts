// Layers of the user's own, written as one traced function. Knows no network.

import { configError, show } from "../../core/errors.ts"
import type { Node } from "../../graph/node.ts"
import { type LayerFactory, type LayerOptions, layerOfMany } from "../layer.ts"
import { type Kind, type OptionTable, optional, type Resolved } from "../options.ts"
import type { Scope } from "../scope.ts"

/** What an option of a layer of one's own may be: what JSON can hold. */
export type Plain = number | string | boolean | null | readonly Plain[] | { readonly [key: string]: Plain }

/** The options of a layer of one's own with their defaults. */
export interface Defaults {
  readonly [option: string]: Plain
}

/** The same options for whoever makes the layer: numbers are any numbers, texts any texts. */
export type Widened<D> = {
  readonly [K in keyof D]?: D[K] extends number
    ? number
    : D[K] extends string
      ? string
      : D[K] extends boolean
        ? boolean
        : D[K]
}

/**
 * A new kind of layer: a name, its options with their defaults, and what it computes, with the operations of `ops`.
 * Parameters are asked of the scope: `scope.parameter("kernel", [n, m], "glorotUniform")`, values that training keeps by
 * `scope.state` and `scope.update`; `scope.training` says whether it is being trained. Gradients, shapes, saving and every
 * backend follow. To load a model with it, give the new function in `customObjects`.
 * @throws E_CONFIG, when layers are made of it, for unknown options and for values that are not of the default's type.
 * @example
 * ```ts
 * import { customLayer, dense, ops, sequential } from "trilobite"
 * const scaled = customLayer("Scaled", { initial: 1 }, ({ initial }, [x], scope) =>
 *   ops.mul(x, scope.parameter("scale", [], { type: "constant", value: initial })),
 * )
 * const model = sequential([dense({ units: 2, inputShape: [3] }), scaled({ initial: 2 })])
 * model.countParams() // => 9
 * ```
 */
export function customLayer<D extends Defaults>(
  type: string,
  defaults: D,
  call: (config: Resolved<Widened<D>>, inputs: readonly [Node, ...Node[]], scope: Scope) => Node | readonly Node[],
): LayerFactory<Widened<D> & LayerOptions> {
  if (typeof type !== "string" || !/^[A-Za-z][\w.]*$/.test(type)) {
    const expected = "letters, digits and _, a letter first"
    throw configError({ where: "customLayer", what: "this is no name of a type.", expected, got: show(type) })
  }
  for (const name of ["name", "inputShape", "batchShape", "trainable"]) {
    if (!Object.hasOwn(defaults, name)) continue
    throw configError({ where: `customLayer ${type}`, what: `every layer has the option ${name} already.` })
  }
  const table = Object.entries(defaults).map(([name, value]) => [name, optional(like(value), value)])
  return layerOfMany<Widened<D> & LayerOptions>(
    type,
    Object.fromEntries(table) as OptionTable<Omit<Widened<D> & LayerOptions, keyof LayerOptions>>,
    (config, inputs, scope) =>
      call(config as unknown as Resolved<Widened<D>>, inputs as unknown as readonly [Node, ...Node[]], scope),
  )
}

/** The values that are of the default's type. */
function like(value: Plain): Kind<Plain> {
  const type = Array.isArray(value) ? "a list" : value === null ? "anything" : typeof value
  const names: { readonly [type: string]: string } = {
    number: "a finite number",
    string: "a text",
    boolean: "true or false",
    object: "an object",
  }
  return {
    expected: names[type] ?? type,
    read: (given) => {
      if (type === "anything") return given as Plain
      if (type === "a list") return Array.isArray(given) ? (given as Plain) : undefined
      if (typeof given !== type || given === null || Array.isArray(given)) return undefined
      return typeof given === "number" && !Number.isFinite(given) ? undefined : (given as Plain)
    },
  }
}
