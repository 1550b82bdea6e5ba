// Scheduling: in which order the kernels run, how threads share each, and where threads must meet.
// Knows kernels and buffers; the number of threads is known to nobody here.

import { internalError } from "../core/errors.ts"
import {
  computes,
  indexes,
  type Kernel,
  loopOf,
  type Operand,
  readsOf,
  type Split,
  type Step,
  writesOf,
} from "../program/kernel.ts"
import type { EntryPoint } from "../program/program.ts"
import { type DraftBuffer, type DraftEntry, dependencies, writesElement } from "./draft.ts"

/** What is put in order as a whole: one kernel, or all of a loop. */
interface Unit {
  /** In order. */
  readonly kernels: readonly number[]
  readonly loop: number | undefined
  /** For each of the kernels the phase within the unit. */
  readonly inner: readonly number[]
  /** True for a loop in each turn of which threads meet: it has its phases for itself. */
  readonly meets: boolean
}

/** Orders the kernels of an entry into phases, as few as the dependencies allow. */
export function schedule(entry: DraftEntry, buffers: readonly DraftBuffer[]): EntryPoint {
  const { kernels } = entry
  const log = buffers.findIndex((b, i) => b.role === "log" && kernels.some((k) => writesOf(k).includes(i)))
  const guard = entry.guard === undefined ? undefined : { buffer: log, offset: entry.guard, strides: [] }
  const before = dependencies(kernels, buffers, guard)
  const splits = kernels.map((kernel) => splitOf(kernel, buffers))
  const meeting = (d: number, k: number): boolean => needsMeeting(d, k, kernels, splits, buffers)
  const units = unitsOf(kernels, before, splits, meeting, buffers)
  const unitOf = new Map(units.flatMap((unit, u) => unit.kernels.map((k) => [k, u] as const)))

  /** What a unit waits for: its kernel and the other one. */
  const waits = units.map((unit, u) =>
    unit.kernels.flatMap((k) => [...before[k]!].filter((d) => unitOf.get(d) !== u).map((d) => [d, k] as const)),
  )
  const levels: number[] = new Array(units.length).fill(-1)
  const place = (u: number, path: Set<number>): number => {
    if (levels[u]! >= 0) return levels[u]!
    if (path.has(u)) throw internalError("Kernels wait for each other in a circle.")
    path.add(u)
    let level = 0
    for (const [d, k] of waits[u]!) {
      const other = unitOf.get(d)!
      const meet = units[u]!.meets || units[other]!.meets || meeting(d, k)
      level = Math.max(level, place(other, path) + (meet ? 1 : 0))
    }
    path.delete(u)
    levels[u] = level
    return level
  }
  for (const u of units.keys()) place(u, new Set())

  // Within a phase: dependencies first, then the order of the draft, with the guard as early as it can be.
  const guards = kernels.findIndex((k) => guard !== undefined && writesElement(k, guard))
  const guardUnit = unitOf.get(guards)
  const done = new Set<number>()
  const order: number[] = []
  const visit = (u: number): void => {
    if (done.has(u)) return
    done.add(u)
    for (const [d] of waits[u]!) visit(unitOf.get(d)!)
    order.push(u)
  }
  const wanted = [...units.keys()].toSorted(
    (a, b) => levels[a]! - levels[b]! || Number(b === guardUnit) - Number(a === guardUnit) || a - b,
  )
  for (const u of wanted) visit(u)
  const ranks = new Map(order.map((u, i) => [u, i]))
  const sorted = order.toSorted(
    (a, b) =>
      levels[a]! - levels[b]! || Number(units[a]!.meets) - Number(units[b]!.meets) || ranks.get(a)! - ranks.get(b)!,
  )
  let phase = -1
  let last: number | undefined
  const placed = sorted.flatMap((u) => {
    const { kernels: own, inner, meets } = units[u]!
    if (meets || levels[u] !== last) phase++
    last = meets ? undefined : levels[u]!
    const first = phase
    phase += Math.max(...inner)
    return own.map((k, i) => ({ k, step: { kernel: kernels[k]!, split: splits[k]!, phase: first + inner[i]! } }))
  })
  const loops = entry.loops.map((loop, i) => ({ ...loop, meets: units.some((u) => u.loop === i && u.meets) }))
  const common = { steps: placed.map(({ step }): Step => step), loops, logs: entry.logs }
  if (guards < 0) return common
  return { ...common, guard: { log: entry.guard!, step: placed.findIndex(({ k }) => k === guards) } }
}

/** The units in the order of the draft. */
function unitsOf(
  kernels: readonly Kernel[],
  before: readonly Set<number>[],
  splits: readonly Split[],
  meeting: (d: number, k: number) => boolean,
  buffers: readonly DraftBuffer[],
): Unit[] {
  const seen = new Set<number>()
  return kernels.flatMap((kernel, first): Unit[] => {
    const loop = loopOf(kernel)
    if (loop === undefined) return [{ kernels: [first], loop, inner: [0], meets: false }]
    if (seen.has(loop)) return []
    seen.add(loop)
    const members = [...kernels.keys()].filter((k) => loopOf(kernels[k]!) === loop)
    const phases = new Map<number, number>()
    const order: number[] = []
    const visit = (k: number): number => {
      const known = phases.get(k)
      if (known !== undefined) return known
      const waits = [...before[k]!].filter((d) => loopOf(kernels[d]!) === loop)
      const phase = waits.reduce((most, d) => Math.max(most, visit(d) + (meeting(d, k) ? 1 : 0)), 0)
      phases.set(k, phase)
      order.push(k)
      return phase
    }
    for (const k of members) visit(k)
    // Threads need not meet where each does all turns of its own rows of the batch, and nothing else is written.
    const alone = members.every(
      (k) => splits[k] === "rows" && phases.get(k) === 0 && writesOf(kernels[k]!).every((b) => holdsBatch(buffers[b])),
    )
    const sorted = order.toSorted((a, b) => phases.get(a)! - phases.get(b)! || order.indexOf(a) - order.indexOf(b))
    return [{ kernels: sorted, loop, inner: sorted.map((k) => phases.get(k)!), meets: !alone }]
  })
}

/** How threads share a kernel. Rows if its first dimension is the batch and everything it reads lines up with it. */
function splitOf(kernel: Kernel, buffers: readonly DraftBuffer[]): Split {
  if (indexes(kernel)) {
    const { kind, places, rows, table, indices, values } = kernel
    const follows = (o: Operand, first: number): boolean =>
      !holdsBatch(buffers[o.buffer]) || followsRows(o, first, buffers)
    const [from, first, written] = kind === "lookup" ? [table, rows, places] : [values, places, rows]
    return written < 0 && follows(indices, places) && follows(from, first) ? "rows" : "outputs"
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
  const changed = writesOf(second).filter((b) => buffers[b]?.role === "state")
  if (changed.some((b) => readsOf(first).some((o) => o.buffer === b))) return true
  // Otherwise, if nothing is passed on, `d` guards `k`: every thread knows the answer by itself.
  if (splits[d] === "all") return false
  if (passed.length === 0) return true
  return !(splits[d] === "rows" && splits[k] === "rows" && passed.every((b) => holdsBatch(buffers[b])))
}
