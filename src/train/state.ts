// The lasting values of a model (weights and what the optimizer keeps), wherever they are: in the host's memory before
// the first run, in an executable after it. Knows a graph and a backend, no data and no epochs.

import type { Backend, Executable, LoadOptions } from "../backend/backend.ts"
import { size } from "../core/shape.ts"
import type { Variable } from "../graph/node.ts"
import { initialValues } from "../nn/initializers.ts"
import type { Numerics } from "../program/program.ts"
import type { Traced } from "./step.ts"

/** The values of a model's variables, and the executable that works on them. */
export interface State {
  /** The values of a variable now, row-major; a copy. */
  get(variable: Variable): Float32Array
  set(variable: Variable, values: Float32Array): void
  /** Sees to it that the graph of `traced` is loaded for batches of at least so many rows. */
  load(traced: Traced, rows: number): Promise<Executable>
  /** Optimizer rounds that have been done. */
  step: number
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
  /** What the initial values depend on. */
  readonly seed: number
}

/** The state of a model that has not run: initial values are drawn when they are first asked for. */
export function createState(parameters: Traced["parameters"], engine: Engine): State {
  const host = new Map<string, Float32Array>()
  let slotsKnown = true
  let loading: Promise<unknown> = Promise.resolve()
  let loaded: { readonly traced: Traced; readonly executable: Executable } | undefined
  parameters.forEach(({ variable, initializer }, index) => {
    host.set(variable.key, initialValues(initializer, variable.shape, { seed: engine.seed, index }))
  })
  const inEngine = (variable: Variable): boolean =>
    loaded?.executable.program.buffers.some((b) => b.role === "state" && b.name === variable.key) ?? false
  const get = (variable: Variable): Float32Array =>
    inEngine(variable)
      ? loaded!.executable.read(variable.key)
      : (host.get(variable.key) ?? new Float32Array(size(variable.shape))).slice()
  const load: State["load"] = async (traced, rows) => {
    if (loaded !== undefined && loaded.traced === traced && loaded.executable.program.rows >= rows)
      return loaded.executable
    // A page that only shows a model need not load the compiler.
    const { compile } = await import("../compile/compile.ts")
    const program = compile(traced.graph, { rows, numerics: engine.numerics })
    const executable = inTurn(await engine.backend.load(program, engine))
    const values = [
      ...traced.parameters.map(({ variable }) => [variable, get(variable)] as const),
      ...traced.slots.map(({ variable, initial }) => {
        const known = slotsKnown && (inEngine(variable) || host.has(variable.key))
        return [variable, known ? get(variable) : new Float32Array(size(variable.shape)).fill(initial)] as const
      }),
    ]
    for (const [variable, value] of values) {
      if (program.buffers.some((b) => b.role === "state" && b.name === variable.key))
        executable.write(variable.key, value)
      else host.set(variable.key, value)
    }
    loaded?.executable.close()
    loaded = { traced, executable }
    slotsKnown = true
    return executable
  }
  const close = (): void => {
    loaded?.executable.close()
    loaded = undefined
  }
  const state: State = {
    step: 0,
    get,
    set: (variable, values) => {
      if (inEngine(variable)) loaded!.executable.write(variable.key, values)
      else host.set(variable.key, values.slice())
    },
    load: (traced, rows) => {
      const next = loading.then(() => load(traced, rows))
      loading = next.catch(() => {})
      return next
    },
    forgetSlots() {
      this.step = 0
      slotsKnown = false
      const keys = new Set(parameters.map(({ variable }) => variable.key))
      for (const key of host.keys()) if (!keys.has(key)) host.delete(key)
    },
    close,
  }
  // No function above may use `state`: what `close` holds would then hold it.
  unheld.register(state, close)
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
