// Scheduling: in which order the kernels run, how threads share each, and where threads must meet.
// Knows kernels and buffers; the number of threads is known to nobody here.

import { internalError } from "../core/errors.ts"
import {
  computes,
  indexes,
  type Kernel,
  type Operand,
  readsOf,
  type Split,
  type Step,
  writesOf,
} from "../program/kernel.ts"
import type { EntryPoint } from "../program/program.ts"
import { type DraftBuffer, type DraftEntry, dependencies, writesElement } from "./draft.ts"

/** Orders the kernels of an entry into phases, as few as the dependencies allow. */
export function schedule(entry: DraftEntry, buffers: readonly DraftBuffer[]): EntryPoint {
  const { kernels } = entry
  const log = buffers.findIndex((b, i) => b.role === "log" && kernels.some((k) => writesOf(k).includes(i)))
  const guard = entry.guard === undefined ? undefined : { buffer: log, offset: entry.guard, strides: [] }
  const before = dependencies(kernels, buffers, guard)
  const splits = kernels.map((kernel) => splitOf(kernel, buffers))
  const phases: number[] = new Array(kernels.length).fill(-1)
  const place = (k: number, path: Set<number>): number => {
    if (phases[k]! >= 0) return phases[k]!
    if (path.has(k)) throw internalError("Kernels wait for each other in a circle.")
    path.add(k)
    let phase = 0
    for (const d of before[k]!) {
      phase = Math.max(phase, place(d, path) + (needsMeeting(d, k, kernels, splits, buffers) ? 1 : 0))
    }
    path.delete(k)
    phases[k] = phase
    return phase
  }
  for (const k of kernels.keys()) place(k, new Set())

  // Within a phase: dependencies first, then the order of the draft, with the guard as early as it can be.
  const guards = kernels.findIndex((k) => guard !== undefined && writesElement(k, guard))
  const done = new Set<number>()
  const order: number[] = []
  const visit = (k: number): void => {
    if (done.has(k)) return
    done.add(k)
    for (const d of before[k]!) visit(d)
    order.push(k)
  }
  const wanted = kernels
    .map((_, k) => k)
    .toSorted((a, b) => phases[a]! - phases[b]! || Number(b === guards) - Number(a === guards) || a - b)
  for (const k of wanted) visit(k)
  const sorted = order.toSorted((a, b) => phases[a]! - phases[b]! || order.indexOf(a) - order.indexOf(b))
  const steps = sorted.map((k): Step => ({ kernel: kernels[k]!, split: splits[k]!, phase: phases[k]! }))
  if (guards < 0) return { steps, logs: entry.logs }
  return { steps, logs: entry.logs, guard: { log: entry.guard!, step: sorted.indexOf(guards) } }
}

/** How threads share a kernel. Rows if its first dimension is the batch and everything it reads lines up with it. */
function splitOf(kernel: Kernel, buffers: readonly DraftBuffer[]): Split {
  if (indexes(kernel)) {
    const { kind, places, indices } = kernel
    const aligned = !holdsBatch(buffers[indices.buffer]) || followsRows(indices, places, buffers)
    return kind === "lookup" && places < 0 && aligned ? "rows" : "outputs"
  }
  if (!computes(kernel)) return "rows"
  // The thread that reads the log does not wait for the others.
  if (kernel.outputs.some((o) => buffers[o.buffer]?.role === "log")) return "all"
  const [first] = kernel.space
  const folds = kernel.kind === "map" && kernel.body.some((i) => i.op === "fold")
  const outer = folds ? kernel.space.length - 1 : kernel.space.length
  if (first !== undefined && first < 0 && outer > 0) {
    const aligned = readsOf(kernel).every((o) => {
      // Without outer dimensions B has none that lines up with the rows.
      if (kernel.kind === "matmul" && o === kernel.b && kernel.space.length === 2) return !holdsBatch(buffers[o.buffer])
      return !holdsBatch(buffers[o.buffer]) || followsRows(o, first, buffers)
    })
    return aligned ? "rows" : "outputs"
  }
  const lasting = kernel.outputs.some((o) => buffers[o.buffer]?.role === "state")
  return outer === 0 && !lasting ? "all" : "outputs"
}

function holdsBatch(buffer: DraftBuffer | undefined): boolean {
  return buffer !== undefined && buffer.role === "temporary" && buffer.shape.some((n) => n < 0)
}

/** True if place r of the first dimension (−first rows per example) reads only what belongs to the same example. */
function followsRows(o: Operand, first: number, buffers: readonly DraftBuffer[]): boolean {
  const { shape, pitch } = buffers[o.buffer]!
  const perExample = shape.length === 1 ? -shape[0]! : shape.slice(0, -1).reduce((n, d) => n * Math.abs(d), 1) * pitch
  return o.strides[0]! * -first === perExample && o.offset < perExample
}

/** True if all threads must have finished `d` before any may start `k`. */
function needsMeeting(
  d: number,
  k: number,
  kernels: readonly Kernel[],
  splits: readonly Split[],
  buffers: readonly DraftBuffer[],
): boolean {
  const [first, second] = [kernels[d]!, kernels[k]!]
  const passed = writesOf(first).filter((b) => readsOf(second).some((o) => o.buffer === b))
  // `d` reads a state that `k` changes: even if every thread does all of `d`, another may not have done so yet.
  if (writesOf(second).some((b) => readsOf(first).some((o) => o.buffer === b))) return true
  // Otherwise, if nothing is passed on, `d` guards `k`: every thread knows the answer by itself.
  if (splits[d] === "all") return false
  if (passed.length === 0) return true
  return !(splits[d] === "rows" && splits[k] === "rows" && passed.every((b) => holdsBatch(buffers[b])))
}
