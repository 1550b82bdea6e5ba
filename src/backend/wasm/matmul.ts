// Matrix products as WebAssembly: tiles of rows × vectors kept in registers, each element one chain over k.
// Knows one kernel at a time. Tile, block and thread change no bit: partial sums pass through memory as float32.

import { argsOf } from "../../program/expression.ts"
import type { MatmulKernel, Operand } from "../../program/kernel.ts"
import type { Local } from "./assembler.ts"
import type { Code } from "./code.ts"
import { brIf, if_, loop, block as scope } from "./control.ts"
import { countUp, LANES, loadLanes, minimum, type Pointer, plus, storeLanes, times } from "./emit.ts"
import { f32x4, i32, v128 } from "./instructions.ts"
import type { KernelContext } from "./kernel.ts"
import { emitCopying, emitTurning, type Tiling } from "./pack.ts"
import { type Block, type Computed, computeScalar, keep, numbers, type Vector } from "./vectors.ts"

/** Steps of k in a block: with a panel of B this much stays in the first-level cache. */
const BLOCK = 384

/** k up to this is not divided: one block somewhat longer costs less than two. */
const UNDIVIDED = 512

/** Elements of A that a block of rows may have: half of a second-level cache of one megabyte. */
const CACHED = 131_072

/** Accumulators that a tile should have to hide the latency of an addition. */
const ENOUGH = 8

/** The statements of a matrix product. */
export function emitMatmul(kernel: MatmulKernel, context: KernelContext): Code<"void">[] {
  const n = kernel.space[1]
  const [bk, bn] = kernel.b.strides as [number, number]
  if (n < 0 || (bn !== 1 && bk !== 1)) return emitPlain(kernel, context)
  // Rows of B that lie a page or so apart are brought together first, if enough rows of A make use of it.
  const far = bk * 4 >= FAR && context.largest(kernel.space[0]) >= 32
  return emitTiled(kernel, context, n, bn !== 1 ? "turned" : far ? "copied" : undefined)
}

/** Bytes between rows of B from which on a panel is copied before it is used. */
const FAR = 4096

function emitTiled(
  kernel: MatmulKernel,
  context: KernelContext,
  n: number,
  packing: "turned" | "copied" | undefined,
): Code<"void">[] {
  const { frame } = context
  const [m] = kernel.space
  const rows = Math.min(context.tile.rows, context.largest(m))
  const vectors = Math.min(Math.ceil(n / LANES), Math.max(context.tile.vectors, Math.ceil(ENOUGH / rows)))
  const width = vectors * LANES
  const divided = context.largest(kernel.inner) > UNDIVIDED
  const blockSize = divided ? BLOCK : context.largest(kernel.inner)
  const from = frame.local("i32")
  const to = frame.local("i32")
  // So many rows of A stay in the second-level cache while all panels pass by.
  const rowsInCache = Math.max(1, Math.floor(CACHED / blockSize / rows)) * rows
  const blocked = context.largest(m) > rowsInCache
  const firstRow = frame.local("i32")
  const endRow = frame.local("i32")
  const pitch = Math.ceil(n / LANES) * LANES
  const tiling: Tiling = {
    kernel,
    context,
    i: frame.local("i32"),
    j: frame.local("i32"),
    rows: blocked ? [firstRow.get, endRow.get] : context.range,
    from: divided ? from.get : i32.const(0),
    to: divided ? to.get : context.extent(kernel.inner),
    partial: divided
      ? { ...context.partial(4 * pitch * (context.largest(m) + context.tile.rows)), stride: pitch }
      : undefined,
    packed: packing !== undefined ? context.scratch(4 * width * (blockSize + LANES)) : undefined,
  }
  const panel = (count: number, lanes: number): Code<"void">[] => [
    ...(packing === "turned"
      ? emitTurning(tiling, count, lanes)
      : packing === "copied"
        ? emitCopying(tiling, count)
        : []),
    ...emitRowTiles(tiling, rows, count, lanes),
  ]
  const { j } = tiling
  const full = Math.floor(n / width)
  const rest = n - full * width
  let body: Code<"void">[] = [j.set(i32.const(0))]
  if (full === 1) body.push(...panel(vectors, LANES), j.set(i32.const(width)))
  else if (full > 1) body.push(countUp(j, width, i32.const(full * width), panel(vectors, LANES)))
  if (rest > 0) body.push(...panel(Math.ceil(rest / LANES), rest % LANES || LANES))
  if (blocked) {
    const [first, last] = context.range
    body = [
      firstRow.set(first),
      loop((again) => [
        endRow.set(minimum(i32.add(firstRow.get, i32.const(rowsInCache)), last)),
        ...body,
        firstRow.set(endRow.get),
        brIf(again, i32.ltS(firstRow.get, last)),
      ]),
    ]
  }
  if (!divided) return body
  const end = context.extent(kernel.inner)
  return [
    from.set(i32.const(0)),
    loop((again) => [
      to.set(minimum(i32.add(from.get, i32.const(BLOCK)), end)),
      ...body,
      from.set(to.get),
      brIf(again, i32.ltS(from.get, end)),
    ]),
  ]
}

/** All tiles of rows of one panel. */
function emitRowTiles(tiling: Tiling, rows: number, vectors: number, lastLanes: number): Code<"void">[] {
  const { kernel, i } = tiling
  const [m] = kernel.space
  const [from, to] = tiling.rows
  const tile = (count: number): Code<"void">[] => emitTile(tiling, count, vectors, lastLanes)
  if (m < 0) {
    // Rows beyond the batch are spare memory: the last tile may compute some of them for nothing.
    return [
      i.set(from),
      scope((out) => [
        brIf(out, i32.geS(i.get, to)),
        loop((again) => [...tile(rows), i.set(i32.add(i.get, i32.const(rows))), brIf(again, i32.ltS(i.get, to))]),
      ]),
    ]
  }
  const rest = m % rows
  const whole = m >= rows ? [countUp(i, rows, to, tile(rows))] : []
  return [i.set(from), ...whole, ...(rest > 0 ? [if_(i32.ltS(i.get, to), tile(rest))] : [])]
}

/** One tile: load or clear the sums, run over the block of k, then keep the sums or finish the elements. */
function emitTile(tiling: Tiling, rows: number, vectors: number, lastLanes: number): Code<"void">[] {
  const { kernel, context, i, j, from, to, partial } = tiling
  const { frame } = context
  const sums = Array.from({ length: rows }, () => Array.from({ length: vectors }, () => frame.local("v128")))
  const out: Code<"void">[] = []
  const block: Block = { out, frame }
  const clear = sums.flat().map((s) => s.set(f32x4.const(0, 0, 0, 0)))
  let kept: Pointer | undefined
  if (partial === undefined) out.push(...clear)
  else {
    const place = i32.add(times(i.get, 4 * partial.stride), times(j.get, 4))
    const address = keep(block, i32.add(partial.address, place))
    kept = { address, offset: partial.offset, stride: 1 }
    const at = (r: number, v: number): number => partial.offset + 4 * (r * partial.stride + v * LANES)
    const load = sums.flatMap((row, r) => row.map((s, v) => s.set(v128.load(address, at(r, v), 4))))
    out.push(if_(i32.eqz(from), clear, load))
  }
  out.push(...emitChain(tiling, sums))
  const finish = emitBody(tiling, sums, lastLanes)
  if (partial === undefined || kept === undefined) return [...out, ...finish]
  const save = sums.flatMap((row, r) =>
    row.flatMap((s, v) => storeLanes(kept, { bytes: undefined, index: r * partial.stride + v * LANES }, LANES, s.get)),
  )
  return [...out, if_(i32.ltS(to, context.extent(kernel.inner)), save, finish)]
}

/** The chains of multiply and add over the block of k. */
function emitChain(tiling: Tiling, sums: readonly (readonly Local<"v128">[])[]): Code<"void">[] {
  const { kernel, context, i, j, from, to, packed } = tiling
  const { frame } = context
  const { a, b } = kernel
  const [am, ak] = a.strides as [number, number]
  const vectors = sums[0]!.length
  const bk = packed === undefined ? b.strides[0]! : vectors * LANES
  const aAt = frame.local("i32")
  const bAt = frame.local("i32")
  const p = frame.local("i32")
  const x = frame.local("v128")
  const columns = Array.from({ length: vectors }, () => frame.local("v128"))
  const [aBase, bBase] = [context.address(a), packed === undefined ? context.address(b) : 0]
  const step = (u: number): Code<"void">[] => {
    const column = (v: number): Vector => v128.load(bAt.get, bBase + 4 * (u * bk + v * LANES), 4)
    const few = sums.length === 1 // B is used once: no need to keep it
    const loads = few ? [] : columns.map((c, v) => c.set(column(v)))
    return [
      ...loads,
      ...sums.flatMap((row, r) => [
        x.set(v128.load32Splat(aAt.get, aBase + 4 * (r * am + u * ak))),
        ...row.map((sum, v) => sum.set(multiplyAdd(context, x.get, few ? column(v) : columns[v]!.get, sum.get))),
      ]),
    ]
  }
  const advance = (steps: number): Code<"void">[] => [
    aAt.set(i32.add(aAt.get, i32.const(4 * steps * ak))),
    bAt.set(i32.add(bAt.get, i32.const(4 * steps * bk))),
  ]
  const { unroll } = context.tile
  const { inner } = kernel
  const steps = Math.min(unroll, context.largest(inner))
  const body = [...Array.from({ length: steps }, (_, u) => step(u)).flat(), ...advance(steps)]
  const exact = inner > 0 && (inner <= UNDIVIDED ? inner : inner % BLOCK) % steps === 0 && BLOCK % steps === 0
  return [
    aAt.set(i32.add(times(i.get, 4 * am), times(from, 4 * ak))),
    bAt.set(packed ?? i32.add(times(from, 4 * bk), times(j.get, 4))),
    p.set(from),
    countUp(p, steps, to, body),
    ...(exact || steps === 1 ? [] : [countUp(p, 1, to, [...step(0), ...advance(1)])]),
  ]
}

function multiplyAdd(context: KernelContext, a: Vector, b: Vector, sum: Vector): Vector {
  return context.numerics === "fused" ? f32x4.relaxedMadd(a, b, sum) : f32x4.add(sum, f32x4.mul(a, b))
}

/** Finishes the elements of a tile: for each row all loads, then the body, then the stores in order. */
function emitBody(tiling: Tiling, sums: readonly (readonly Local<"v128">[])[], lastLanes: number): Code<"void">[] {
  const { kernel, context, i, j } = tiling
  const out: Code<"void">[] = []
  const block: Block = { out, frame: context.frame }
  const pointers = new Map<string, Code<"i32">>()
  const pointer = (o: Operand, row: number): Pointer => {
    const [sm, sn] = o.strides as [number, number]
    const key = `${sm} ${sn}`
    let address = pointers.get(key)
    if (address === undefined) {
      const parts = [...(sm === 0 ? [] : [times(i.get, 4 * sm)]), ...(sn === 0 ? [] : [times(j.get, 4 * sn)])]
      address =
        parts.length === 0
          ? i32.const(0)
          : keep(
              block,
              parts.reduce((x, y) => plus(x, y)),
            )
      pointers.set(key, address)
    }
    return { address, offset: context.address(o) + 4 * row * sm, stride: sn }
  }
  // What is the same for all rows, or for all columns, is computed once.
  const byRow: boolean[] = []
  const byColumn: boolean[] = []
  kernel.body.forEach((instruction, id) => {
    const strides = instruction.op === "load" ? kernel.operands[instruction.operand]!.strides : undefined
    const differs = (seen: readonly boolean[], axis: number): boolean =>
      instruction.op === "product" ||
      (strides !== undefined && strides[axis] !== 0) ||
      argsOf(instruction).some((a) => seen[a])
    byRow[id] = differs(byRow, 0)
    byColumn[id] = differs(byColumn, 1)
  })
  const memo = new Map<string, Computed>()
  const compute = (id: number, r: number, v: number): Computed => {
    const key = `${id} ${byRow[id] ? r : "-"} ${byColumn[id] ? v : "-"}`
    const found = memo.get(key)
    if (found !== undefined) return found
    const instruction = kernel.body[id]!
    const lanes = v === sums[0]!.length - 1 ? lastLanes : LANES
    let value: Computed
    if (instruction.op === "product") value = { code: sums[r]![v]!.get, mask: false }
    else if (instruction.op === "constant") {
      const { value: c } = instruction
      value = { code: f32x4.const(c, c, c, c), mask: false }
    } else if (instruction.op === "load") {
      const from = pointer(kernel.operands[instruction.operand]!, r)
      value = { code: loadLanes(block, from, { bytes: undefined, index: v * LANES }, lanes), mask: false }
    } else
      value = computeScalar(
        block,
        instruction.op as never,
        argsOf(instruction).map((a) => compute(a, r, v)),
      )
    memo.set(key, value)
    return value
  }
  sums.forEach((row, r) => {
    const finished = kernel.outputs.map((o) => row.map((_, v) => numbers(compute(o.value, r, v))))
    kernel.outputs.forEach((o, at) => {
      row.forEach((_, v) => {
        const lanes = v === row.length - 1 ? lastLanes : LANES
        out.push(...storeLanes(pointer(o, r), { bytes: undefined, index: v * LANES }, lanes, finished[at]![v]!))
      })
    })
  })
  return out
}

/** Any strides, one element at a time: for the rare product whose right factor lies apart in both directions. */
function emitPlain(kernel: MatmulKernel, context: KernelContext): Code<"void">[] {
  const { frame } = context
  const [from, to] = context.range
  const zero = i32.const(0)
  const tiling: Tiling = {
    kernel,
    context,
    i: frame.local("i32"),
    j: frame.local("i32"),
    rows: context.range,
    from: zero,
    to: zero,
    partial: undefined,
    packed: undefined,
  }
  const { i, j } = tiling
  const p = frame.local("i32")
  const sum = frame.local("v128")
  const { a, b } = kernel
  const at = (o: Operand, x: Local<"i32">, y: Local<"i32">): Vector =>
    v128.load32Splat(i32.add(times(x.get, 4 * o.strides[0]!), times(y.get, 4 * o.strides[1]!)), context.address(o))
  const chain = [
    sum.set(f32x4.const(0, 0, 0, 0)),
    p.set(zero),
    countUp(p, 1, context.extent(kernel.inner), [sum.set(multiplyAdd(context, at(a, i, p), at(b, p, j), sum.get))]),
  ]
  const row = [j.set(zero), countUp(j, 1, context.extent(kernel.space[1]), [...chain, ...emitBody(tiling, [[sum]], 1)])]
  return [i.set(from), countUp(i, 1, to, row)]
}
