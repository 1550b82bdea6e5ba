// The functions that make schedules of the learning rate. Knows their table.

import { type ScheduleName as Name, type OptionsOfSchedule, readSchedule, type Schedule } from "./schedules.ts"

const make = <T extends Name>(type: T, options: object): Extract<Schedule, { type: T }> =>
  readSchedule({ ...options, type }, type) as Extract<Schedule, { type: T }>

/**
 * initialLearningRate · decayRate^(step / decaySteps), in whole powers with staircase. Throws E_CONFIG for a wrong option. Keras: ExponentialDecay.
 * @example
 * ```ts
 * import { exponentialDecay } from "trilobite"
 * exponentialDecay({ initialLearningRate: 0.1, decaySteps: 100, decayRate: 0.5 }).staircase // => false
 * ```
 */
export const exponentialDecay = (
  options: OptionsOfSchedule<"exponentialDecay">,
): Extract<Schedule, { type: "exponentialDecay" }> => make("exponentialDecay", options)

/**
 * initialLearningRate / (1 + decayRate · step / decaySteps). Throws E_CONFIG for a wrong option. Keras: InverseTimeDecay.
 * @example
 * ```ts
 * import { inverseTimeDecay } from "trilobite"
 * inverseTimeDecay({ initialLearningRate: 0.1, decaySteps: 100, decayRate: 1 }).type // => "inverseTimeDecay"
 * ```
 */
export const inverseTimeDecay = (
  options: OptionsOfSchedule<"inverseTimeDecay">,
): Extract<Schedule, { type: "inverseTimeDecay" }> => make("inverseTimeDecay", options)

/**
 * values[i] up to boundaries[i], then the next. Throws E_CONFIG for a wrong option. Keras: PiecewiseConstantDecay.
 * @example
 * ```ts
 * import { piecewiseConstantDecay } from "trilobite"
 * piecewiseConstantDecay({ boundaries: [100], values: [0.1, 0.01] }).values.length // => 2
 * ```
 */
export const piecewiseConstantDecay = (
  options: OptionsOfSchedule<"piecewiseConstantDecay">,
): Extract<Schedule, { type: "piecewiseConstantDecay" }> => make("piecewiseConstantDecay", options)

/**
 * (initial − end) · (1 − step / decaySteps)^power + end, over and over with cycle. Throws E_CONFIG for a wrong option. Keras: PolynomialDecay.
 * @example
 * ```ts
 * import { polynomialDecay } from "trilobite"
 * polynomialDecay({ initialLearningRate: 0.1, decaySteps: 100 }).endLearningRate // => 0.0001
 * ```
 */
export const polynomialDecay = (
  options: OptionsOfSchedule<"polynomialDecay">,
): Extract<Schedule, { type: "polynomialDecay" }> => make("polynomialDecay", options)

/**
 * Half a cosine from initialLearningRate to alpha times it, after a linear rise to warmupTarget if there is one (Loshchilov and Hutter 2017). Throws E_CONFIG for a wrong option. Keras: CosineDecay.
 * @example
 * ```ts
 * import { cosineDecay } from "trilobite"
 * cosineDecay({ initialLearningRate: 0, warmupTarget: 0.1, warmupSteps: 10, decaySteps: 100 }).alpha // => 0
 * ```
 */
export const cosineDecay = (options: OptionsOfSchedule<"cosineDecay">): Extract<Schedule, { type: "cosineDecay" }> =>
  make("cosineDecay", options)

/**
 * Half cosines, each tMul times as long and mMul times as high as the one before (Loshchilov and Hutter 2017). Throws E_CONFIG for a wrong option. Keras: CosineDecayRestarts.
 * @example
 * ```ts
 * import { cosineDecayRestarts } from "trilobite"
 * cosineDecayRestarts({ initialLearningRate: 0.1, firstDecaySteps: 100 }).tMul // => 2
 * ```
 */
export const cosineDecayRestarts = (
  options: OptionsOfSchedule<"cosineDecayRestarts">,
): Extract<Schedule, { type: "cosineDecayRestarts" }> => make("cosineDecayRestarts", options)

/**
 * Up to maxLearningRate along a cosine in the first pctStart of the steps, then down to far below where it began (Smith and Topin 2018; names and defaults as PyTorch's OneCycleLR). Throws E_CONFIG for a wrong option.
 * @example
 * ```ts
 * import { oneCycle } from "trilobite"
 * oneCycle({ maxLearningRate: 0.1, totalSteps: 1000 }).pctStart // => 0.3
 * ```
 */
export const oneCycle = (options: OptionsOfSchedule<"oneCycle">): Extract<Schedule, { type: "oneCycle" }> =>
  make("oneCycle", options)

/**
 * initialLearningRate · gamma^⌊step / stepSize⌋ (PyTorch's StepLR). Throws E_CONFIG for a wrong option.
 * @example
 * ```ts
 * import { stepDecay } from "trilobite"
 * stepDecay({ initialLearningRate: 0.1, stepSize: 100 }).gamma // => 0.1
 * ```
 */
export const stepDecay = (options: OptionsOfSchedule<"stepDecay">): Extract<Schedule, { type: "stepDecay" }> =>
  make("stepDecay", options)
