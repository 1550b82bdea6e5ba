// Gathering and scattering rows as WebAssembly. Knows where bound data is, not what it means.

import type { GatherKernel, ScatterKernel } from "../../program/kernel.ts"
import type { Local } from "./assembler.ts"
import type { Code } from "./code.ts"
import { if_ } from "./control.ts"
import { countUp, times } from "./emit.ts"
import { f32, f32x4, i16x8, i32, i32x4, memory, v128 } from "./instructions.ts"
import { dataTypes, type KernelContext } from "./kernel.ts"

/** The statements that gather the rows of the batch by the order of the pass, converted to float32. */
export function emitGather(kernel: GatherKernel, pitch: number, context: KernelContext): Code<"void">[] {
  const { frame } = context
  const { width } = kernel
  const { pointer, type } = context.bound(kernel.source)
  const r = frame.local("i32")
  const index = frame.local("i32")
  const source = frame.local("i32")
  const target = frame.local("i32")
  const at = (bytes: number): Code<"void"> => source.set(i32.add(pointer, i32.mul(index.get, i32.const(bytes * width))))
  const ordered = index.set(i32.load(i32.add(context.order, times(index.get, 4)), 0))
  const body = [
    index.set(i32.add(context.first, r.get)),
    if_(context.order, [ordered]),
    target.set(
      i32.add(times(r.get, 4 * pitch), i32.const(context.address({ buffer: kernel.target, offset: 0, strides: [] }))),
    ),
    if_(
      i32.geU(type, i32.const(dataTypes.uint8)),
      [
        at(1),
        if_(
          i32.eq(type, i32.const(dataTypes.uint8)),
          emitBytes(source, target, width, context, asTheyAre),
          emitBytes(source, target, width, context, over255),
        ),
      ],
      [
        at(4),
        if_(
          i32.eq(type, i32.const(dataTypes.int32)),
          emitIntegers(source, target, width, context),
          emitFloats(source, target, width, context),
        ),
      ],
    ),
  ]
  const [from, to] = context.range
  return [r.set(from), countUp(r, 1, to, body)]
}

/** Rows up to this many elements are copied by instructions, longer ones by the machine's own copy. */
const SHORT = 64

/** Copies a row of float32. */
export function emitFloats(
  source: Local<"i32">,
  target: Local<"i32">,
  width: number,
  context: KernelContext,
): Code<"void">[] {
  if (width > SHORT) return [memory.copy(target.get, source.get, i32.const(4 * width))]
  return emitElements(width, context, (bytes) => {
    const from = i32.add(source.get, bytes)
    const to = i32.add(target.get, bytes)
    return { four: v128.store(to, 0, v128.load(from, 0, 4), 4), one: f32.store(to, 0, f32.load(from, 0)) }
  })
}

function emitIntegers(
  source: Local<"i32">,
  target: Local<"i32">,
  width: number,
  context: KernelContext,
): Code<"void">[] {
  return emitElements(width, context, (bytes) => {
    const from = i32.add(source.get, bytes)
    const to = i32.add(target.get, bytes)
    return {
      four: v128.store(to, 0, f32x4.convertI32x4S(v128.load(from, 0, 4)), 4),
      one: f32.store(to, 0, f32.convertI32S(i32.load(from, 0))),
    }
  })
}

/** What a byte becomes after it has been converted to float32. */
interface ByteMeaning {
  four(x: Code<"v128">): Code<"v128">
  one(x: Code<"f32">): Code<"f32">
}

const asTheyAre: ByteMeaning = { four: (x) => x, one: (x) => x }

/**
 * b / 255 rounded once, without a division: with e = b / 256, which is exact, e + e·(1/255) rounds to the same float32 for all
 * 256 bytes (checked for each of them by a test).
 */
const over255: ByteMeaning = {
  four: (x) => {
    const e = f32x4.mul(x, splat(1 / 256))
    return f32x4.add(e, f32x4.mul(e, splat(1 / 255)))
  },
  one: (x) => {
    const e = f32.mul(x, f32.const(1 / 256))
    return f32.add(e, f32.mul(e, f32.const(1 / 255)))
  },
}

function splat(x: number): Code<"v128"> {
  return f32x4.const(x, x, x, x)
}

function emitBytes(
  source: Local<"i32">,
  target: Local<"i32">,
  width: number,
  context: KernelContext,
  meaning: ByteMeaning,
): Code<"void">[] {
  return emitElements(width, context, (bytes) => {
    const from = i32.add(source.get, i32.shrU(bytes, i32.const(2)))
    const to = i32.add(target.get, bytes)
    const wide = i32x4.extendLowI16x8U(i16x8.extendLowI8x16U(v128.load32Zero(from, 0, 1)))
    return {
      four: v128.store(to, 0, meaning.four(f32x4.convertI32x4S(wide)), 4),
      one: f32.store(to, 0, meaning.one(f32.convertI32S(i32.load8U(from, 0)))),
    }
  })
}

/** Runs along a row: four elements at a time, then one at a time. */
export function emitElements(
  width: number,
  context: KernelContext,
  step: (bytes: Code<"i32">) => { readonly four: Code<"void">; readonly one: Code<"void"> },
): Code<"void">[] {
  const bytes = context.frame.local("i32")
  const { four, one } = step(bytes.get)
  const out = [bytes.set(i32.const(0))]
  if (width >= 4) out.push(countUp(bytes, 16, i32.const(4 * width), [four]))
  if (width % 4 !== 0) out.push(countUp(bytes, 4, i32.const(4 * width), [one]))
  return out
}

/** The statements that copy the rows of the batch to their place among the results. */
export function emitScatter(kernel: ScatterKernel, context: KernelContext): Code<"void">[] {
  const [from, to] = context.range
  const row = 4 * kernel.width
  const source = i32.const(context.address({ buffer: kernel.source, offset: 0, strides: [] }))
  const { pointer } = context.bound(kernel.target)
  return [
    memory.copy(
      i32.add(pointer, times(i32.add(context.first, from), row)),
      i32.add(source, times(from, row)),
      times(i32.sub(to, from), row),
    ),
  ]
}
