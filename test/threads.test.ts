// Threads that fail: the run ends with a typed error within two seconds, and the next one works.
import { describe, expect, test } from "vitest"
import type { Executable, Run } from "../src/backend/backend.ts"
import { module_ } from "../src/backend/wasm/assembler.ts"
import { br, if_, loop, unreachable } from "../src/backend/wasm/control.ts"
import { MAX_PAGES } from "../src/backend/wasm/generate.ts"
import { i32 } from "../src/backend/wasm/instructions.ts"
import { platform as node } from "../src/backend/wasm/node-platform.ts"
import type { Platform, Thread } from "../src/backend/wasm/platform.ts"
import { createPool } from "../src/backend/wasm/pool.ts"
import { wasmBackendOver } from "../src/backend/wasm/wasm.ts"
import { compile } from "../src/compile/compile.ts"
import { TrilobiteError } from "../src/core/errors.ts"
import { dense, type ModelOptions } from "../src/index.ts"
import { sequentialNetwork } from "../src/nn/network.ts"
import { Model } from "../src/train/model.ts"
import { dataOf, difference, reference, statesOf, writeStates } from "./support/execute.ts"
import { examplesOf, type Net, network, startOf } from "./support/networks.ts"

const NET: Net = { sizes: [13, 7, 5], optimizer: "momentum" }
const GRAPH = network(NET)
const ROWS = 80_000
const PROGRAM = compile(GRAPH, { rows: 8 })

/** A backend with a pool of its own, and the threads that it has started. */
function watched(changes: Partial<Platform> = {}) {
  const threads: Thread[] = []
  const start: Platform["start"] = (onAnswer, onEnd) => {
    const thread = node.start(onAnswer, onEnd)
    threads.push(thread)
    return thread
  }
  const pool = createPool({ ...node, start, ...changes })
  return { threads, backend: wasmBackendOver(pool) }
}

async function begin(executable: Executable, rows = ROWS) {
  writeStates(executable, startOf(GRAPH))
  const bound = executable.bind(dataOf(rows, examplesOf(NET, rows)))
  const runtime = { learningRate: 0.125 }
  return (count: number, more: Partial<Run> = {}): Run => {
    return { entry: "train", bound, batchSize: 8, first: 0, count, runtime, ...more }
  }
}

/** The error of a run, and the milliseconds until it came. */
async function failure(running: Promise<unknown>): Promise<{ error: TrilobiteError; took: number }> {
  const started = performance.now()
  const error: unknown = await running.catch((reason: unknown) => reason)
  expect(error).toBeInstanceOf(TrilobiteError)
  return { error: error as TrilobiteError, took: performance.now() - started }
}

const kinds = [
  { name: "shared memory, 3 threads", options: { threads: 3, shared: true } },
  { name: "memory not shared", options: { shared: false } },
]

describe.each(kinds)("$name", ({ options }) => {
  const busy = async () => {
    const { threads, backend } = watched()
    const executable = await backend.load(PROGRAM, options)
    const run = await begin(executable)
    await executable.run(run(1))
    return { threads, backend, executable, run }
  }

  test.each(options.shared ? [0, 1, 2] : [0])("thread %i dies in a run", async (victim) => {
    const { threads, backend, executable, run } = await busy()
    const running = executable.run(run(ROWS / 8))
    setTimeout(() => threads[victim]!.end(), 20)
    const { error, took } = await failure(running)
    expect(error.code).toBe("E_ENGINE")
    expect(error.message).toMatch(/a thread of the engine failed: .*ended/)
    expect(took).toBeLessThan(2000)
    // The pool goes on: with the same program from its first states, and with another.
    writeStates(executable, startOf(GRAPH))
    const fresh = await begin(executable, 800)
    expect((await executable.run(fresh(100))).ended).toBe("done")
    const other = await backend.load(PROGRAM, options)
    await other.run((await begin(other, 800))(100))
    const expected = await reference.load(PROGRAM)
    await expected.run((await begin(expected, 800))(100))
    for (const machine of [executable, other]) expect(difference(statesOf(expected), statesOf(machine))).toBeUndefined()
    for (const machine of [executable, other]) machine.close()
  })

  test("a thread dies between two runs", async () => {
    const { threads, executable } = await busy()
    const run = await begin(executable, 800)
    await executable.run(run(50))
    const weights = statesOf(executable)
    for (const thread of threads) thread.end()
    await new Promise((resolve) => setTimeout(resolve, 100))
    expect(difference(weights, statesOf(executable))).toBeUndefined()
    const again = await executable.run(run(50, { first: 50 })).catch((error: unknown) => error)
    if (options.shared) expect(again).toMatchObject({ ended: "done" })
    else expect((again as TrilobiteError).message).toMatch(/lost with a thread/)
    if (!options.shared) {
      // The weights are not lost, and data that are bound anew train on from there.
      const bound = executable.bind(dataOf(800, examplesOf(NET, 800)))
      await executable.run(run(50, { first: 50, bound }))
    }
    const expected = await reference.load(PROGRAM)
    await expected.run((await begin(expected, 800))(100))
    expect(difference(statesOf(expected), statesOf(executable))).toBeUndefined()
    executable.close()
  })

  test.each(options.shared ? [0, 2] : [0])("thread %i traps, others never come back", async (victim) => {
    let planted = true
    const { backend } = watched({
      compile: (bytes, how) => (planted ? trap(victim, options.shared) : node.compile(bytes, how)),
    })
    const broken = await backend.load(PROGRAM, options)
    const { error, took } = await failure(broken.run((await begin(broken, 80))(10)))
    expect(error.code).toBe("E_ENGINE")
    expect(error.message).toMatch(/unreachable|ended/)
    expect(took).toBeLessThan(2000)
    planted = false
    const whole = await backend.load(PROGRAM, options)
    expect((await whole.run((await begin(whole, 80))(10))).ended).toBe("done")
    for (const executable of [broken, whole]) executable.close()
  })

  test("a module that cannot be instantiated", async () => {
    const { backend } = watched({ compile: () => new WebAssembly.Module(importsNothingKnown()) })
    const executable = await backend.load(PROGRAM, options)
    const { error, took } = await failure(executable.run((await begin(executable, 80))(1)))
    expect([error.code, took < 2000]).toEqual(["E_ENGINE", true])
    expect(error.message).toMatch(/LinkError|TypeError|no module/)
  })

  test("fit rejects, and the model trains again", async () => {
    const { threads, backend } = watched()
    const withKind = {
      ...backend,
      load: (...[program, given]: Parameters<typeof backend.load>) => backend.load(program, { ...given, ...options }),
    }
    const made: ModelOptions = { seed: 4 }
    const model = new Model(
      sequentialNetwork([dense({ units: 8, activation: "tanh", inputShape: [13] }), dense({ units: 5 })]),
      made,
      () => withKind,
    )
    model.compile({ loss: "meanSquaredError" })
    const { x, y } = examplesOf(NET, ROWS)
    const [inputs, targets] = [
      { dtype: "float32", shape: [ROWS, 13], data: x },
      { dtype: "float32", shape: [ROWS, 5], data: y },
    ] as const
    const running = model.fit(inputs, targets, {
      epochs: 1000,
      verbose: 0,
      callbacks: [{ onEpochBegin: () => void setTimeout(() => threads[0]?.end(), 20) }],
    })
    const { error, took } = await failure(running)
    expect([error.code, took < 5000]).toEqual(["E_ENGINE", true])
    const history = await model.fit(inputs, targets, { epochs: 1, verbose: 0 })
    expect(history.epoch).toEqual([0])
  })
})

/** A module whose training traps in one thread and never ends in the others. */
function trap(victim: number, shared: boolean): WebAssembly.Module {
  const m = module_()
  m.memory({ import: ["env", "memory"], initial: 1, maximum: MAX_PAGES, shared })
  const params = ["i32", "i32", "i32", "i32", "i32", "i32"] as const
  m.define("train", { params, results: ["i32"], exported: true }, ({ params: [thread] }) => [
    if_(i32.eq(thread.get, i32.const(victim)), [unreachable()]),
    loop((again) => [br(again)]),
    i32.const(0),
  ])
  return new WebAssembly.Module(m.finish())
}

function importsNothingKnown(): Uint8Array<ArrayBuffer> {
  const m = module_()
  m.memory({ import: ["elsewhere", "memory"], initial: 1 })
  return m.finish()
}
