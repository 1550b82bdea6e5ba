// The compiler: the list of its passes, in order. Each pass is a function from plain data to plain data that prints.

import { internalError } from "../core/errors.ts"
import type { Graph } from "../graph/graph.ts"
import type { Numerics, Program } from "../program/program.ts"
import { verify } from "../program/verify.ts"
import { compact } from "./compact.ts"
import { fuse } from "./fuse.ts"
import { lower } from "./lower.ts"
import { plan } from "./plan.ts"
import { schedule } from "./schedule.ts"
import { simplify } from "./simplify.ts"

/** What the compiler needs to know beside the graph. */
export interface CompileOptions {
  /** The largest batch. */
  readonly rows: number
  readonly numerics?: Numerics
  /** `false` leaves every operation a kernel of its own: slow, and the same bits. Tests compare the two. */
  readonly fuse?: boolean
}

/** Compiles a graph into one program: forward pass, backpropagation and updates over one arena. */
export function compile(graph: Graph, options: CompileOptions): Program {
  const draft = lower(simplify(graph))
  const fused = mapValues(draft.entries, (entry) => (options.fuse === false ? entry : fuse(entry, draft.buffers)))
  const used = compact(draft.buffers, fused)
  const entries = mapValues(used.entries, (entry) => schedule(entry, used.buffers))
  const { buffers, arena } = plan(used.buffers, Object.values(entries), options.rows)
  const program: Program = {
    numerics: options.numerics ?? "portable",
    rows: options.rows,
    buffers,
    runtime: draft.runtime,
    entries,
    arena,
  }
  const [fault] = verify(program)
  if (fault !== undefined) throw internalError(`The compiled program is not sound: ${fault}`)
  return program
}

function mapValues<T, U>(
  record: { readonly [name: string]: T },
  change: (value: T) => U,
): { readonly [name: string]: U } {
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [name, change(value)]))
}
