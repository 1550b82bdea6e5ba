// The compiler: stable printouts, the invariants of programs and their checker, lifetimes, phases and fusing.
import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { gradients } from "../src/autodiff/grad.ts"
import { compile } from "../src/compile/compile.ts"
import * as compose from "../src/graph/compose.ts"
import type { Entry, Graph, Update } from "../src/graph/graph.ts"
import { isOp, type Node } from "../src/graph/node.ts"
import * as ops from "../src/graph/ops.ts"
import { printGraph } from "../src/graph/print.ts"

import { readsOf, writesOf } from "../src/program/kernel.ts"
import { printProgram } from "../src/program/print.ts"
import { elementsOf, type Program } from "../src/program/program.ts"
import { verify } from "../src/program/verify.ts"
import { OP_ROWS } from "./ops.cases.ts"
import { build } from "./support/cases.ts"
import { difference, execute, reference, wasm } from "./support/execute.ts"
import { graphFrom } from "./support/graphs.ts"
import { network } from "./support/networks.ts"

const INTERMEDIATE = network({ sizes: [784, 64, 64, 10] })

const models: readonly { readonly name: string; readonly graph: Graph; readonly rows: number }[] = [
  { name: "intermediate", graph: INTERMEDIATE, rows: 128 },
  { name: "linear", graph: network({ sizes: [3, 2] }), rows: 4 },
  { name: "one-output", graph: network({ sizes: [3, 1], activation: "sigmoid", loss: "quadratic" }), rows: 4 },
  { name: "relu-momentum", graph: network({ sizes: [5, 4, 3], optimizer: "momentum" }), rows: 7 },
  { name: "tanh-nesterov", graph: network({ sizes: [5, 4, 3], activation: "tanh", optimizer: "nesterov" }), rows: 7 },
  {
    name: "sigmoid-quadratic",
    graph: network({ sizes: [5, 4, 3], activation: "sigmoid", loss: "quadratic" }),
    rows: 7,
  },
  { name: "rank-3", graph: network({ sizes: [5, 4, 3], outer: [6] }), rows: 7 },
  { name: "rank-4", graph: network({ sizes: [5, 3], outer: [2, 6] }), rows: 7 },
  ...["softmax of a vector", "max over the middle axis", "reshape of transposed examples", "index along the batch"].map(
    (name) => {
      return {
        name: name.replaceAll(" ", "-"),
        graph: build(OP_ROWS.find((row) => row.name === name)!, [5, 3, 7], 2).graph,
        rows: 2,
      }
    },
  ),
]

describe("printouts", () => {
  test.each(models)("$name", async ({ name, graph, rows }) => {
    const program = compile(graph, { rows })
    expect(program).toEqual(compile(graph, { rows }))
    await expect(printGraph(graph)).toMatchFileSnapshot(`snapshots/${name}.graph.txt`)
    await expect(printProgram(program)).toMatchFileSnapshot(`snapshots/${name}.program.txt`)
  })

  test("a program is plain data: it survives JSON", () => {
    for (const { graph, rows } of models) {
      const program = compile(graph, { rows })
      expect(verify(JSON.parse(JSON.stringify(program)) as Program)).toEqual([])
    }
  })
})

/** Pairs of temporaries of one entry that are alive in the same phase and share memory. */
function overlaps(program: Program): string[] {
  const found: string[] = []
  for (const { steps } of Object.values(program.entries)) {
    const alive = new Map<number, number[]>()
    for (const { kernel, phase } of steps) {
      for (const b of [...writesOf(kernel), ...readsOf(kernel).map((o) => o.buffer)]) {
        if (program.buffers[b]!.role === "temporary") alive.set(b, [...(alive.get(b) ?? []), phase])
      }
    }
    const list = [...alive].map(([b, phases]) => {
      const buffer = program.buffers[b]!
      const from = buffer.offset
      return {
        name: buffer.name,
        from,
        to: from + 4 * elementsOf(buffer, program.rows),
        first: Math.min(...phases),
        last: Math.max(...phases),
      }
    })
    for (const [i, a] of list.entries()) {
      for (const b of list.slice(i + 1)) {
        if (a.from < b.to && b.from < a.to && a.first <= b.last && b.first <= a.last) found.push(`${a.name} ${b.name}`)
      }
    }
    for (const b of program.buffers) {
      const end = b.offset + 4 * elementsOf(b, program.rows)
      if (b.offset >= 0 && end > program.arena) found.push(`${b.name} ends at ${end}`)
      const lasting = b.role !== "temporary" && b.offset >= 0
      if (lasting && list.some((t) => t.from < end && b.offset < t.to)) found.push(`${b.name} is not kept`)
    }
  }
  return found
}

describe("every program", () => {
  const choices = fc.array(fc.nat(9999), { minLength: 4, maxLength: 60 })
  test("no two live temporaries overlap, no thread sees half a value", () => {
    const property = fc.property(choices, fc.integer({ min: 1, max: 9 }), fc.boolean(), (list, rows, fuse) => {
      const program = compile(graphFrom(list, rows).graph, { rows, fuse })
      expect(overlaps(program)).toEqual([])
      expect(verify(program)).toEqual([])
    })
    fc.assert(property, { numRuns: 250 })
  })

  test.each(OP_ROWS)("$name", (row) => {
    for (const fuse of [true, false]) {
      const program = compile(build(row, [17, 5, 33], 3).graph, { rows: 3, fuse })
      expect(overlaps(program)).toEqual([])
      expect(verify(program)).toEqual([])
    }
  })

  test.each(models)("$name", ({ graph, rows }) => {
    const program = compile(graph, { rows })
    expect([...overlaps(program), ...verify(program)]).toEqual([])
  })

  test("the checks can fail", () => {
    const program = compile(INTERMEDIATE, { rows: 8 })
    const flat = program.buffers.map((b) => (b.role === "temporary" ? { ...b, offset: 0 } : b))
    expect(overlaps({ ...program, buffers: flat })).not.toEqual([])
    const steps = program.entries.train!.steps.map((s) => ({ ...s, phase: 0 }))
    const hurried = verify({ ...program, entries: { train: { steps, loops: [], logs: ["loss", "accuracy"] } } })
    expect(hurried.join()).toMatch(/reads train\.\d+ while step \d+ writes it/)
  })
})

describe("the intermediate net", () => {
  const program = compile(INTERMEDIATE, { rows: 128 })
  const { steps } = program.entries.train!
  test("two phases and at most 17 steps", () => {
    expect(new Set(steps.map((s) => s.phase)).size).toBe(2)
    expect(steps.length).toBeLessThanOrEqual(17)
  })

  test("updates are part of the products that make the gradients", () => {
    const kernels = steps.filter(
      ({ kernel }) => kernel.kind === "matmul" && writesOf(kernel).some((b) => program.buffers[b]!.role === "state"),
    )
    expect(kernels).toHaveLength(3)
    // No copy of a weight: the only other memory of such a size is a state.
    const states = steps.flatMap(({ kernel }) => writesOf(kernel)).filter((b) => program.buffers[b]!.role === "state")
    expect(states).toHaveLength(6)
    expect(program.buffers.filter((b) => b.role === "temporary" && String(b.shape) === "784,64")).toEqual([])
  })
})

describe("hazards", () => {
  const same = async (
    updates: readonly Update[],
    variables: { [key: string]: Float32Array },
    more: Partial<Entry> = {},
  ): Promise<Map<string, readonly number[]>> => {
    const graph = { train: { updates, logs: [], outputs: [], ...more } }
    const program = compile(graph, { rows: 1 })
    expect(verify(program)).toEqual([])
    const setting = { rows: 1, inputs: {}, variables }
    const expected = await execute(reference, program, setting)
    for (const fuse of [true, false]) {
      const other = compile(graph, { rows: 1, fuse })
      for (const machine of [reference, wasm(1), wasm(3)]) {
        expect(difference(expected, await execute(machine, other, setting)), machine.name).toBeUndefined()
      }
    }
    return new Map([...expected].map(([name, values]) => [name, [...values]]))
  }
  const state = (key: string, shape: readonly number[]): Node<"variable"> => {
    const node = ops.read({ key, shape })
    if (!isOp(node, "variable")) throw new Error("no variable")
    return node
  }
  const update = (to: Node<"variable">, value: Node): Update => ({ variable: to.attributes.variable, value })

  test("a matrix that becomes its own transpose", async () => {
    const w = state("w", [3, 3])
    const after = await same([update(w, ops.transpose(w, [1, 0]))], { w: Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8, 9) })
    expect(after.get("w")).toEqual([1, 4, 7, 2, 5, 8, 3, 6, 9])
  })

  test("two states that change places", async () => {
    const [a, b] = [state("a", [5]), state("b", [5])]
    const [x, y] = [Float32Array.of(1, 2, 3, 4, 5), Float32Array.of(6, 7, 8, 9, 10)]
    const after = await same([update(a, b), update(b, a)], { a: x, b: y })
    expect([after.get("a"), after.get("b")]).toEqual([[...y], [...x]])
  })

  test("a state divided by its own length", async () => {
    const n = 100
    const w = state("w", [n])
    const length = ops.sqrt(compose.sum(compose.square(w)))
    const after = await same([update(w, ops.div(w, length))], { w: new Float32Array(n).fill(2) })
    expect(after.get("w")).toEqual(new Array(n).fill(Math.fround(0.1)))
  })

  test("a state that follows the guarded loss", async () => {
    const [w, average] = [state("w", [40]), state("average", [])]
    const loss = compose.mean(compose.square(w))
    const [slope] = gradients(loss, [w]) as [Node]
    const updates = [update(w, ops.sub(w, slope)), update(average, ops.add(ops.mul(average, 0.5), loss))]
    const more = { logs: [{ name: "loss", value: loss }], guard: "loss" }
    const after = await same(updates, { w: new Float32Array(40).fill(2), average: Float32Array.of(1) }, more)
    expect([after.get("average"), after.get("train logs")]).toEqual([[4.5], [4]])
  })

  test("a loss that a large kernel uses as well is still logged", async () => {
    const [w, rate] = [state("w", [64, 5]), state("rate", [])]
    const loss = ops.add(ops.mul(rate, 3), 1)
    const after = await same(
      [update(w, ops.mul(w, loss))],
      { w: new Float32Array(320).fill(1), rate: Float32Array.of(2) },
      { logs: [{ name: "loss", value: loss }], guard: "loss" },
    )
    expect(after.get("train logs")).toEqual([7])
  })

  test("a number that is kept and changed while a large kernel uses it changes once", async () => {
    const [w, product] = [state("w", [8, 5]), state("product", [])]
    const next = ops.mul(product, 0.5)
    const updates = [update(product, next), update(w, ops.add(ops.mul(w, next), product))]
    const after = await same(updates, { w: new Float32Array(40).fill(2), product: Float32Array.of(1) })
    expect([after.get("product"), after.get("w")]).toEqual([[0.5], new Array(40).fill(2)])
  })

  test("a reshape that would mix examples is refused", () => {
    const x = ops.transpose(ops.input("x", [3, 2]), [1, 0, 2])
    const logs = (value: Node): Graph => ({
      train: { updates: [], outputs: [], logs: [{ name: "a", value: compose.sum(value) }] },
    })
    for (const shape of [[3, -2], [-6], [2, -3]]) {
      expect(() => compile(logs(ops.reshape(x, shape)), { rows: 2 }), String(shape)).toThrow(
        /cannot see \[3, batch, 2\] as .*examples would be mixed/,
      )
    }
    const straight = ops.reshape(ops.input("x", [3]), [3, -1])
    expect(() => compile(logs(straight), { rows: 2 })).toThrow(/examples would be mixed/)
    expect(() => compile(logs(ops.reshape(x, [3, 1, -1, 2])), { rows: 2 })).not.toThrow()
  })
})
