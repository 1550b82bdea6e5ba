// Where a training stands, as a text and tensors of a safetensors file: one writer, one reader. Knows no file and no training.

import { show } from "../core/errors.ts"
import { asArray, asCount, asNumber, asObject, asString, type JsonObject, type JsonValue } from "../core/json.ts"
import type { Tensor } from "../core/tensor.ts"
import type { CallbackState, Progress } from "./saved-model.ts"
import { modelError } from "./weights-file.ts"

/** What stands before the names of its tensors: weights where the training stands, and what callbacks keep. */
const STANDING = "/training/"
const KEPT = "/callbacks/"
export const PROGRESS: readonly string[] = [STANDING, KEPT]

/** Numbers that JSON does not have: each is written as { "number": name }. */
const odd: ReadonlyMap<string, number> = new Map([
  ["NaN", Number.NaN],
  ["Infinity", Number.POSITIVE_INFINITY],
  ["-Infinity", Number.NEGATIVE_INFINITY],
  ["-0", -0],
])

/** The text and the tensors. */
export function writeProgress(progress: Progress): {
  readonly text: string
  readonly tensors: ReadonlyMap<string, Tensor>
} {
  const tensors = new Map([...(progress.weights ?? [])].map(([key, tensor]) => [`${STANDING}${key}`, tensor]))
  const callbacks = progress.callbacks.map((state, i) => {
    const entries = Object.entries(state ?? {}).map(([name, value]) => {
      if (!isTensors(value)) return [name, value]
      for (const [k, tensor] of value.entries()) tensors.set(`${KEPT}${i}/${name}/${k}`, tensor)
      return [name, { tensors: value.length }]
    })
    return state && Object.fromEntries(entries)
  })
  // The order of the keys is that of the reader, so that what is read is written as it was.
  const { epoch, initialEpoch, within, seconds, last, stopping, history, untold, run } = progress
  const ordered = {
    epoch,
    initialEpoch,
    within: within && { round: within.round, seconds: within.seconds, rows: within.rows, sums: within.sums },
    seconds,
    last,
    stopping,
    history: { epoch: history.epoch, seconds: history.seconds, history: history.history, tables: history.tables },
    callbacks,
    untold,
    run,
  }
  const text = JSON.stringify(ordered, (_, value: unknown) => {
    const name = Object.is(value, -0) ? "-0" : String(value)
    return typeof value === "number" && odd.has(name) ? { number: name } : value
  })
  return { text, tensors }
}

const isTensors = (value: CallbackState[string]): value is readonly Tensor[] =>
  Array.isArray(value) && value.length > 0 && typeof value[0] === "object"

/** The progress in a text and tensors. Throws E_MODEL for what `writeProgress` does not write. */
export function readProgress(json: JsonValue, tensors: ReadonlyMap<string, Tensor>, where: string): Progress {
  const fault = (place: string, what: string, got?: unknown): Error =>
    modelError(`${where}.${place}`, what, undefined, show(got))
  const read = asObject(plain(json), where, "E_MODEL")
  const object = (value: JsonValue | undefined, place: string): JsonObject =>
    asObject(value ?? null, `${where}.${place}`, "E_MODEL")
  const count = (value: JsonValue | undefined, place: string): number =>
    asCount(value ?? null, `${where}.${place}`, "E_MODEL")
  const numbers = (value: JsonValue | undefined, place: string): readonly number[] => {
    const list = asArray(value ?? null, `${where}.${place}`, "E_MODEL")
    return list.map((n) => (typeof n === "number" ? n : asNumber(n, `${where}.${place}`, "E_MODEL")))
  }
  const byName = <T>(value: JsonValue | undefined, place: string, one: (value: JsonValue, place: string) => T) =>
    Object.fromEntries(Object.entries(object(value, place)).map(([name, v]) => [name, one(v, `${place}.${name}`)]))
  const lists = (value: JsonValue, place: string): readonly (readonly number[])[] =>
    asArray(value, `${where}.${place}`, "E_MODEL").map((v) => numbers(v, place))
  const tables = (value: JsonValue, place: string): readonly (readonly number[] | readonly (readonly number[])[])[] =>
    asArray(value, `${where}.${place}`, "E_MODEL").map((v) =>
      Array.isArray(v) && Array.isArray(v[0]) ? lists(v, place) : numbers(v, place),
    )
  const { within, untold, history, callbacks, last, stopping, run, ...others } = read
  const { epoch, initialEpoch, seconds, ...unknown } = others
  const [extra] = Object.keys(unknown)
  if (extra !== undefined) throw fault(extra, "unknown key.", extra)
  if (typeof stopping !== "boolean") throw fault("stopping", "this is neither true nor false.", stopping)
  const part = within === undefined ? undefined : object(within, "within")
  const told = untold === undefined ? undefined : object(untold, "untold")
  const past = object(history, "history")
  const finite = (value: JsonValue | undefined, place: string): number =>
    asNumber(value ?? null, `${where}.${place}`, "E_MODEL")
  const standing = [...tensors].filter(([name]) => name.startsWith(STANDING))
  return {
    epoch: count(epoch, "epoch"),
    initialEpoch: count(initialEpoch, "initialEpoch"),
    within: part && {
      round: count(part.round, "within.round"),
      seconds: finite(part.seconds, "within.seconds"),
      rows: count(part.rows, "within.rows"),
      sums: lists(part.sums ?? null, "within.sums"),
    },
    seconds: finite(seconds, "seconds"),
    last: byName(last, "last", (value, place) => numbers([value], place)[0]!),
    stopping,
    history: {
      epoch: numbers(past.epoch, "history.epoch"),
      seconds: numbers(past.seconds, "history.seconds"),
      history: byName(past.history, "history.history", numbers),
      tables: byName(past.tables, "history.tables", tables),
    },
    callbacks: asArray(callbacks ?? null, `${where}.callbacks`, "E_MODEL").map((state, i) =>
      state === null ? null : readState(object(state, `callbacks[${i}]`), tensors, `${where}.callbacks[${i}]`, i),
    ),
    untold: told && { event: object(told.event, "untold.event"), from: count(told.from, "untold.from") },
    run: object(run, "run"),
    weights: standing.length === 0 ? undefined : new Map(standing.map(([name, t]) => [name.slice(STANDING.length), t])),
  }
}

function readState(json: JsonObject, tensors: ReadonlyMap<string, Tensor>, where: string, i: number): CallbackState {
  const type = asString(json.type ?? null, `${where}.type`, "E_MODEL")
  const entries = Object.entries(json).map(([name, value]) => {
    if (typeof value !== "object" || value === null || Array.isArray(value)) return [name, value]
    const n = asCount((value as JsonObject).tensors ?? null, `${where}.${name}`, "E_MODEL")
    const found = [...tensors.keys()].filter((key) => key.startsWith(`${KEPT}${i}/${name}/`)).length
    if (found !== n) throw modelError(`${where}.${name}`, "tensors are missing.", `${n}`, `${found}`)
    return [name, Array.from({ length: n }, (_, k) => tensors.get(`${KEPT}${i}/${name}/${k}`)!)]
  })
  return { ...Object.fromEntries(entries), type }
}

/** The value with the numbers that JSON does not have. */
function plain(json: JsonValue): JsonValue {
  if (typeof json !== "object" || json === null) return json
  if (Array.isArray(json)) return json.map(plain)
  const { number, ...others } = json as JsonObject
  const known = typeof number === "string" && Object.keys(others).length === 0 ? odd.get(number) : undefined
  if (known !== undefined) return known
  return Object.fromEntries(Object.entries(json).map(([name, value]) => [name, plain(value)]))
}
