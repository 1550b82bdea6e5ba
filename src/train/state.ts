// The lasting values of a model (weights and what the optimizer keeps), wherever they are: in the host's memory before
// the first run, in an executable after it. Knows a graph and a backend, no data and no epochs.

import type { Backend, Executable, LoadOptions } from "../backend/backend.ts"
import { dataError, show } from "../core/errors.ts"
import { formatShape, sameShape, size } from "../core/shape.ts"
import { type Tensor, type TensorLike, tensor } from "../core/tensor.ts"
import { initialValues } from "../nn/initializers.ts"
import type { ParameterSpec } from "../nn/scope.ts"
import { type Cell, giveBack, lend, takeOver } from "../nn/weights.ts"
import type { Numerics } from "../program/program.ts"
import type { Traced } from "./forward.ts"

/** The executable that works on the values of a model. */
export interface State {
  /**
   * Sees to it that the graph of `traced` is loaded for batches of at least so many rows, with the newest values. If it is
   * loaded to be trained, it holds them from then on, also those that it shares with other models.
   */
  load(traced: Traced, rows: number, use: "train" | "ask"): Promise<Executable>
  /** Optimizer rounds that have been done. */
  step: number
  /** What the optimizer keeps, by key: known once it has been loaded. */
  readonly slots: ReadonlyMap<string, Cell>
  /** Sets how many rounds have been done, and what the optimizer keeps: what a file says. */
  restore(step: number, slots: ReadonlyMap<string, Tensor>): void
  /** Forgets what an optimizer keeps: the next one begins anew. */
  forgetSlots(): void
  close(): void
}

/** Closes the executables of models that nobody holds any more: their threads would keep them for ever. */
const unheld: FinalizationRegistry<() => void> = new FinalizationRegistry((close) => close())

/** Where and how the model runs. */
export interface Engine extends LoadOptions {
  readonly backend: Backend
  readonly numerics: Numerics
}

/** The values of parameters by their keys: those that they share, or new ones, which are drawn now. */
export function cellsOf(parameters: readonly ParameterSpec[], seed: number): Map<string, Cell> {
  const draw = ({ variable: { shape }, initializer, ones }: ParameterSpec, index: number): Cell => {
    const host = initialValues(initializer, shape, { seed, index })
    return { shape, host: ones === undefined ? host : host.fill(1, ...ones), held: undefined }
  }
  return new Map(parameters.map((p, index) => [p.variable.key, p.cell ?? draw(p, index)]))
}

/** Weights in the order of these parameters. Throws E_DATA if their number or a shape does not fit. */
export function readValues(parameters: readonly ParameterSpec[], weights: readonly TensorLike[]): readonly Tensor[] {
  if (!Array.isArray(weights) || weights.length !== parameters.length) {
    const expected = `a list of ${parameters.length} tensors`
    const got = Array.isArray(weights) ? `${weights.length}` : show(weights)
    throw dataError({ where: "setWeights", what: "the number of weights does not fit.", expected, got })
  }
  const read = weights.map((values) => tensor(values))
  parameters.forEach(({ variable }, i) => {
    const { shape, dtype } = read[i]!
    if (sameShape(shape, variable.shape) && dtype === "float32") return
    throw dataError({
      where: `setWeights, ${variable.key}`,
      what: "the tensor does not fit.",
      expected: `float32 ${formatShape(variable.shape)}`,
      got: `${dtype} ${formatShape(shape)}`,
    })
  })
  return read
}

/** The state of a model that has not run. */
export function createState(cells: ReadonlyMap<string, Cell>, engine: Engine): State {
  const slots = new Map<string, Cell>()
  let loading: Promise<unknown> = Promise.resolve()
  let loaded: { readonly traced: Traced; readonly executable: Executable; readonly keys: Set<string> } | undefined
  const release = (): void => {
    if (loaded === undefined) return
    for (const cell of [...cells.values(), ...slots.values()]) giveBack(cell, loaded.executable)
    loaded.executable.close()
    loaded = undefined
  }
  const share = (use: "train" | "ask"): void => {
    const { executable, keys, traced } = loaded!
    // What asking changes too, states of recurrent layers, is not lent.
    const changed = new Set(traced.graph.predict?.updates.map(({ variable }) => variable.key))
    for (const [key, cell] of cells) {
      if (!keys.has(key)) continue
      if (use === "ask" && cell.held !== undefined && !changed.has(key)) lend(cell, executable, key)
      else takeOver(cell, executable, key)
    }
    for (const [key, cell] of slots) if (keys.has(key)) takeOver(cell, executable, key)
  }
  const load: State["load"] = async (traced, rows, use) => {
    if (loaded === undefined || loaded.traced !== traced || loaded.executable.program.rows < rows) {
      // A page that only shows a model need not load the compiler.
      const { compile } = await import("../compile/compile.ts")
      const program = compile(traced.graph, { rows, numerics: engine.numerics })
      const executable = inTurn(await engine.backend.load(program, engine))
      for (const { variable, initial } of traced.slots) {
        const { key, shape } = variable
        if (!slots.has(key))
          slots.set(key, { shape, host: new Float32Array(size(shape)).fill(initial), held: undefined })
      }
      const before = loaded
      loaded = {
        traced,
        executable,
        keys: new Set(program.buffers.flatMap((b) => (b.role === "state" ? [b.name] : []))),
      }
      share(use)
      if (before !== undefined) {
        for (const cell of [...cells.values(), ...slots.values()]) giveBack(cell, before.executable)
        before.executable.close()
      }
    } else share(use)
    return loaded.executable
  }
  const state: State = {
    step: 0,
    slots,
    load: (traced, rows, use) => {
      const next = loading.then(() => load(traced, rows, use))
      loading = next.catch(() => {})
      return next
    },
    restore(step, kept) {
      this.forgetSlots()
      this.step = step
      for (const [key, { shape, data }] of kept)
        slots.set(key, { shape, host: Float32Array.from(data), held: undefined })
    },
    forgetSlots() {
      this.step = 0
      slots.clear()
    },
    close: release,
  }
  // No function above may use `state`: what `release` holds would then hold it.
  unheld.register(state, release)
  return state
}

/** The executable with runs that wait for each other, so that a prediction cannot break into a training. */
function inTurn(executable: Executable): Executable {
  let last: Promise<unknown> = Promise.resolve()
  return {
    program: executable.program,
    threads: executable.threads,
    write: (buffer, values) => executable.write(buffer, values),
    read: (buffer) => executable.read(buffer),
    bind: (rows) => executable.bind(rows),
    run: (run) => {
      const next = last.then(() => executable.run(run))
      last = next.catch(() => {})
      return next
    },
    stop: () => executable.stop(),
    close: () => executable.close(),
  }
}
