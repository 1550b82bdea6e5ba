// From what the user gives to the columns that a program reads: inputs, targets and weights of examples, by name where a model
// has several. Knows losses and data, no backend.

import { checkKeys, configError, dataError, show } from "../core/errors.ts"
import { formatShape } from "../core/shape.ts"
import { placeOf, type Tensor, type TensorLike, tensor } from "../core/tensor.ts"
import { kindOf, type Rows } from "../data/dataset.ts"
import { type Loss, targetsOf } from "../nn/losses.ts"
import { classesOf, readInputs } from "./rows.ts"

/** A column of a model: the name of its input or output, and the name under which a program is given it. */
export interface Column {
  readonly binding: string
  readonly name: string
  /** Its values are whole numbers from 0 to below this, because a layer looks them up. */
  readonly below?: number | undefined
}

/** What a model reads. */
export interface Wanted {
  readonly inputs: readonly Column[]
  /** The outputs that are trained, in order. */
  readonly targets: readonly Column[]
  readonly weights: readonly Column[]
  readonly losses: readonly Loss[]
}

/** What the examples of each class count: by the index of the class; others count 1. */
export interface ClassWeights {
  readonly [index: number]: number
}

/** A list with at least one number per row: a list of numbers is a list of rows of one. */
export function withRows(x: Tensor): Tensor {
  return x.shape.length === 1 ? { ...x, shape: [x.shape[0]!, 1] } : x
}

/** The value of each column: for one the value itself, for several a list in their order or a record by their names. */
export function valuesOf(where: string, columns: readonly Column[], value: unknown): unknown[] {
  if (columns.length === 1) return [value]
  const names = columns.map((column) => column.name)
  const expected = `a record of ${names.join(", ")}, or a list of ${names.length}`
  if (typeof value !== "object" || value === null || ArrayBuffer.isView(value)) {
    throw dataError({ where, what: "the model has several of them.", expected, got: show(value) })
  }
  if (Array.isArray(value)) {
    if (value.length === names.length) return value
    throw dataError({
      where,
      what: "the model has another number of them.",
      expected,
      got: `a list of ${value.length}`,
    })
  }
  checkKeys(where, value, names)
  const record = new Map(Object.entries(value))
  const missing = names.find((name) => record.get(name) === undefined)
  if (missing !== undefined) throw dataError({ where, what: `${show(missing)} is missing.`, expected })
  return names.map((name) => record.get(name))
}

/** Columns of rows that are in memory, read and copied. Throws E_DATA if there are no rows or a value is not finite. */
function readColumns(where: string, columns: readonly Column[], value: unknown): Rows {
  const word = kindOf(columns[0]!.binding.slice(0, 1))
  const values = valuesOf(`${where} ${word}`, columns, value)
  const read = columns.map(({ binding }, i) => {
    const t = readInputs(`${where} ${kindOf(binding)}`, values[i] as TensorLike)
    return [binding, binding.startsWith("x") ? withRows(t) : t]
  })
  return Object.fromEntries(read)
}

/** Throws E_DATA for the first input that a layer would look up and that is no row of its table. */
export function checkPlaces(where: string, wanted: Wanted, data: Rows, rowName?: (row: number) => number): void {
  for (const { binding, below } of wanted.inputs) {
    const t = data[binding]!
    const bad = below === undefined ? -1 : t.data.findIndex((n) => !(Number.isInteger(n) && n >= 0 && n < below))
    if (bad < 0) continue
    throw dataError({
      where: `${where} ${kindOf(binding)} ${placeOf(bad, t.shape, rowName)}`,
      what: "the embedding has no vector for this.",
      expected: `whole numbers from 0 to ${below! - 1}`,
      got: `${t.data[bad]}`,
      hint: "Give the embedding a larger inputDim, or give it other numbers.",
    })
  }
}

/** The inputs of a model in memory. */
export function readInputColumns(where: string, wanted: Wanted, x: unknown): Rows {
  const inputs = readColumns(where, wanted.inputs, x)
  checkRows(where, inputs)
  checkPlaces(where, wanted, inputs)
  return inputs
}

/** Inputs and targets of a model in memory. */
export function readExamples(where: string, wanted: Wanted, x: unknown, y: unknown): Rows {
  const data = { ...readColumns(where, wanted.inputs, x), ...readColumns(where, wanted.targets, y) }
  checkRows(where, data)
  checkPlaces(where, wanted, data)
  return data
}

/** Throws E_DATA unless all columns have equally many rows. */
export function checkRows(where: string, data: Rows): void {
  const [[first, t] = ["", undefined], ...others] = Object.entries(data)
  const rows = t?.shape[0]
  for (const [binding, { shape }] of others) {
    if (shape[0] === rows) continue
    const pair = first === "x" && binding === "y"
    const what = `${kindOf(first)} and ${kindOf(binding)} do not have the same number of rows.`
    const expected = pair ? `${rows} targets, one for each example` : `${rows}`
    throw dataError({ where, what, expected, got: `${shape[0]}` })
  }
}

/**
 * The weight columns of some rows: as they are given for the examples, or for their classes; 1 where neither is. One list of
 * weights serves all outputs.
 * Throws E_DATA for weights that are not finite, below 0, or of another number of rows; E_CONFIG for both kinds at once.
 */
export function weightColumns(
  where: string,
  wanted: Wanted,
  targets: Rows,
  rows: number,
  sampleWeight?: unknown,
  classWeight?: ClassWeights,
): Rows {
  if (sampleWeight !== undefined && classWeight !== undefined) {
    const hint = "Leave one of them out, or multiply them yourself."
    throw configError({ where, what: "sampleWeight and classWeight exclude each other.", hint })
  }
  const { weights, targets: columns, losses } = wanted
  if (classWeight !== undefined) {
    return { [weights[0]!.binding]: byClass(where, wanted, targets[columns[0]!.binding]!, losses[0]!, classWeight) }
  }
  const all = sampleWeight === undefined ? weights.map(() => undefined) : spread(where, weights, sampleWeight)
  const read = weights.map(({ binding }, i) => [binding, readWeights(`${where} ${kindOf(binding)}`, all[i], rows)])
  return Object.fromEntries(read)
}

/** Weights for each output; a list of numbers serves all. */
function spread(where: string, columns: readonly Column[], value: unknown): unknown[] {
  const flat = ArrayBuffer.isView(value) || (Array.isArray(value) && value.every((n) => typeof n === "number"))
  if (flat || (typeof value === "object" && value !== null && "data" in value)) return columns.map(() => value)
  if (Array.isArray(value) || columns.length === 1) return valuesOf(`${where} weights`, columns, value)
  checkKeys(
    `${where} weights`,
    value as object,
    columns.map(({ name }) => name),
  )
  const record = new Map(Object.entries(value as object))
  return columns.map(({ name }) => record.get(name))
}

function readWeights(where: string, value: unknown, rows: number): Tensor {
  if (value === undefined) return { dtype: "float32", shape: [rows], data: new Float32Array(rows).fill(1) }
  const t = tensor(value as TensorLike)
  if (t.shape[0] !== rows || t.data.length !== rows) {
    const what = "there must be one weight for each example."
    throw dataError({ where, what, expected: `[${rows}]`, got: formatShape(t.shape) })
  }
  const data = Float32Array.from(t.data)
  const bad = data.findIndex((w) => !(w >= 0 && Number.isFinite(w)))
  if (bad < 0) return { dtype: "float32", shape: [rows], data }
  throw dataError({
    where: `${where}[${bad}]`,
    what: "this is no weight.",
    expected: "a finite number of at least 0",
    got: `${data[bad]}`,
  })
}

/** Throws E_CONFIG for weights of classes that do not exist or for a model whose targets are no classes. */
function byClass(where: string, wanted: Wanted, y: Tensor, loss: Loss, weights: ClassWeights): Tensor {
  const at = `${where} classWeight`
  const classOf = wanted.targets.length === 1 ? classesOf(y, targetsOf(loss)) : undefined
  if (classOf === undefined) {
    const what =
      wanted.targets.length === 1
        ? `the targets of ${loss.type} are no classes.`
        : "a model of several outputs has no classes of its own."
    throw configError({ where: at, what, hint: "Give a weight for every example as sampleWeight." })
  }
  for (const [index, weight] of Object.entries(weights)) {
    if (/^\d+$/.test(index) && typeof weight === "number" && Number.isFinite(weight) && weight >= 0) continue
    const got = `${show(index)}: ${show(weight)}`
    throw configError({ where: at, what: "this is no weight of a class.", expected: "{ 0: 1, 1: 2.5 }, say", got })
  }
  const rows = y.shape[0]!
  return {
    dtype: "float32",
    shape: [rows],
    data: Float32Array.from({ length: rows }, (_, i) => weights[classOf(i)] ?? 1),
  }
}

/**
 * The options of a call whose data may be a data set: then they come second, because targets are in it.
 * @throws E_CONFIG if targets are given beside a data set
 */
export function optionsBeside<O extends object>(where: string, second: unknown, third: O | undefined): O {
  const isData = ArrayBuffer.isView(second) || Array.isArray(second)
  if (third === undefined && !isData && !(typeof second === "object" && second !== null && "data" in second)) {
    return (second ?? {}) as O
  }
  const what = "the targets come with the data set."
  const hint = `Call ${where}(dataset, options).`
  throw configError({ where, what, got: `targets ${show(second)}`, hint })
}
