// How names are spelled: Keras's snake_case and class names are understood wherever a name is looked up. Knows no names.

import { unknownName } from "../core/errors.ts"

/** A camelCase name as Python spells it: `"glorotUniform"` is `"glorot_uniform"`. */
export type Snake<S extends string> = S extends `${infer C}${infer Rest}`
  ? `${C extends Lowercase<C> ? C : `_${Lowercase<C>}`}${Snake<Rest>}`
  : S

/** A camelCase name or the same name in snake_case. */
export type Spelling<S extends string> = S | Snake<S>

/** The camelCase form of a name in snake_case or of a Keras class name: `mean_squared_error`, `MeanSquaredError`, `SGD`. */
export function canonical(name: string): string {
  const camel = name.replace(/_+([a-z0-9])/g, (_, letter: string) => letter.toUpperCase())
  return camel.replace(/^[A-Z]+/, (capitals) => capitals.toLowerCase())
}

/**
 * The listed name that is meant, in whatever spelling it comes.
 * Throws E_CONFIG with the nearest name if there is none.
 */
export function lookUp<K extends string>(
  where: string,
  kind: string,
  name: string,
  known: readonly K[],
  aliases: { readonly [alias: string]: K } = {},
): K {
  const wanted = canonical(name)
  const found = Object.hasOwn(aliases, wanted) ? aliases[wanted] : known.find((candidate) => candidate === wanted)
  if (found === undefined) throw unknownName(where, kind, name, known)
  return found
}

/** A class name as Keras writes it in the names of layers: `BatchNormalization` is `batch_normalization`. */
export function snakeCase(type: string): string {
  return type
    .replace(/(.)([A-Z][a-z]+)/g, "$1_$2")
    .replace(/([a-z])([A-Z])/g, "$1_$2")
    .toLowerCase()
}
