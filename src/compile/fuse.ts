// Fusing: a kernel that only continues another becomes part of it, so that values stay in registers.
// Knows kernels only. Fusing never changes a bit: bodies are joined, nothing is reordered inside a sum.

import { rowMajorStrides, size } from "../core/shape.ts"
import type { Body } from "../program/expression.ts"
import { withArgs, withDraws } from "../program/expression.ts"
import {
  type ComputingKernel,
  computes,
  type Kernel,
  type MapKernel,
  meetInTurn,
  type Operand,
  type Output,
  readsOf,
} from "../program/kernel.ts"
import {
  bodyBuilder,
  type DraftBuffer,
  type DraftEntry,
  dependencies,
  dependenciesOfWhole,
  sameOperand,
} from "./draft.ts"

/** Fuses the kernels of one entry. */
export function fuse(entry: DraftEntry, buffers: readonly DraftBuffer[]): DraftEntry {
  const log = buffers.findIndex((b, i) => b.role === "log" && writes(entry.kernels, i))
  const guard = entry.guard === undefined ? undefined : { buffer: log, offset: entry.guard, strides: [] }
  // Element-wise work first joins the map that alone uses it, then any map, and last the matrix product before it.
  const rules: Rule[] = [
    (p, isShared) => p.kind === "map" && !isShared(),
    (p) => p.kind === "map",
    (p) => p.kind === "matmul",
  ]
  return { ...entry, kernels: mergeAll(inlineNumbers(entry.kernels, buffers), buffers, guard, rules) }
}

/** Whether a producer may become part of a kernel that reads what it writes; it is shared if others do too. */
type Rule = (producer: ComputingKernel, isShared: () => boolean) => boolean

/** A kernel among others, of which it may become a part. */
interface Member {
  kernel: Kernel
  /** Its place in the order of all. */
  readonly place: number
  /** Those that must run before it, loops as a whole. */
  readonly waits: Set<Member>
}

function writes(kernels: readonly Kernel[], buffer: number): boolean {
  return kernels.some((k) => computes(k) && k.outputs.some((o) => o.buffer === buffer))
}

/** Single numbers computed from run-time numbers (1/rows, say) are computed again by each kernel that uses them. */
function inlineNumbers(kernels: readonly Kernel[], buffers: readonly DraftBuffer[]): Kernel[] {
  let list = [...kernels]
  for (let i = 0; i < list.length; i++) {
    const p = list[i]!
    if (p.kind !== "map" || p.space.length > 0 || p.body.some((x) => x.op === "fold")) continue
    if (p.operands.some((o) => buffers[o.buffer]?.role !== "runtime")) continue
    const [output] = p.outputs
    if (output === undefined || p.outputs.length > 1 || buffers[output.buffer]?.role !== "temporary") continue
    list = list.map((c) => {
      const joined = computes(c) && feeds(p, c) ? join(p, c) : undefined
      return joined === undefined ? c : { ...joined, outputs: joined.outputs.slice(p.outputs.length) }
    })
    if (!list.some((c) => c !== p && readsOf(c).some((o) => o.buffer === output.buffer))) list.splice(i--, 1)
  }
  return list
}

/** Merges pairs of producer and consumer by one rule after the other, each until it finds no more. */
function mergeAll(
  kernels: readonly Kernel[],
  buffers: readonly DraftBuffer[],
  guard: Operand | undefined,
  rules: readonly Rule[],
): readonly Kernel[] {
  let members = membersOf(kernels, buffers, guard)
  for (const rule of rules) {
    for (let changed = true; changed; ) {
      changed = false
      const { list } = members
      for (let c = 0; c < list.length; ) {
        const before = list.length
        if (mergeInto(list[c]!, members, buffers, rule)) {
          // The merged kernel, now one place further up, may go on to merge with another producer.
          c = Math.max(0, c - (before - list.length))
          changed = true
        } else c++
      }
      const left = dropUnread(members, buffers)
      if (changed || left.some((kernel, i) => kernel !== list[i]!.kernel) || left.length < list.length) {
        members = membersOf(left, buffers, guard)
      }
    }
  }
  return members.list.map(({ kernel }) => kernel)
}

/** Kernels in order, and for each buffer those that read it. */
interface Members {
  readonly list: Member[]
  readonly readers: Map<number, Set<Member>>
}

function membersOf(kernels: readonly Kernel[], buffers: readonly DraftBuffer[], guard: Operand | undefined): Members {
  const before = dependenciesOfWhole(kernels, dependencies(kernels, buffers, guard))
  const list = kernels.map((kernel, place): Member => ({ kernel, place, waits: new Set() }))
  const readers = new Map<number, Set<Member>>()
  list.forEach((member, k) => {
    for (const d of before[k]!) member.waits.add(list[d]!)
    noteReads(member, readers)
  })
  return { list, readers }
}

function noteReads(member: Member, readers: Members["readers"]): void {
  for (const { buffer } of readsOf(member.kernel)) {
    const known = readers.get(buffer)
    if (known === undefined) readers.set(buffer, new Set([member]))
    else known.add(member)
  }
}

function forgetReads(member: Member, readers: Members["readers"]): void {
  for (const { buffer } of readsOf(member.kernel)) readers.get(buffer)!.delete(member)
}

/** Merges one of the producers that fit into a kernel; false if there is none. */
function mergeInto(c: Member, { list, readers }: Members, buffers: readonly DraftBuffer[], rule: Rule): boolean {
  const consumer = c.kernel
  if (consumer.kind !== "map") return false
  const fits = ({ kernel }: Member): boolean =>
    computes(kernel) && kernel.loop === consumer.loop && kernel.outputs.some((o) => readers.get(o.buffer)?.has(c))
  for (const p of [...c.waits].filter(fits).sort((x, y) => x.place - y.place)) {
    const producer = p.kernel as ComputingKernel
    const isShared = (): boolean => producer.outputs.some((o) => isReadByOthers(readers.get(o.buffer), p, c))
    if (!rule(producer, isShared) || leadsAround(p, c)) continue
    const merged = join(producer, consumer)
    if (merged === undefined || !safeInPlace(merged, buffers) || !logsByAll(merged, buffers)) continue
    // The merged kernel takes the consumer's place; what is in between does not depend on the producer.
    list.splice(list.indexOf(p), 1)
    for (const other of list) if (other.waits.delete(p)) other.waits.add(c)
    for (const first of p.waits) c.waits.add(first)
    c.waits.delete(c)
    const become = (kernel: Kernel): void => {
      forgetReads(c, readers)
      c.kernel = kernel
      noteReads(c, readers)
    }
    forgetReads(p, readers)
    become(merged)
    const slim = withoutUnread(merged, readers, buffers)
    if (slim === undefined) {
      forgetReads(c, readers)
      list.splice(list.indexOf(c), 1)
    } else if (slim !== merged) become(slim)
    return true
  }
  return false
}

function isReadByOthers(readers: ReadonlySet<Member> | undefined, p: Member, c: Member): boolean {
  return readers !== undefined && readers.size > Number(readers.has(p)) + Number(readers.has(c))
}

/** True if the consumer reads what the producer writes. */
function feeds(producer: ComputingKernel, consumer: Kernel): boolean {
  return readsOf(consumer).some((r) => producer.outputs.some((o) => o.buffer === r.buffer))
}

/** True if something must run after p and before c, so that they cannot be one. */
function leadsAround(p: Member, c: Member): boolean {
  const seen = new Set(c.waits)
  seen.delete(p)
  for (const k of seen) {
    if (k.waits.has(p)) return true
    for (const next of k.waits) seen.add(next)
  }
  return false
}

/** The kernels without temporaries that nobody reads, and without those that have nothing else to write. */
function dropUnread({ list, readers }: Members, buffers: readonly DraftBuffer[]): Kernel[] {
  return list.flatMap(({ kernel }) => {
    const slim = computes(kernel) ? withoutUnread(kernel, readers, buffers) : kernel
    return slim === undefined ? [] : [slim]
  })
}

/** The kernel without temporaries that nobody reads; undefined if it has nothing else to write. */
function withoutUnread(
  kernel: ComputingKernel,
  readers: Members["readers"],
  buffers: readonly DraftBuffer[],
): ComputingKernel | undefined {
  const isRead = (buffer: number): boolean => (readers.get(buffer)?.size ?? 0) > 0
  const outputs = kernel.outputs.filter(({ buffer }) => buffers[buffer]?.role !== "temporary" || isRead(buffer))
  if (outputs.length === 0) return undefined
  return outputs.length === kernel.outputs.length ? kernel : withoutDead({ ...kernel, outputs })
}

/** The kernel without instructions and operands that no output needs. */
function withoutDead(kernel: ComputingKernel): ComputingKernel {
  const needed = new Set<number>(kernel.outputs.map((o) => o.value))
  for (let i = kernel.body.length - 1; i >= 0; i--) {
    const instruction = kernel.body[i]!
    if (needed.has(i) && "args" in instruction) for (const a of instruction.args) needed.add(a)
  }
  if (needed.size === kernel.body.length) return kernel
  const b = bodyBuilder()
  const ids = new Map<number, number>()
  kernel.body.forEach((instruction, i) => {
    if (!needed.has(i)) return
    const id =
      instruction.op === "load"
        ? b.load(kernel.operands[instruction.operand]!)
        : b.emit(withArgs(instruction, (a) => ids.get(a)!))
    ids.set(i, id)
  })
  const outputs = kernel.outputs.map((o) => ({ ...o, value: ids.get(o.value)! }))
  return { ...kernel, operands: b.operands, body: b.body, outputs }
}

/** One kernel that does the work of both, if the consumer's elements line up with the producer's. */
function join(producer: ComputingKernel, follower: ComputingKernel): ComputingKernel | undefined {
  const consumer = producer.kind === "matmul" ? (divided(follower, producer.space) ?? follower) : follower
  const space = commonSpace(producer, consumer)
  if (space === undefined) return undefined
  const p = stretch(producer, space)
  const c = stretch(consumer, space)
  const b = bodyBuilder(p.body, p.operands)
  const made = (o: Operand): number | undefined => p.outputs.find((out) => sameOperand(out, o))?.value
  const ids: number[] = []
  for (const instruction of c.body as Body) {
    if (instruction.op === "load") {
      const operand = c.operands[instruction.operand]!
      const value = made(operand)
      if (value === undefined && p.outputs.some((o) => meetInTurn(o, operand))) return undefined
      ids.push(value ?? b.load(operand))
    } else ids.push(b.emit(withArgs(instruction, (a) => ids[a]!)))
  }
  const outputs: Output[] = [...p.outputs, ...c.outputs.map((o) => ({ ...o, value: ids[o.value]! }))]
  const base = consumer.kind === "matmul" ? consumer : producer
  // A matrix product that reads what the other writes would read it half done.
  if (base.kind === "matmul" && [base.a, base.b].some((o) => outputs.some((out) => meetInTurn(out, o))))
    return undefined
  if (base.kind === "matmul" && b.body.some((i) => i.op === "fold" || i.op === "index" || i.op === "random"))
    return undefined
  const loop = consumer.loop === undefined ? {} : { loop: consumer.loop }
  if (base.kind === "matmul") return { ...base, ...loop, operands: b.operands, body: b.body, outputs }
  return { kind: "map", ...loop, space, operands: b.operands, body: b.body, outputs }
}

/**
 * The space of the two together: their own if equal, else the larger where the other lacks only the last dimension
 * (one value per row) or has none at all (a single number), and folds nothing itself.
 */
function commonSpace(p: ComputingKernel, c: ComputingKernel): readonly number[] | undefined {
  if (p.kind === "matmul" && c.kind === "matmul") return undefined
  const same = p.space.length === c.space.length && p.space.every((n, i) => n === c.space[i])
  if (same) return p.space
  const [small, large] = p.space.length < c.space.length ? [p, c] : [c, p]
  if (small.kind === "matmul" || small.body.some((i) => i.op === "fold" || i.op === "index")) return undefined
  const rows = large.space.slice(0, small.space.length)
  if (!rows.every((n, i) => n === small.space[i])) return undefined
  const missing = large.space.length - small.space.length
  if (missing !== 1 && small.space.length > 0) return undefined
  // What a small consumer reads must be folded by then; a small producer is computed for each row.
  if (small === c && large.kind === "matmul" && large.space.at(-1) !== 1) return undefined
  return large.space
}

/** The kernel with joined dimensions taken apart again, as the space has them. */
function divided(kernel: ComputingKernel, space: readonly number[]): ComputingKernel | undefined {
  if (kernel.kind !== "map" || kernel.space.length >= space.length) return undefined
  const groups: number[][] = []
  let next = 0
  for (const n of kernel.space) {
    const group = [space[next++] ?? 0]
    while (size(group) !== n) {
      if (next >= space.length || Math.abs(size(group)) > Math.abs(n)) return undefined
      group.push(space[next++]!)
    }
    groups.push(group)
  }
  while (space[next] === 1 && groups.length > 0) groups.at(-1)!.push(space[next++]!)
  const counts = kernel.body.some((i) => i.op === "fold" || i.op === "index")
  if (next < space.length || (counts && groups.at(-1)!.length > 1)) return undefined
  const apart = (strides: readonly number[]): number[] =>
    groups.flatMap((group, d) => rowMajorStrides(group).map((step) => step * strides[d]!))
  const moved = <T extends Operand>(o: T): T => ({ ...o, strides: apart(o.strides) })
  const body = withDraws(kernel.body, apart)
  return { ...kernel, space, body, operands: kernel.operands.map(moved), outputs: kernel.outputs.map(moved) }
}

/** The kernel over a larger space whose further dimensions it does not see. */
function stretch(kernel: ComputingKernel, space: readonly number[]): ComputingKernel {
  const missing = space.length - kernel.space.length
  if (missing === 0) return kernel
  const zeros = new Array<number>(missing).fill(0)
  const wide = <T extends Operand>(o: T): T => ({ ...o, strides: [...o.strides, ...zeros] })
  const body = withDraws(kernel.body, (strides) => [...strides, ...zeros])
  const [operands, outputs] = [kernel.operands.map(wide), kernel.outputs.map(wide)]
  return { ...(kernel as MapKernel), space, operands, body, outputs }
}

/** What writes a log must run on every thread: the guard and the log's reader do not wait for others. */
function logsByAll(kernel: ComputingKernel, buffers: readonly DraftBuffer[]): boolean {
  const writesTo = (role: string): boolean => kernel.outputs.some((o) => buffers[o.buffer]?.role === role)
  const outer = kernel.space.length - (kernel.body.some((i) => i.op === "fold") ? 1 : 0)
  return !writesTo("log") || (kernel.kind === "map" && outer === 0 && !writesTo("state"))
}

/**
 * A state may be written where it is read only at the same element, once, and not while a fold will read it again: an element
 * that stands for a whole dimension would be read again after it has been written.
 */
function safeInPlace(kernel: ComputingKernel, buffers: readonly DraftBuffer[]): boolean {
  const folds = kernel.body.some((i) => i.op === "fold")
  return kernel.outputs.every((output) => {
    if (buffers[output.buffer]?.role !== "state") return true
    const reads = kernel.operands.filter((o) => o.buffer === output.buffer)
    const perElement = output.strides[output.strides.length - 1] !== 0
    if (reads.length === 0) return true
    const outer = folds ? kernel.space.length - 1 : kernel.space.length
    const once = kernel.space.every((n, i) => i >= outer || n === 1 || output.strides[i] !== 0)
    return once && reads.every((o) => sameOperand(o, { ...output })) && !(folds && perElement)
  })
}
