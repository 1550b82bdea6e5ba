// What one pass over rows in memory tells the coach: ranges, empty numbers, classes, rows that come twice. Reads rows as they are,
// also those that a training would refuse. Knows data, no model.

import type { DataFacts, TargetFacts, Task } from "../coach/evidence.ts"
import { log64 } from "../core/math64.ts"
import { numbersOf, type Tensor, type TypedArray } from "../core/tensor.ts"
import type { Loss } from "../nn/losses.ts"
import { allFinite } from "./rows.ts"

/** Numbers that ranges and deviations are taken of; of more, rows evenly spaced are looked at. */
const MOST_NUMBERS = 2_000_000

/** Features of which means are kept; of more, some evenly spaced. */
const MOST_FEATURES = 1024

/** Rows that are compared with each other. */
const MOST_COMPARED = 1 << 20

/** Features from which on a few with another range are the border of a picture. */
const PICTURE = 64

/** The most classes that are counted. */
const MOST_CLASSES = 100_000

/** How far the targets of a row may be from summing to 1. */
const SUM_TOLERANCE = 1e-3

/** Inputs and targets of rows as they are. */
export interface RawRows {
  readonly x: Tensor
  readonly y: Tensor
  /** The rows that take part; absent: all. */
  readonly rows?: Int32Array | undefined
}

/** A number for each row, by which rows that are alike are found. */
export type RowKeys = Float64Array

/** What is known of rows, and the numbers by which they are compared with others. */
export interface Known {
  readonly facts: DataFacts
  readonly keys: RowKeys
}

const widthOf = (t: Tensor): number => t.shape.slice(1).reduce((a, b) => a * b, 1)

/** The facts of some rows. `task` and `loss` say what the targets are for. */
export function dataFacts(raw: RawRows, task: Task, loss: Loss): Known {
  const { x, y } = raw
  const rows = raw.rows ?? undefined
  const count = rows?.length ?? x.shape[0] ?? 0
  const rowAt = (i: number): number => rows?.[i] ?? i
  const features = widthOf(x)
  const numbers = statistics(x, rowAt, count, features)
  const keys = keysOf(raw, rowAt, count)
  const targets = targetFacts(y, rowAt, count, task, loss)
  const facts: DataFacts = {
    rows: count,
    features,
    shape: x.shape.slice(1),
    ...numbers,
    ...nonFiniteRows(raw, rowAt, count),
    targets,
    duplicates: duplicatesOf(keys),
  }
  return { facts, keys }
}

type Numbers = Pick<DataFacts, "sameScale" | "means" | "deviations" | "least" | "greatest" | "looked">

/** Means, deviations and ranges of features, of the finite numbers among them. */
function statistics(x: Tensor, rowAt: (i: number) => number, rows: number, features: number): Numbers {
  const looked = Math.max(1, Math.min(rows, Math.floor(MOST_NUMBERS / Math.max(1, features))))
  const sums = new Float64Array(features)
  const squares = new Float64Array(features)
  const counts = x.dtype === "float32" ? new Float64Array(features) : undefined
  const lows = new Float64Array(features).fill(Number.POSITIVE_INFINITY)
  const highs = new Float64Array(features).fill(Number.NEGATIVE_INFINITY)
  // Deviations are taken around the first row, so that large means do not swallow them.
  const origin = new Float64Array(features)
  const { data } = x
  for (let f = 0; f < features && rows > 0; f++) {
    const first = data[rowAt(0) * features + f]!
    origin[f] = Number.isFinite(first) ? first : 0
  }
  for (let i = 0; i < looked && rows > 0; i++) {
    const from = rowAt(Math.floor((i * rows) / looked)) * features
    for (let f = 0; f < features; f++) {
      const value = data[from + f]!
      if (counts !== undefined) {
        if (value - value !== 0) continue
        counts[f]!++
      }
      const away = value - origin[f]!
      sums[f]! += away
      squares[f]! += away * away
      if (value < lows[f]!) lows[f] = value
      if (value > highs[f]!) highs[f] = value
    }
  }
  const unit = x.dtype === "unorm8" ? 1 / 255 : 1
  const means: number[] = []
  const deviations: number[] = []
  let [least, greatest] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]
  for (let f = 0; f < features; f++) {
    const n = counts?.[f] ?? (rows > 0 ? looked : 0)
    const mean = n === 0 ? 0 : sums[f]! / n
    means.push((mean + origin[f]!) * unit)
    deviations.push(n === 0 ? 0 : Math.sqrt(Math.max(0, squares[f]! / n - mean * mean)) * unit)
    if (n > 0) [least, greatest] = [Math.min(least, lows[f]!), Math.max(greatest, highs[f]!)]
  }
  const none = least > greatest
  const part = looked < rows || features > MOST_FEATURES
  return {
    sameScale: oneScale(x, lows, highs),
    means: some(means),
    deviations: some(deviations),
    least: none ? 0 : least * unit,
    greatest: none ? 0 : greatest * unit,
    ...(part ? { looked: { rows: looked, features: Math.min(features, MOST_FEATURES) } } : {}),
  }
}

/** A list that is not too long: its entries, evenly spaced. */
function some(list: readonly number[]): readonly number[] {
  if (list.length <= MOST_FEATURES) return list
  return Array.from({ length: MOST_FEATURES }, (_, i) => list[Math.floor((i * list.length) / MOST_FEATURES)]!)
}

/**
 * Whether the features have one scale: bytes and pictures have; else where those that vary reach over ranges that are alike. Where
 * there are many, the border of a picture may vary less.
 */
function oneScale({ dtype, shape }: Tensor, lows: Float64Array, highs: Float64Array): boolean {
  if (dtype === "uint8" || dtype === "unorm8" || shape.length === 4) return true
  const ranges = lows
    .map((low, f) => highs[f]! - low)
    .filter((range) => range > 0 && range < Number.POSITIVE_INFINITY)
    .sort()
  if (ranges.length === 0) return true
  const largest = ranges[ranges.length - 1]!
  if (ranges.length >= PICTURE) return ranges[Math.floor(ranges.length / 2)]! > largest / 2
  return ranges[0]! > largest / 3
}

/** Rows with a number that is empty or infinite. */
function nonFiniteRows({ x, y }: RawRows, rowAt: (i: number) => number, rows: number): Pick<DataFacts, "nonFinite"> {
  const checked = [x, y].filter(({ dtype }) => dtype === "float32").map((t) => ({ data: t.data, width: widthOf(t) }))
  let [found, first] = [0, -1]
  if (checked.every(({ data }) => allFinite(data))) return {}
  for (let i = 0; i < rows; i++) {
    const row = rowAt(i)
    const bad = checked.some(({ data, width }) => {
      let zero = 0
      for (let at = row * width; at < (row + 1) * width; at++) zero += data[at]! * 0
      return zero !== 0
    })
    if (!bad) continue
    found++
    if (first < 0) first = row
  }
  return found === 0 ? {} : { nonFinite: { rows: found, first } }
}

/** A number of 53 bits for each row, made of the bits of its inputs and targets. */
function keysOf({ x, y }: RawRows, rowAt: (i: number) => number, rows: number): RowKeys {
  const parts = [x, y].map((t) => ({ words: wordsOf(t), width: widthOf(t) / wordSize(t) }))
  const keys = new Float64Array(Math.min(rows, MOST_COMPARED))
  for (let i = 0; i < keys.length; i++) {
    const row = rowAt(i)
    let [a, b] = [0x12345678, 0x2545f491]
    for (const { words, width } of parts) {
      for (let at = row * width; at < (row + 1) * width; at++) {
        const word = words[at]!
        a = Math.imul(a ^ word, 0x9e3779b1)
        a ^= a >>> 15
        b = Math.imul(b ^ (b >>> 13) ^ word, 0x85ebca6b)
      }
    }
    keys[i] = (a >>> 0) * 2097152 + ((b ^ (b >>> 16)) & 0x1fffff)
  }
  return keys
}

/** Elements that make one word of 32 bits, if rows are made of whole words. */
function wordSize(t: Tensor): number {
  const { BYTES_PER_ELEMENT: bytes } = t.data
  return bytes === 1 && widthOf(t) % 4 === 0 && t.data.byteOffset % 4 === 0 ? 4 : 1
}

function wordsOf(t: Tensor): TypedArray {
  const { data } = t
  if (data.BYTES_PER_ELEMENT === 1)
    return wordSize(t) === 1 ? data : new Int32Array(data.buffer, data.byteOffset, data.length >> 2)
  return new Int32Array(data.buffer, data.byteOffset, data.length)
}

function duplicatesOf(keys: RowKeys): number {
  const sorted = keys.slice().sort()
  let twice = 0
  for (let i = 1; i < sorted.length; i++) if (sorted[i] === sorted[i - 1]) twice++
  return twice
}

/** How many rows of the second are rows of the first too. */
export function sharedRows(train: RowKeys, validation: RowKeys): number {
  const known = new Set(train)
  return validation.reduce((n, key) => n + (known.has(key) ? 1 : 0), 0)
}

function targetFacts(y: Tensor, rowAt: (i: number) => number, rows: number, task: Task, loss: Loss): TargetFacts {
  const data = numbersOf(y)
  const width = Math.max(1, widthOf(y))
  let [least, greatest, sum, square, n, whole] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0, 0, 0, true]
  let notOne = 0
  const origin = rows > 0 && Number.isFinite(data[rowAt(0) * width]) ? data[rowAt(0) * width]! : 0
  for (let i = 0; i < rows; i++) {
    let [total, outside] = [0, false]
    for (let at = rowAt(i) * width, end = at + width; at < end; at++) {
      const value = data[at]!
      total += value
      if (!(value >= 0 && value <= 1)) outside = true
      if (value - value !== 0) continue
      const away = value - origin
      n++
      sum += away
      square += away * away
      if (value < least) least = value
      if (value > greatest) greatest = value
      if (whole && !Number.isInteger(value)) whole = false
    }
    if (width > 1 && (outside || !(Math.abs(total - 1) <= SUM_TOLERANCE))) notOne++
  }
  const mean = n === 0 ? 0 : sum / n
  const range = { least: n === 0 ? 0 : least, greatest: n === 0 ? 0 : greatest }
  const classOf = classesIn(data, width, task, { ...range, whole })
  const classes = classOf === undefined ? undefined : counted(rows, (i) => classOf(rowAt(i)))
  const baseline = baselineOf(data, width, rowAt, rows, loss, classes)
  return {
    shape: y.shape.slice(1),
    ...range,
    mean: mean + origin,
    deviation: n === 0 ? 0 : Math.sqrt(Math.max(0, square / n - mean * mean)),
    whole,
    notOne,
    ...(classes === undefined ? {} : { classes, neighbours: neighboursOf(rows, (i) => classOf!(rowAt(i)), classes) }),
    ...(baseline === undefined ? {} : { baseline }),
  }
}

/** The class of a row, where rows have one; what it makes of targets in a code that the loss does not take is their nearest sense. */
function classesIn(
  data: TypedArray,
  width: number,
  task: Task,
  { least, greatest, whole }: { readonly least: number; readonly greatest: number; readonly whole: boolean },
): ((row: number) => number) | undefined {
  if (task === "numbers" || task === "labels") return undefined
  if (width > 1) {
    return (row) => {
      let best = row * width
      for (let i = best; i < (row + 1) * width; i++) if (data[i]! > data[best]!) best = i
      return best - row * width
    }
  }
  // A yes or no in any code: its lower and its higher number.
  if (task === "binary" && (!whole || greatest - least <= 2)) {
    const middle = least < greatest ? (least + greatest) / 2 : 0
    return (row) => Number(data[row]! > middle)
  }
  if (!whole || least < 0 || greatest >= MOST_CLASSES) return undefined
  return (row) => (Number.isInteger(data[row]) ? data[row]! : 0)
}

function counted(rows: number, classOf: (i: number) => number): number[] {
  const classes: number[] = [0, 0]
  for (let i = 0; i < rows; i++) {
    const c = classOf(i)
    while (classes.length <= c) classes.push(0)
    classes[c]!++
  }
  return classes
}

function neighboursOf(
  rows: number,
  classOf: (i: number) => number,
  classes: readonly number[],
): { readonly alike: number; readonly chance: number } {
  let alike = 0
  for (let i = 1, before = rows > 0 ? classOf(0) : 0; i < rows; i++) {
    const now = classOf(i)
    if (now === before) alike++
    before = now
  }
  const pairs = Math.max(1, rows - 1)
  return {
    alike: alike / pairs,
    chance: classes.reduce((sum, n) => sum + (n / Math.max(1, rows)) * (n / Math.max(1, rows)), 0),
  }
}

const entropy = (p: number): number => (p > 0 ? -p * log64(p) : 0)

/** The loss of always saying the mean of the targets, for the losses of which it is a formula. */
function baselineOf(
  data: TypedArray,
  width: number,
  rowAt: (i: number) => number,
  rows: number,
  { type }: Loss,
  classes: readonly number[] | undefined,
): number | undefined {
  if (rows === 0) return undefined
  if (type === "sparseCategoricalCrossentropy") {
    return classes?.reduce((sum, n) => sum + entropy(n / rows), 0)
  }
  const means = new Float64Array(width)
  for (let i = 0; i < rows; i++) {
    const from = rowAt(i) * width
    for (let k = 0; k < width; k++) means[k]! += data[from + k]! / rows
  }
  if (means.some((m) => m - m !== 0)) return undefined
  const share = means.every((m) => m >= 0 && m <= 1)
  if (type === "categoricalCrossentropy")
    return share && width > 1 ? means.reduce((sum, m) => sum + entropy(m), 0) : undefined
  if (type === "binaryCrossentropy") {
    return share ? means.reduce((sum, m) => sum + entropy(m) + entropy(1 - m), 0) / width : undefined
  }
  if (type !== "meanSquaredError" && type !== "meanAbsoluteError") return undefined
  const squared = type === "meanSquaredError"
  let sum = 0
  for (let i = 0; i < rows; i++) {
    const from = rowAt(i) * width
    for (let k = 0; k < width; k++) {
      const away = data[from + k]! - means[k]!
      sum += squared ? away * away : Math.abs(away)
    }
  }
  return sum / (rows * width)
}
