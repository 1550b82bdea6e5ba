// Which units of the hidden layers no longer answer: those on the flat part of their activation, and dead ones. Knows no model.

import { configError, show } from "../../core/errors.ts"
import { numbersOf, type Tensor, type TensorLike, tensor } from "../../core/tensor.ts"
import { finiteNumber, type OptionsOf, optional, positiveInteger, readOptions, required } from "../../nn/options.ts"
import { plotSvg } from "../plot.ts"
import type { Callback } from "./callback.ts"

/** The options of {@link saturation}. */
export interface SaturationOptions {
  /** The rows that are looked at, `[n, ...input]`. */
  readonly rows: TensorLike
  /** An activation between −1 and 1 (tanh) is flat where its size is above this (default 0.95). */
  readonly tanhThreshold?: number
  /** An activation between 0 and 1 (sigmoid) is flat where it is nearer than this to 0 or 1 (default 0.05). */
  readonly sigmoidMargin?: number
  /** Epochs between two looks (default 1: after every epoch). */
  readonly freq?: number
}

/** What was seen of a layer, a number for each of the epochs. */
export interface LayerSaturation {
  readonly layer: string
  readonly activation: string
  /** The share of values, over units and rows, on the flat part of the activation: for relu, those that are 0. */
  readonly saturated: readonly number[]
  /** The share of units that are 0 for all rows; 0 for activations that are not flat at 0. */
  readonly dead: readonly number[]
}

/** A callback that has seen how many units are saturated. */
export interface Saturation extends Callback {
  /** The epochs after which it looked, from 0. */
  readonly epochs: readonly number[]
  readonly layers: readonly LayerSaturation[]
  /** The shares of saturated values over the epochs as SVG text. */
  toSvg(): string
}

interface Resolved {
  readonly rows: Tensor
  readonly tanhThreshold: number
  readonly sigmoidMargin: number
  readonly freq: number
}

const options: OptionsOf<Resolved> = {
  rows: required({ expected: "data", read: (value) => tensor(value as TensorLike) }),
  tanhThreshold: optional(finiteNumber({ least: 0, below: 1 }), 0.95),
  sigmoidMargin: optional(finiteNumber({ least: 0, below: 0.5 }), 0.05),
  freq: optional(positiveInteger(), 1),
}

/** The flat part of each activation that has one. */
const flats: { readonly [activation: string]: (a: number, limits: Resolved) => boolean } = {
  tanh: (a, { tanhThreshold }) => Math.abs(a) > tanhThreshold,
  softsign: (a, { tanhThreshold }) => Math.abs(a) > tanhThreshold,
  hardTanh: (a, { tanhThreshold }) => Math.abs(a) > tanhThreshold,
  sigmoid: (a, { sigmoidMargin }) => a < sigmoidMargin || a > 1 - sigmoidMargin,
  hardSigmoid: (a, { sigmoidMargin }) => a < sigmoidMargin || a > 1 - sigmoidMargin,
  relu: (a) => a === 0,
  relu6: (a) => a === 0 || a >= 6,
}

/** Activations of which a unit that is always 0 gets no gradient. */
const DYING = new Set(["relu", "relu6"])

/**
 * Looks after epochs at what the hidden layers give for some rows, and keeps for each layer whose activation has a flat part the
 * share of saturated values and the share of dead units.
 * @throws E_CONFIG for a wrong option, or if no hidden layer has an activation with a flat part; E_DATA for rows that do not fit.
 * @example
 * ```ts
 * import { dense, saturation, sequential } from "trilobite"
 * const steep = { type: "constant", value: 9 } as const
 * const model = sequential([
 *   dense({ units: 4, activation: "tanh", kernelInitializer: steep, inputShape: [1] }),
 *   dense({ units: 1 }),
 * ])
 * model.compile({ loss: "mse" })
 * const watch = saturation({ rows: [[1], [-1], [0]] })
 * await model.fit([[1], [-1]], [[1], [-1]], { verbose: 0, callbacks: [watch] })
 * watch.layers[0].saturated[0].toFixed(2) // => "0.67"
 * ```
 */
export function saturation(given: SaturationOptions): Saturation {
  const read = readOptions<Resolved>("saturation", options, given)
  if (read.rows.shape.length === 0 || read.rows.data.length === 0) {
    throw configError({ where: "saturation.rows", what: "there are no rows.", got: show(read.rows.shape) })
  }
  const epochs: number[] = []
  let layers: (LayerSaturation & { readonly saturated: number[]; readonly dead: number[] })[] = []
  let since = 0
  return {
    epochs,
    get layers() {
      return layers
    },
    onTrainBegin: () => {
      epochs.length = 0
      layers = []
      since = 0
    },
    onEpochEnd: async (epoch, _, training) => {
      since = (since + 1) % read.freq
      if (since > 0) return
      const seen = (await training.activations(read.rows)).filter(({ activation }) => Object.hasOwn(flats, activation))
      if (seen.length === 0) {
        const expected = `a hidden layer with ${Object.keys(flats).join(", ")}`
        throw configError({ where: "saturation", what: "no activation of this model has a flat part.", expected })
      }
      epochs.push(epoch)
      if (layers.length === 0) {
        layers = seen.map(({ layer, activation }) => ({ layer, activation, saturated: [], dead: [] }))
      }
      seen.forEach(({ activation, values }, i) => {
        const { saturated, dead } = sharesOf(values, (a) => flats[activation]!(a, read))
        layers[i]!.saturated.push(saturated)
        layers[i]!.dead.push(DYING.has(activation) ? dead : 0)
      })
    },
    toSvg: () => {
      const x = epochs.map((epoch) => epoch + 1)
      const series = layers.map(({ layer, activation, saturated }) => ({
        name: `${layer} (${activation})`,
        x,
        y: saturated,
      }))
      return plotSvg({ title: "Saturation", xLabel: "epoch", yLabel: "share of saturated values", series })
    },
  }
}

/** The share of values that are flat, and of units (all but the first axis) that are 0 in every row. */
function sharesOf(values: Tensor, flat: (a: number) => boolean): { saturated: number; dead: number } {
  const data = numbersOf(values)
  const units = data.length / values.shape[0]!
  const alive = new Uint8Array(units)
  let saturated = 0
  for (let i = 0; i < data.length; i++) {
    if (flat(data[i]!)) saturated++
    if (data[i] !== 0) alive[i % units] = 1
  }
  return { saturated: saturated / data.length, dead: alive.reduce((n, a) => n - a, units) / units }
}
