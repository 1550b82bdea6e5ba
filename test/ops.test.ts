// The oracles over the table of operations, and PyTorch.
import { describe, expect, test } from "vitest"
import { gradients } from "../src/autodiff/grad.ts"
import { rules } from "../src/autodiff/rules.ts"
import { compile } from "../src/compile/compile.ts"
import * as compose from "../src/graph/compose.ts"
import { isOp, type Node, topological } from "../src/graph/node.ts"
import * as ops from "../src/graph/public.ts"
import { bodyOf } from "../src/graph/scan.ts"
import { OP_ROWS } from "./ops.cases.ts"
import { build, single } from "./support/cases.ts"
import { difference, execute, MACHINES, type Outcome, reference, reference64 } from "./support/execute.ts"
import { goldenOps, type OpCase } from "./support/golden.ts"
import { describeBits, describeSlopes, relative } from "./support/oracles.ts"

describe("the table", () => {
  test("has a row for every operation of graph/ops.ts", () => {
    const all = (value: Node): Node[] => {
      const graph = topological([value])
      return graph.flatMap((x) => (isOp(x, "scan") ? [x, ...bodyOf(x, graph)] : [x]))
    }
    const used = new Set(OP_ROWS.flatMap((row) => all(build(row, [5, 3, 7], 3).value).map(({ op }) => op)))
    expect(Object.keys(rules).filter((op) => !used.has(op as keyof typeof rules))).toEqual([])
  })

  test("has a row for every composition of graph/compose.ts", () => {
    const used = new Set(OP_ROWS.map(({ composition }) => composition as string | undefined))
    expect(Object.keys(compose).filter((name) => !used.has(name))).toEqual([])
  })

  test("has each name once", () => {
    expect(new Set(OP_ROWS.map(({ name }) => name)).size).toBe(OP_ROWS.length)
  })
})

describe("by PyTorch", () => {
  const functions = { ...ops, logSoftmax: compose.logSoftmax } as unknown as { [op: string]: (...x: unknown[]) => Node }
  const nodeOf = ({ op, attributes }: OpCase, x: readonly Node[]): Node => {
    const { fold, axis, order, shape, begin, end, rows } = attributes
    if (fold !== undefined) return ops.fold(fold, x[0]!, axis!)
    if (op === "slice") return ops.slice(x[0]!, axis!, begin!, end!)
    if (op === "concat") return ops.concat(x, axis!)
    if (op === "scatterAdd") return ops.scatterAdd(x[0]!, x[1]!, rows!)
    if (op === "transpose") return ops.transpose(x[0]!, order!)
    if (op === "broadcastTo") return ops.broadcastTo(x[0]!, shape!)
    return op === "matmul" ? ops.matmul(x[0]!, x[1]!, attributes) : functions[op]!(...x)
  }
  test.each(goldenOps())("$name", async (golden) => {
    const x = golden.inputs.map(({ shape }, i) => ops.read({ key: `x${i}`, shape }))
    const value = nodeOf(golden, x)
    expect(value.shape).toEqual(golden.output.shape)
    const weights = ops.read({ key: "weights", shape: value.shape })
    const slopes = gradients(compose.sum(ops.mul(value, weights)), x)
    const updates = [value, ...slopes].map((v, i) => ({ variable: { key: `out${i}`, shape: v.shape }, value: v }))
    const program = compile({ train: { updates, logs: [], outputs: [] } }, { rows: 1 })
    const variables: { [key: string]: Float64Array } = { weights: Float64Array.from(golden.weights.values) }
    for (const [i, { values }] of golden.inputs.entries()) variables[`x${i}`] = Float64Array.from(values)
    const setting = { rows: 1, inputs: {}, variables }
    const [exact, rounded] = [await execute(reference64, program, setting), await execute(reference, program, single(setting))] // biome-ignore format: a pair
    const wanted = [golden.output, ...golden.gradients].map((n, i) => n?.values ?? slopes[i - 1]!.shape.reduce((list, d) => list.flatMap((v) => new Array<number>(d).fill(v)), [0])) // biome-ignore format: one expression
    wanted.forEach((values, i) => {
      // The constants of a graph are float32 in every precision: 2/√π in the slope of erf.
      const exactly = golden.op === "erf" && i > 0 ? 1e-7 : 1e-12
      expect(relative(exact.get(`out${i}`)!, values), `out${i}, float64`).toBeLessThanOrEqual(exactly)
      expect(relative(rounded.get(`out${i}`)!, values), `out${i}, float32`).toBeLessThanOrEqual(4e-6)
    })
  })
})

describe("kinks", () => {
  const slopesOf = async (cost: (x: Node) => Node, values: readonly number[]): Promise<number[]> => {
    const x = ops.read({ key: "x", shape: [values.length] })
    const [slope] = gradients(cost(x), [x]) as [Node]
    const updates = [{ variable: { key: "slope", shape: slope.shape }, value: slope }]
    const program = compile({ train: { updates, logs: [], outputs: [] } }, { rows: 1 })
    const outcomes: Outcome[] = []
    for (const machine of [reference, ...MACHINES]) {
      outcomes.push(await execute(machine, program, { rows: 1, inputs: {}, variables: { x: Float32Array.from(values) } })) // biome-ignore format: a call
    }
    for (const outcome of outcomes) expect(difference(outcomes[0]!, outcome)).toBeUndefined()
    return [...outcomes[0]!.get("slope")!]
  }
  test("the slope of relu at 0 is 0", async () => {
    expect(await slopesOf((x) => compose.sum(ops.relu(x)), [0, -0, 1, -1, 1e-45])).toEqual([0, 0, 1, 0, 1])
  })
  test("the slope of abs at 0 is 0", async () => {
    expect(await slopesOf((x) => compose.sum(ops.abs(x)), [0, 2, -3])).toEqual([0, 1, -1])
  })
  test("the slope of softplus at 0 is a half", async () => {
    expect(await slopesOf((x) => compose.sum(compose.softplus(x)), [0])).toEqual([0.5])
  })
  test("of equal extremes of a fold the first takes the slope", async () => {
    expect(await slopesOf((x) => ops.fold("max", x, 0), [1, 3, 3, 2, 3])).toEqual([0, 1, 0, 0, 0])
    expect(await slopesOf((x) => ops.fold("min", x, 0), [1, 0, -0, 2, 0])).toEqual([0, 1, 0, 0, 0])
    const rows = (x: Node): Node => compose.sum(ops.fold("max", ops.reshape(x, [2, 3]), 0))
    expect(await slopesOf(rows, [1, 2, 3, 1, 4, 3])).toEqual([1, 0, 1, 0, 1, 0])
  })
  test("of equal arguments of max and min the first takes the slope", async () => {
    expect(await slopesOf((x) => compose.sum(ops.max(x, 1)), [0, 1, 2])).toEqual([0, 1, 1])
    expect(await slopesOf((x) => compose.sum(ops.max(1, x)), [0, 1, 2])).toEqual([0, 0, 1])
    expect(await slopesOf((x) => compose.sum(ops.min(x, 1)), [0, 1, 2])).toEqual([1, 1, 0])
    expect(await slopesOf((x) => compose.sum(ops.min(1, x)), [0, 1, 2])).toEqual([1, 0, 0])
  })
  test("nothing flows through stopGradient", async () => {
    const cost = (x: Node): Node => compose.sum(ops.mul(x, ops.stopGradient(ops.mul(x, 3))))
    expect(await slopesOf(cost, [1, 2, -1])).toEqual([3, 6, -3])
  })
})

describe("rows by numbers", () => {
  const table = ops.read({ key: "table", shape: [4, 2] })
  test("what does not fit is refused", () => {
    expect(() => ops.lookup(ops.transpose(ops.input("x", [4]), [1, 0]), ops.input("n", []))).toThrow(
      "a table of rows, got [4, batch]",
    )
    expect(() => ops.lookup(ops.input("x", [4]), ops.indexOver([3]))).toThrow(
      "a table for each example needs numbers for each example, got [3]",
    )
    expect(() => ops.scatterAdd(ops.constant(0, [3, 2]), ops.indexOver([3]), -4)).toThrow("numbers for each example")
    expect(() => ops.lookup(ops.constant(0, [4]), ops.input("n", []))).toThrow("got [4]")
    expect(() => ops.lookup(table, ops.transpose(ops.input("n", [3]), [1, 0]))).toThrow(
      "the batch must be the first axis of the numbers, got [3, batch]",
    )
    expect(() => ops.scatterAdd(ops.input("v", [2]), ops.input("n", [3]), 4)).toThrow(
      "a row of values for each number, got [batch, 2] and [batch, 3]",
    )
    expect(() => ops.scatterAdd(ops.input("v", [2]), ops.input("n", []), 0)).toThrow("cannot make a table of 0 rows")
  })

  test("numbers beyond the table take its nearest row, and sums follow the order of places", async () => {
    const numbers = Float32Array.of(-1, 0, 3, 4, 1e30, -1e30, NaN, Infinity, -Infinity, 2.75, -0.5, 1)
    const rows = [0, 0, 3, 3, 3, 0, 0, 3, 0, 2, 0, 1]
    const [n, v] = [ops.read({ key: "n", shape: [12] }), ops.read({ key: "v", shape: [12, 1] })]
    const values = Float32Array.from(rows, (_, p) => Math.fround(0.1 * 3 ** p))
    const sums = new Float32Array(4)
    rows.forEach((r, p) => {
      sums[r] = sums[r]! + values[p]!
    })
    const updates = [ops.lookup(table, n), ops.scatterAdd(v, n, 4)].map((value, i) => ({ variable: { key: `out${i}`, shape: value.shape }, value })) // biome-ignore format: one expression
    const program = compile({ train: { updates, logs: [], outputs: [] } }, { rows: 1 })
    const variables = { table: Float32Array.of(0, 1, 10, 11, 20, 21, 30, 31), n: numbers, v: values }
    for (const machine of [reference, ...MACHINES]) {
      const outcome = await execute(machine, program, { rows: 1, inputs: {}, variables })
      expect([...outcome.get("out0")!], machine.name).toEqual(rows.flatMap((r) => [10 * r, 10 * r + 1]))
      expect(outcome.get("out1"), machine.name).toEqual(sums)
    }
  })
})

describe("parts and joins", () => {
  const x = ops.input("x", [4])
  test("what is no part is refused", () => {
    expect(() => ops.slice(x, 0, 0, 1)).toThrow("cannot take a part of the batch")
    expect(() => ops.slice(ops.reshape(x, [-4]), 0, 0, 1)).toThrow("cannot take a part of the batch")
    expect(() => ops.slice(x, 1, 2, 2)).toThrow("begin 2, end 2")
    expect(() => ops.slice(x, 1, 0, 5)).toThrow("0 <= begin < end <= 4")
    expect(() => ops.slice(x, 1, 0.5, 2)).toThrow("no such part of axis 1 of [batch, 4]")
    expect(() => ops.slice(x, 2, 0, 1)).toThrow("no such axis")
  })
  test("what does not fit is not joined", () => {
    expect(() => ops.concat([], 0)).toThrow("needs at least one value")
    expect(() => ops.concat([x, x], 0)).toThrow("cannot join batches")
    expect(() => ops.concat([x, ops.input("y", [4, 1])], 1)).toThrow(
      "all other sizes must be equal, got [batch, 4], [batch, 4, 1]",
    )
    expect(() => ops.concat([x, ops.constant(1, [3, 4])], 1)).toThrow("all other sizes must be equal")
  })
  test("the whole is the value itself, and negative places count from the end", () => {
    expect(ops.slice(x, 1, 0, 4)).toBe(x)
    expect(ops.concat([x], 1)).toBe(x)
    expect(ops.slice(x, -1, -3, -1)).toMatchObject({ shape: [-1, 2], attributes: { axis: 1, begin: 1, end: 3 } })
  })
  test("each part is computed where it is to stand, and a part of a join is that part", () => {
    const kernels = (value: Node, key = "value"): number =>
      compile({ train: { updates: [{ variable: { key, shape: value.shape }, value }], logs: [], outputs: [] } }, { rows: 4 }).entries.train!.steps.length // biome-ignore format: one expression
    const [a, b] = [ops.read({ key: "a", shape: [3, 4] }), ops.read({ key: "b", shape: [3, 2] })]
    const joined = ops.concat([ops.exp(ops.neg(a)), ops.tanh(ops.matmul(a, ops.read({ key: "k", shape: [4, 2] })))], 1)
    expect(kernels(joined)).toBe(3)
    expect(kernels(ops.slice(ops.concat([ops.exp(a), ops.tanh(b)], 1), 1, 4, 6))).toBe(1)
    expect(kernels(ops.neg(ops.slice(ops.exp(a), 1, 1, 3)))).toBe(2)
  })
})

describeSlopes(OP_ROWS)
describeBits(OP_ROWS)
