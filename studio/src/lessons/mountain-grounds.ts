// The grounds of lesson 2, part 2: costs of two parameters with their own derivatives, and the slice of a real network.

import type { Point } from "../ui/relief.ts"

/** A cost of two parameters on a square map from −reach to reach. */
export interface Ground {
  readonly label: string
  readonly reach: number
  readonly start: Point
  readonly eta: number
  at(p1: number, p2: number): number
  slope(p1: number, p2: number): Point
}

/** The names of the grounds. */
export type GroundName = "bowl" | "ravine" | "valleys" | "saddle" | "net"

const bowl: Ground = {
  label: "Bowl",
  reach: 3,
  start: [-2.4, 1.8],
  eta: 0.2,
  at: (a, b) => 0.4 * (a * a + b * b) + 0.2,
  slope: (a, b) => [0.8 * a, 0.8 * b],
}

// The ravine runs at an angle, so that no parameter alone shows the way.
const [RC, RS] = [Math.cos(0.6), Math.sin(0.6)]
const ravine: Ground = {
  label: "Ravine",
  reach: 3,
  start: [-2.6, -0.7],
  eta: 0.9,
  at: (a, b) => 0.12 * (RC * a + RS * b) ** 2 + 1.5 * (Math.sqrt(1 + 1.4 * (RC * b - RS * a) ** 2) - 1) + 0.2,
  slope: (a, b) => {
    const across = RC * b - RS * a
    const [s1, s2] = [0.24 * (RC * a + RS * b), (2.1 * across) / Math.sqrt(1 + 1.4 * across ** 2)]
    return [RC * s1 - RS * s2, RS * s1 + RC * s2]
  },
}

/** A valley of a depth and a width, with its place. */
const PITS: readonly (readonly [depth: number, width: number, p1: number, p2: number])[] = [
  [2.1, 1.15, 1.3, -1.0],
  [1.4, 0.95, -1.5, 1.1],
]
const valleys: Ground = {
  label: "Two valleys",
  reach: 3,
  start: [0.2, 2.3],
  eta: 0.3,
  at: (a, b) =>
    PITS.reduce(
      (sum, [depth, width, p, q]) => sum - depth * Math.exp(-((a - p) ** 2 + (b - q) ** 2) / (2 * width ** 2)),
      2.4 + 0.06 * (a * a + b * b),
    ),
  slope: (a, b) =>
    PITS.reduce(
      ([x, y], [depth, width, p, q]): Point => {
        const push = (depth * Math.exp(-((a - p) ** 2 + (b - q) ** 2) / (2 * width ** 2))) / width ** 2
        return [x + push * (a - p), y + push * (b - q)]
      },
      [0.12 * a, 0.12 * b] as Point,
    ),
}

const saddle: Ground = {
  label: "Saddle",
  reach: 3,
  start: [-2.4, 0.05],
  eta: 0.3,
  at: (a, b) => 0.3 * a * a - 0.3 * b * b + 0.03 * b ** 4 + 1,
  slope: (a, b) => [0.6 * a, -0.6 * b + 0.12 * b ** 3],
}

/** The grounds that are formulas. */
export const grounds: { readonly [N in Exclude<GroundName, "net">]: Ground } = { bowl, ravine, valleys, saddle }

/** The costs of a real network on a square grid of two of its weights. */
export interface Slice {
  readonly size: number
  readonly reach: number
  readonly costs: readonly number[]
}

/** Weights of the four neighbours and their slopes (Catmull and Rom): smooth, and exact on the grid. */
function weights(t: number): readonly [values: readonly number[], slopes: readonly number[]] {
  const [t2, t3] = [t * t, t * t * t]
  return [
    [(-t3 + 2 * t2 - t) / 2, (3 * t3 - 5 * t2 + 2) / 2, (-3 * t3 + 4 * t2 + t) / 2, (t3 - t2) / 2],
    [(-3 * t2 + 4 * t - 1) / 2, (9 * t2 - 10 * t) / 2, (-9 * t2 + 8 * t + 1) / 2, (3 * t2 - 2 * t) / 2],
  ]
}

/** The ground of a slice: between the points of the grid it is a smooth surface through them. */
export function netGround({ size, reach, costs }: Slice): Ground {
  const unit = (2 * reach) / (size - 1)
  const value = (i: number, j: number): number => {
    const [x, y] = [Math.min(size - 1, Math.max(0, i)), Math.min(size - 1, Math.max(0, j))]
    return costs[y * size + x]!
  }
  const sum = (a: number, b: number, which: 0 | 1 | 2): number => {
    const [x, y] = [
      (Math.min(reach, Math.max(-reach, a)) + reach) / unit,
      (Math.min(reach, Math.max(-reach, b)) + reach) / unit,
    ]
    const [i, j] = [Math.min(size - 2, Math.floor(x)), Math.min(size - 2, Math.floor(y))]
    const wx = weights(x - i)[which === 1 ? 1 : 0]
    const wy = weights(y - j)[which === 2 ? 1 : 0]
    let all = 0
    for (let l = 0; l < 4; l++) for (let k = 0; k < 4; k++) all += wx[k]! * wy[l]! * value(i + k - 1, j + l - 1)
    return which === 0 ? all : all / unit
  }
  return {
    label: "Real net",
    reach,
    start: [-0.9 * reach, -0.84 * reach],
    eta: 5,
    at: (a, b) => sum(a, b, 0),
    slope: (a, b) => [sum(a, b, 1), sum(a, b, 2)],
  }
}

/** One step of gradient descent. */
export function stepFrom(ground: Ground, [p1, p2]: Point, eta: number): Point {
  const [s1, s2] = ground.slope(p1, p2)
  return [p1 - eta * s1, p2 - eta * s2]
}

/** A path of so many steps; it ends early where the ground of the map does. */
export function walkFrom(ground: Ground, start: Point, eta: number, steps: number): Point[] {
  const path: Point[] = [start]
  for (let k = 0; k < steps && !away(ground, path.at(-1)!); k++) path.push(stepFrom(ground, path.at(-1)!, eta))
  return path
}

/** Whether a place is off the map. */
export function away({ reach }: Ground, [p1, p2]: Point): boolean {
  return !(Math.abs(p1) <= 1.02 * reach && Math.abs(p2) <= 1.02 * reach)
}
