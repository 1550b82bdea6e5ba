// Map kernels as WebAssembly: the body on four elements at a time, with folds in the fixed order of core/fold.ts.
// Knows one kernel at a time.

import { argsOf, type Instruction } from "../../program/expression.ts"
import type { MapKernel, Operand } from "../../program/kernel.ts"
import type { Code } from "./code.ts"
import { type Draws, drawsOf } from "./draws.ts"
import { type Lanes, loadLanes, type Place, type Pointer, storeLanes } from "./emit.ts"
import { emitChains, foldingOf, splat } from "./folds.ts"
import { f32x4, i32, i32x4 } from "./instructions.ts"
import type { KernelContext } from "./kernel.ts"
import { emitAlong, emitOuter } from "./loops.ts"
import { type Block, type Computed, computeScalar, keep, numbers, type Vector } from "./vectors.ts"

/** The statements of a map kernel. */
export function emitMap(kernel: MapKernel, context: KernelContext): Code<"void">[] {
  const columns = kernel.body.some((i) => i.op === "fold") && foldsColumns(kernel)
  if (columns) return emitColumns(kernel, context)
  const before: Block = { out: [], frame: context.frame }
  const draws = drawsOf(before, kernel, context)
  return [...before.out, ...emitRows(kernel, context, draws)]
}

/** True if four neighbouring outputs can be folded side by side: what is folded lies apart in memory. */
function foldsColumns(kernel: MapKernel): boolean {
  const last = kernel.space.length - 1
  if (last < 1) return false
  const apart = kernel.operands.some((o) => o.strides[last]! > 1)
  const neighbours = kernel.operands.every((o) => o.strides[last - 1]! <= 1)
  const { varies, stage } = analyse(kernel)
  const onePass = kernel.outputs.every((o) => o.strides[last] === 0 && !varies[o.value])
  const oneStage = kernel.body.every((i, id) => i.op !== "fold" || stage[id] === 0)
  const counts = kernel.body.some((i) => i.op === "index" || i.op === "random")
  return apart && neighbours && onePass && oneStage && !counts
}

interface Analysis {
  /** Whether an instruction differs along the last dimension. */
  readonly varies: readonly boolean[]
  /** The pass over the last dimension in which it is computed. */
  readonly stage: readonly number[]
  /** The first pass that may use it: a fold is finished after its own. */
  readonly ready: readonly number[]
}

function analyse(kernel: MapKernel): Analysis {
  const last = kernel.space.length - 1
  const varies: boolean[] = []
  const stage: number[] = []
  const ready: number[] = []
  kernel.body.forEach((instruction, id) => {
    const args = argsOf(instruction)
    varies[id] =
      instruction.op === "load"
        ? last >= 0 && kernel.operands[instruction.operand]!.strides[last] !== 0
        : instruction.op === "random"
          ? last >= 0 && instruction.strides[last] !== 0
          : instruction.op === "index" || (instruction.op !== "fold" && args.some((a) => varies[a]))
    stage[id] = Math.max(0, ...args.map((a) => ready[a]!))
    ready[id] = stage[id]! + (instruction.op === "fold" ? 1 : 0)
  })
  return { varies, stage, ready }
}

/** Four neighbours of the last dimension at a time. */
function emitRows(kernel: MapKernel, context: KernelContext, draws: Draws): Code<"void">[] {
  const analysis = analyse(kernel)
  const rank = kernel.space.length
  return emitOuter(kernel, context, Math.min(1, rank), (block, pointer, bytesTo) => {
    const operands = kernel.operands.map(pointer)
    const outputs = kernel.outputs.map((o) => ({ value: o.value, pointer: pointer(o) }))
    const uniform = new Map<number, Computed>() // values that are the same for the whole row
    const draw = kernel.body.map((i) => (i.op === "random" ? draws(i, block, bytesTo(i.strides)) : undefined))
    const passes = 1 + Math.max(0, ...kernel.outputs.map((o) => analysis.ready[o.value]!))
    const spilled = spills(kernel, analysis)
    const n = kernel.space[rank - 1] ?? 1
    // A dimension that is folded is not shared among threads, not even by the passes after the folds.
    const shared = rank === 1 && !kernel.body.some((i) => i.op === "fold")

    const compute = (
      into: Block,
      id: number,
      memo: Map<number, Computed>,
      place: Place,
      lanes: Lanes,
      pass: number,
    ): Computed => {
      const found = uniform.get(id) ?? memo.get(id)
      if (found !== undefined) return found
      const instruction = kernel.body[id]!
      const slot = spilled.indexOf(id)
      let value: Computed
      if (slot >= 0 && analysis.stage[id]! < pass) {
        value = { code: loadLanes(into, context.spill(slot, context.largest(n)), place, lanes), mask: false }
      } else if (instruction.op === "load") {
        value = { code: loadLanes(into, operands[instruction.operand]!, place, lanes), mask: false }
      } else if (instruction.op === "constant") value = constantOf(instruction)
      else if (instruction.op === "index") value = { code: keep(into, indexVector(place)), mask: false }
      else if (instruction.op === "random") value = { code: draw[id]!(into, place), mask: false }
      else {
        const args = argsOf(instruction).map((a) => compute(into, a, memo, place, lanes, pass))
        value = computeScalar(into, instruction.op as never, args)
      }
      memo.set(id, value)
      return value
    }
    /** What is the same for the whole row and known before this pass. */
    const prepare = (pass: number): void => {
      const memo = new Map<number, Computed>()
      kernel.body.forEach((instruction, id) => {
        if (analysis.varies[id] || analysis.stage[id]! > pass || instruction.op === "fold" || uniform.has(id)) return
        uniform.set(id, compute(block, id, memo, { bytes: undefined, index: 0 }, 1, pass))
      })
    }
    for (let pass = 0; pass < passes; pass++) {
      prepare(pass)
      const folds = kernel.body.flatMap((i, id) =>
        i.op === "fold" && analysis.stage[id] === pass ? [foldingOf(block, id, i)] : [],
      )
      const stores = outputs.filter((o) => o.pointer.stride !== 0 && analysis.ready[o.value] === pass)
      const single = outputs.filter(
        (o) => o.pointer.stride === 0 && analysis.varies[o.value] && analysis.ready[o.value] === pass,
      )
      const saves = spilled.filter((id) => analysis.stage[id] === pass)
      if (folds.length + stores.length + single.length + saves.length === 0) continue
      const step = (place: Place, lanes: Lanes): Code<"void">[] => {
        const into = { out: [] as Code<"void">[], frame: block.frame }
        const memo = new Map<number, Computed>()
        const value = (id: number): Vector => numbers(compute(into, id, memo, place, lanes, pass))
        const save = saves.map((id) =>
          storeLanes(context.spill(spilled.indexOf(id), context.largest(n)), place, 4, value(id)),
        )
        const stored = [...stores, ...single].map((o) => ({ ...o, code: value(o.value) }))
        for (const f of folds) f.take(into, value(f.arg), lanes)
        return [...into.out, ...save.flat(), ...stored.flatMap((o) => storeLanes(o.pointer, place, lanes, o.code))]
      }
      emitAlong(block, context, n, shared, folds, step)
      for (const f of folds) uniform.set(f.id, { code: f.finish(block), mask: false })
    }
    prepare(passes)
    for (const o of outputs) {
      if (o.pointer.stride !== 0 || analysis.varies[o.value]) continue
      block.out.push(...storeLanes(o.pointer, { bytes: undefined, index: 0 }, 1, numbers(uniform.get(o.value)!)))
    }
  })
}

/** Values that vary along the row and are used in a later pass: kept in scratch memory unless they can be had again for nothing. */
function spills(kernel: MapKernel, { varies, stage }: Analysis): number[] {
  const users = new Set<number>()
  kernel.body.forEach((instruction, id) => {
    for (const a of argsOf(instruction)) if (varies[a] && stage[a]! < stage[id]!) users.add(a)
  })
  return [...users].filter((id) => !["load", "index"].includes(kernel.body[id]!.op)).sort((a, b) => a - b)
}

/** Four neighbouring folds side by side: lane l folds column j + l, with a local for each chain. */
function emitColumns(kernel: MapKernel, context: KernelContext): Code<"void">[] {
  const last = kernel.space.length - 1
  const n = kernel.space[last - 1]!
  const { varies } = analyse(kernel)
  return emitOuter(kernel, context, 2, (block, pointer) => {
    const at = (o: Operand): Pointer => ({ ...pointer(o), stride: o.strides[last - 1]! })
    const operands = kernel.operands.map(at)
    const outputs = kernel.outputs.map((o) => ({ value: o.value, pointer: at(o) }))
    const step = (place: Place, lanes: Lanes): Code<"void">[] => {
      const into: Block = { out: [], frame: block.frame }
      const columns = new Map<number, Computed>()
      const compute = (
        target: Block,
        id: number,
        memo: Map<number, Computed>,
        row: ((o: Pointer, stride: number) => Pointer) | undefined,
      ): Computed => {
        const found = columns.get(id) ?? memo.get(id)
        if (found !== undefined) return found
        const instruction = kernel.body[id]!
        let value: Computed
        if (instruction.op === "load") {
          const stride = kernel.operands[instruction.operand]!.strides[last]!
          const from = operands[instruction.operand]!
          value = { code: loadLanes(target, row === undefined ? from : row(from, stride), place, lanes), mask: false }
        } else if (instruction.op === "constant") value = constantOf(instruction)
        else {
          const args = argsOf(instruction).map((a) => compute(target, a, memo, row))
          value = computeScalar(target, instruction.op as never, args)
        }
        memo.set(id, value)
        return value
      }
      const before = new Map<number, Computed>()
      const folded = kernel.body.map((i) => i.op === "fold")
      kernel.body.forEach((i, id) => {
        const known = !varies[id] && !folded[id] && argsOf(i).every((a) => columns.has(a))
        if (known) columns.set(id, compute(into, id, before, undefined))
      })
      for (const [id, i] of kernel.body.entries()) {
        if (i.op === "fold")
          columns.set(id, {
            code: emitChains(into, context, kernel.space[last]!, i, (target, row) =>
              numbers(compute(target, i.args[0], new Map(), row)),
            ),
            mask: false,
          })
      }
      const after = new Map<number, Computed>()
      const stored = outputs.map((o) => ({ ...o, code: numbers(compute(into, o.value, after, undefined)) }))
      return [...into.out, ...stored.flatMap((o) => storeLanes(o.pointer, place, lanes, o.code))]
    }
    emitAlong(block, context, n, last === 1, [], step)
  })
}

function constantOf(instruction: Instruction & { op: "constant" }): Computed {
  return { code: splat(instruction.value), mask: false }
}

/** The indices of four neighbours as float32. */
function indexVector({ bytes, index }: Place): Vector {
  const lanes = [0, 1, 2, 3].map((lane) => index + lane) as [number, number, number, number]
  if (bytes === undefined) return f32x4.const(...lanes)
  return f32x4.convertI32x4S(i32x4.add(i32x4.splat(i32.shrU(bytes, i32.const(2))), i32x4.const(...lanes)))
}
