// The lasting values of a model (weights and what the optimizer keeps), wherever they are: in the host's memory before
// the first run, in an executable after it. Knows a graph and a backend, no data and no epochs.

import type { Backend, Executable } from "../backend/backend.ts"
import { compile } from "../compile/compile.ts"
import { size } from "../core/shape.ts"
import type { Variable } from "../graph/node.ts"
import { initialValues } from "../nn/initializers.ts"
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
  close(): void
}

/** The state of a model that has not run: initial values are drawn when they are first asked for. */
export function createState(
  parameters: Traced["parameters"],
  seed: number,
  backend: Backend,
  threads: number | undefined,
): State {
  const host = new Map<string, Float32Array>()
  let loaded: { readonly traced: Traced; readonly executable: Executable } | undefined
  parameters.forEach(({ variable, initializer }, index) => {
    host.set(variable.key, initialValues(initializer, variable.shape, { seed, index }))
  })
  const inEngine = (variable: Variable): boolean =>
    loaded?.executable.program.buffers.some((b) => b.role === "state" && b.name === variable.key) ?? false
  const get = (variable: Variable): Float32Array =>
    inEngine(variable)
      ? loaded!.executable.read(variable.key)
      : (host.get(variable.key) ?? new Float32Array(size(variable.shape))).slice()
  return {
    step: 0,
    get,
    set: (variable, values) => {
      if (inEngine(variable)) loaded!.executable.write(variable.key, values)
      else host.set(variable.key, values.slice())
    },
    async load(traced, rows) {
      if (loaded !== undefined && loaded.traced === traced && loaded.executable.program.rows >= rows)
        return loaded.executable
      const program = compile(traced.graph, { rows })
      const executable = await backend.load(program, threads === undefined ? {} : { threads })
      const values = [
        ...traced.parameters.map(({ variable }) => [variable, get(variable)] as const),
        ...traced.slots.map(({ variable, initial }) => {
          const known = inEngine(variable) || host.has(variable.key)
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
      return executable
    },
    close: () => {
      loaded?.executable.close()
      loaded = undefined
    },
  }
}
