// The functions that make optimizers. Knows their table.

import { type Optimizer, type OptimizerName, type OptimizerOptions, readOptimizer } from "./optimizers.ts"

const make = <T extends OptimizerName>(type: T, options: object): Extract<Optimizer, { type: T }> =>
  readOptimizer({ ...options, type }, type) as Extract<Optimizer, { type: T }>

/**
 * Stochastic gradient descent: w ← w − learningRate · ∂C/∂w, with momentum if asked for. Throws E_CONFIG for a wrong option.
 * Keras: SGD.
 * @example
 * ```ts
 * import { sgd } from "trilobite"
 * sgd({ learningRate: 0.1 }).momentum // => 0
 * ```
 */
export const sgd = (options: OptimizerOptions<"sgd"> = {}): Extract<Optimizer, { type: "sgd" }> => make("sgd", options)

/**
 * Steps divided by the root of a running mean of squared gradients (Hinton 2012). Throws E_CONFIG for a wrong option.
 * Keras: RMSprop.
 * @example
 * ```ts
 * import { rmsprop } from "trilobite"
 * rmsprop().rho // => 0.9
 * ```
 */
export const rmsprop = (options: OptimizerOptions<"rmsprop"> = {}): Extract<Optimizer, { type: "rmsprop" }> =>
  make("rmsprop", options)

/**
 * Adam: running means of gradients and of their squares, corrected for their beginning (Kingma and Ba 2015). Throws E_CONFIG for a wrong option.
 * Keras: Adam.
 * @example
 * ```ts
 * import { adam } from "trilobite"
 * adam({ amsgrad: true }).beta2 // => 0.999
 * ```
 */
export const adam = (options: OptimizerOptions<"adam"> = {}): Extract<Optimizer, { type: "adam" }> =>
  make("adam", options)

/**
 * Adam with weight decay apart from the gradient (Loshchilov and Hutter 2019). Throws E_CONFIG for a wrong option.
 * Keras: AdamW.
 * @example
 * ```ts
 * import { adamW } from "trilobite"
 * adamW().weightDecay // => 0.004
 * ```
 */
export const adamW = (options: OptimizerOptions<"adamW"> = {}): Extract<Optimizer, { type: "adamW" }> =>
  make("adamW", options)

/**
 * Adam with Nesterov's momentum (Dozat 2016). Throws E_CONFIG for a wrong option.
 * Keras: Nadam.
 * @example
 * ```ts
 * import { nadam } from "trilobite"
 * nadam().learningRate // => 0.001
 * ```
 */
export const nadam = (options: OptimizerOptions<"nadam"> = {}): Extract<Optimizer, { type: "nadam" }> =>
  make("nadam", options)

/**
 * Adam by the largest gradient instead of the root of squares (Kingma and Ba 2015). Throws E_CONFIG for a wrong option.
 * Keras: Adamax.
 * @example
 * ```ts
 * import { adamax } from "trilobite"
 * adamax().beta1 // => 0.9
 * ```
 */
export const adamax = (options: OptimizerOptions<"adamax"> = {}): Extract<Optimizer, { type: "adamax" }> =>
  make("adamax", options)

/**
 * Steps divided by the root of the sum of squared gradients (Duchi et al. 2011). Throws E_CONFIG for a wrong option.
 * Keras: Adagrad.
 * @example
 * ```ts
 * import { adagrad } from "trilobite"
 * adagrad().initialAccumulatorValue // => 0.1
 * ```
 */
export const adagrad = (options: OptimizerOptions<"adagrad"> = {}): Extract<Optimizer, { type: "adagrad" }> =>
  make("adagrad", options)

/**
 * Steps by the ratio of past steps to past gradients (Zeiler 2012). Throws E_CONFIG for a wrong option.
 * Keras: Adadelta.
 * @example
 * ```ts
 * import { adadelta } from "trilobite"
 * adadelta().rho // => 0.95
 * ```
 */
export const adadelta = (options: OptimizerOptions<"adadelta"> = {}): Extract<Optimizer, { type: "adadelta" }> =>
  make("adadelta", options)

/**
 * Steps of one size by the sign of the momentum (Chen et al. 2023). Throws E_CONFIG for a wrong option.
 * Keras: Lion.
 * @example
 * ```ts
 * import { lion } from "trilobite"
 * lion().beta2 // => 0.99
 * ```
 */
export const lion = (options: OptimizerOptions<"lion"> = {}): Extract<Optimizer, { type: "lion" }> =>
  make("lion", options)

/**
 * Follow the regularized leader (McMahan et al. 2013). Throws E_CONFIG for a wrong option.
 * Keras: Ftrl.
 * @example
 * ```ts
 * import { ftrl } from "trilobite"
 * ftrl().learningRatePower // => -0.5
 * ```
 */
export const ftrl = (options: OptimizerOptions<"ftrl"> = {}): Extract<Optimizer, { type: "ftrl" }> =>
  make("ftrl", options)

/**
 * Adam with steps as long as the weights, for large batches (You et al. 2020). Throws E_CONFIG for a wrong option.
 * Keras: Lamb.
 * @example
 * ```ts
 * import { lamb } from "trilobite"
 * lamb().epsilon // => 1e-7
 * ```
 */
export const lamb = (options: OptimizerOptions<"lamb"> = {}): Extract<Optimizer, { type: "lamb" }> =>
  make("lamb", options)

/**
 * Second moments of matrices by their rows and columns (Shazeer and Stern 2018). Throws E_CONFIG for a wrong option.
 * Keras: Adafactor.
 * @example
 * ```ts
 * import { adafactor } from "trilobite"
 * adafactor().relativeStep // => true
 * ```
 */
export const adafactor = (options: OptimizerOptions<"adafactor"> = {}): Extract<Optimizer, { type: "adafactor" }> =>
  make("adafactor", options)
