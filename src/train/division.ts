// Which rows train and which validate, and whether they belong together. Knows rows, no model.

import { configError, dataError } from "../core/errors.ts"
import { permutation } from "../core/order.ts"
import { streams } from "../core/random.ts"
import { formatShape, sameShape } from "../core/shape.ts"
import { kindOf, type Specs } from "../data/dataset.ts"

/** Throws E_DATA if validation rows do not have the shape of the training rows; rows of [] and of [1] are the same. */
export function checkSameRows(train: Specs, validation: Specs): void {
  for (const [name, { shape: a }] of Object.entries(train)) {
    const b = validation[name]?.shape ?? []
    if (sameShape(a, b) || sameShape([...a, 1], b) || sameShape(a, [...b, 1])) continue
    const what = `the ${kindOf(name)} do not have the shape of the training data.`
    throw dataError({ where: "validationData", what, expected: formatShape(a), got: formatShape(b) })
  }
}

/** Which rows train and which validate. */
export interface Division {
  readonly train: Int32Array
  readonly validation: Int32Array
}

/**
 * A random share of the rows to validate with, a function of the seed. Where `classOf` gives classes, each class gives
 * its share (at least one row where it has two), so that rare ones are on both sides.
 * A deliberate difference from Keras, which takes the last rows as they come.
 * @throws E_CONFIG if one side would be empty.
 */
export function divide(rows: number, share: number, seed: number, classOf?: (row: number) => number): Division {
  const groups = new Map<number, number[]>()
  for (const row of permutation(rows, seed, 0, streams.split)) {
    const group = classOf?.(row) ?? 0
    const list = groups.get(group)
    if (list === undefined) groups.set(group, [row])
    else list.push(row)
  }
  const train: number[] = []
  const validation: number[] = []
  for (const list of groups.values()) {
    const wanted = Math.round(list.length * share)
    const taken = list.length < 2 ? 0 : Math.min(list.length - 1, Math.max(1, wanted))
    list.forEach((row, i) => {
      ;(i < taken ? validation : train).push(row)
    })
  }
  if (validation.length === 0 || train.length === 0) {
    throw configError({
      where: "validationSplit",
      what: `${rows} rows cannot be divided into rows to train and rows to validate with.`,
      got: `validationSplit: ${share}`,
      hint: "Give more rows, or validationData.",
    })
  }
  return { train: Int32Array.from(train).sort(), validation: Int32Array.from(validation).sort() }
}
