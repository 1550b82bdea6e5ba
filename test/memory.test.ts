// Nothing needs to be disposed of: models that nobody holds leave no data, no memory and no instances behind.
import { setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"
import { beforeAll, describe, expect, test, vi } from "vitest"
import type { Backend, Executable } from "../src/backend/backend.ts"
import { referenceBackend } from "../src/backend/reference/reference.ts"
import { wasmBackend } from "../src/backend/wasm/wasm.ts"
import { dense, sgd } from "../src/index.ts"
import { sequentialNetwork } from "../src/nn/network.ts"
import { Model } from "../src/train/model.ts"
import { smallNet, threeClasses } from "./support/training.ts"

/** How often models come and go: the interpreter holds no threads and less memory. */
const CYCLES = { wasm: 200, reference: 50 } as const
const { x, y } = threeClasses(20)
const quiet = { verbose: 0, batchSize: 8 } as const

let collect: () => void
beforeAll(() => {
  setFlagsFromString("--expose-gc")
  collect = runInNewContext("gc") as () => void
})

/** Collects garbage until a count is as low as wanted, or has not been for some seconds. */
async function settle(count: () => number, wanted: number): Promise<number> {
  for (let i = 0; i < 100 && count() > wanted; i++) {
    // What a WeakRef has been asked for stays until the end of the job.
    await new Promise((resolve) => setTimeout(resolve, 20))
    collect()
  }
  return count()
}

/** A backend that counts what it has given and has not got back. */
function counting(backend: Backend): { backend: Backend; bound: () => number; open: () => number } {
  let [bound, open] = [0, 0]
  const watch = (executable: Executable): Executable => {
    const bind = executable.bind.bind(executable)
    const close = executable.close.bind(executable)
    const end = { once: false }
    executable.bind = (rows) => {
      const held = bind(rows)
      bound++
      const release = held.release
      held.release = () => {
        bound--
        release()
      }
      return held
    }
    executable.close = () => {
      if (!end.once) open--
      end.once = true
      close()
    }
    return executable
  }
  const load: Backend["load"] = async (program, options) => {
    const executable = await backend.load(program, options)
    open++
    return watch(executable)
  }
  return { backend: { ...backend, unavailable: () => undefined, load }, bound: () => bound, open: () => open }
}

function create(backend: Backend): Model {
  const layers = [dense({ units: 5, activation: "tanh", inputShape: [4] }), dense({ units: 3, activation: "softmax" })]
  const model = new Model(sequentialNetwork(layers), { threads: 1 }, () => backend)
  model.compile({ loss: "categoricalCrossentropy", optimizer: sgd({ momentum: 0.5 }) })
  return model
}

describe.each(["wasm", "reference"] as const)("%s", (name) => {
  const real: Backend = name === "wasm" ? wasmBackend : referenceBackend()

  test(`${CYCLES[name]} times create, train, drop`, async () => {
    const { backend, bound, open } = counting(real)
    let most = 0
    const cycle = async (): Promise<void> => {
      const model = create(backend)
      await model.fit(x, y, { ...quiet, validationSplit: 0.3 })
      await model.predict(x)
      most = Math.max(most, open())
    }
    for (let i = 0; i < CYCLES[name]; i++) await cycle()
    expect(bound()).toBe(0)
    expect(most).toBeGreaterThan(0)
    expect(await settle(open, 1)).toBeLessThanOrEqual(1)
  })

  test("data is given back however a training ends", async () => {
    const { backend, bound } = counting(real)
    const model = create(backend)
    const failing = { onEpochEnd: () => Promise.reject(new Error("mine")) }
    await model.fit(x, y, { ...quiet, validationData: [x, y] })
    await expect(model.fit(x, y, { ...quiet, validationData: [x, y], callbacks: [failing] })).rejects.toThrow("mine")
    await model.fit(x, y, { ...quiet, signal: AbortSignal.abort() })
    model.compile({ loss: "mse", optimizer: sgd({ learningRate: 1e38, momentum: 0.9 }) })
    model.setWeights(model.getWeights().map((w) => ({ ...w, data: w.data.map(() => 3e38) })))
    await expect(model.fit(x, y, { ...quiet, epochs: 50 })).rejects.toMatchObject({ code: "E_DIVERGED" })
    await model.evaluate(x, y)
    expect(bound()).toBe(0)
  })

  test("one model that is compiled and trained again and again holds one executable", async () => {
    const { backend, bound, open } = counting(real)
    const model = create(backend)
    for (let i = 0; i < 20; i++) {
      model.compile({ loss: i % 2 === 0 ? "mse" : "categoricalCrossentropy" })
      await model.fit(x, y, { ...quiet, batchSize: 1 + i })
    }
    expect([open(), bound()]).toEqual([1, 0])
  })

  test("a model that is in use is not closed", async () => {
    const { backend, open } = counting(real)
    const training = (async () => {
      const breathe = { onEpochEnd: (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 5)) }
      return (await create(backend).fit(x, y, { ...quiet, epochs: 20, callbacks: [breathe] })).ended
    })()
    await vi.waitFor(() => expect(open()).toBe(1))
    for (let i = 0; i < 5; i++) {
      collect()
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
    expect(await training).toBe("completed")
  })
})

test("while a model trains, its rows are in the engine's memory alone", async () => {
  const { arrayBuffers } = process.memoryUsage()
  const held: number[] = []
  const rows = 400_000
  /** The orders of two epochs, and a little: inputs are 40 bytes a row, labels 4. */
  const most = 10 * rows
  const given = () => {
    const data = Uint8Array.from({ length: 40 * rows }, (_, i) => (i * 7919) % 251)
    const labels = Int32Array.from({ length: rows }, (_, row) => row % 3)
    return [{ dtype: "uint8", shape: [rows, 40], data } as const, { data: labels, shape: [rows] } as const] as const
  }
  const look = async (): Promise<void> => {
    held.push(await settle(() => process.memoryUsage().arrayBuffers - arrayBuffers, most))
  }
  const layers = [dense({ units: 3, activation: "softmax", inputShape: [40] })]
  const model = new Model(sequentialNetwork(layers), { backend: "wasm" }, () => wasmBackend)
  model.compile({ loss: "sparseCategoricalCrossentropy" })
  await model.fit(...given(), { batchSize: 1024, epochs: 2, verbose: 0, callbacks: [{ onEpochEnd: look }] })
  expect(held).toHaveLength(2)
  expect(Math.max(...held)).toBeLessThanOrEqual(most)
})

test("shared memory of dropped models is freed", async () => {
  const refs: WeakRef<object>[] = []
  const { Memory } = WebAssembly
  class Watched extends Memory {
    constructor(descriptor: WebAssembly.MemoryDescriptor) {
      super(descriptor)
      refs.push(new WeakRef(this))
    }
  }
  vi.stubGlobal("WebAssembly", Object.create(WebAssembly, { Memory: { value: Watched } }))
  const cycle = async (): Promise<void> => void (await smallNet({ threads: 1, backend: "wasm" }).fit(x, y, quiet))
  for (let i = 0; i < 20; i++) await cycle()
  vi.unstubAllGlobals()
  expect(refs).toHaveLength(20)
  const alive = (): number => refs.filter((ref) => ref.deref() !== undefined).length
  expect(await settle(alive, 2)).toBeLessThanOrEqual(2)
})
