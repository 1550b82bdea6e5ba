// Every kernel as plain loops: slow, readable, and the definition. Knows no threads: a split changes no bit.

import { foldInOrder, foldStart } from "../../core/fold.ts"
import { extent } from "../../core/shape.ts"
import type { Tensor } from "../../core/tensor.ts"
import type { Draw, Instruction } from "../../program/expression.ts"
import type {
  GatherKernel,
  IndexedKernel,
  MapKernel,
  MatmulKernel,
  Operand,
  ScatterKernel,
} from "../../program/kernel.ts"
import type { Precision } from "./arithmetic.ts"

/** The memory of a program: one array of elements for each buffer. */
export type Memory = readonly (Float32Array | Float64Array)[]

/** Runs a map: for each place in the outer dimensions, the body over all of the last dimension at once. */
export function runMap(
  kernel: MapKernel,
  memory: Memory,
  rows: number,
  precision: Precision,
  draw: (what: Draw, index: number) => number,
): void {
  const sizes = kernel.space.map((n) => extent(n, rows))
  const last = sizes.length === 0 ? 1 : sizes[sizes.length - 1]!
  const values = kernel.body.map(() => new Float64Array(last))
  forEachPlace(sizes.slice(0, -1), (place) => {
    kernel.body.forEach((instruction, i) => {
      if (instruction.op === "random") {
        const { strides } = instruction
        for (let j = 0; j < last; j++) values[i]![j] = draw(instruction, elementAt({ offset: 0, strides }, place, j))
        return
      }
      evaluate(instruction, values, i, last, precision, (operand, j) => {
        const o = kernel.operands[operand]!
        return memory[o.buffer]![elementAt(o, place, j)]!
      })
    })
    for (const o of kernel.outputs) {
      const to = memory[o.buffer]!
      for (let j = 0; j < last; j++) to[elementAt(o, place, j)] = values[o.value]![j]!
    }
  })
}

/** Runs a matrix product: one chain of multiply and add for each element, then the body. */
export function runMatmul(kernel: MatmulKernel, memory: Memory, rows: number, precision: Precision): void {
  const outer = kernel.space.slice(0, -1).map((d) => extent(d, rows))
  const n = kernel.space.at(-1)!
  const inner = kernel.inner.map((d) => extent(d, rows))
  const { a, b } = kernel
  const [aData, bData] = [memory[a.buffer]!, memory[b.buffer]!]
  const { round } = precision
  const values = kernel.body.map(() => new Float64Array(1))
  // Where the elements of one sum are, beside where the first is.
  const [aSteps, bSteps] = [a.strides.slice(outer.length), b.strides.slice(outer.length - 1, -1)]
  const steps: (readonly [number, number])[] = []
  forEachPlace(inner, (p) => {
    steps.push([elementAt({ offset: 0, strides: aSteps }, p, 0), elementAt({ offset: 0, strides: bSteps }, p, 0)])
  })
  forEachPlace(outer, (place) => {
    const aAt = elementAt(a, place, 0)
    for (let j = 0; j < n; j++) {
      const bAt = elementAt(b, place.slice(0, -1), 0) + j * b.strides.at(-1)!
      let sum = 0
      for (const [p, q] of steps) sum = round(sum + round(aData[aAt + p]! * bData[bAt + q]!))
      kernel.body.forEach((instruction, at) => {
        if (instruction.op === "product") values[at]![0] = sum
        else if (instruction.op !== "random") {
          evaluate(instruction, values, at, 1, precision, (operand) => {
            const o = kernel.operands[operand]!
            return memory[o.buffer]![elementAt(o, place, j)]!
          })
        }
      })
      for (const o of kernel.outputs) memory[o.buffer]![elementAt(o, place, j)] = values[o.value]![0]!
    }
  })
}

/**
 * Copies the rows of the batch out of the data: by the order, from row `first` of the pass. A byte of unorm8 stands for
 * byte / 255, rounded to float32.
 */
export function runGather(
  kernel: GatherKernel,
  source: Tensor,
  target: Float32Array | Float64Array,
  pitch: number,
  batch: { readonly first: number; readonly rows: number; readonly order: Int32Array | undefined },
): void {
  const { data, dtype } = source
  const scaled = dtype === "unorm8"
  for (let r = 0; r < batch.rows; r++) {
    const from = batch.order === undefined ? batch.first + r : batch.order[batch.first + r]!
    for (let j = 0; j < kernel.width; j++) {
      const value = data[from * kernel.width + j]!
      target[r * pitch + j] = scaled ? Math.fround(value / 255) : value
    }
  }
}

/** Copies rows of a table by their numbers, or sums values into the rows of one, place after place. */
export function runIndexed(kernel: IndexedKernel, memory: Memory, rows: number, { round }: Precision): void {
  const { table, indices, values, width } = kernel
  const places = extent(kernel.places, rows)
  const own = Math.abs(kernel.rows)
  const [tableData, numbers, data] = [memory[table.buffer]!, memory[indices.buffer]!, memory[values.buffer]!]
  if (kernel.kind === "scatterAdd") {
    const all = extent(kernel.rows, rows)
    for (let r = 0; r < all; r++) for (let j = 0; j < width; j++) tableData[elementAt(table, [r], j)] = 0
  }
  for (let p = 0; p < places; p++) {
    const before = kernel.rows < 0 ? Math.floor(p / -kernel.places) * own : 0
    const r = before + (Math.min(own - 1, Math.max(0, numbers[elementAt(indices, [], p)]!)) | 0)
    for (let j = 0; j < width; j++) {
      const [inTable, inValues] = [elementAt(table, [r], j), elementAt(values, [p], j)]
      if (kernel.kind === "lookup") data[inValues] = tableData[inTable]!
      else tableData[inTable] = round(tableData[inTable]! + data[inValues]!)
    }
  }
}

/** Copies the rows of the batch to their place among the results. */
export function runScatter(
  kernel: ScatterKernel,
  source: ArrayLike<number>,
  target: Float32Array | Float64Array,
  first: number,
  rows: number,
): void {
  for (let i = 0; i < rows * kernel.width; i++) target[first * kernel.width + i] = source[i]!
}

/** One instruction over the last dimension. A folded value is repeated along it. */
function evaluate(
  instruction: Exclude<Instruction, Draw>,
  values: readonly Float64Array[],
  at: number,
  last: number,
  { round, scalars }: Precision,
  load: (operand: number, j: number) => number,
): void {
  const out = values[at]!
  const args = "args" in instruction ? instruction.args.map((i) => values[i]!) : []
  const [a, b, c] = args as [Float64Array, Float64Array, Float64Array]
  switch (instruction.op) {
    case "load":
      for (let j = 0; j < last; j++) out[j] = load(instruction.operand, j)
      return
    case "constant":
      out.fill(instruction.value)
      return
    case "index":
      for (let j = 0; j < last; j++) out[j] = j
      return
    case "fold": {
      const { sum, max, min } = {
        sum: (x: number, y: number) => round(x + y),
        max: scalars.values.max,
        min: scalars.values.min,
      }
      const combine = { sum, max, min }[instruction.fold]
      out.fill(foldInOrder(last, foldStart[instruction.fold], (r) => a[r]!, combine))
      return
    }
    case "where":
      for (let j = 0; j < last; j++) out[j] = scalars.where(a[j] !== 0, b[j]!, c[j]!)
      return
    case "less":
    case "lessEqual":
    case "equal":
      for (let j = 0; j < last; j++) out[j] = scalars.tests[instruction.op](a[j]!, b[j]!) ? 1 : 0
      return
    case "product":
      return
    default:
      for (let j = 0; j < last; j++) out[j] = scalars.values[instruction.op](a[j]!, b?.[j] as number)
  }
}

function elementAt(o: Pick<Operand, "offset" | "strides">, place: readonly number[], j: number): number {
  let at = o.offset + j * (o.strides[place.length] ?? 0)
  for (let d = 0; d < place.length; d++) at += place[d]! * o.strides[d]!
  return at
}

function forEachPlace(sizes: readonly number[], visit: (place: readonly number[]) => void): void {
  const place = sizes.map(() => 0)
  if (sizes.some((n) => n === 0)) return
  for (;;) {
    visit(place)
    let d = sizes.length - 1
    while (d >= 0 && ++place[d]! === sizes[d]) place[d--] = 0
    if (d < 0) return
  }
}
