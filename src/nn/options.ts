// Options: what values an option takes, what it is when it is not given, and reading them. Knows no layer, loss or optimizer.

import { checkKeys, configError, show } from "../core/errors.ts"
import { lookUp } from "./names.ts"

/** The values that an option takes: in words, and as a test that gives the value to keep or undefined. */
export interface Kind<T> {
  readonly expected: string
  /** The value as it is kept, undefined if it is none of these; may throw E_CONFIG itself to say more. */
  readonly read: (value: unknown, where: string) => T | undefined
  /** True if the value is a layer, which files hold as they hold others. */
  readonly holdsLayer?: true
}

/** An option that must be given. */
export interface RequiredOption<T> {
  readonly kind: Kind<T>
}

/** An option with the value that it has when it is not given. */
export interface OptionalOption<T> {
  readonly kind: Kind<T>
  readonly default: T
}

/** An option of either sort. */
export type Option<T> = RequiredOption<T> | OptionalOption<T>

/** The options that a type of options demands: required where the type says so, else with a default. */
export type OptionTable<O> = {
  readonly [K in keyof O]-?: Record<never, never> extends Pick<O, K>
    ? OptionalOption<Exclude<O[K], undefined>>
    : RequiredOption<O[K]>
}

/** The options with every default filled in. */
export type Resolved<O> = { readonly [K in keyof O]-?: Exclude<O[K], undefined> }

/** An option that must be given. */
/* @__NO_SIDE_EFFECTS__ */
export function required<T>(kind: Kind<T>): RequiredOption<T> {
  return { kind }
}

/** An option that is `value` when it is not given. */
/* @__NO_SIDE_EFFECTS__ */
export function optional<T>(kind: Kind<T>, value: NoInfer<T>): OptionalOption<T> {
  return { kind, default: value }
}

/**
 * The given options, checked, with the defaults for the others. An option given as undefined is not given.
 * Throws E_CONFIG for an unknown option, a missing one and a wrong value.
 * @param path where the options stand (`sgd`, `kernelInitializer`), undefined for those of a layer
 */
export function readOptions<C>(path: string | undefined, table: OptionsOf<C>, given: unknown): C {
  if (typeof given !== "object" || given === null || Array.isArray(given)) {
    throw configError({
      where: path ?? "options",
      what: "these are no options.",
      expected: "an object",
      got: show(given),
    })
  }
  checkKeys(path ?? "options", given, Object.keys(table))
  const values = new Map(Object.entries(given))
  const read = Object.entries<Option<unknown>>(table).map(([name, option]) => {
    const where = path === undefined ? name : `${path}.${name}`
    return [name, readOption(where, option, values.get(name))]
  })
  return Object.fromEntries(read) as C
}

/** A table with an option for every property of C. */
export type OptionsOf<C> = { readonly [K in keyof C]: Option<C[K]> }

function readOption(where: string, option: Option<unknown>, value: unknown): unknown {
  if (value === undefined) {
    if ("default" in option) return option.default
    throw configError({ where, what: "this option must be given.", expected: option.kind.expected })
  }
  return readValue(where, option.kind, value)
}

/** The value as the kind keeps it. Throws E_CONFIG if it is not of the kind. */
export function readValue<T>(where: string, kind: Kind<T>, value: unknown): T {
  const kept = kind.read(value, where)
  if (kept !== undefined) return kept
  throw configError({ where, what: "this value is not possible.", expected: kind.expected, got: show(value) })
}

/** A kind given by its words and a test. */
function kind<T>(expected: string, test: (value: unknown) => value is T): Kind<T> {
  return { expected, read: (value) => (test(value) ? value : undefined) }
}

const isWhole = (value: unknown): value is number => Number.isSafeInteger(value)

/** Whole numbers from 1. */
/* @__NO_SIDE_EFFECTS__ */
export function positiveInteger(): Kind<number> {
  return kind("a whole number of at least 1", (value): value is number => isWhole(value) && value >= 1)
}

/** Whole numbers. */
/* @__NO_SIDE_EFFECTS__ */
export function integer(): Kind<number> {
  return kind("a whole number", isWhole)
}

/** Whole numbers from 0, up to 2^53 − 1. */
/* @__NO_SIDE_EFFECTS__ */
export function wholeNumber(): Kind<number> {
  return kind("a whole number of at least 0", (value): value is number => isWhole(value) && value >= 0)
}

/** Texts. */
/* @__NO_SIDE_EFFECTS__ */
export function text(): Kind<string> {
  return kind("a text", (value) => typeof value === "string")
}

/** Whatever the test says, in words. */
/* @__NO_SIDE_EFFECTS__ */
export function that<T>(expected: string, test: (value: unknown) => value is T): Kind<T> {
  return kind(expected, test)
}

/** An option that need not be given and is undefined then. */
/* @__NO_SIDE_EFFECTS__ */
export function maybe<T>(of: Kind<T>): OptionalOption<T | undefined> {
  return { kind: of, default: undefined }
}

/** The values of another kind, and null. */
/* @__NO_SIDE_EFFECTS__ */
export function maybeNull<T>(of: Kind<T>): Kind<T | null> {
  return {
    expected: `${of.expected}, or null`,
    read: (value, where) => (value === null ? null : of.read(value, where)),
    ...(of.holdsLayer && { holdsLayer: true }),
  }
}

/** Finite numbers, of a range if it is given; `below` itself is not among them. */
/* @__NO_SIDE_EFFECTS__ */
export function finiteNumber(
  range: { readonly least?: number; readonly above?: number; readonly most?: number; readonly below?: number } = {},
): Kind<number> {
  const { least, above, most, below } = range
  const bounds = [
    least === undefined ? "" : ` of at least ${least}`,
    above === undefined ? "" : ` above ${above}`,
    most === undefined ? "" : ` of at most ${most}`,
    below === undefined ? "" : ` below ${below}`,
  ]
  return kind(
    `a finite number${bounds.filter((bound) => bound !== "").join(" and")}`,
    (value): value is number =>
      typeof value === "number" &&
      Number.isFinite(value) &&
      (least === undefined || value >= least) &&
      (above === undefined || value > above) &&
      (most === undefined || value <= most) &&
      (below === undefined || value < below),
  )
}

/** true and false. */
/* @__NO_SIDE_EFFECTS__ */
export function flag(): Kind<boolean> {
  return kind("true or false", (value) => typeof value === "boolean")
}

/** One of a list of names, in camelCase or snake_case. */
/* @__NO_SIDE_EFFECTS__ */
export function oneOf<K extends string>(what: string, names: readonly K[]): Kind<K> {
  return {
    expected: `one of ${names.join(", ")}`,
    read: (value, where) => (typeof value === "string" ? lookUp(where, what, value, names) : undefined),
  }
}

/** Sizes without the batch: whole numbers from 1, and one −1 if `open`, which is found from the others. */
/* @__NO_SIDE_EFFECTS__ */
export function sizes(open = false): Kind<readonly number[]> {
  return {
    expected: `an array of whole numbers of at least 1${open ? ", one of which may be -1" : ""}`,
    read: (value) => {
      if (!Array.isArray(value) || value.length > 7) return undefined
      const left = value.filter((size) => !(isWhole(size) && size >= 1))
      return left.length === 0 || (open && left.length === 1 && left[0] === -1) ? [...value] : undefined
    },
  }
}
