// Rows of a table by computed numbers as WebAssembly: copied, or summed. Knows one kernel at a time.

import type { IndexedKernel } from "../../program/kernel.ts"
import type { Local } from "./assembler.ts"
import type { Code } from "./code.ts"
import { if_ } from "./control.ts"
import { countUp, plus, times } from "./emit.ts"
import { f32, f32x4, i32, memory, v128 } from "./instructions.ts"
import type { KernelContext } from "./kernel.ts"
import { emitElements, emitFloats } from "./rows.ts"

/** The statements that copy the rows that the numbers of this thread's places name. */
export function emitLookup(kernel: IndexedKernel, context: KernelContext): Code<"void">[] {
  const { p, source, target, row } = walk(kernel, context)
  const { table, values } = kernel
  const [from, to] = context.range
  const body = [
    source.set(address(context, table, row)),
    target.set(address(context, values, p.get)),
    ...emitFloats(source, target, kernel.width, context),
  ]
  return [p.set(from), countUp(p, 1, to, body)]
}

/** The statements that sum values, place after place, into the rows of the table that are this thread's. */
export function emitScatterAdd(kernel: IndexedKernel, context: KernelContext): Code<"void">[] {
  const { p, source, target, row } = walk(kernel, context)
  const r = context.frame.local("i32")
  const { table, values } = kernel
  const [from, to] = context.range
  const mine = i32.and(i32.geS(r.get, from), i32.ltS(r.get, to))
  const add = emitElements(kernel.width, context, (bytes) => {
    const [x, sum] = [i32.add(source.get, bytes), i32.add(target.get, bytes)]
    return {
      four: v128.store(sum, 0, f32x4.add(v128.load(sum, 0, 4), v128.load(x, 0, 4)), 4),
      one: f32.store(sum, 0, f32.add(f32.load(sum, 0), f32.load(x, 0))),
    }
  })
  const clear = [
    target.set(address(context, table, r.get)),
    memory.fill(target.get, i32.const(0), i32.const(4 * kernel.width)),
  ]
  const body = [
    r.set(row),
    if_(mine, [source.set(address(context, values, p.get)), target.set(address(context, table, r.get)), ...add]),
  ]
  return [
    ...[r.set(from), countUp(r, 1, to, clear)],
    ...[p.set(i32.const(0)), countUp(p, 1, context.extent(kernel.places), body)],
  ]
}

/** The place under way, room for two addresses, and the row that the number of the place names. */
function walk(
  { indices, rows }: IndexedKernel,
  context: KernelContext,
): Record<"p" | "source" | "target", Local<"i32">> & { readonly row: Code<"i32"> } {
  const local = (): Local<"i32"> => context.frame.local("i32")
  const [p, source, target] = [local(), local(), local()]
  const at = plus(times(p.get, 4 * indices.strides[0]!), context.moved(indices))
  const number = f32.load(at, context.address(indices))
  // f32.max and f32.min keep NaN, which becomes 0.
  const within = f32.min(f32.max(number, f32.const(0)), f32.const(rows - 1))
  return { p, source, target, row: i32.truncSatF32S(within) }
}

/** Where a row of an operand begins. */
function address(context: KernelContext, o: IndexedKernel["table"], row: Code<"i32">): Code<"i32"> {
  return plus(i32.add(times(row, 4 * o.strides[0]!), i32.const(context.address(o))), context.moved(o))
}
