// The grounds of lesson 2: costs of one parameter with their slopes, made up, drawn by the reader, or cut through a real net.

import { base64Key, type Key } from "./ground-key.ts"

/** A cost of one parameter and its slope. */
export interface Ground {
  cost(p: number): number
  slope(p: number): number
}

/** Where grounds lie. */
export const FROM = -4.75
/** Where grounds end. */
export const TO = 5.75

/** The name of a ground. */
export type GroundName = "bowl" | "valleys" | "plateau" | "ravine" | "net" | "drawn"

interface Dent {
  readonly at: number
  readonly depth: number
  readonly width: number
}

/** A bowl with gaussian dents, and waves on it. */
function made(bend: number, middle: number, base: number, dents: readonly Dent[], wave = 0, often = 1): Ground {
  return {
    cost: (p) =>
      base +
      bend * (p - middle) ** 2 -
      dents.reduce((sum, { at, depth, width }) => sum + depth * Math.exp(-(((p - at) / width) ** 2)), 0) +
      wave * (1 - Math.cos(often * (p - middle))),
    slope: (p) =>
      2 * bend * (p - middle) +
      dents.reduce((sum, { at, depth, width }) => {
        return sum + (2 * depth * (p - at) * Math.exp(-(((p - at) / width) ** 2))) / width ** 2
      }, 0) +
      wave * often * Math.sin(often * (p - middle)),
  }
}

/** The made-up grounds. */
export const grounds: { readonly [N in Exclude<GroundName, "net" | "drawn">]: Ground } = {
  bowl: made(0.09, 0.5, 0.3, []),
  valleys: made(0.02, 0.4, 2.26, [
    { at: -2.6, depth: 1.05, width: 1.15 },
    { at: 2.3, depth: 1.9, width: 2.1 },
  ]),
  plateau: made(0.004, 0.5, 2.3, [{ at: 3.1, depth: 1.9, width: 0.85 }]),
  ravine: made(0.075, 0.5, 0.3, [], 0.16, 4.2),
}

/** How many heights a drawn ground has. */
export const DRAWN = 24

/** A smooth ground through heights that lie evenly from FROM to TO. */
export function through(heights: ArrayLike<number>): Ground {
  const last = heights.length - 1
  const unit = (TO - FROM) / last
  const at = (i: number): number => heights[Math.min(last, Math.max(0, i))]!
  // A cubic in each piece, with the slope of the chord between the neighbours at each height.
  const piece = (p: number): readonly [number, number, number, number, number] => {
    const place = Math.min(last - 1e-9, Math.max(0, (p - FROM) / unit))
    const i = Math.floor(place)
    const [y0, y1] = [at(i), at(i + 1)]
    const [m0, m1] = [(y1 - at(i - 1)) / 2, (at(i + 2) - y0) / 2]
    return [place - i, y0, m0, 3 * (y1 - y0) - 2 * m0 - m1, 2 * (y0 - y1) + m0 + m1]
  }
  return {
    cost: (p) => {
      const [t, a, b, c, d] = piece(p)
      return a + t * (b + t * (c + t * d))
    },
    slope: (p) => {
      const [t, , b, c, d] = piece(p)
      return (b + t * (2 * c + 3 * t * d)) / unit
    },
  }
}

/** The heights of a drawing as bytes, as costs from 0.2 to 3. */
export function fromDrawing(bytes: readonly number[]): Ground {
  return through(bytes.map((byte) => 0.2 + (2.8 * byte) / 255))
}

/** The key of a drawing in the address: 24 bytes. */
export const drawingKey: Key<readonly number[]> = base64Key(
  Array.from({ length: DRAWN }, (_, i) => {
    const t = i / (DRAWN - 1)
    return Math.max(0, Math.min(255, Math.round(128 + 96 * Math.cos(9 * t) * (1 - t) - 60 * t + 70 * (t - 0.75) ** 2)))
  }),
)

/** One step of gradient descent. */
export function descend(ground: Ground, p: number, eta: number): number {
  return p - eta * ground.slope(p)
}

/** The places of so many steps from a start; it ends where it leaves the ground. */
export function walk(ground: Ground, start: number, eta: number, steps: number): number[] {
  const path = [start]
  for (let i = 0; i < steps; i++) {
    const next = descend(ground, path.at(-1)!, eta)
    path.push(next)
    if (!(next >= FROM && next <= TO)) break
  }
  return path
}

/** The bottoms of a ground's valleys, the lowest first: where the slope goes from below 0 to above. */
export function bottoms(ground: Ground): readonly number[] {
  const found: number[] = []
  const pieces = 400
  for (let i = 0; i < pieces; i++) {
    const a = FROM + (i * (TO - FROM)) / pieces
    const b = FROM + ((i + 1) * (TO - FROM)) / pieces
    if (!(ground.slope(a) < 0 && ground.slope(b) >= 0)) continue
    let [low, high] = [a, b]
    for (let k = 0; k < 30; k++) {
      const middle = (low + high) / 2
      if (ground.slope(middle) < 0) low = middle
      else high = middle
    }
    found.push((low + high) / 2)
  }
  return found.sort((a, b) => ground.cost(a) - ground.cost(b))
}
