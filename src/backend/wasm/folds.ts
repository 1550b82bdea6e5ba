// Folds as WebAssembly, in the fixed order of core/fold.ts: along a row with the lanes of a vector as chains, or of four columns
// side by side with a vector for each chain. Knows no body.

import { FOLD_CHUNK, type Fold, foldStart } from "../../core/fold.ts"
import type { Instruction } from "../../program/expression.ts"
import type { Local } from "./assembler.ts"
import type { Code } from "./code.ts"
import { if_ } from "./control.ts"
import { combine, countUp, foldLanes, LANES, type Lanes, laneMask, type Pointer, times } from "./emit.ts"
import { f32x4, i32, v128 } from "./instructions.ts"
import type { KernelContext } from "./kernel.ts"
import { type Block, keep, type Vector } from "./vectors.ts"

/** A fold along a row while it is being computed. */
export interface Folding {
  readonly id: number
  readonly arg: number
  readonly take: (into: Block, value: Vector, lanes: Lanes) => void
  /** Folds the chains of one chunk into the total. */
  readonly flush: () => Code<"void">[]
  readonly finish: (into: Block) => Vector
  chunked: boolean
}

/** The four chains of a fold as the lanes of a local, and its total over chunks. */
export function foldingOf(block: Block, id: number, instruction: Instruction & { op: "fold" }): Folding {
  const { fold } = instruction
  const start = splat(foldStart[fold])
  const chains = block.frame.local("v128")
  const total = block.frame.local("v128")
  block.out.push(chains.set(start), total.set(start))
  const flush = (): Code<"void">[] => {
    const into = { out: [] as Code<"void">[], frame: block.frame }
    const chunk = foldLanes(into, fold, chains.get)
    return [...into.out, total.set(combine(fold, total.get, chunk)), chains.set(start)]
  }
  const folding: Folding = {
    id,
    arg: instruction.args[0],
    take: (into, value, lanes) => into.out.push(chains.set(stepFold(fold, chains, value, lanes))),
    flush,
    finish: (into) => (folding.chunked ? total.get : foldLanes(into, fold, chains.get)),
    chunked: false,
  }
  return folding
}

function stepFold(fold: Fold, chains: Local<"v128">, value: Vector, lanes: Lanes): Vector {
  const next = combine(fold, chains.get, value)
  return lanes === LANES ? next : v128.bitselect(next, chains.get, laneMask(lanes))
}

/** One fold over the rows of four columns: chain r mod 4 of each column is a local of its own. */
export function emitChains(
  into: Block,
  context: KernelContext,
  n: number,
  { fold }: Instruction & { op: "fold" },
  value: (target: Block, row: (o: Pointer, stride: number) => Pointer) => Vector,
): Vector {
  const start = splat(foldStart[fold])
  const chains = [0, 1, 2, 3].map(() => into.frame.local("v128"))
  const total = into.frame.local("v128")
  const r = into.frame.local("i32")
  const end = keep(into, context.extent(n))
  const take = (k: number): Code<"void">[] => {
    const target: Block = { out: [], frame: into.frame }
    const at = (o: Pointer, stride: number): Pointer => {
      if (stride === 0) return o
      const address = i32.add(o.address, times(r.get, 4 * stride))
      const further = 4 * stride * k
      if (stride > 0) return { ...o, address, offset: o.offset + further }
      return { ...o, address: i32.add(address, i32.const(further)) }
    }
    const x = value(target, at)
    return [...target.out, chains[k]!.set(combine(fold, chains[k]!.get, x))]
  }
  const flush = (): Code<"void">[] => {
    const pair = (a: number, b: number): Vector => combine(fold, chains[a]!.get, chains[b]!.get)
    const chunk = combine(fold, pair(0, 1), pair(2, 3))
    return [total.set(combine(fold, total.get, chunk)), ...chains.map((c) => c.set(start))]
  }
  const body = [0, 1, 2, 3].flatMap(take)
  if (context.largest(n) > FOLD_CHUNK) {
    body.push(if_(i32.eq(i32.and(r.get, i32.const(FOLD_CHUNK - 1)), i32.const(FOLD_CHUNK - 4)), flush()))
  }
  into.out.push(total.set(start), ...chains.map((c) => c.set(start)), r.set(i32.const(0)), countUp(r, 4, end, body))
  for (const k of [0, 1, 2]) into.out.push(if_(i32.gtS(end, i32.add(r.get, i32.const(k))), take(k)))
  into.out.push(...flush())
  return total.get
}

/** The number in all lanes. */
export function splat(x: number): Vector {
  return f32x4.const(x, x, x, x)
}
