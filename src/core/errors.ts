// The one error type of the project and the wording that several rooms share. Knows no layer, file or backend.

/** Every kind of failure with the exit code that the command line gives it. */
export const exitCodes = {
  E_USAGE: 2,
  E_CONFIG: 3,
  E_DATA: 4,
  E_MODEL: 5,
  E_IO: 6,
  E_DIVERGED: 7,
  E_ENGINE: 8,
  E_BUSY: 8,
  E_INTERNAL: 70,
} as const

/** The kind of a failure: bad options, bad data, a bad model file, input/output, divergence, the engine. */
export type ErrorCode = keyof typeof exitCodes

/** What an error says: what happened, where, what was expected, what came, and what to do about it. */
export interface ErrorFields {
  readonly what: string
  readonly where?: string
  readonly layer?: string
  readonly expected?: string
  readonly got?: string
  readonly hint?: string
}

/**
 * Every error that trilobite throws on purpose; its fields can be rendered by a command line or a page.
 * @example
 * ```ts
 * import { TrilobiteError, dense, sequential } from "trilobite"
 * let code = ""
 * try {
 *   sequential([dense({ units: -1, inputShape: [4] })])
 * } catch (error) {
 *   if (error instanceof TrilobiteError) code = error.code
 * }
 * code // => "E_CONFIG"
 * ```
 */
export class TrilobiteError extends Error implements ErrorFields {
  override readonly name: string = "TrilobiteError"
  readonly code: ErrorCode
  readonly what: string
  readonly where: string | undefined
  readonly layer: string | undefined
  readonly expected: string | undefined
  readonly got: string | undefined
  readonly hint: string | undefined

  constructor(code: ErrorCode, fields: ErrorFields, options?: ErrorOptions) {
    super(describe(fields), options)
    this.code = code
    this.what = fields.what
    this.where = fields.where
    this.layer = fields.layer
    this.expected = fields.expected
    this.got = fields.got
    this.hint = fields.hint
  }

  /** The number with which a command that fails with this error exits. */
  get exitCode(): number {
    return exitCodes[this.code]
  }
}

function describe(fields: ErrorFields): string {
  const place = [fields.where, fields.layer].filter((part) => part !== undefined).join(", ")
  const parts = [place === "" ? fields.what : `${place}: ${fields.what}`]
  if (fields.expected !== undefined && fields.got !== undefined) {
    parts.push(`Expected ${fields.expected}, got ${fields.got}.`)
  } else if (fields.expected !== undefined) parts.push(`Expected ${fields.expected}.`)
  else if (fields.got !== undefined) parts.push(`Got ${fields.got}.`)
  if (fields.hint !== undefined) parts.push(fields.hint)
  return parts.map(printable).join(" ")
}

/** Text with control characters written as escapes, so that what a file contains is inert in a terminal. */
export function printable(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are the characters to be made visible
  return text.replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, (c) => {
    return `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`
  })
}

/** An error about an option or a network: exit code 3. */
export function configError(fields: ErrorFields): TrilobiteError {
  return new TrilobiteError("E_CONFIG", fields)
}

/** An error about data given to the network: exit code 4. */
export function dataError(fields: ErrorFields): TrilobiteError {
  return new TrilobiteError("E_DATA", fields)
}

/** A failure that is our own mistake, not the user's: exit code 70. */
export function internalError(what: string): TrilobiteError {
  return new TrilobiteError("E_INTERNAL", { what: `${what} This is a bug in trilobite.` })
}

/** A name that is not in the list, with the nearest one as a hint. */
export function unknownName(where: string, kind: string, name: string, known: readonly string[]): TrilobiteError {
  const near = nearest(name, known)
  return configError({
    where,
    what: `unknown ${kind} ${JSON.stringify(name)}.`,
    expected: `one of ${known.join(", ")}`,
    ...(near === undefined ? {} : { hint: `Did you mean ${JSON.stringify(near)}?` }),
  })
}

/** Throws for any key of `options` that `known` does not list: nothing is ignored silently. */
export function checkKeys(where: string, options: object, known: readonly string[]): void {
  for (const key of Object.keys(options)) if (!known.includes(key)) throw unknownName(where, "option", key, known)
}

/** The listed name at the smallest edit distance, if it is near enough to be what was meant. */
export function nearest(name: string, known: readonly string[]): string | undefined {
  let best: string | undefined
  let least = Math.max(2, Math.floor(name.length / 3)) + 1
  for (const candidate of known) {
    const d = distance(name.toLowerCase(), candidate.toLowerCase())
    if (d < least) {
      least = d
      best = candidate
    }
  }
  return best
}

/** Edits (insert, delete, replace) between two short words: Levenshtein's table, one row at a time. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const replace = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)
      next.push(Math.min(replace, row[j]! + 1, next[j - 1]! + 1))
    }
    row = next
  }
  return row[b.length]!
}

/** A value as an error shows it: short, on one line. */
export function show(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value.length > 60 ? `${value.slice(0, 57)}...` : value)
  if (typeof value === "function") return "a function"
  if (ArrayBuffer.isView(value)) return `${value.constructor.name} of ${(value as Uint8Array).length}`
  if (Array.isArray(value)) return value.length > 8 ? `an array of ${value.length}` : `[${value.map(show).join(", ")}]`
  if (typeof value === "object" && value !== null) return `an object with keys ${Object.keys(value).join(", ")}`
  return String(value)
}
