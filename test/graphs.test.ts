// Random shapes for every row of the table and random graphs: every backend gives the bits of the reference, fused or not, and
// float64 gives the values of plain loops.
import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { compile } from "../src/compile/compile.ts"
import { topological } from "../src/graph/node.ts"
import { OP_ROWS, type Sizes } from "./ops.cases.ts"
import { build, single } from "./support/cases.ts"
import { evaluateNodes } from "./support/evaluate.ts"
import { difference, execute, OLD_TILE, reference, reference64, wasm } from "./support/execute.ts"
import { graphFrom } from "./support/graphs.ts"

const SIZES = [1, 2, 3, 4, 5, 6, 7, 8, 9, 13, 15, 16, 17, 31, 33]
const sizes = fc.tuple(fc.constantFrom(...SIZES), fc.constantFrom(...SIZES), fc.constantFrom(...SIZES))
const machines = fc.constantFrom(
  wasm(1),
  wasm(2),
  wasm(3),
  wasm(1, OLD_TILE),
  wasm(2, { rows: 3, vectors: 3, unroll: 2 }),
)

describe("random shapes", () => {
  test.each(OP_ROWS)("$name", async (row) => {
    const property = fc.asyncProperty(
      sizes,
      fc.integer({ min: 1, max: 9 }),
      machines,
      async (shape: Sizes, rows, machine) => {
        const { graph, setting } = build(row, shape, rows)
        const numbers = single(setting)
        const program = compile(graph, { rows: rows + 1 })
        const expected = await execute(reference, program, numbers)
        expect(difference(expected, await execute(machine, program, numbers)), machine.name).toBeUndefined()
        const unfused = compile(graph, { rows: rows + 1, fuse: false })
        expect(difference(expected, await execute(reference, unfused, numbers)), "unfused").toBeUndefined()
      },
    )
    await fc.assert(property, { numRuns: 6 })
  })
})

const choices = fc.array(fc.nat(9999), { minLength: 4, maxLength: 60 })

describe("random graphs", () => {
  test("fused and unfused, reference and WebAssembly", async () => {
    const property = fc.asyncProperty(
      choices,
      fc.integer({ min: 1, max: 9 }),
      machines,
      async (list, rows, machine) => {
        const { graph, setting } = graphFrom(list, rows)
        const fused = compile(graph, { rows: rows + 2 })
        const expected = await execute(reference, fused, setting)
        expect(difference(expected, await execute(machine, fused, setting)), machine.name).toBeUndefined()
        const unfused = compile(graph, { rows: rows + 2, fuse: false })
        expect(difference(expected, await execute(reference, unfused, setting)), "unfused").toBeUndefined()
        expect(
          difference(expected, await execute(machine, unfused, setting)),
          `unfused, ${machine.name}`,
        ).toBeUndefined()
      },
    )
    await fc.assert(property, { numRuns: 150 })
  }, 120_000)

  test("values in float64 are those of plain loops", async () => {
    const property = fc.asyncProperty(choices, fc.integer({ min: 1, max: 5 }), async (list, rows) => {
      const { graph, setting } = graphFrom(list, rows)
      const { train } = graph as { train: (typeof graph)[string] }
      // Where a rounding decides between two values the two may differ.
      const brittle = topological(train.updates.map((u) => u.value)).some(({ op }) =>
        ["floor", "round", "equal"].includes(op),
      )
      fc.pre(!brittle)
      const outcome = await execute(reference64, compile(graph, { rows }), setting)
      const nodes = train.updates.map((u) => u.value)
      evaluateNodes(nodes, setting).forEach((values, i) => {
        const found = outcome.get(train.updates[i]!.variable.key)!
        values.forEach((v, j) => {
          const error = Object.is(v, found[j]) ? 0 : Math.abs(v - found[j]!) / Math.max(1, Math.abs(v))
          expect(error, train.updates[i]!.variable.key).toBeLessThanOrEqual(1e-9)
        })
      })
    })
    await fc.assert(property, { numRuns: 60 })
  }, 120_000)
})
