// The same bits from every backend, whatever the threads and the tile: trainings, and sizes that reach every path of the generator.
import { createHash } from "node:crypto"
import { describe, expect, test } from "vitest"
import type { WasmOptions } from "../src/backend/wasm/load.ts"
import { wasmBackend } from "../src/backend/wasm/wasm.ts"
import { compile } from "../src/compile/compile.ts"
import { TrilobiteError } from "../src/core/errors.ts"
import * as compose from "../src/graph/compose.ts"
import type { Node } from "../src/graph/node.ts"
import * as ops from "../src/graph/ops.ts"
import { NUMERICS_VERSION, type Program } from "../src/program/program.ts"
import { leafNode } from "./support/cases.ts"
import {
  bitsOf,
  difference,
  execute,
  type Machine,
  OLD_TILE,
  type Outcome,
  perturbed,
  reference,
  unshared,
  wasm,
} from "./support/execute.ts"
import { uniform } from "./support/golden.ts"
import { type Net, network, type Training, train } from "./support/networks.ts"

const THREADS = [wasm(1), wasm(2), wasm(3), wasm(5), wasm(2, OLD_TILE), unshared]

async function compareTraining(net: Net, training: Training, machines = THREADS): Promise<Outcome> {
  const graph = network(net)
  const program = compile(graph, { rows: training.batch })
  const expected = await train(reference, program, net, graph, training)
  for (const machine of machines) {
    const actual = await train(machine, program, net, graph, training)
    expect(difference(expected, actual), machine.name).toBeUndefined()
  }
  return expected
}

describe("trainings", () => {
  const small = [13, 7, 5]
  const kinds = (["relu", "tanh", "sigmoid"] as const).flatMap((activation) =>
    (["crossEntropy", "quadratic"] as const).map((loss) => ({ activation, loss })),
  )
  const optimizers = ["sgd", "momentum", "nesterov"] as const
  const table = kinds.flatMap((kind, i) =>
    [1, 3, 96, 127].map((batch, j) => ({ ...kind, batch, optimizer: optimizers[(i + j) % 3]! })),
  )
  test.each(table)("13-7-5 $activation $loss $optimizer, batch $batch", async ({ batch, ...kind }) => {
    const rounds = batch < 10 ? [1, 10, 100, 200] : [1, 10]
    await compareTraining({ sizes: small, ...kind }, { examples: batch < 10 ? 50 : 300, batch, rounds })
  })

  test.each(optimizers)("13-7-5 tanh, %s, batch 96, 100 and 200 rounds", async (optimizer) => {
    const net: Net = { sizes: small, activation: "tanh", optimizer }
    await compareTraining(net, { examples: 200, batch: 96, rounds: [100, 200] }, [wasm(2), wasm(3)])
  })

  test("784-64-64-10, batch 128 and a smaller last one", async () => {
    const training = { examples: 352, batch: 128, rounds: [1, 10] }
    await compareTraining({ sizes: [784, 64, 64, 10] }, training)
  })

  test("examples of several rows", async () => {
    const net: Net = { sizes: [7, 9, 4], outer: [5], activation: "tanh" }
    await compareTraining(net, { examples: 40, batch: 13, rounds: [1, 10] })
    await compareTraining({ ...net, outer: [3, 2] }, { examples: 40, batch: 1, rounds: [10] })
  })

  test("more than 1024 rows: sums in chunks", async () => {
    const net: Net = { sizes: [3, 2, 2], optimizer: "momentum" }
    for (const batch of [1024, 1025, 2050, 3100]) await compareTraining(net, { examples: 3100, batch, rounds: [3] })
  })

  test("a batch of 700: products over rows are divided", async () => {
    await compareTraining({ sizes: [37, 30, 9] }, { examples: 1100, batch: 700, rounds: [3] })
  })
})

describe("matrix products", () => {
  const fill = (n: number, stream: number): Float32Array =>
    Float32Array.from({ length: n }, (_, i) => uniform(stream, i) - 0.5)
  /** relu(A·B + bias), and its column sums as state. */
  const product = (a: Node, b: Node, n: number, flags = {}): Node =>
    ops.relu(ops.add(ops.matmul(a, b, flags), n < 0 ? 0.01 : ops.read({ key: "bias", shape: [n] })))
  const compareProduct = async (value: Node, rows: number, k: number, n: number, program?: Program): Promise<void> => {
    const [m] = value.shape as [number]
    const logs = [{ name: "total", value: compose.sum(value) }]
    const entry =
      m < 0
        ? { updates: [], outputs: [{ name: "c", value }], logs }
        : { updates: n < 0 ? [] : [{ variable: { key: "c", shape: value.shape }, value }], outputs: [], logs }
    const made = program ?? compile({ train: entry }, { rows })
    const size = 1 + Math.max(rows, Math.abs(m)) * Math.max(k, Math.abs(n), rows) * 2
    const numbers = (stream: number, length: number): Float32Array => fill(Math.min(length, size * 40), stream)
    const variables = Object.fromEntries(
      made.buffers.flatMap((b, i) =>
        b.role === "state"
          ? [
              [
                b.name,
                numbers(
                  i,
                  b.shape.reduce((x, y) => x * y, 1),
                ),
              ],
            ]
          : [],
      ),
    )
    const inputs = Object.fromEntries(
      made.buffers.flatMap((b, i) => (b.role === "data" ? [[b.name, numbers(i + 50, rows * b.pitch)]] : [])),
    )
    const setting = { rows, inputs, variables }
    const expected = await execute(reference, made, setting)
    for (const machine of [
      ...THREADS,
      wasm(1, { rows: 3, vectors: 3, unroll: 2 }),
      wasm(1, { rows: 1, vectors: 1, unroll: 5 }),
    ]) {
      expect(difference(expected, await execute(machine, made, setting)), machine.name).toBeUndefined()
    }
  }
  const widths = [1, 2, 3, 5, 8, 9, 30, 64, 100]

  test.each(widths)("n = %i, batch rows, k = 784 and 7", async (n) => {
    for (const [rows, k] of [
      [11, 784],
      [1, 784],
      [6, 7],
      [3, 513],
      [2, 512],
      [3, 385],
      [2, 384],
      [1, 1],
    ] as const) {
      for (const transposeB of [false, true]) {
        const b = ops.read({ key: "b", shape: transposeB ? [n, k] : [k, n] })
        await compareProduct(product(ops.input("a", [k]), b, n, { transposeB }), rows, k, n)
      }
    }
  })

  test.each(widths)("n = %i, k is the batch of 700 or 5", async (n) => {
    for (const rows of [700, 5, 1]) {
      for (const m of [1, 2, 7]) {
        await compareProduct(product(ops.input("a", [m]), ops.input("b", [n]), n, { transposeA: true }), rows, m, n)
      }
    }
  })

  test("rows of the right factor a page apart", async () => {
    for (const [rows, k, n] of [
      [33, 5, 1030],
      [70, 600, 1025],
      [31, 3, 1024],
      [34, 390, 257],
    ] as const) {
      await compareProduct(product(ops.input("a", [k]), ops.read({ key: "b", shape: [k, n] }), n), rows, k, n)
    }
  })

  test("wide products, which bring rows of the left factor together", async () => {
    for (const [rows, m, n] of [
      [700, 7, 270],
      [5, 23, 301],
      [1, 13, 256],
    ] as const) {
      await compareProduct(product(ops.input("a", [m]), ops.input("b", [n]), n, { transposeA: true }), rows, m, n)
    }
    for (const [rows, k] of [
      [45, 519],
      [6, 3],
      [4, 1],
    ] as const) {
      const b = ops.read({ key: "b", shape: [301, k] })
      await compareProduct(product(ops.input("a", [k]), b, 301, { transposeB: true }), rows, k, 301)
    }
    for (const transposeA of [false, true]) {
      const a = leafNode("a", transposeA ? [601, 23] : [23, 601])
      await compareProduct(product(a, leafNode("b", [601, 260]), 260, { transposeA }), 1, 601, 260)
    }
  })

  test("n is the batch", async () => {
    for (const rows of [1, 5, 33]) {
      const value = product(ops.read({ key: "a", shape: [6, 17] }), ops.input("b", [17]), -1, { transposeB: true })
      await compareProduct(value, rows, 17, -1)
    }
  })

  test("m smaller than a tile, no batch", async () => {
    for (const m of [1, 2, 3, 4, 5, 6, 11]) {
      for (const flags of [
        {},
        { transposeA: true },
        { transposeB: true },
        { transposeA: true, transposeB: true },
      ] as const) {
        const { transposeA, transposeB } = { transposeA: false, transposeB: false, ...flags }
        const a = leafNode("a", transposeA ? [19, m] : [m, 19])
        const b = leafNode("b", transposeB ? [10, 19] : [19, 10])
        await compareProduct(product(a, b, 10, flags), 1, 19, 10)
      }
    }
  })

  test("a right factor that lies apart both ways", async () => {
    const [m, k, n] = [6, 9, 5]
    const value = product(ops.read({ key: "a", shape: [m, k] }), ops.read({ key: "b", shape: [k, n] }), n)
    const program = compile(
      { train: { updates: [{ variable: { key: "c", shape: [m, n] }, value }], logs: [], outputs: [] } },
      { rows: 1 },
    )
    // No graph makes such a view of a state today: every second element of every second row of a larger b.
    const at = program.buffers.findIndex((b) => b.name === "b")
    const buffers = program.buffers.map((b, i) => {
      return i === at ? { ...b, shape: [2 * k, 2 * n], pitch: 2 * n, offset: program.arena } : b
    })
    const patched = JSON.parse(
      JSON.stringify({ ...program, buffers, arena: program.arena + 16 * k * n + 256 }),
    ) as Program
    for (const { kernel } of patched.entries.train!.steps) {
      if (kernel.kind === "matmul") Object.assign(kernel.b, { strides: [4 * n, 2] })
    }
    expect(patched).not.toEqual(program)
    await compareProduct(value, 1, k, n, patched)
  })
})

describe("the comparison can fail", () => {
  const net: Net = { sizes: [13, 7, 5] }
  const graph = network(net)
  const program = compile(graph, { rows: 3 })
  const training = { examples: 9, batch: 3, rounds: [1] }

  test("one unit in the last place of one weight is found", async () => {
    const expected = await train(reference, program, net, graph, training)
    const actual = await train(perturbed(wasm(1), "1/kernel", 17), program, net, graph, training)
    expect(difference(expected, actual)).toMatch(/^1\/kernel after 1\[17\] is /)
    expect(difference(expected, await train(wasm(1), program, net, graph, training))).toBeUndefined()
  })

  test("a sum in another order is found", async () => {
    const wide: Net = { sizes: [40, 3] }
    const other = network(wide)
    const made = compile(other, { rows: 9 })
    const swapped = JSON.parse(JSON.stringify(made), (_, v: unknown) => v) as Program
    for (const { kernel } of swapped.entries.train!.steps) {
      // The chain over k runs backwards: the same products, added in another order.
      if (kernel.kind === "matmul" && kernel.inner[0] === 40) {
        for (const [factor, axis] of [
          [kernel.a, 1],
          [kernel.b, 0],
        ] as const) {
          const strides = [...factor.strides]
          Object.assign(factor, {
            offset: factor.offset + 39 * strides[axis]!,
            strides: strides.with(axis, -strides[axis]!),
          })
        }
      }
    }
    const once = { examples: 9, batch: 9, rounds: [1] }
    const expected = await train(reference, made, wide, other, once)
    expect(difference(expected, await train(reference, swapped, wide, other, once))).toMatch(/ is .*, not /)
  })

  test("minus zero is not zero, and every NaN is the same", () => {
    expect(difference(new Map([["a", Float32Array.of(0)]]), new Map([["a", Float32Array.of(-0)]]))).toBeDefined()
    const nan = new Float32Array(new Uint32Array([0xffc00001]).buffer)
    expect(difference(new Map([["a", Float32Array.of(Number.NaN)]]), new Map([["a", nan]]))).toBeUndefined()
    expect(difference(new Map([["a", Float32Array.of(1)]]), new Map())).toBe("only one has a")
  })
})

describe("golden hashes: they change only with NUMERICS_VERSION", () => {
  const hash = (outcome: Outcome): string => {
    const sha = createHash("sha256")
    for (const [name, values] of [...outcome].sort(([a], [b]) => (a < b ? -1 : 1))) {
      expect(values.every(Number.isFinite), name).toBe(true)
      const bytes = new DataView(new ArrayBuffer(4 * values.length))
      for (const [i, bits] of bitsOf(values).entries()) bytes.setUint32(4 * i, bits, true)
      sha.update(name).update(new Uint8Array(bytes.buffer))
    }
    return sha.digest("hex").slice(0, 16)
  }
  const table: readonly (Net & { readonly name: string; readonly training: Training; readonly golden: string })[] = [
    {
      name: "the intermediate net",
      sizes: [784, 64, 64, 10],
      training: { examples: 352, batch: 128, rounds: [10] },
      golden: "03f60035da15211c",
    },
    {
      name: "relu, cross-entropy",
      sizes: [13, 7, 5],
      training: { examples: 100, batch: 32, rounds: [1, 10, 100] },
      golden: "2a19b3598c2b4037",
    },
    {
      name: "sigmoid, quadratic",
      sizes: [13, 7, 5],
      activation: "sigmoid",
      loss: "quadratic",
      training: { examples: 100, batch: 33, rounds: [200] },
      golden: "94d70ab127e4bd8a",
    },
    {
      name: "tanh, momentum",
      sizes: [13, 7, 5],
      activation: "tanh",
      optimizer: "momentum",
      training: { examples: 60, batch: 13, rounds: [100] },
      golden: "6d407e75ef4c3228",
    },
    {
      name: "relu, Nesterov, quadratic",
      sizes: [9, 17, 3],
      loss: "quadratic",
      optimizer: "nesterov",
      training: { examples: 50, batch: 1, rounds: [200] },
      golden: "fae5bd6cf572c6d3",
    },
    {
      name: "rank 3, tanh, long batch",
      sizes: [5, 8, 3],
      activation: "tanh",
      outer: [4],
      training: { examples: 1500, batch: 1100, rounds: [6] },
      golden: "5c781e25b406316e",
    },
  ]
  test("numerics version", () => {
    expect(NUMERICS_VERSION).toBe(1)
  })

  test.each(table)("$name", async ({ training, golden, ...net }) => {
    const graph = network(net)
    const program = compile(graph, { rows: training.batch })
    expect(hash(await train(wasm(2), program, net, graph, training))).toBe(golden)
    expect(hash(await train(reference, program, net, graph, training))).toBe(golden)
  })
})

describe("variants of the engine", () => {
  const net: Net = { sizes: [784, 64, 33, 10] }
  const training: Training = { examples: 300, batch: 96, rounds: [1, 7] }
  const graph = network(net)
  const on = (options: WasmOptions): Machine => ({
    name: JSON.stringify(options),
    load: (program) => wasmBackend.load(program, options),
  })
  const tiles = [{ rows: 6, vectors: 4, unroll: 4 }, { rows: 3, vectors: 2, unroll: 1 }, undefined]

  test("wide vectors, found or given tiles, chosen threads: the bits of the reference", async () => {
    const program = compile(graph, { rows: training.batch })
    const expected = await train(reference, program, net, graph, training)
    for (const wideVectors of [true, false]) {
      for (const tile of tiles) {
        for (const threads of [undefined, 1, 2]) {
          const machine = on({ wideVectors, tile, threads })
          expect(
            difference(expected, await train(machine, program, net, graph, training)),
            machine.name,
          ).toBeUndefined()
        }
      }
    }
  })

  test("fused numerics: the same bits for any threads, tile and width; refused where the engine has none", async () => {
    const program = compile(graph, { rows: training.batch, numerics: "fused" })
    const first = await train(on({ threads: 1 }), program, net, graph, training).catch((error: unknown) => error)
    if (first instanceof TrilobiteError) {
      expect(first.code).toBe("E_CONFIG")
      expect(first.message).toMatch(/no fused multiply-add/)
      return
    }
    for (const wideVectors of [true, false]) {
      for (const tile of tiles) {
        for (const threads of [1, 2, 3]) {
          const machine = on({ wideVectors, tile, threads })
          const actual = await train(machine, program, net, graph, training)
          expect(difference(first as Outcome, actual), machine.name).toBeUndefined()
        }
      }
    }
  })
})
