// The loops of map kernels as WebAssembly: over the outer dimensions, and along the last one. Knows no body.

import { FOLD_CHUNK } from "../../core/fold.ts"
import type { MapKernel, Operand } from "../../program/kernel.ts"
import type { Code } from "./code.ts"
import { if_ } from "./control.ts"
import { countUp, LANES, type Lanes, type Place, type Pointer, times } from "./emit.ts"
import type { Folding } from "./folds.ts"
import { i32 } from "./instructions.ts"
import type { KernelContext } from "./kernel.ts"
import { type Block, keep } from "./vectors.ts"

/** Rows of at most this many elements are written out without a loop. */
const UNROLLED = 16

/** The loops over the dimensions before the last `inner` ones; `body` gets a pointer for each operand and output. */
export function emitOuter(
  kernel: MapKernel,
  context: KernelContext,
  inner: number,
  body: (block: Block, pointer: (o: Operand) => Pointer, bytesTo: (strides: readonly number[]) => Code<"i32">) => void,
): Code<"void">[] {
  const { frame } = context
  const outer = kernel.space.slice(0, kernel.space.length - inner)
  const indices = outer.map(() => frame.local("i32"))
  const out: Code<"void">[] = []
  const block = { out, frame }
  const known = new Map<string, Code<"i32">>()
  const bytesTo = (all: readonly number[], advance = 0, moved?: Code<"i32">): Code<"i32"> => {
    const strides = all.slice(0, outer.length)
    const key = `${strides.join(" ")} ${advance}`
    let address = known.get(key)
    if (address === undefined) {
      const parts = strides.flatMap((s, d) => (s === 0 ? [] : [times(indices[d]!.get, 4 * s)]))
      if (moved !== undefined) parts.push(moved)
      address =
        parts.length === 0
          ? i32.const(0)
          : keep(
              block,
              parts.reduce((a, b) => i32.add(a, b)),
            )
      known.set(key, address)
    }
    return address
  }
  const pointer = (o: Operand): Pointer => {
    const stride = o.strides[o.strides.length - 1] ?? 0
    const [address, offset] = [bytesTo(o.strides, o.advance, context.moved(o)), context.address(o)]
    // What WebAssembly adds to an address must not be needed to bring it above 0.
    if (o.strides.every((s) => s >= 0)) return { address, offset, stride }
    return { address: i32.add(address, i32.const(offset)), offset: 0, stride }
  }
  body(block, pointer, bytesTo)
  return outer.reduceRight((code, _, d) => {
    const [from, to] = d === 0 ? context.range : [i32.const(0), context.extent(outer[d]!)]
    return [indices[d]!.set(from), countUp(indices[d]!, 1, to, code)]
  }, out)
}

/** The steps along the last dimension: written out if short, else a loop, then what is left of the last vector. */
export function emitAlong(
  block: Block,
  context: KernelContext,
  n: number,
  split: boolean,
  folds: readonly Folding[],
  step: (place: Place, lanes: Lanes) => Code<"void">[],
): void {
  const whole = !split || folds.length > 0
  if (n > 0 && n <= UNROLLED && (whole || context.all)) {
    for (let j = 0; j < n; j += LANES) block.out.push(...step({ bytes: undefined, index: j }, Math.min(LANES, n - j)))
    return
  }
  const [from, to] = whole ? [i32.const(0), context.extent(n)] : context.range
  const bytes = block.frame.local("i32")
  const end = keep(block, times(to, 4))
  const place = { bytes: bytes.get, index: 0 }
  const chunked = folds.length > 0 && context.largest(n) > FOLD_CHUNK
  const flush = (): Code<"void">[] => folds.flatMap((f) => f.flush())
  const body = step(place, LANES)
  if (chunked) {
    // The counter is stepped after the body: the chunk is full if it stands on the last vector of one.
    const full = i32.eq(i32.and(bytes.get, i32.const(4 * FOLD_CHUNK - 1)), i32.const(4 * FOLD_CHUNK - 16))
    body.push(if_(full, flush()))
  }
  block.out.push(bytes.set(times(from, 4)), countUp(bytes, 16, end, body))
  if (n < 0 || n % LANES !== 0) {
    const left = keepLater(block, i32.shrU(i32.sub(end, bytes.get), i32.const(2)))
    block.out.push(left.set)
    block.out.push(if_(i32.gtS(left.get, i32.const(0)), step(place, n > 0 && whole ? n % LANES : left.get)))
  }
  if (chunked) {
    for (const f of folds) f.chunked = true
    block.out.push(if_(i32.and(end, i32.const(4 * FOLD_CHUNK - 1)), flush()))
  }
}

function keepLater(block: Block, code: Code<"i32">): { readonly get: Code<"i32">; readonly set: Code<"void"> } {
  const local = block.frame.local("i32")
  return { get: local.get, set: local.set(code) }
}
