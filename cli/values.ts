// Strict reading of what stands on the command line: numbers, names, folders. Knows no command.

import { TrilobiteError } from "../src/index.ts"

type Fields = ConstructorParameters<typeof TrilobiteError>[1]

/** An error about how the command was called: exit code 2. */
export function usageError(fields: Fields): TrilobiteError {
  return new TrilobiteError("E_USAGE", fields)
}

const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i

/** The limits of a number, both allowed. */
export interface Limits {
  readonly least?: number
  readonly most?: number
}

/** The finite number that a text is, whole; `Number("")`, `parseFloat("0,1")` and the like would guess. */
export function readNumber(where: string, text: string, example: string, limits: Limits = {}): number {
  const value = NUMBER.test(text) ? Number(text) : Number.NaN
  if (Number.isFinite(value) && within(value, limits)) return value
  throw usageError({
    where,
    what: Number.isFinite(value) ? "this number is not allowed here." : "this is not a number.",
    expected: `a number${limitsText(limits)}`,
    got: JSON.stringify(text),
    hint: /^[+-]?\d+,\d+$/.test(text)
      ? `The decimal mark is a point: ${text.replace(",", ".")}.`
      : `For example: ${example}.`,
  })
}

/** The whole number that a text is, in digits alone. */
export function readWhole(where: string, text: string, example: string, limits: Limits): number {
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN
  if (Number.isSafeInteger(value) && within(value, limits)) return value
  throw usageError({
    where,
    what: Number.isSafeInteger(value) ? "this number is not allowed here." : "this is not a whole number.",
    expected: `a whole number${limitsText(limits)}`,
    got: JSON.stringify(text),
    hint: `For example: ${example}.`,
  })
}

/** The listed name that a text is. */
export function readName<N extends string>(where: string, kind: string, text: string, known: readonly N[]): N {
  const found = known.find((name) => name === text)
  if (found !== undefined) return found
  const near = alike(text, known)
  throw usageError({
    where,
    what: `unknown ${kind} ${JSON.stringify(text)}.`,
    expected: known.join(" or "),
    ...(near === undefined ? {} : { hint: `Did you mean ${near}?` }),
  })
}

/** A path, which cannot be empty. */
export function readPath(where: string, text: string): string {
  if (text.trim() !== "" && !text.includes("\0")) return text
  throw usageError({
    where,
    what: "this names no folder.",
    got: JSON.stringify(text),
    hint: `Write ${where} <folder>.`,
  })
}

function within(value: number, { least, most }: Limits): boolean {
  return (least === undefined || value >= least) && (most === undefined || value <= most)
}

function limitsText({ least, most }: Limits): string {
  if (least === undefined) return ""
  return most === undefined ? `, at least ${least}` : ` from ${least} to ${most}`
}

/** The name that shares the most pairs of letters with what was written (Dice's measure), if it is more than a third. */
export function alike<N extends string>(text: string, known: readonly N[]): N | undefined {
  const pairs = (word: string): Set<string> =>
    new Set(Array.from({ length: Math.max(0, word.length - 1) }, (_, i) => word.slice(i, i + 2).toLowerCase()))
  const wanted = pairs(text)
  const score = (name: string): number => {
    const own = pairs(name)
    const shared = [...own].filter((pair) => wanted.has(pair)).length
    return (2 * shared) / Math.max(1, own.size + wanted.size)
  }
  const [best] = [...known].sort((a, b) => score(b) - score(a))
  return best !== undefined && score(best) > 1 / 3 ? best : undefined
}
