// Things that are named and have options, as plain data `{ type, ...options }`: initializers, losses, metrics, optimizers.
// Knows none of them.

import { configError, show } from "../core/errors.ts"
import { lookUp } from "./names.ts"
import { type OptionsOf, readOptions } from "./options.ts"

/** A named thing with its options; all of it is plain JSON. */
export interface Spec {
  readonly type: string
}

/** For every type of a union of specs, a row that has at least its options. */
export type SpecTable<S extends Spec, Row = unknown> = {
  readonly [T in S["type"]]: { readonly options: OptionsOf<Omit<Extract<S, { type: T }>, "type">> } & Row
}

/**
 * The spec that a name (`"glorotUniform"`) or an object (`{ type: "constant", value: 1 }`) stands for, complete.
 * Throws E_CONFIG for an unknown name or option and for wrong values.
 * @param where where it stands: `kernelInitializer`, `loss`
 * @param kind what it is, in words: `initializer`
 */
export function readSpec<S extends Spec>(
  where: string,
  kind: string,
  table: SpecTable<S>,
  value: unknown,
  aliases: { readonly [alias: string]: S["type"] } = {},
): S {
  const types = Object.keys(table) as S["type"][]
  const { type: name, ...given } = typeof value === "string" ? { type: value } : entriesOf(value)
  if (typeof name !== "string") {
    throw configError({
      where,
      what: `this is no ${kind}.`,
      expected: `a name (${types.join(", ")}) or an object with a type`,
      got: show(value),
    })
  }
  const type: S["type"] = lookUp(where, kind, name, types, aliases)
  return { type, ...readOptions<object>(where, table[type].options, given) } as S
}

function entriesOf(value: unknown): { readonly type?: unknown } {
  return typeof value === "object" && value !== null ? value : {}
}
