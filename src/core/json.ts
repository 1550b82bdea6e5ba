// A strict JSON scanner (RFC 8259) for text from outside: what JSON.parse lets through silently is refused with its place.
// Knows no config and no file format. JSON.parse keeps the last of duplicate keys and lets `__proto__` and 1e400 through.

import { type ErrorCode, show, TrilobiteError } from "./errors.ts"

/** A JSON value; objects have no prototype, so that no name in a file can reach a method. */
export type JsonValue = null | boolean | number | string | JsonArray | JsonObject
/** A list of JSON values. */
export type JsonArray = readonly JsonValue[]
/** JSON values by name, without a prototype. */
export interface JsonObject {
  readonly [key: string]: JsonValue
}

/** How deep a text may nest, and how many characters it may have. */
export interface JsonLimits {
  readonly depth: number
  readonly length: number
  /** The number of the text's first line, if it is a part of a file (default 1). */
  readonly line?: number
}

/** The limits for a config: 64 levels, 4 Mi characters. */
export const jsonLimits: JsonLimits = { depth: 64, length: 4_194_304 }

const FORBIDDEN: ReadonlySet<string> = new Set(["__proto__", "constructor", "prototype"])
const ESCAPES: ReadonlyMap<string, string> = new Map([
  ['"', '"'],
  ["\\", "\\"],
  ["/", "/"],
  ["b", "\b"],
  ["f", "\f"],
  ["n", "\n"],
  ["r", "\r"],
  ["t", "\t"],
])

interface Scanner {
  readonly text: string
  readonly where: string
  readonly limits: JsonLimits
  readonly code: ErrorCode
  at: number
}

/**
 * The value of a JSON text. Numbers that overflow, duplicate keys, unpaired surrogates and the keys `__proto__`,
 * `constructor` and `prototype` (also when written with escapes) are refused at any depth.
 * @throws the given code (E_CONFIG unless told) with line, column and character offset of the fault.
 */
export function parseJson(
  text: string,
  where: string,
  limits: JsonLimits = jsonLimits,
  code: ErrorCode = "E_CONFIG",
): JsonValue {
  const s: Scanner = { text, where, limits, code, at: 0 }
  if (text.length > limits.length) {
    const expected = `at most ${limits.length} characters`
    throw new TrilobiteError(code, { where, what: "the JSON text is too long.", expected, got: `${text.length}` })
  }
  if (text.charCodeAt(0) === 0xfeff) throw fault(s, "a byte order mark before the JSON.", "Save it as plain UTF-8.")
  space(s)
  if (s.at === text.length) throw fault(s, "this is empty.", "A JSON value was expected.")
  const value = scanValue(s, 0)
  space(s)
  if (s.at < text.length) throw fault(s, `unexpected ${sight(s)} after the end of the JSON value.`)
  return value
}

function fault(s: Scanner, what: string, hint?: string, at: number = s.at): TrilobiteError {
  const before = s.text.slice(0, at)
  const line = before.split("\n").length + (s.limits.line ?? 1) - 1
  const column = at - before.lastIndexOf("\n")
  const place = `Found at line ${line}, column ${column} (character ${at}).`
  const advice = hint === undefined ? place : `${place} ${hint}`
  return new TrilobiteError(s.code, { where: `${s.where}:${line}:${column}`, what, hint: advice })
}

function sight(s: Scanner): string {
  return s.at < s.text.length ? show(String.fromCodePoint(s.text.codePointAt(s.at)!)) : "end"
}

function space(s: Scanner): void {
  for (;;) {
    const c = s.text.charCodeAt(s.at)
    if (c !== 0x20 && c !== 0x0a && c !== 0x0d && c !== 0x09) return
    s.at++
  }
}

function scanValue(s: Scanner, depth: number): JsonValue {
  const c = s.text[s.at]
  if (c === "{" || c === "[") {
    if (depth === s.limits.depth) throw fault(s, `the JSON nests deeper than ${depth} levels.`)
    return c === "{" ? scanObject(s, depth + 1) : scanArray(s, depth + 1)
  }
  if (c === '"') return scanString(s)
  for (const [word, value] of [["true", true] as const, ["false", false] as const, ["null", null] as const]) {
    if (s.text.startsWith(word, s.at)) {
      s.at += word.length
      return value
    }
  }
  return scanNumber(s)
}

function scanNumber(s: Scanner): number {
  const pattern = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y
  pattern.lastIndex = s.at
  const literal = pattern.exec(s.text)?.[0]
  if (literal === undefined) throw fault(s, `unexpected ${sight(s)} where a JSON value was expected.`, adviceFor(s))
  const start = s.at
  s.at += literal.length
  if (/[\w.+-]/.test(s.text[s.at] ?? "")) throw fault(s, "this is not a JSON number.", undefined, start)
  const value = Number(literal)
  if (!Number.isFinite(value)) throw fault(s, `the number ${show(literal)} is too large.`, undefined, start)
  return value
}

/** What may have been meant where no JSON value starts. */
function adviceFor(s: Scanner): string | undefined {
  const rest = s.text.slice(s.at, s.at + 10)
  if (/^(\/\/|\/\*|#)/.test(rest)) return "JSON has no comments."
  if (/^[\]}]/.test(rest)) return "JSON has no trailing commas."
  if (rest.startsWith("'")) return 'JSON has double quotes: ".'
  if (/^[+-]?(nan|inf)/i.test(rest)) return "JSON has no NaN or Infinity."
  return undefined
}

function scanArray(s: Scanner, depth: number): JsonArray {
  const out: JsonValue[] = []
  s.at++
  space(s)
  if (s.text[s.at] === "]") {
    s.at++
    return out
  }
  for (;;) {
    space(s)
    out.push(scanValue(s, depth))
    if (closes(s, "]")) return out
  }
}

function scanObject(s: Scanner, depth: number): JsonObject {
  const out = Object.create(null) as Record<string, JsonValue>
  s.at++
  space(s)
  if (s.text[s.at] === "}") {
    s.at++
    return out
  }
  for (;;) {
    space(s)
    if (s.text[s.at] !== '"')
      throw fault(s, `unexpected ${sight(s)} where a name in quotes was expected.`, adviceFor(s))
    const start = s.at
    const key = scanString(s)
    if (FORBIDDEN.has(key)) throw fault(s, `the key ${show(key)} is not allowed.`, undefined, start)
    if (Object.hasOwn(out, key)) throw fault(s, `the key ${show(key)} occurs twice.`, undefined, start)
    space(s)
    if (s.text[s.at] !== ":") throw fault(s, `unexpected ${sight(s)} where ":" was expected.`, adviceFor(s))
    s.at++
    space(s)
    out[key] = scanValue(s, depth)
    if (closes(s, "}")) return out
  }
}

/** After an element: true behind the closing bracket, false behind a comma. */
function closes(s: Scanner, bracket: string): boolean {
  space(s)
  const c = s.text[s.at]
  if (c !== bracket && c !== ",")
    throw fault(s, `unexpected ${sight(s)} where "," or "${bracket}" was expected.`, adviceFor(s))
  s.at++
  return c === bracket
}

function scanString(s: Scanner): string {
  const start = s.at++
  let out = ""
  let from = s.at
  for (;;) {
    const c = s.text.charCodeAt(s.at)
    if (c === 0x22) break
    if (Number.isNaN(c)) throw fault(s, "this string does not end.", undefined, start)
    if (c < 0x20) throw fault(s, "a control character within a string.", "Write it as an escape, such as \\n.")
    if (c === 0x5c) {
      out += s.text.slice(from, s.at) + scanEscape(s)
      from = s.at
    } else s.at++
  }
  out += s.text.slice(from, s.at)
  s.at++
  if (!isWellFormed(out)) throw fault(s, "this string holds half of a surrogate pair.", undefined, start)
  return out
}

function scanEscape(s: Scanner): string {
  const c = s.text[s.at + 1] ?? ""
  const hex = s.text.slice(s.at + 2, s.at + 6)
  const plain = ESCAPES.get(c)
  if (plain === undefined && !(c === "u" && /^[0-9a-fA-F]{4}$/.test(hex))) throw fault(s, "this is not a JSON escape.")
  s.at += plain === undefined ? 6 : 2
  return plain ?? String.fromCharCode(Number.parseInt(hex, 16))
}

/** True if the text has no unpaired surrogates, so that it survives UTF-8. */
export function isWellFormed(text: string): boolean {
  return !/\p{Surrogate}/u.test(text)
}

function mismatch(value: JsonValue, expected: string, where: string, code: ErrorCode): TrilobiteError {
  const quoted = typeof value === "string" && value.trim() !== "" && Number.isFinite(Number(value))
  const hint = quoted && expected.includes("number") ? { hint: "Write the number without quotes." } : {}
  return new TrilobiteError(code, { where, what: "this has the wrong type.", expected, got: show(value), ...hint })
}

/** The value as a JSON object, or an error of the given code. */
export function asObject(value: JsonValue, where: string, code: ErrorCode): JsonObject {
  if (typeof value === "object" && value !== null && !isArray(value)) return value
  throw mismatch(value, "an object", where, code)
}

/** The value as a list, or an error of the given code. */
export function asArray(value: JsonValue, where: string, code: ErrorCode): JsonArray {
  if (isArray(value)) return value
  throw mismatch(value, "a list", where, code)
}

/** The value as a string, or an error of the given code. */
export function asString(value: JsonValue, where: string, code: ErrorCode): string {
  if (typeof value === "string") return value
  throw mismatch(value, "a string", where, code)
}

/** The value as a number, or an error of the given code. */
export function asNumber(value: JsonValue, where: string, code: ErrorCode): number {
  if (typeof value === "number") return value
  throw mismatch(value, "a number", where, code)
}

/** The value as a whole number from 0 up to 2^53 − 1, beyond which JSON's numbers are not exact. */
export function asCount(value: JsonValue, where: string, code: ErrorCode): number {
  if (typeof value === "number" && Number.isSafeInteger(value) && value >= 0) return value + 0
  throw mismatch(value, "a whole number from 0 to 2^53 - 1", where, code)
}

// Array.isArray does not narrow readonly arrays.
function isArray(value: JsonValue): value is JsonArray {
  return Array.isArray(value)
}
