// Matrix products as WebAssembly: tiles of rows × vectors kept in registers, each element one chain over k.
// Knows one kernel at a time. Tile, block and thread change no bit: partial sums pass through memory as float32.

import { argsOf } from "../../program/expression.ts"
import type { MatmulKernel, Operand } from "../../program/kernel.ts"
import type { Numerics } from "../../program/program.ts"
import type { Local } from "./assembler.ts"
import type { Code } from "./code.ts"
import { brIf, if_, loop, block as scope } from "./control.ts"
import { countUp, LANES, loadLanes, minimum, type Pointer, plus, storeLanes, times } from "./emit.ts"
import { f32x4, i32, v128 } from "./instructions.ts"
import type { KernelContext } from "./kernel.ts"
import { emitPanel, emitTileOfA, type Packing, type Tiling } from "./pack.ts"
import { type Block, type Computed, computeScalar, keep, numbers, type Vector } from "./vectors.ts"

/** Steps of the sums in a block: a panel of B and the rows of A that pass by stay in a first-level cache of 32 KB. */
const BLOCK = 256

/** Sums up to this length are not divided: one block somewhat longer costs less than two. */
const UNDIVIDED = 384

/** Elements of A that a block of rows may have: half of a second-level cache of one megabyte. */
const CACHED = 131_072

/** Accumulators that a tile should have to hide the latency of an addition. */
const ENOUGH = 8

/**
 * Bytes between rows of B from which on a panel is copied before it is used: it lies on more pages than the processor has at hand.
 * To multiply and add takes nearly all instructions that can be begun, so that nothing hides the wait; fused ones hide most of it.
 */
const FAR = { portable: 1024, fused: 3072 } as const

/** Tiles of rows from which on it pays to copy a panel that is not far apart. */
const MANY_TILES = 16

/** Panels from which on it pays to bring the rows of A together. */
const MANY_PANELS = 16

/** Elements of B that are brought together once for all outer places: what a second-level cache holds. */
const ALL_PANELS = 262_144

/** The first row, and the one after the last. */
type Range = readonly [Code<"i32">, Code<"i32">]

/** Rows of a tile for a product of m rows (negative: of each example): whole tiles of nearly the same size. */
export function tileRows(m: number, tile: { readonly rows: number }): number {
  return m < 0 ? tile.rows : Math.ceil(m / Math.ceil(m / tile.rows))
}

/** The statements of a matrix product. */
export function emitMatmul(kernel: MatmulKernel, context: KernelContext): Code<"void">[] {
  const { frame } = context
  const { space, inner } = kernel
  const outer = space.slice(0, -2)
  const [m, n] = space.slice(-2) as [number, number]
  const largest = (sizes: readonly number[]): number => sizes.reduce((product, d) => product * context.largest(d), 1)
  const rows = Math.min(tileRows(m, context.tile), context.largest(m))
  const vectors = Math.min(Math.ceil(n / LANES), Math.max(context.tile.vectors, Math.ceil(ENOUGH / rows)))
  const width = vectors * LANES
  // Sums over the batch are divided, so that what many elements need stays in the cache; those of windows are short.
  const overBatch = inner.some((d) => d < 0)
  const divided = (overBatch || outer.length === 0) && largest(inner) > UNDIVIDED
  const level = divided ? blockedLevel(inner.map(context.largest)) : 0
  const after = largest(inner.slice(level + 1))
  const chunk = Math.max(1, Math.floor(BLOCK / after))
  const length = divided ? chunk * after : largest(inner)
  const range = (axis: number): readonly [Code<"i32">, Code<"i32">] =>
    axis === context.axis ? context.range : [i32.const(0), context.extent(space[axis]!)]

  const packing = packingOf(kernel, context, largest(space.slice(0, -1)) / rows)
  // B is the same for all outer places: it is brought together before they are walked through.
  const fixed = kernel.b.strides.slice(0, outer.length).every((s) => s === 0)
  const panels = Math.ceil(n / width)
  const once = packing !== undefined && fixed && !divided && outer.length > 0 && panels * width * length <= ALL_PANELS
  const from = frame.local("i32")
  const to = frame.local("i32")
  const pitch = Math.ceil(n / LANES) * LANES
  const many = largest(outer) * (context.largest(m) + context.tile.rows)
  // So many rows of A stay in the second-level cache while all panels pass by.
  const inCache = Math.max(1, Math.floor(CACHED / length / rows)) * rows
  const together = packsA(kernel, panels, rows)
  const lanesA = Math.ceil(rows / LANES) * LANES
  const panelBytes = packing === undefined ? 0 : 4 * width * (length * (once ? panels : 1) + LANES)
  const tileBytes = 4 * lanesA * length
  const tilesOfA = Math.ceil(Math.min(context.largest(m), inCache) / rows)
  const scratch = context.scratch(panelBytes + (together ? tilesOfA * tileBytes + 4 * lanesA * LANES : 0))
  const packedA = together ? { tile: frame.local("i32"), lanes: lanesA } : undefined
  const tiling: Tiling = {
    kernel,
    context,
    i: frame.local("i32"),
    j: frame.local("i32"),
    outer: outer.map(() => frame.local("i32")),
    before: inner.slice(0, level).map(() => frame.local("i32")),
    level,
    from: divided ? from.get : i32.const(0),
    to: divided ? to.get : context.extent(inner[level]!),
    chunk: divided ? chunk : undefined,
    partial: divided ? { ...context.partial(4 * pitch * many), stride: pitch } : undefined,
    packed: packing === undefined ? undefined : { at: scratch, length: once ? length : 0 },
    packedA,
  }
  const { i, j } = tiling

  /** The panels one after the other. */
  const overPanels = (panel: (count: number, lanes: number) => Code<"void">[]): Code<"void">[] => {
    const full = Math.floor(n / width)
    const rest = n - full * width
    const code: Code<"void">[] = [j.set(i32.const(0))]
    if (full === 1) code.push(...panel(vectors, LANES), j.set(i32.const(width)))
    else if (full > 1) code.push(countUp(j, width, i32.const(full * width), panel(vectors, LANES)))
    if (rest > 0) code.push(...panel(Math.ceil(rest / LANES), rest % LANES || LANES))
    return code
  }
  const overOuter = (body: Code<"void">[]): Code<"void">[] =>
    tiling.outer.reduceRight<Code<"void">[]>((code, index, axis) => {
      const [first, last] = range(axis)
      return [index.set(first), countUp(index, 1, last, code)]
    }, body)
  const pack = (count: number, lanes: number): Code<"void">[] =>
    packing === undefined ? [] : emitPanel(tiling, packing, count, lanes)
  /** The tiles of rows one after the other, with A brought together or as it lies. */
  const overTiles = (part: Range, tile: (rows: number) => Code<"void">[]): Code<"void">[] => {
    if (packedA === undefined) return overRows(i, m, part, rows, tile)
    const next = packedA.tile.set(i32.add(packedA.tile.get, i32.const(tileBytes)))
    const first = packedA.tile.set(i32.add(scratch, i32.const(panelBytes)))
    return [first, ...overRows(i, m, part, rows, (count) => [...tile(count), next])]
  }
  const tiles = (part: Range, count: number, lanes: number): Code<"void">[] =>
    overTiles(part, (rows) => emitTile(tiling, rows, count, lanes))
  const all = range(outer.length)

  let body: Code<"void">[]
  if (once) body = [...overPanels(pack), ...overOuter(overPanels((count, lanes) => tiles(all, count, lanes)))]
  else if (outer.length === 0) {
    body = blocksOf(all, context.largest(m) > inCache ? inCache : undefined, context, (part) => [
      ...(packedA === undefined ? [] : overTiles(part, (count) => emitTileOfA(tiling, count))),
      ...overPanels((count, lanes) => [...pack(count, lanes), ...tiles(part, count, lanes)]),
    ])
  } else if (fixed && packing !== undefined) {
    body = overPanels((count, lanes) => [...pack(count, lanes), ...overOuter(tiles(all, count, lanes))])
  } else body = overOuter(overPanels((count, lanes) => [...pack(count, lanes), ...tiles(all, count, lanes)]))
  if (!divided) return body

  const end = context.extent(inner[level]!)
  const block = loop((again) => [
    to.set(minimum(i32.add(from.get, i32.const(chunk)), end)),
    ...body,
    from.set(to.get),
    brIf(again, i32.ltS(from.get, end)),
  ])
  return tiling.before.reduceRight<Code<"void">[]>(
    (code, index, d) => [index.set(i32.const(0)), countUp(index, 1, context.extent(inner[d]!), code)],
    [from.set(i32.const(0)), block],
  )
}

/** The level of the sum that is walked in chunks: the levels after it fit into a block together. */
function blockedLevel(sizes: readonly number[]): number {
  let level = sizes.length - 1
  for (let after = sizes[level]!; level > 0 && after <= BLOCK; after *= sizes[level]!) level--
  return level
}

/** How a panel of B is brought together: not at all if its rows are near and each lies without gaps. */
function packingOf({ b, space, inner }: MatmulKernel, context: KernelContext, tiles: number): Packing | undefined {
  const [bk, bn] = b.strides.slice(-2) as [number, number]
  if (bn !== 1 && space.at(-1) !== 1) return bk === 1 || inner.at(-1) === 1 ? "turned" : "gathered"
  const outer = space.length > 2
  if (outer ? tiles >= MANY_TILES : bk * 4 >= FAR[context.numerics] && context.largest(space[0]!) >= 32) return "copied"
  return undefined
}

/** Whether the rows of A are brought together: if many panels pass by, and each outer place has the same A. */
function packsA({ space }: MatmulKernel, panels: number, rows: number): boolean {
  return space.length === 2 && rows >= LANES && panels >= MANY_PANELS
}

/** The body for all rows, or for so many at a time. */
function blocksOf(
  [first, last]: readonly [Code<"i32">, Code<"i32">],
  count: number | undefined,
  { frame }: KernelContext,
  body: (rows: readonly [Code<"i32">, Code<"i32">]) => Code<"void">[],
): Code<"void">[] {
  if (count === undefined) return body([first, last])
  const [from, to] = [frame.local("i32"), frame.local("i32")]
  return [
    from.set(first),
    loop((again) => [
      to.set(minimum(i32.add(from.get, i32.const(count)), last)),
      ...body([from.get, to.get]),
      from.set(to.get),
      brIf(again, i32.ltS(from.get, last)),
    ]),
  ]
}

/** The tiles of the rows, one after the other. */
function overRows(
  i: Local<"i32">,
  m: number,
  [from, to]: Range,
  rows: number,
  tile: (rows: number) => Code<"void">[],
): Code<"void">[] {
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
  if (m === rows) return [i.set(i32.const(0)), ...tile(rows)]
  const rest = m % rows
  return [i.set(from), countUp(i, rows, to, tile(rows)), ...(rest > 0 ? [if_(i32.ltS(i.get, to), tile(rest))] : [])]
}

/** One tile: load or clear the sums, run over the block of k, then keep the sums or finish the elements. */
function emitTile(tiling: Tiling, rows: number, vectors: number, lastLanes: number): Code<"void">[] {
  const { kernel, context, i, j, outer, before, level, from, to, partial } = tiling
  const { frame } = context
  const sums = Array.from({ length: rows }, () => Array.from({ length: vectors }, () => frame.local("v128")))
  const out: Code<"void">[] = []
  const block: Block = { out, frame }
  const zero = f32x4.const(0, 0, 0, 0)
  const clear = sums.flat().map((s) => s.set(zero))
  let kept: Pointer | undefined
  if (partial === undefined) out.push(...clear)
  else {
    // The place among the outer ones, then the row.
    const spare = context.largest(kernel.space.at(-2)!) + context.tile.rows
    const place = outer.reduce<Code<"i32"> | undefined>((at, index, d) => {
      const size = context.largest(kernel.space[d]!)
      return plus(index.get, at === undefined ? undefined : times(at, size))
    }, undefined)
    const row = plus(i.get, place === undefined ? undefined : times(place, spare))
    const address = keep(block, i32.add(partial.address, i32.add(times(row, 4 * partial.stride), times(j.get, 4))))
    kept = { address, offset: partial.offset, stride: 1 }
    const at = (r: number, v: number): number => partial.offset + 4 * (r * partial.stride + v * LANES)
    const load = sums.flatMap((row, r) => row.map((s, v) => s.set(v128.load(address, at(r, v), 4))))
    const started = before.reduce((any, index) => i32.or(any, index.get), from)
    out.push(if_(i32.eqz(started), clear, load))
  }
  out.push(...emitChain(tiling, sums))
  const finish = emitBody(tiling, sums, lastLanes)
  if (partial === undefined || kept === undefined) return [...out, ...finish]
  const save = sums.flatMap((row, r) =>
    row.flatMap((s, v) => storeLanes(kept, { bytes: undefined, index: r * partial.stride + v * LANES }, LANES, s.get)),
  )
  // More is to come unless this is the last block at every level.
  const more = before.reduce(
    (any, index, d) => i32.or(any, i32.ltS(plus(index.get, i32.const(1)), context.extent(kernel.inner[d]!))),
    i32.ltS(to, context.extent(kernel.inner[level]!)),
  )
  return [...out, if_(more, save, finish)]
}

/** The chains of multiply and add over the block of the sum: the levels below the one that is divided are walked whole. */
function emitChain(tiling: Tiling, sums: readonly (readonly Local<"v128">[])[]): Code<"void">[] {
  const { kernel, context, i, j, outer, before, level, from, to, chunk, packed, packedA } = tiling
  const { frame } = context
  const { a, b, inner } = kernel
  const count = outer.length
  const [am, aInner] = packedA === undefined ? [a.strides[count]!, a.strides.slice(count + 1)] : [1, []]
  const vectors = sums[0]!.length
  const bInner = packed === undefined ? b.strides.slice(count, -1) : []
  const last = inner.length - 1
  const ak = packedA?.lanes ?? aInner[last]!
  const bk = packed === undefined ? bInner[last]! : vectors * LANES
  const { unroll } = context.tile
  // Engines add the offset of a broadcast by an instruction of its own, once for all that share it: where several steps
  // are written out, each row has its pointer and a step its offset; otherwise moving the pointers would cost more.
  const aAt = frame.local("i32")
  const aRows = unroll > 1 ? [aAt, ...sums.slice(1).map(() => frame.local("i32"))] : [aAt]
  const aOffset = (r: number, u: number): number => 4 * ((r < aRows.length ? 0 : r * am) + u * ak)
  const bAt = frame.local("i32")
  const x = frame.local("v128")
  const columns = Array.from({ length: vectors }, () => frame.local("v128"))
  const products = context.numerics === "fused" ? [] : Array.from({ length: vectors }, () => frame.local("v128"))
  const [aBase, bBase] = [packedA === undefined ? context.address(a) : 0, packed === undefined ? context.address(b) : 0]
  const step = (u: number): Code<"void">[] => {
    const column = (v: number): Vector => v128.load(bAt.get, bBase + 4 * (u * bk + v * LANES), 4)
    const few = sums.length === 1 // B is used once: no need to keep it
    const loads = few ? [] : columns.map((c, v) => c.set(column(v)))
    return [
      ...loads,
      ...sums.flatMap((row, r) => [
        x.set(v128.load32Splat((aRows[r] ?? aAt).get, aBase + aOffset(r, u))),
        ...multiplyAdd(context.numerics, row, x.get, products, (v) => (few ? column(v) : columns[v]!.get)),
      ]),
    ]
  }
  const startA = (at: Code<"i32">): Code<"void">[] =>
    aRows.map((row, r) => row.set(r === 0 ? at : i32.add(aAt.get, i32.const(4 * r * am))))
  const advance = (steps: number): Code<"void">[] => [
    ...aRows.map((row) => row.set(i32.add(row.get, i32.const(4 * steps * ak)))),
    bAt.set(i32.add(bAt.get, i32.const(4 * steps * bk))),
  ]
  /** One level of the sum, from where the pointers stand. */
  const walk = (d: number): Code<"void">[] => {
    const p = frame.local("i32")
    const n = inner[d]!
    const whole = d > level || chunk === undefined
    const [first, end] = d > level ? [i32.const(0), context.extent(n)] : [from, to]
    if (d < last) {
      // Back to where this place began, and on to the next, unless the level below ends there.
      const [aStart, bStart] = [frame.local("i32"), frame.local("i32")]
      const below = inner[d + 1]!
      const aRuns = packedA !== undefined || (below > 0 && aInner[d] === below * aInner[d + 1]!)
      const bRuns = packed !== undefined || (below > 0 && bInner[d] === below * bInner[d + 1]!)
      const body = [
        ...(aRuns ? [] : [aStart.set(aAt.get)]),
        ...(bRuns ? [] : [bStart.set(bAt.get)]),
        ...walk(d + 1),
        ...(aRuns ? [] : startA(i32.add(aStart.get, i32.const(4 * aInner[d]!)))),
        ...(bRuns ? [] : [bAt.set(i32.add(bStart.get, i32.const(4 * bInner[d]!)))]),
      ]
      return [p.set(first), countUp(p, 1, end, body)]
    }
    const short = whole && n > 0 && (n <= unroll || (unroll > 1 && n <= 2 * unroll))
    const steps = short ? n : Math.min(unroll, context.largest(n))
    const body = [...Array.from({ length: steps }, (_, u) => step(u)).flat(), ...advance(steps)]
    if (short) return body
    const exact = n > 0 && (whole ? n : n % chunk) % steps === 0 && (whole || chunk % steps === 0)
    return [
      p.set(first),
      countUp(p, steps, end, body),
      ...(exact || steps === 1 ? [] : [countUp(p, 1, end, [...step(0), ...advance(1)])]),
    ]
  }
  const places = [...outer, ...before]
  const starts = (strides: readonly number[]): Code<"i32">[] =>
    places.flatMap((index, d) => (strides[d] === 0 ? [] : [times(index.get, 4 * strides[d]!)]))
  const aParts =
    packedA === undefined
      ? [
          ...starts([...a.strides.slice(0, count), ...aInner]),
          times(i.get, 4 * am),
          times(from, 4 * aInner[level]!),
          ...[context.moved(a) ?? []].flat(),
        ]
      : [packedA.tile.get]
  const bParts =
    packed === undefined
      ? [
          ...starts([...b.strides.slice(0, count), ...bInner]),
          times(from, 4 * bInner[level]!),
          times(j.get, 4),
          ...[context.moved(b) ?? []].flat(),
        ]
      : [packed.at, ...(packed.length === 0 ? [] : [times(j.get, 4 * packed.length)])]
  const total = (parts: readonly Code<"i32">[]): Code<"i32"> => parts.reduce((x, y) => i32.add(x, y))
  return [...startA(total(aParts)), bAt.set(total(bParts)), ...walk(level)]
}

/**
 * Adds a row's products to its sums. All products come first, and engines keep that order: a processor begins more instructions at
 * once than where every sum follows its product (118 and 105 GF/s of the same instructions in assembler, Zen 4).
 */
function multiplyAdd(
  numerics: Numerics,
  sums: readonly Local<"v128">[],
  a: Vector,
  products: readonly Local<"v128">[],
  b: (v: number) => Vector,
): Code<"void">[] {
  if (numerics === "fused") return sums.map((sum, v) => sum.set(f32x4.relaxedMadd(a, b(v), sum.get)))
  return [
    ...products.map((product, v) => product.set(f32x4.mul(a, b(v)))),
    ...sums.map((sum, v) => sum.set(f32x4.add(sum.get, products[v]!.get))),
  ]
}

/** Finishes the elements of a tile: for each row all loads, then the body, then the stores in order. */
function emitBody(tiling: Tiling, sums: readonly (readonly Local<"v128">[])[], lastLanes: number): Code<"void">[] {
  const { kernel, context, i, j, outer } = tiling
  const out: Code<"void">[] = []
  const block: Block = { out, frame: context.frame }
  const pointers = new Map<string, Code<"i32">>()
  const forward = new Map<Operand, Code<"i32">>()
  const pointer = (o: Operand, row: number): Pointer => {
    const [sm, sn] = [o.strides.at(-2)!, o.strides.at(-1)!]
    const start = context.address(o) + 4 * row * sm
    const known = forward.get(o)
    if (known !== undefined) return { address: known, offset: start, stride: sn }
    // What WebAssembly adds to an address must not be needed to bring it above 0.
    const forwards = o.strides.every((s) => s >= 0)
    const key = `${o.strides.join(" ")} ${o.advance ?? 0} ${forwards ? "" : start}`
    let address = pointers.get(key)
    if (address === undefined) {
      const indices = [...outer, i, j]
      const parts = o.strides.flatMap((s, d) => (s === 0 ? [] : [times(indices[d]!.get, 4 * s)]))
      parts.push(...[context.moved(o) ?? []].flat())
      if (!forwards) parts.push(i32.const(start))
      address =
        parts.length === 0
          ? i32.const(0)
          : keep(
              block,
              parts.reduce((x, y) => plus(x, y)),
            )
      pointers.set(key, address)
    }
    if (forwards) forward.set(o, address)
    return { address, offset: forwards ? start : 0, stride: sn }
  }
  // What is the same for all rows, or for all columns, is computed once.
  const byRow: boolean[] = []
  const byColumn: boolean[] = []
  kernel.body.forEach((instruction, id) => {
    const strides = instruction.op === "load" ? kernel.operands[instruction.operand]!.strides : undefined
    const differs = (seen: readonly boolean[], axis: number): boolean =>
      instruction.op === "product" ||
      (strides !== undefined && strides.at(axis) !== 0) ||
      argsOf(instruction).some((a) => seen[a])
    byRow[id] = differs(byRow, -2)
    byColumn[id] = differs(byColumn, -1)
  })
  const memo = new Map<number, Computed>()
  const count = sums[0]!.length
  const compute = (id: number, r: number, v: number): Computed => {
    const key = (id * sums.length + (byRow[id] ? r : 0)) * count + (byColumn[id] ? v : 0)
    const found = memo.get(key)
    if (found !== undefined) return found
    const instruction = kernel.body[id]!
    const lanes = v === count - 1 ? lastLanes : LANES
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
