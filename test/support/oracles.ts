// The oracles over tables of cases: central differences in float64, backend against backend, fused against unfused.
import { describe, expect, test } from "vitest"
import { compile } from "../../src/compile/compile.ts"
import type { Node } from "../../src/graph/node.ts"
import * as ops from "../../src/graph/ops.ts"
import type { OpRow, Sizes } from "../ops.cases.ts"
import { build, single } from "./cases.ts"
import { differences, evaluateNode } from "./evaluate.ts"
import { difference, execute, MACHINES, type Numbers, reference, reference64 } from "./execute.ts"

const SIZES: readonly Sizes[] = [
  [5, 3, 7],
  [1, 1, 1],
  [1, 13, 1],
  [17, 1, 5],
  [3, 7, 33],
]
/** Examples in the batch, by the number of the sizes. */
const ROWS = [3, 1, 5, 2, 4]

const text = (sizes: Sizes): string => sizes.join(" ")
const elements = (row: OpRow, sizes: Sizes, rows: number): number =>
  Object.values({ ...build(row, sizes, rows).setting.inputs, ...build(row, sizes, rows).setting.variables }).reduce((n, v) => n + v.length, 0) // biome-ignore format: one expression

/** The largest |a − b| / max(1, |a|, |b|); NaN if one of them is not a number and the other is. */
export function relative(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) return Number.NaN
  return Array.from(a).reduce((worst, x, i) => {
    const y = b[i]!
    const error = Object.is(x, y) ? 0 : Math.abs(x - y) / Math.max(1, Math.abs(x), Math.abs(y))
    return error <= worst ? worst : error
  }, 0)
}

/** The value as it is written down: with the batch as first axis. */
function valueByBatch(value: Node): Node {
  const batch = value.shape.findIndex((n) => n < 0)
  return batch <= 0 ? value : ops.transpose(value, [batch, ...value.shape.map((_, i) => i).filter((i) => i !== batch)])
}

/** The slopes and values of every row, in float64, for several sizes. */
export function describeSlopes(rows: readonly OpRow[]): void {
  describe.each(SIZES.map((sizes, i) => ({ sizes, rows: ROWS[i]!, name: text(sizes) })))(
    "slopes and values in float64, sizes $name",
    ({ sizes, rows: count }) => {
      test.each(rows)("$name", async (row) => {
        const { graph, value, total, leaves, smooth, setting } = build(row, sizes, count)
        const outcome = await execute(reference64, compile(graph, { rows: count + 2 }), setting)
        expect(relative(outcome.get("value")!, evaluateNode(valueByBatch(value), setting))).toBeLessThanOrEqual(1e-12)
        if (elements(row, sizes, count) > 700) return
        for (const i of smooth) {
          const found: Numbers = outcome.get(`slope${i}`)!
          expect(relative(found, differences(total, leaves[i]!, setting)), `leaf ${i}`).toBeLessThanOrEqual(1e-6)
        }
      })
    },
  )
}

/**
 * Every row has the same bits on all backends and threads, fused and unfused, also for special numbers. The larger sizes go beyond
 * every tile and vector; those of layers that are made of many operations may be less large.
 */
export function describeBits(table: readonly OpRow[], larger: Sizes = [17, 33, 13]): void {
  describe.each([
    { sizes: [5, 3, 7] as Sizes, rows: 3 },
    { sizes: larger, rows: 5 },
  ])("the same bits everywhere, sizes $sizes", ({ sizes, rows }) => {
    test.each(table)("$name", async (row) => {
      for (const filling of ["apart", "special"] as const) {
        const { graph, setting } = build(row, sizes, rows, filling)
        const programs = [compile(graph, { rows: rows + 2 }), compile(graph, { rows: rows + 2, fuse: false })] as const
        const numbers = single(setting)
        const expected = await execute(reference, programs[0], numbers)
        for (const [i, program] of programs.entries()) {
          for (const machine of i === 0 ? MACHINES : [reference, MACHINES[1]!]) {
            const actual = await execute(machine, program, numbers)
            expect(difference(expected, actual), `${machine.name}, ${i === 0 ? "fused" : "unfused"}, ${filling}`).toBeUndefined() // biome-ignore format: a call
          }
        }
      }
    })
  })
}
