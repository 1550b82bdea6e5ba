// The gradient of a scan: another scan, whose turns run the other way. What its body needs of the turns of the first is kept by it
// (`every`), not computed again; what sums over turns, such as the slopes of weights, is one product after the loop.

import { sum } from "../graph/compose.ts"
import { exchanged } from "../graph/convolve.ts"
import { isOp, type Node, type Op, topological } from "../graph/node.ts"
import { constant, product } from "../graph/ops.ts"
import { closeTurns, everyOf, finalOf, hole, isView, timeAxis } from "../graph/scan.ts"
import { accumulate, applyRule } from "./rules.ts"

/** ∂C/∂y for a result y of a scan. */
export interface ResultSlope {
  readonly result: Node<"final"> | Node<"every">
  readonly g: Node
}

/**
 * ∂C/∂x for each input of a scan, null where none flows.
 * @param leads whether a slope is wanted of an input
 */
export function scanSlopes(
  y: Node<"scan">,
  given: readonly ResultSlope[],
  leads: (input: Node) => boolean,
): readonly (Node | null)[] {
  const { turns, reverse, carried, items, outer, next } = y.attributes
  const holes = [...carried, ...items, ...outer]
  const finals = given.flatMap(({ result, g }) =>
    isOp(result, "final") ? [[result.attributes.carried, g] as const] : [],
  )
  const everies = given.flatMap(({ result, g }) =>
    isOp(result, "every") ? [[result.attributes.value, g] as const] : [],
  )
  const order = topological([...holes, ...next, ...everies.map(([value]) => value)])
  const led = leadingNodes(
    order,
    holes.filter((_, i) => leads(y.inputs[i]!)),
    carried,
    next,
  )

  // One turn back: the slopes of what it carried on and of its wanted values become those of what it was given.
  const live = [...carried.keys()].filter((i) => led.has(carried[i]!))
  const behind = live.map((i) => hole(carried[i]!.shape))
  const items2 = everies.map(([{ shape }]) => hole(shape))
  const sequences2 = everies.map(([, g]) => g)
  const slopes = new Map<Node, Node>()
  const reach = (x: Node, g: Node): void => {
    slopes.set(x, accumulate(slopes.get(x), g))
  }
  for (const [k, i] of live.entries()) reach(next[i]!, behind[k]!)
  for (const [k, [value]] of everies.entries()) reach(value, items2[k]!)
  const fixed = new Set(outer)
  const sums: { readonly hole: Node; readonly user: Node; readonly g: Node; readonly part: Node }[] = []
  for (const inside of order.toReversed()) {
    const g = slopes.get(inside)
    if (g === undefined || !led.has(inside) || inside.inputs.length === 0) continue
    const parts = applyRule(inside, g)
    inside.inputs.forEach((x, i) => {
      const part = parts[i]
      if (part == null || !led.has(x)) return
      if (fixed.has(x)) sums.push({ hole: x, user: inside, g, part })
      else reach(x, part)
    })
  }
  // A value from outside that is carried on as it is.
  for (const x of outer)
    if (slopes.has(x) && led.has(x)) sums.push({ hole: x, user: x, g: slopes.get(x)!, part: slopes.get(x)! })

  const toItems = items.map((x) => (led.has(x) ? slopes.get(x) : undefined))
  const factors = sums.map((s) => (isRowProduct(s.user, s.hole) ? s.g : s.part))
  const wanted = [...toItems.flatMap((x) => x ?? []), ...factors]
  const next2 = live.map((i) => slopes.get(carried[i]!) ?? constant(0, carried[i]!.shape))

  const kept = keptValues(
    y,
    everies.map(([value]) => value),
    [...next2, ...wanted],
    order,
  )
  const roots = rebuild([...next2, ...wanted], kept.replaced)
  const back = closeTurns(
    { turns, reverse: !reverse, carried: behind, items: [...items2, ...kept.items], next: roots.slice(0, live.length) },
    [
      ...live.map((i) => finals.reduce<Node | undefined>((all, [k, g]) => (k === i ? accumulate(all, g) : all), undefined) ?? constant(0, carried[i]!.shape)), // biome-ignore format: one expression
      ...sequences2,
      ...kept.sequences,
    ],
    roots.slice(live.length),
  )
  const all = back.inside.map((x) => everyOf(back.scan, x))
  const ofItems = toItems.map((x) => (x === undefined ? null : all.shift()!))
  const ofOuter = new Map<Node, Node>()
  sums.forEach(({ hole: x, user }, i) => {
    const total = isRowProduct(user, x)
      ? productOverTurns(y, user, all[i]!)
      : sum(all[i]!, [timeAxis(factors[i]!.shape)])
    ofOuter.set(x, accumulate(ofOuter.get(x), total))
  })
  return [
    ...carried.map((_, i) => (live.includes(i) ? finalOf(back.scan, live.indexOf(i)) : null)),
    ...ofItems,
    ...outer.map((x) => ofOuter.get(x) ?? null),
  ]
}

/** The values of the body through which a wanted hole is reached, over the turns too. */
function leadingNodes(
  order: readonly Node[],
  wanted: readonly Node[],
  carried: readonly Node[],
  next: readonly Node[],
): ReadonlySet<Node> {
  const led = new Set<Node>(wanted)
  for (let size = -1; led.size !== size; ) {
    size = led.size
    for (const x of order) if (x.inputs.some((input) => led.has(input))) led.add(x)
    carried.forEach((x, i) => {
      if (led.has(next[i]!)) led.add(x)
    })
  }
  return led
}

/** True if the user multiplies rows of the batch by the value: then the slope over all turns is one product. */
function isRowProduct(user: Node, x: Node): boolean {
  if (!isOp(user, "matmul") || user.attributes.outer > 0) return false
  const [a, b] = user.inputs as [Node, Node]
  return b === x && a !== x && a.shape.length > user.attributes.inner && a.shape[0]! < 0
}

/** The slope of b of y = a·b over all turns: one product that sums over the rows of all turns. */
function productOverTurns(scan: Node<"scan">, user: Node, g: Node): Node {
  const a = everyOf(scan, user.inputs[0]!)
  const rows = a.shape.length - (user as Node<"matmul">).attributes.inner
  return product(exchanged(a, 0, rows), g, { outer: 0, inner: rows })
}

/** Operations that cost less than keeping what they give. */
const cheap: ReadonlySet<Op> = new Set([
  ...(["neg", "abs", "floor", "round", "relu", "add", "sub", "mul", "max", "min"] as const),
  ...(["less", "lessEqual", "equal", "where"] as const),
])

/** What stands for the values of the first scan's body in the body of the second. */
interface Kept {
  readonly replaced: ReadonlyMap<Node, Node>
  readonly items: readonly Node[]
  readonly sequences: readonly Node[]
}

/** For each value of the body that the roots use: how the way back has it. */
function keptValues(y: Node<"scan">, every: readonly Node[], roots: readonly Node[], order: readonly Node[]): Kept {
  const { carried, items, outer, next } = y.attributes
  const body = new Set(order)
  const used = new Set<Node>()
  const seen = new Set<Node>()
  const stack = [...roots]
  while (stack.length > 0) {
    const x = stack.pop()!
    if (seen.has(x)) continue
    seen.add(x)
    if (body.has(x)) used.add(x)
    else stack.push(...x.inputs)
  }
  const there = new Set([...carried, ...items, ...outer, ...next, ...every])
  const made = new Map<Node, boolean>()
  /** True if the value can be had without keeping more. */
  const free = (x: Node): boolean => {
    const known = made.get(x)
    if (known !== undefined) return known
    const all = (): boolean => x.inputs.every(free)
    const answer = there.has(x) || x.inputs.length === 0 || (isView(x) || cheap.has(x.op) ? all() : used.has(x))
    made.set(x, answer)
    return answer
  }
  const replaced = new Map<Node, Node>()
  const holes: Node[] = []
  const sequences: Node[] = []
  const keep = (x: Node): Node => {
    holes.push(hole(x.shape))
    sequences.push(everyOf(y, x))
    return holes[holes.length - 1]!
  }
  const replace = (x: Node): Node => {
    const known = replaced.get(x)
    if (known !== undefined) return known
    const from = outer.indexOf(x)
    let by: Node
    if (from >= 0) by = y.inputs[carried.length + items.length + from]!
    else if (there.has(x)) by = keep(x)
    else if (x.inputs.length === 0) by = x
    else if (isView(x) || (cheap.has(x.op) && free(x))) by = { ...x, inputs: x.inputs.map(replace) }
    else by = keep(x)
    replaced.set(x, by)
    return by
  }
  for (const x of order) if (used.has(x)) replace(x)
  return { replaced, items: holes, sequences }
}

/** The roots with some nodes replaced by others, and what uses these. */
function rebuild(roots: readonly Node[], replaced: ReadonlyMap<Node, Node>): Node[] {
  const made = new Map<Node, Node>(replaced)
  for (const x of topological(roots)) {
    if (made.has(x)) continue
    const inputs = x.inputs.map((input) => made.get(input)!)
    made.set(x, inputs.every((input, i) => input === x.inputs[i]) ? x : { ...x, inputs })
  }
  return roots.map((x) => made.get(x)!)
}
