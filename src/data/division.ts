// Rows to train, to validate and to test with: at random, by classes, or by time. Knows no tables.

import { configError, show } from "../core/errors.ts"
import { permutation } from "../core/order.ts"
import { streams } from "../core/random.ts"

/** Numbers of rows. */
export interface Division {
  readonly train: Int32Array
  readonly validation: Int32Array
  readonly test: Int32Array
}

/** How rows are divided. */
export type DivisionMethod = "random" | "stratified" | "time"

/** The shares of the rows that validate and test. Throws E_CONFIG unless they leave something to train with. */
export function checkShares(where: string, validation: number, test: number): void {
  for (const [name, share] of Object.entries({ validation, test })) {
    if (typeof share === "number" && share >= 0 && share < 1) continue
    throw configError({
      where: `${where}.${name}`,
      what: "this is no share.",
      expected: "a number from 0 to below 1",
      got: show(share),
    })
  }
  if (validation + test < 1) return
  throw configError({
    where,
    what: "no rows are left to train with.",
    expected: "validation + test below 1",
    got: `${validation} + ${test}`,
  })
}

/**
 * Divides rows into three parts. `keys` are classes, of which each part gets its share (stratified), or times, of which the last
 * test and those before them validate (time); with the same seed in the same way.
 */
export function divideRows(
  rows: Int32Array,
  method: DivisionMethod,
  shares: { readonly validation: number; readonly test: number },
  seed: number,
  keys: ArrayLike<number> | undefined,
): Division {
  if (method === "time") {
    const order = [...rows].sort((a, b) => keys![a]! - keys![b]! || a - b)
    return cut(order, shares, false)
  }
  const mixed = Array.from(permutation(rows.length, seed, 0, streams.split), (i) => rows[i]!)
  if (method === "random" || keys === undefined) return cut(mixed, shares, true)
  const groups = new Map<number, number[]>()
  for (const row of mixed) {
    const group = groups.get(keys[row]!)
    if (group === undefined) groups.set(keys[row]!, [row])
    else group.push(row)
  }
  const parts = [...groups.values()].map((group) => cut(group, shares, true))
  const joined = (name: keyof Division): Int32Array => Int32Array.from(parts.flatMap((part) => [...part[name]])).sort()
  return { train: joined("train"), validation: joined("validation"), test: joined("test") }
}

/** The last rows test, those before them validate; in the order of the table if it does not matter. */
function cut(
  order: readonly number[],
  { validation, test }: { readonly validation: number; readonly test: number },
  sort: boolean,
): Division {
  const n = order.length
  const tests = Math.min(Math.round(n * test), Math.max(0, n - 1))
  const validates = Math.min(Math.round(n * validation), Math.max(0, n - 1 - tests))
  const part = (from: number, to: number): Int32Array => {
    const rows = Int32Array.from(order.slice(from, to))
    return sort ? rows.sort() : rows
  }
  return {
    train: part(0, n - validates - tests),
    validation: part(n - validates - tests, n - tests),
    test: part(n - tests, n),
  }
}
