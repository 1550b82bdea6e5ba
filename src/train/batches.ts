// A batch of a stream as columns. Knows what a model reads, no data set.

import { dataError, show } from "../core/errors.ts"
import { type TensorLike, tensor } from "../core/tensor.ts"
import { kindOf, type Rows } from "../data/dataset.ts"
import { type Column, valuesOf, type Wanted, weightColumns, withRows } from "./inputs.ts"

/** A batch of a stream as columns: `[inputs, targets]`, with weights as a third, or inputs alone. */
export function readBatch(where: string, wanted: Wanted, paired: boolean, batch: unknown): Rows {
  const column = (columns: readonly Column[], value: unknown): Rows => {
    const values = valuesOf(where, columns, value)
    const read = columns.map(({ binding }, i) => {
      const t = tensor(values[i] as TensorLike)
      return [binding, binding.startsWith("x") ? withRows(t) : t]
    })
    return Object.fromEntries(read)
  }
  if (!paired) return column(wanted.inputs, batch)
  if (!Array.isArray(batch) || batch.length < 2 || batch.length > 3) {
    const expected = "[inputs, targets], or [inputs, targets, weights]"
    throw dataError({ where, what: "a batch of the stream is no pair.", expected, got: show(batch) })
  }
  const data = { ...column(wanted.inputs, batch[0]), ...column(wanted.targets, batch[1]) }
  checkBatchRows(where, data)
  const rows = Object.values(data)[0]!.shape[0]!
  return batch.length === 2 ? data : { ...data, ...weightColumns(where, wanted, data, rows, batch[2]) }
}

function checkBatchRows(where: string, data: Rows): void {
  const [[, first] = ["", undefined], ...others] = Object.entries(data)
  for (const [binding, { shape }] of others) {
    if (shape[0] === first!.shape[0]) continue
    const what = "inputs and targets of a batch do not have the same number of rows."
    throw dataError({ where, what, expected: `${first!.shape[0]} ${kindOf(binding)}`, got: `${shape[0]}` })
  }
}
