// How fast each layer learns: the length of its kernel's way in every epoch. Knows no model.

import { checkKeys, configError, unknownName } from "../../core/errors.ts"
import { exp32 } from "../../core/math.ts"
import { finiteNumber, flag, maybe, type OptionsOf, optional, readOptions, that } from "../../nn/options.ts"
import { plotSvg, type Series } from "../plot.ts"
import type { Callback, LayerWeights } from "./callback.ts"

/** The options of the plot of a {@link LearningSpeed}. */
export interface LearningSpeedPlotOptions {
  /** Standard deviation of the Gaussian that smooths the lines, in epochs (default 3; 0: none). */
  readonly sigma?: number
  /** Whether the values themselves are drawn too, pale (default false). */
  readonly raw?: boolean
  /** The layers to draw (default all). */
  readonly layers?: readonly string[]
}

/** A callback that has measured how fast layers learn. */
export interface LearningSpeed extends Callback {
  /** The epochs that were measured, from 0. */
  readonly epochs: readonly number[]
  /** For each layer the Euclidean norm of the change of its kernel in each of the epochs. */
  readonly speeds: { readonly [layer: string]: readonly number[] }
  /** The speeds over the epochs, on a logarithmic axis, as SVG text. */
  toSvg(options?: LearningSpeedPlotOptions): string
}

interface Resolved {
  readonly sigma: number
  readonly raw: boolean
  readonly layers: readonly string[] | undefined
}

const plotOptions: OptionsOf<Resolved> = {
  sigma: optional(finiteNumber({ least: 0 }), 3),
  raw: optional(flag(), false),
  layers: maybe(
    that("a list of names of layers", (value): value is readonly string[] => {
      return Array.isArray(value) && value.length > 0 && value.every((name) => typeof name === "string")
    }),
  ),
}

/**
 * Measures how fast each layer learns: ‖kernel before the epoch − kernel after it‖, Euclidean. A layer with several kernels has a
 * line for each, named `layer/kernel`. What was measured is forgotten when another training begins.
 * @throws E_CONFIG if no layer has a kernel.
 * @example
 * ```ts
 * import { dense, learningSpeed, sequential } from "trilobite"
 * const model = sequential([dense({ units: 1, kernelInitializer: "zeros", inputShape: [1], name: "only" })])
 * model.compile({ loss: "mse", optimizer: "sgd" })
 * const speed = learningSpeed()
 * await model.fit([[1]], [[2]], { epochs: 3, verbose: 0, callbacks: [speed] })
 * Math.round(1e6 * speed.speeds.only![0]!) // => 40000
 * speed.toSvg().startsWith("<svg") // => true
 * ```
 */
export function learningSpeed(options: { readonly [none: string]: never } = {}): LearningSpeed {
  checkKeys("learningSpeed", options, [])
  const epochs: number[] = []
  let speeds: { [layer: string]: number[] } = {}
  let before = new Map<string, ArrayLike<number>>()
  return {
    epochs,
    get speeds() {
      return speeds
    },
    onTrainBegin: (_, training) => {
      epochs.length = 0
      before = kernelsOf(training.weights())
      if (before.size === 0) throw configError({ where: "learningSpeed", what: "no layer of this model has a kernel." })
      speeds = Object.fromEntries([...before.keys()].map((name) => [name, []]))
    },
    onEpochEnd: (epoch, _, training) => {
      const after = kernelsOf(training.weights())
      epochs.push(epoch)
      for (const [name, values] of after) speeds[name]!.push(distance(before.get(name)!, values))
      before = after
    },
    toSvg: (given = {}) => {
      const { sigma, raw, layers } = readOptions<Resolved>("learningSpeed.toSvg", plotOptions, given)
      for (const name of layers ?? []) {
        if (!Object.hasOwn(speeds, name)) throw unknownName("learningSpeed.toSvg", "layer", name, Object.keys(speeds))
      }
      const x = epochs.map((epoch) => epoch + 1)
      const series = (layers ?? Object.keys(speeds)).flatMap((name): Series[] => {
        const y = speeds[name]!
        return [{ name, x, y: smoothed(y, sigma) }, ...(raw && sigma > 0 ? [{ name, x, y, faint: true }] : [])]
      })
      const yLabel = "change of the kernel in an epoch"
      return plotSvg({ title: "Speed of learning", xLabel: "epoch", yLabel, logY: true, series })
    },
  }
}

/** The kernels by the names of their lines. */
function kernelsOf(weights: readonly LayerWeights[]): Map<string, ArrayLike<number>> {
  const kernels = weights.filter(({ name }) => /kernel$/i.test(name))
  return new Map(
    kernels.map(({ layer, name, tensor }) => {
      const alone = kernels.filter((other) => other.layer === layer).length === 1
      return [alone ? layer : `${layer}/${name}`, tensor.data]
    }),
  )
}

/** The Euclidean distance; the sum is float64, in order. */
function distance(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0
  for (let i = 0; i < a.length; i++) sum += (a[i]! - b[i]!) * (a[i]! - b[i]!)
  return Math.sqrt(sum)
}

/**
 * Values smoothed with a Gaussian that ends at four standard deviations; beyond the ends the values are mirrored, the last one
 * twice: SciPy's gaussian_filter1d.
 */
export function smoothed(values: readonly number[], sigma: number): number[] {
  const n = values.length
  if (sigma === 0 || n === 0) return [...values]
  const reach = Math.floor(4 * sigma + 0.5)
  const weights = Array.from({ length: 2 * reach + 1 }, (_, i) =>
    exp32((-(i - reach) * (i - reach)) / (2 * sigma * sigma)),
  )
  const total = weights.reduce((a, b) => a + b, 0)
  const mirrored = (i: number): number => {
    const place = ((i % (2 * n)) + 2 * n) % (2 * n)
    return values[place < n ? place : 2 * n - 1 - place]!
  }
  return values.map((_, i) => weights.reduce((sum, w, k) => sum + w * mirrored(i + k - reach), 0) / total)
}
