// Activations, regularizers and constraints: PyTorch's numbers and slopes, and the oracles.
import { describe, expect, test } from "vitest"
import { gradients } from "../src/autodiff/grad.ts"
import { compile } from "../src/compile/compile.ts"
import { BATCH } from "../src/core/shape.ts"
import * as compose from "../src/graph/compose.ts"
import type { Node } from "../src/graph/node.ts"
import * as ops from "../src/graph/ops.ts"
import { type ActivationSpec, activate, activationNames } from "../src/nn/activations.ts"
import { applyConstraint, constraints, readConstraint } from "../src/nn/constraints.ts"
import { readRegularizer, regularizers, traceRegularizer } from "../src/nn/regularizers.ts"
import type { OpRow } from "./ops.cases.ts"
import { single } from "./support/cases.ts"
import { execute, MACHINES, reference, reference64 } from "./support/execute.ts"
import { type FunctionCase, goldenFunctions } from "./support/golden.ts"
import { describeBits, describeSlopes, relative } from "./support/oracles.ts"

/** What a case makes of a value. */
function traced({ kind, type, options }: Pick<FunctionCase, "kind" | "type" | "options">, x: Node): Node {
  const spec = { type, ...options }
  if (kind === "activation") return activate(spec as ActivationSpec, x)
  if (kind === "regularizer") return traceRegularizer(readRegularizer(spec), x)
  return applyConstraint(readConstraint(spec), x)
}

test("every function has been compared with PyTorch", () => {
  const types = (kind: string) => new Set(goldenFunctions().flatMap((c) => (c.kind === kind ? [c.type] : [])))
  expect(types("activation")).toEqual(new Set(activationNames))
  expect(types("regularizer")).toEqual(new Set(Object.keys(regularizers)))
  expect(types("constraint")).toEqual(new Set(Object.keys(constraints)))
})

describe("by PyTorch", () => {
  test.each(goldenFunctions())("$kind $name", async (golden) => {
    const x = ops.read({ key: "x", shape: golden.input.shape })
    const value = traced(golden, x)
    expect(value.shape).toEqual(golden.output.shape)
    const weights = ops.read({ key: "weights", shape: value.shape })
    const [slope] = gradients(compose.sum(ops.mul(value, weights)), [x]) as [Node]
    const updates = Object.entries({ value, slope }).map(([key, v]) => ({
      variable: { key, shape: v.shape },
      value: v,
    }))
    const program = compile({ train: { updates, logs: [], outputs: [] } }, { rows: 1 })
    const variables = { x: Float64Array.from(golden.input.values), weights: Float64Array.from(golden.weights.values) }
    const setting = { rows: 1, inputs: {}, variables }
    const exact = await execute(reference64, program, setting)
    const rounded = await execute(reference, program, single(setting))
    for (const [name, wanted] of Object.entries({ value: golden.output, slope: golden.slope })) {
      // Constants of the graph are float32.
      expect(relative(exact.get(name)!, wanted.values), `${name}, float64`).toBeLessThanOrEqual(2e-7)
      expect(relative(rounded.get(name)!, wanted.values), `${name}, float32`).toBeLessThanOrEqual(4e-6)
    }
  })
})

describe("far out", () => {
  test.each(activationNames.filter((name) => !["exponential", "threshold"].includes(name)))(
    "%s and its slope are finite for ±10,000",
    async (type) => {
      const x = ops.read({ key: "x", shape: [4] })
      const value = activate(type, x)
      const [slope] = gradients(compose.sum(value), [x]) as [Node]
      const updates = Object.entries({ value, slope }).map(([key, v]) => ({
        variable: { key, shape: v.shape },
        value: v,
      }))
      const program = compile({ train: { updates, logs: [], outputs: [] } }, { rows: 1 })
      const variables = { x: Float32Array.of(1e4, -1e4, 90, -90) }
      for (const machine of [reference, ...MACHINES]) {
        const outcome = await execute(machine, program, { rows: 1, inputs: {}, variables })
        for (const name of ["value", "slope"]) {
          expect([...outcome.get(name)!].every(Number.isFinite), `${machine.name}, ${name}`).toBe(true)
        }
      }
    },
  )
})

const rows = goldenFunctions().map(
  (golden): OpRow => ({
    name: `${golden.kind} ${golden.name}`,
    // Along an axis that can be halved, and never along the batch.
    leaves: ([, b, c]) => [
      { shape: golden.kind === "activation" ? [BATCH, b, golden.type === "glu" ? 2 * c : c] : [b, c] },
    ],
    build: ([x]) =>
      traced(golden.options.axis === 0 && golden.type === "glu" ? { ...golden, options: {} } : golden, x!),
  }),
)
describeSlopes(rows)
describeBits(rows)
