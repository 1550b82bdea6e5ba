// Traced functions of the user's own where a name may stand: they are JSON but for the function, which files cannot hold.
// Knows nothing that they are used for.

import { configError, show } from "../core/errors.ts"
import type { Node } from "../graph/node.ts"

/** A function of the user's own: its name is written to files, `call` is not. */
export interface Custom {
  readonly type: "custom"
  readonly name: string
}

type Call = (...values: readonly Node[]) => Node

/** The function with its name: `name` if it is given, else its own, else that of what it is used for. */
export function customOf(kind: string, call: unknown, name?: string): Custom {
  if (typeof call !== "function") {
    throw configError({ where: kind, what: "this is no function.", expected: "a function of values", got: show(call) })
  }
  const custom: Custom = { type: "custom", name: name ?? (call.name === "" ? kind : call.name) }
  return Object.defineProperty(custom, "call", { value: call, enumerable: false })
}

/** True for functions of the user's own, also those of which a file holds the name alone. */
export function isCustom(value: unknown): value is Custom {
  return typeof value === "object" && value !== null && "type" in value && value.type === "custom" && "name" in value
}

/** What the function makes of values. Throws E_CONFIG if only its name is known. */
export function callCustom(kind: string, custom: Custom, values: readonly Node[]): Node {
  if ("call" in custom) {
    const made: unknown = (custom.call as Call)(...values)
    if (typeof made === "object" && made !== null && "op" in made && "shape" in made) return made as Node
    const what = `the ${kind} ${show(custom.name)} does not give a value of a graph.`
    throw configError({ where: kind, what, expected: "what the functions of ops give", got: show(made) })
  }
  throw configError({
    where: kind,
    what: `the ${kind} ${show(custom.name)} is a function of your own, which the file does not hold.`,
    hint: `Give it when you load the model: customObjects: { ${JSON.stringify(custom.name)}: theFunction }.`,
  })
}
