// Points of a plane with their classes or numbers, from a seed: the data sets of neural-network playgrounds. Portable arithmetic only.

import { checkKeys, configError, show } from "../core/errors.ts"
import { cos32, exp32, sin32 } from "../core/math.ts"
import { fillNormal, fillUniform, streams } from "../core/random.ts"
import type { Tensor } from "../core/tensor.ts"

/** How many points, how far they are moved, and what they depend on. */
export interface GeneratorOptions {
  /** Points (default 200). */
  readonly rows?: number
  /** The standard deviation by which places, or numbers to be learnt, are moved (default 0.1). */
  readonly noise?: number
  /** The same seed gives the same points on every machine (default 0). */
  readonly seed?: number
}

/** Points: x float32 [rows, 2]; y int32 [rows] of classes, or float32 [rows, 1] of numbers. */
export interface Points {
  readonly x: Tensor
  readonly y: Tensor
}

/** What a point is made of: its number, even numbers from 0 to below 1, and normal ones. */
interface Chance {
  readonly i: number
  readonly rows: number
  readonly even: readonly [number, number]
  readonly normal: readonly [number, number]
  readonly noise: number
}

type Point = readonly [x1: number, x2: number, y: number]

const PI = 3.1415927

function make(where: string, given: GeneratorOptions, classes: boolean, point: (chance: Chance) => Point): Points {
  checkKeys(where, given, ["rows", "noise", "seed"])
  const { rows = 200, noise = 0.1, seed = 0 } = given
  if (!Number.isSafeInteger(rows) || rows < 1 || rows > 100_000_000) {
    throw configError({
      where: `${where}.rows`,
      what: "this is no number of points.",
      expected: "1 to 100000000",
      got: show(rows),
    })
  }
  if (!(noise >= 0 && noise < Number.POSITIVE_INFINITY)) {
    throw configError({
      where: `${where}.noise`,
      what: "this is no noise.",
      expected: "a number of at least 0",
      got: show(noise),
    })
  }
  const [even, normal] = [new Float32Array(2 * rows), new Float32Array(2 * rows)]
  fillUniform(even, seed, streams.augmentation, 1, 0)
  fillNormal(normal, 0, 1, seed, streams.augmentation, 2, 0)
  const x = new Float32Array(2 * rows)
  const y = classes ? new Int32Array(rows) : new Float32Array(rows)
  for (let i = 0; i < rows; i++) {
    const at = 2 * i
    const [x1, x2, target] = point({
      i,
      rows,
      even: [even[at]!, even[at + 1]!],
      normal: [normal[at]!, normal[at + 1]!],
      noise,
    })
    x[at] = x1
    x[at + 1] = x2
    y[i] = target
  }
  return {
    x: { dtype: "float32", shape: [rows, 2], data: x },
    y: { dtype: classes ? "int32" : "float32", shape: classes ? [rows] : [rows, 1], data: y },
  }
}

const moved = (x1: number, x2: number, y: number, { normal, noise }: Chance): Point => [
  x1 + noise * normal[0],
  x2 + noise * normal[1],
  y,
]

/**
 * A disc of radius 0.5 (class 0) inside a ring of radius 0.8 to 1.1 (class 1).
 * @throws E_CONFIG for unknown options and numbers that make no sense.
 * @example
 * ```ts
 * import { circles } from "trilobite/datasets"
 * const { x, y } = circles({ rows: 100, noise: 0, seed: 1 })
 * x.shape // => [100, 2]
 * y.data.slice(0, 4) // => [0, 1, 0, 1]
 * ```
 */
export function circles(options: GeneratorOptions = {}): Points {
  return make("circles", options, true, (chance) => {
    const y = chance.i % 2
    const radius = y === 0 ? 0.5 * Math.sqrt(chance.even[0]) : 0.8 + 0.3 * chance.even[0]
    const angle = 2 * PI * chance.even[1]
    return moved(radius * cos32(angle), radius * sin32(angle), y, chance)
  })
}

/** Two half circles of radius 1 that reach into each other (classes 0 and 1). Throws E_CONFIG as `circles` does. */
export function moons(options: GeneratorOptions = {}): Points {
  return make("moons", options, true, (chance) => {
    const y = chance.i % 2
    const angle = PI * chance.even[0]
    const [c, s] = [cos32(angle), sin32(angle)]
    return y === 0 ? moved(c, s, y, chance) : moved(1 - c, 0.5 - s, y, chance)
  })
}

/** A square of side 2 in quarters: class 1 where both numbers have the same sign. Throws E_CONFIG as `circles` does. */
export function xor(options: GeneratorOptions = {}): Points {
  return make("xor", options, true, (chance) => {
    const [x1, x2] = [2 * chance.even[0] - 1, 2 * chance.even[1] - 1]
    return moved(x1, x2, x1 >= 0 === x2 >= 0 ? 1 : 0, chance)
  })
}

/** Two clouds around (-1, -1) and (1, 1), with standard deviation 0.3 beside the noise. Throws E_CONFIG as `circles` does. */
export function gaussians(options: GeneratorOptions = {}): Points {
  return make("gaussians", options, true, (chance) => {
    const y = chance.i % 2
    const [centre, spread] = [y === 0 ? -1 : 1, 0.3 + chance.noise]
    return [centre + spread * chance.normal[0], centre + spread * chance.normal[1], y]
  })
}

/** Two arms that wind once and a quarter around each other, to radius 1. Throws E_CONFIG as `circles` does. */
export function spirals(options: GeneratorOptions = {}): Points {
  return make("spirals", options, true, (chance) => {
    const y = chance.i % 2
    const t = 0.08 + 0.92 * chance.even[0]
    const angle = 2.5 * PI * t + y * PI
    return moved(t * sin32(angle), t * cos32(angle), y, chance)
  })
}

/** A plane: y = (x1 + x2) / 2 over the square from -1 to 1; the noise is in y. Throws E_CONFIG as `circles` does. */
export function plane(options: GeneratorOptions = {}): Points {
  return make("plane", options, false, ({ even, normal, noise }) => {
    const [x1, x2] = [2 * even[0] - 1, 2 * even[1] - 1]
    return [x1, x2, (x1 + x2) / 2 + noise * normal[0]]
  })
}

/** Two hills and two hollows over the square from -1 to 1, from -1 to 1 high; the noise is in y. Throws E_CONFIG as `circles` does. */
export function hills(options: GeneratorOptions = {}): Points {
  return make("hills", options, false, ({ even, normal, noise }) => {
    const [x1, x2] = [2 * even[0] - 1, 2 * even[1] - 1]
    let height = 0
    for (const [a, b] of [
      [-0.5, -0.5],
      [-0.5, 0.5],
      [0.5, -0.5],
      [0.5, 0.5],
    ] as const) {
      height += (a === b ? 1 : -1) * exp32(-((x1 - a) * (x1 - a) + (x2 - b) * (x2 - b)) / 0.1)
    }
    return [x1, x2, height + noise * normal[0]]
  })
}
