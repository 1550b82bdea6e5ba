// Learning rates as functions of the step, computed inside the program: plain data, and the traced function. Knows no optimizer.

import { float32 } from "../core/arithmetic.ts"
import { configError, internalError } from "../core/errors.ts"
import { log64 } from "../core/math64.ts"
import { type Scalar, scalarsOver } from "../core/scalar.ts"
import { clip, pow } from "../graph/compose.ts"
import { isOp, type Node, topological } from "../graph/node.ts"
import { add, cos, div, exp, floor, lessEqual, max, min, mul, neg, runtime, sub, where } from "../graph/ops.ts"
import {
  finiteNumber,
  flag,
  type Kind,
  maybeNull,
  type OptionsOf,
  optional,
  positiveInteger,
  required,
  that,
  wholeNumber,
} from "./options.ts"
import { readSpec } from "./spec.ts"

interface Decay {
  readonly initialLearningRate: number
  readonly decaySteps: number
  readonly decayRate: number
  readonly staircase: boolean
}

interface ScheduleOptions {
  readonly exponentialDecay: Decay
  readonly inverseTimeDecay: Decay
  readonly piecewiseConstantDecay: { readonly boundaries: readonly number[]; readonly values: readonly number[] }
  readonly polynomialDecay: {
    readonly initialLearningRate: number
    readonly decaySteps: number
    readonly endLearningRate: number
    readonly power: number
    readonly cycle: boolean
  }
  readonly cosineDecay: {
    readonly initialLearningRate: number
    readonly decaySteps: number
    readonly alpha: number
    readonly warmupTarget: number | null
    readonly warmupSteps: number
  }
  readonly cosineDecayRestarts: {
    readonly initialLearningRate: number
    readonly firstDecaySteps: number
    readonly tMul: number
    readonly mMul: number
    readonly alpha: number
  }
  readonly oneCycle: {
    readonly maxLearningRate: number
    readonly totalSteps: number
    readonly pctStart: number
    readonly divFactor: number
    readonly finalDivFactor: number
  }
  readonly stepDecay: { readonly initialLearningRate: number; readonly stepSize: number; readonly gamma: number }
}

/** The name of a schedule. */
export type ScheduleName = keyof ScheduleOptions

/** A schedule as plain data, complete. */
export type Schedule = { [T in ScheduleName]: { readonly type: T } & ScheduleOptions[T] }[ScheduleName]

/** The options with which a schedule is made: those that have a default may be left out. */
export type OptionsOfSchedule<T extends ScheduleName> = Partial<ScheduleOptions[T]> &
  Pick<ScheduleOptions[T], Needed<T>>

type Needed<T extends ScheduleName> = Extract<
  keyof ScheduleOptions[T],
  | "initialLearningRate"
  | "maxLearningRate"
  | "decaySteps"
  | "firstDecaySteps"
  | "totalSteps"
  | "stepSize"
  | "decayRate"
  | "boundaries"
  | "values"
>

interface Row<C> {
  readonly options: OptionsOf<C>
  readonly rate: (step: Node, config: C) => Node
}

const rate = finiteNumber({ least: 0 })
const positive = finiteNumber({ above: 0 })
const steps = required(positiveInteger())
const decayOptions = {
  initialLearningRate: required(rate),
  decaySteps: steps,
  decayRate: required(positive),
  staircase: optional(flag(), false),
}

const numbers = (least: number): Kind<readonly number[]> =>
  that(
    "a list of numbers",
    (value): value is readonly number[] => Array.isArray(value) && value.every((n) => Number.isFinite(n) && n >= least),
  )

/** base^p as e^(p·ln base), ln in float64. */
const powerOf = (base: number, p: Node): Node => exp(mul(p, log64(base)))

/** How far the step is: steps / decaySteps, in whole numbers if wanted. */
function progress(step: Node, decaySteps: number, staircase: boolean): Node {
  const p = div(step, decaySteps)
  return staircase ? floor(p) : p
}

/** ½ (1 + cos πp): from 1 to 0 as p goes from 0 to 1. */
const descent = (p: Node): Node => mul(add(cos(mul(p, Math.PI)), 1), 0.5)

/** The most steps that float32 counts exactly: restarts beyond are not told apart. */
const COUNTED = 16777216

/** The table of schedules. */
export const schedules: { readonly [T in ScheduleName]: Row<ScheduleOptions[T]> } = {
  exponentialDecay: {
    options: decayOptions,
    rate: (step, { initialLearningRate, decaySteps, decayRate, staircase }) =>
      mul(powerOf(decayRate, progress(step, decaySteps, staircase)), initialLearningRate),
  },
  inverseTimeDecay: {
    options: decayOptions,
    rate: (step, { initialLearningRate, decaySteps, decayRate, staircase }) =>
      div(initialLearningRate, add(mul(progress(step, decaySteps, staircase), decayRate), 1)),
  },
  piecewiseConstantDecay: {
    options: { boundaries: required(numbers(0)), values: required(numbers(0)) },
    rate: (step, { boundaries, values }) =>
      boundaries.reduceRight<Node>(
        (later, boundary, i) => where(lessEqual(step, boundary), values[i]!, later),
        add(mul(step, 0), values.at(-1)!),
      ),
  },
  polynomialDecay: {
    options: {
      initialLearningRate: required(rate),
      decaySteps: steps,
      endLearningRate: optional(rate, 0.0001),
      power: optional(positive, 1),
      cycle: optional(flag(), false),
    },
    rate: (step, { initialLearningRate, decaySteps, endLearningRate, power, cycle }) => {
      // The whole periods that have begun: at least one.
      const periods = neg(floor(neg(div(step, decaySteps))))
      const length = cycle ? mul(max(periods, 1), decaySteps) : decaySteps
      const left = sub(1, div(cycle ? step : min(step, decaySteps), length))
      return add(mul(pow(left, power), initialLearningRate - endLearningRate), endLearningRate)
    },
  },
  cosineDecay: {
    options: {
      initialLearningRate: required(rate),
      decaySteps: steps,
      alpha: optional(rate, 0),
      warmupTarget: optional(maybeNull(rate), null),
      warmupSteps: optional(wholeNumber(), 0),
    },
    rate: (step, { initialLearningRate, decaySteps, alpha, warmupTarget, warmupSteps }) => {
      const top = warmupTarget ?? initialLearningRate
      const wait = warmupTarget === null ? 0 : warmupSteps
      const left = descent(clip(div(sub(step, wait), decaySteps), 0, 1))
      const falling = mul(add(mul(left, 1 - alpha), alpha), top)
      if (wait === 0) return falling
      const rising = add(mul(div(step, wait), top - initialLearningRate), initialLearningRate)
      return where(lessEqual(wait, step), falling, rising)
    },
  },
  cosineDecayRestarts: {
    options: {
      initialLearningRate: required(rate),
      firstDecaySteps: steps,
      tMul: optional(finiteNumber({ least: 1 }), 2),
      mMul: optional(positive, 1),
      alpha: optional(rate, 0),
    },
    rate: (step, { initialLearningRate, firstDecaySteps, tMul, mMul, alpha }) => {
      const height = (i: Node): Node => powerOf(mMul, i)
      if (tMul === 1) {
        const p = div(step, firstDecaySteps)
        const i = floor(p)
        return mul(add(mul(mul(descent(sub(p, i)), height(i)), 1 - alpha), alpha), initialLearningRate)
      }
      // The periods from which on each restart holds, in float64: no logarithm decides on which side of one a step lies.
      let [begin, length, factor] = [0, firstDecaySteps, 1]
      let value = cosine(step, begin, length, factor, alpha)
      while ((begin += length) < COUNTED) {
        length *= tMul
        factor *= mMul
        value = where(lessEqual(begin, step), cosine(step, begin, length, factor, alpha), value)
      }
      return mul(value, initialLearningRate)
    },
  },
  oneCycle: {
    options: {
      maxLearningRate: required(positive),
      totalSteps: steps,
      pctStart: optional(finiteNumber({ least: 0, most: 1 }), 0.3),
      divFactor: optional(positive, 25),
      finalDivFactor: optional(positive, 10000),
    },
    rate: (step, { maxLearningRate, totalSteps, pctStart, divFactor, finalDivFactor }) => {
      const first = maxLearningRate / divFactor
      const last = first / finalDivFactor
      const peak = Math.max(0, pctStart * totalSteps - 1)
      const between = (from: number, to: number, p: Node): Node => add(mul(descent(p), from - to), to)
      const down = between(maxLearningRate, last, clip(div(sub(step, peak), Math.max(1, totalSteps - 1 - peak)), 0, 1))
      return peak === 0 ? down : where(lessEqual(step, peak), between(first, maxLearningRate, div(step, peak)), down)
    },
  },
  stepDecay: {
    options: { initialLearningRate: required(rate), stepSize: steps, gamma: optional(positive, 0.1) },
    rate: (step, { initialLearningRate, stepSize, gamma }) =>
      mul(powerOf(gamma, floor(div(step, stepSize))), initialLearningRate),
  },
}

/** One period of a cosine with its height. */
function cosine(step: Node, begin: number, length: number, factor: number, alpha: number): Node {
  return add(mul(descent(div(sub(step, begin), length)), factor * (1 - alpha)), alpha)
}

/** The schedule that an object stands for, complete. Throws E_CONFIG for unknown names, options and values. */
export function readSchedule(value: unknown, at = "learningRate"): Schedule {
  const read = readSpec<Schedule>(at, "schedule", schedules, value)
  if (read.type === "piecewiseConstantDecay") checkPieces(at, read)
  return read
}

function checkPieces(at: string, { boundaries, values }: ScheduleOptions["piecewiseConstantDecay"]): void {
  const rising = boundaries.every((b, i) => i === 0 || boundaries[i - 1]! < b)
  if (rising && values.length === boundaries.length + 1) return
  throw configError({
    where: `${at}.${rising ? "values" : "boundaries"}`,
    what: rising ? "there must be one value more than boundaries." : "the boundaries do not rise.",
    expected: rising ? `${boundaries.length + 1} values` : "numbers, each larger than the one before",
    got: rising ? `${values.length}` : boundaries.join(", "),
  })
}

/** The learning rate at a step, traced; shape []. */
export function traceSchedule(schedule: Schedule, step: Node): Node {
  const { rate }: { rate: (step: Node, config: never) => Node } = schedules[schedule.type]
  return rate(step, schedule as never)
}

const scalars = scalarsOver(float32)

/**
 * The learning rate of a schedule at a step, with the bits that the program computes.
 * @example
 * ```ts
 * import { exponentialDecay, learningRateAt } from "trilobite"
 * const schedule = exponentialDecay({ initialLearningRate: 0.5, decaySteps: 10, decayRate: 0.5 })
 * learningRateAt(schedule, 20) // => 0.125
 * ```
 */
export function learningRateAt(schedule: Schedule, step: number): number {
  const rate = traceSchedule(readSchedule(schedule), runtime("step"))
  const values = new Map<Node, number>()
  for (const node of topological([rate])) {
    const [a, b, c] = node.inputs.map((x) => values.get(x)!) as [number, number, number]
    if (isOp(node, "runtime")) values.set(node, Math.fround(step))
    else if (isOp(node, "constant")) values.set(node, node.attributes.value)
    else if (node.op === "where") values.set(node, scalars.where(a !== 0, b, c))
    else if (node.op in scalars.tests) values.set(node, scalars.tests[node.op as "less"](a, b) ? 1 : 0)
    else if (node.op in scalars.values)
      values.set(node, scalars.values[node.op as Exclude<Scalar, "where" | "less" | "lessEqual" | "equal">](a, b)) // biome-ignore format: one expression
    else throw internalError(`A schedule cannot contain ${node.op}.`)
  }
  return values.get(rate)!
}
