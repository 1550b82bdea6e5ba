// Data as the user gives it, checked and divided into rows to train and rows to validate with. Knows no backend.

import { dataError } from "../core/errors.ts"
import { formatShape, type Shape } from "../core/shape.ts"
import { placeOf, type Tensor, type TensorLike, type TypedArray, tensor } from "../core/tensor.ts"

import type { Rows, Specs } from "../data/dataset.ts"
import type { Targets } from "../nn/losses/rule.ts"

/**
 * Inputs as a tensor of its own, rows first: what the caller does to the given arrays later changes nothing.
 * @throws E_DATA if there are no rows, or a value is NaN or infinite.
 */
export function readInputs(where: string, x: TensorLike): Tensor {
  const t = tensor(x)
  if (t.shape.length === 0 || t.shape[0] === 0) {
    throw dataError({ where, what: "there are no rows.", got: `the shape ${formatShape(t.shape)}` })
  }
  checkFinite(where, t)
  const given = ArrayBuffer.isView(x) ? x : "data" in x ? x.data : undefined
  return t.data.buffer === given?.buffer ? { ...t, data: t.data.slice() } : t
}

/** Throws E_DATA for the first value that is NaN or infinite; `rowName` says what a row is called if not by its place. */
export function checkFinite(where: string, { dtype, data, shape }: Tensor, rowName?: (row: number) => number): void {
  if (dtype !== "float32" || allFinite(data)) return
  const i = data.findIndex((value) => !Number.isFinite(value))
  throw dataError({
    where: `${where} ${placeOf(i, shape, rowName)}`,
    what: "the value is not a finite number.",
    got: `${data[i]}`,
    hint: "Drop or fill such rows: one of them is enough to destroy a training.",
  })
}

/** A finite number times 0 is 0, another is NaN, which sums keep: four at a time, because whole files go through here. */
export function allFinite(data: TypedArray): boolean {
  const even = data.length - (data.length % 4)
  let [a, b, c, d] = [0, 0, 0, 0]
  for (let i = 0; i < even; i += 4) {
    a += data[i]! * 0
    b += data[i + 1]! * 0
    c += data[i + 2]! * 0
    d += data[i + 3]! * 0
  }
  for (let i = even; i < data.length; i++) a += data[i]! * 0
  return a + b + c + d === 0
}

/** The shape of one row. */
export function rowShape(t: Tensor): Shape {
  return t.shape.slice(1)
}

/** The number of rows of columns. */
export function rowsOf(data: Rows): number {
  return Object.values(data)[0]!.shape[0]!
}

/** What the rows of columns in memory are. */
export function specsOf(data: Rows): Specs {
  const specs = Object.entries(data).map(([name, t]) => [name, { dtype: t.dtype, shape: rowShape(t) }])
  return Object.fromEntries(specs)
}

/** The class of each row: the label itself, or the place of the largest target; undefined for targets that are numbers. */
export function classesOf(y: Tensor, kind: Targets): ((row: number) => number) | undefined {
  const width = rowShape(y).reduce((a, b) => a * b, 1)
  if (kind === "labels" && width === 1) return (row) => y.data[row]!
  if (kind === "probabilities" && width === 1) return (row) => Math.round(y.data[row]!)
  if (kind === "signs" && width === 1) return (row) => Number(y.data[row]! > 0)
  if (kind !== "classes") return undefined
  return (row) => {
    let best = row * width
    for (let i = best; i < (row + 1) * width; i++) if (y.data[i]! > y.data[best]!) best = i
    return best - row * width
  }
}
