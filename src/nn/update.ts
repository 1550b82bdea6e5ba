// One step of an optimizer over all parameters: limits of gradients, weight decay, accumulation and running means around its
// rule. Knows optimizers by their contract.

import { configError, nearest } from "../core/errors.ts"
import type { Shape } from "../core/shape.ts"
import { clip, square, sum } from "../graph/compose.ts"
import type { Update } from "../graph/graph.ts"
import type { Node, Variable } from "../graph/node.ts"
import { add, constant, div, equal, floor, max, mul, read, runtime, sqrt, sub, where } from "../graph/ops.ts"
import type { Slot, Slots } from "./optimizer.ts"
import type { Common, LearningRate, ParameterGroup } from "./optimizers/common.ts"
import { type Optimizer, ruleOf } from "./optimizers.ts"
import { traceSchedule } from "./schedules.ts"

/** A value of the optimizer that outlives rounds, and what it is at the beginning. */
export interface SlotSpec {
  readonly variable: Variable
  readonly initial: number
}

/** A parameter with the gradient of the cost. */
export interface Trained {
  readonly variable: Variable
  readonly value: Node
  readonly gradient: Node
  readonly layer: string
  readonly name: string
  readonly constraint?: ((value: Node) => Node) | undefined
}

/** The new values of parameters and slots, and what the slots begin with. */
export interface Traced {
  readonly updates: readonly Update[]
  readonly slots: readonly SlotSpec[]
}

/** The key of the running mean of a parameter. */
export function averageKey(key: string): string {
  return `${key}/average`
}

/**
 * What the optimizer keeps for these parameters, in the order in which it is asked for: sums of gradients, what there is once, then
 * the slots of each parameter.
 */
export function slotsOf(optimizer: Optimizer, parameters: readonly Variable[]): readonly SlotSpec[] {
  const rule = ruleOf(optimizer)
  const slots = (prefix: string, own: readonly Slot[], shape: Shape): SlotSpec[] =>
    own.map(({ name, initial, shape: other }) => ({
      variable: { key: `${prefix}/${name}`, shape: other ?? shape },
      initial,
    }))
  const zero = (name: string): Slot => ({ name, initial: 0 })
  const sums = (optimizer.gradientAccumulationSteps ?? 1) > 1 ? [zero("sum")] : []
  const averages = optimizer.useEma ? [zero("average")] : []
  return [
    ...parameters.flatMap(({ key, shape }) => slots(key, sums, shape)),
    ...slots("optimizer", rule.common?.slots ?? [], []),
    ...parameters.flatMap(({ key, shape }) => slots(key, [...rule.slots(optimizer, shape), ...averages], shape)),
  ]
}

/** Traces one step. Throws E_CONFIG for groups of layers that do not exist. */
export function traceUpdates(optimizer: Optimizer, parameters: readonly Trained[]): Traced {
  checkGroups(optimizer, parameters)
  const rule = ruleOf(optimizer)
  const slots = slotsOf(
    optimizer,
    parameters.map(({ variable }) => variable),
  )
  const byKey = new Map(slots.map(({ variable }) => [variable.key, variable]))
  const updates: Update[] = []
  const keep = (prefix: string, own: readonly { readonly name: string }[]): Slots =>
    Object.fromEntries(own.map(({ name }) => [name, read(byKey.get(`${prefix}/${name}`)!)]))
  const change = (prefix: string, values: Slots): void => {
    for (const [name, value] of Object.entries(values))
      updates.push({ variable: byKey.get(`${prefix}/${name}`)!, value })
  }
  const every = optimizer.gradientAccumulationSteps ?? 1
  const round = runtime("step")
  const step = every === 1 ? round : floor(div(round, every))
  // True in the rounds in which a step is made: after `every` of them.
  const acts = every === 1 ? undefined : equal(sub(round, mul(step, every)), every - 1)
  const whenActing = (now: Node, before: Node): Node => (acts === undefined ? now : where(acts, now, before))
  const t = add(step, 1)
  const gradients = limited(
    optimizer,
    parameters.map(({ gradient, variable }) => {
      if (acts === undefined) return gradient
      const { sum: before } = keep(variable.key, [{ name: "sum" }])
      const all = add(before!, gradient)
      change(variable.key, { sum: where(acts, 0, all) })
      return div(all, every)
    }),
  )
  const commonBefore = keep("optimizer", rule.common?.slots ?? [])
  const common = rule.common?.update(optimizer, { slots: commonBefore, t }) ?? {}
  change(
    "optimizer",
    mapSlots(common, (now, name) => whenActing(now, commonBefore[name]!)),
  )
  parameters.forEach(({ variable, value, layer, name, constraint }, i) => {
    const group = optimizer.groups.find(({ layers }) => layers.includes(layer))
    const learningRate = rateOf(optimizer, group, step)
    const decay = optimizer.excludeFromWeightDecay.includes(name) ? null : (group?.weightDecay ?? optimizer.weightDecay)
    const decayed = decay === null || decay === 0 ? value : sub(value, mul(value, mul(learningRate, decay)))
    const before = keep(variable.key, rule.slots(optimizer, variable.shape))
    const input = { parameter: decayed, gradient: gradients[i]!, slots: before, learningRate, t, common }
    const result = rule.update(optimizer, input)
    let after = result.parameter
    change(
      variable.key,
      mapSlots(result.slots, (now, slot) => whenActing(now, before[slot]!)),
    )
    if (optimizer.useEma) {
      const { average: old } = keep(variable.key, [{ name: "average" }])
      const kept = where(equal(step, 0), after, add(mul(old!, optimizer.emaMomentum), mul(after, 1 - optimizer.emaMomentum))) // biome-ignore format: one expression
      change(variable.key, { average: whenActing(kept, old!) })
      const often = optimizer.emaOverwriteFrequency
      if (often !== null) after = where(equal(sub(t, mul(floor(div(t, often)), often)), 0), kept, after)
    }
    updates.push({ variable, value: whenActing(constraint === undefined ? after : constraint(after), value) })
  })
  return { updates, slots }
}

function mapSlots(slots: Slots, change: (value: Node, name: string) => Node): Slots {
  return Object.fromEntries(Object.entries(slots).map(([name, value]) => [name, change(value, name)]))
}

/** The learning rate of a group, or of all others: by a schedule, or the run-time number, of which a group has a part. */
function rateOf(optimizer: Optimizer, group: ParameterGroup | undefined, step: Node): Node {
  const { learningRate } = optimizer
  const own = group?.learningRate ?? null
  const usual = (): Node => rateNode(learningRate, step)
  if (own === null) return usual()
  if (typeof own !== "number") return traceSchedule(own, step)
  if (typeof learningRate !== "number" || learningRate === 0) return constant(own)
  return mul(usual(), own / learningRate)
}

function rateNode(learningRate: LearningRate, step: Node): Node {
  return typeof learningRate === "number" ? runtime("learningRate") : traceSchedule(learningRate, step)
}

/** The gradients within their limits: each number, each parameter, or all together. */
function limited({ clipValue, clipNorm, globalClipNorm }: Common, gradients: readonly Node[]): readonly Node[] {
  if (clipValue !== null) return gradients.map((g) => clip(g, -clipValue, clipValue))
  const shortened = (g: Node, squares: Node, most: number): Node => mul(g, div(most, max(sqrt(squares), most)))
  if (clipNorm !== null) return gradients.map((g) => shortened(g, sum(square(g)), clipNorm))
  if (globalClipNorm === null || gradients.length === 0) return gradients
  const squares = gradients.map((g) => sum(square(g))).reduce((a, b) => add(a, b))
  return gradients.map((g) => shortened(g, squares, globalClipNorm))
}

function checkGroups({ groups }: Optimizer, parameters: readonly Trained[]): void {
  const known = [...new Set(parameters.map(({ layer }) => layer))]
  for (const [i, { layers }] of groups.entries()) {
    const stranger = layers.find((layer) => !known.includes(layer))
    if (stranger === undefined) continue
    const near = nearest(stranger, known)
    throw configError({
      where: `optimizer.groups[${i}]`,
      what: `no layer with parameters to train has the name ${JSON.stringify(stranger)}.`,
      expected: `names of ${known.join(", ")}`,
      ...(near === undefined ? {} : { hint: `Did you mean ${JSON.stringify(near)}?` }),
    })
  }
}
