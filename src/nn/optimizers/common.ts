// The options that every optimizer has. Knows no optimizer.

import { configError } from "../../core/errors.ts"
import {
  finiteNumber,
  flag,
  type Kind,
  maybeNull,
  type OptionsOf,
  optional,
  positiveInteger,
  readOptions,
  required,
  that,
} from "../options.ts"
import { readSchedule, type Schedule } from "../schedules.ts"

/** A learning rate: a number, which may be changed while training, or a schedule. */
export type LearningRate = number | Schedule

/** Layers that learn in a way of their own. */
export interface ParameterGroup {
  /** Their names; a layer of a model inside the model goes by the name of that model. */
  readonly layers: readonly string[]
  /** Their learning rate (default that of the others). A number keeps its ratio to that of the others when that changes. */
  readonly learningRate?: LearningRate | null
  /** Their weight decay (default that of the others). */
  readonly weightDecay?: number | null
}

/** The options of every optimizer, with Keras's names and defaults; `excludeFromWeightDecay` and `groups` are ours. */
export interface CommonOptions {
  /** What share of a weight is taken from it in every step, times the learning rate (default none). */
  readonly weightDecay?: number | null
  /** The names of parameters without weight decay, such as `bias` (default none). */
  readonly excludeFromWeightDecay?: readonly string[]
  /** The most that the Euclidean norm of the gradient of one parameter may be (default no limit). */
  readonly clipNorm?: number | null
  /** The most that each number of a gradient may be, up and down (default no limit). */
  readonly clipValue?: number | null
  /** The most that the norm of all gradients together may be (default no limit). */
  readonly globalClipNorm?: number | null
  /** Whether running means of the weights are kept, which take their place in the end (default false). */
  readonly useEma?: boolean
  /** How much of the running mean is kept in every step (default 0.99). */
  readonly emaMomentum?: number
  /** After how many steps the running means take the place of the weights (default: at the end of the training). */
  readonly emaOverwriteFrequency?: number | null
  /** How many rounds make one step, with the mean of their gradients (default one). */
  readonly gradientAccumulationSteps?: number | null
  /** Layers with a learning rate or a weight decay of their own (default none). */
  readonly groups?: readonly ParameterGroup[]
}

/** The common options, complete. */
export type Common = Required<CommonOptions>

/** The learning rate as an option. */
export const learningRateKind: Kind<LearningRate> = {
  expected: "a finite number of at least 0, or a schedule",
  read: (value, where) => {
    if (typeof value === "number") return Number.isFinite(value) && value >= 0 ? value : undefined
    return typeof value === "object" && value !== null ? readSchedule(value, where) : undefined
  },
}

const positive = maybeNull(finiteNumber({ above: 0 }))
const names = (what: string): Kind<readonly string[]> =>
  that(
    what,
    (value): value is readonly string[] =>
      Array.isArray(value) && value.every((name) => typeof name === "string" && name !== ""),
  )

const groupOptions: OptionsOf<Required<ParameterGroup>> = {
  layers: required(names("a list of the names of layers")),
  learningRate: optional(maybeNull(learningRateKind), null),
  weightDecay: optional(maybeNull(finiteNumber({ least: 0 })), null),
}

const groupsKind: Kind<readonly ParameterGroup[]> = {
  expected: "a list of { layers, learningRate, weightDecay }",
  read: (value, where) =>
    Array.isArray(value)
      ? value.map((group, i) => readOptions<Required<ParameterGroup>>(`${where}[${i}]`, groupOptions, group))
      : undefined,
}

/** The table of these options; `weightDecay` is what it is by default. */
export function commonOptions(weightDecay: number | null = null): OptionsOf<Common> {
  return {
    weightDecay: optional(maybeNull(finiteNumber({ least: 0 })), weightDecay),
    excludeFromWeightDecay: optional(names("a list of the names of parameters"), []),
    clipNorm: optional(positive, null),
    clipValue: optional(positive, null),
    globalClipNorm: optional(positive, null),
    useEma: optional(flag(), false),
    emaMomentum: optional(finiteNumber({ least: 0, most: 1 }), 0.99),
    emaOverwriteFrequency: optional(maybeNull(positiveInteger()), null),
    gradientAccumulationSteps: optional(maybeNull(positiveInteger()), null),
    groups: optional(groupsKind, []),
  }
}

/** Throws E_CONFIG for options that do not go together. */
export function checkCommon(where: string, { clipNorm, clipValue, globalClipNorm, groups, ...ema }: Common): void {
  if ([clipNorm, clipValue, globalClipNorm].filter((limit) => limit !== null).length > 1) {
    const hint = "Leave two of clipNorm, clipValue and globalClipNorm out."
    throw configError({ where, what: "gradients are limited in one way at most.", hint })
  }
  if (ema.emaOverwriteFrequency !== null && !ema.useEma) {
    throw configError({ where, what: "emaOverwriteFrequency does nothing without useEma.", hint: "Set useEma: true." })
  }
  const all = groups.flatMap((group) => group.layers)
  const twice = all.find((name, i) => all.indexOf(name) < i)
  if (twice === undefined) return
  throw configError({ where: `${where}.groups`, what: `the layer ${JSON.stringify(twice)} is in two groups.` })
}
