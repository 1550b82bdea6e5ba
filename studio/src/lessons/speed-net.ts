// The net of figure 8.8 as plain data: what the chapter fixes, what may be changed, and what its speeds say.

import { cost } from "../ui/format.ts"
import { type Keys, numberKey, wordKey } from "../ui/url.ts"

/** The activations to compare. */
export const activations = ["sigmoid", "tanh", "relu"] as const

/** The initializers to compare; the chapter's is Keras's default, glorotUniform. */
export const initializers = ["glorotUniform", "lecunNormal", "orthogonal", "heNormal", "randomNormal"] as const

/** The name of an activation. */
export type SpeedActivation = (typeof activations)[number]

/** The name of an initializer. */
export type SpeedInitializer = (typeof initializers)[number]

/** What the chapter fixes: images, epochs, neurons of a layer, the learning rate, and the smoothing of its figure. */
export const chapter = { rows: 1000, epochs: 200, units: 30, learningRate: 0.01, sigma: 3 } as const

/** A net of this lesson. */
export interface SpeedNet {
  readonly activation: SpeedActivation
  readonly initializer: SpeedInitializer
  /** Hidden layers that are measured; one more before them reads the pixels. */
  readonly layers: number
  readonly seed: number
}

/** The state of the page. */
export interface SpeedView {
  readonly act: SpeedActivation
  readonly init: SpeedInitializer
  readonly L: number
  readonly seed: number
}

/** The keys of the page. */
export const keys: Keys<SpeedView> = {
  act: wordKey("sigmoid", activations),
  init: wordKey("glorotUniform", initializers),
  L: numberKey(5, 1, 8),
  seed: numberKey(1, 1, 20),
}

/** The names of the measured layers, as the chapter names them. */
export const layerNames = (layers: number): readonly string[] => Array.from({ length: layers }, (_, i) => `hidden_${i}`)

/** The token of a layer's colour: dark to light, between the six where there are more layers. */
export function layerTone(i: number, layers: number): string {
  return layers <= 6 ? `layer-${i + 1}` : `layer-${i + 1}-of-${layers}`
}

/** How many times as fast as the third from the output (or the first, in a short net) the layer next to the output was. */
export function ratioOf(speeds: readonly (readonly number[])[]): number {
  const sums = totals(speeds)
  return sums.length < 2 ? Number.NaN : sums.at(-1)! / sums[Math.max(0, sums.length - 3)]!
}

/** How many times as fast as the slowest the fastest layer was: how wide the fan is. */
export function fanOf(speeds: readonly (readonly number[])[]): number {
  const sums = totals(speeds)
  return Math.max(...sums) / Math.min(...sums)
}

/** The way of each layer over all epochs. */
function totals(speeds: readonly (readonly number[])[]): readonly number[] {
  return (speeds[0] ?? []).map((_, i) => speeds.reduce((sum, epoch) => sum + epoch[i]!, 0))
}

/** A speed in two significant digits. */
export function speedText(speed: number): string {
  return speed >= 0.0001 && Number.isFinite(speed) ? String(Number(speed.toPrecision(2))) : cost(speed)
}
