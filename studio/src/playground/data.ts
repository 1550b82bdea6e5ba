// The points of the playground: made by plain functions of a seed, or the reader's own. Knows no page and no network.

import { numbersFrom } from "../random.ts"
import { type DataName, type FeatureName, featureNames, type Settings } from "./settings.ts"

/** The places go from −RANGE to RANGE along both axes. */
export const RANGE = 3.2

/** Points, in the precision of their decimals: places (x1 and x2 of the first, of the second, …) and for each its class or its number. */
export interface Points {
  readonly x: Float64Array
  readonly y: Float64Array
}

/** Points that train and points that test; `classes` is 0 where numbers are to be learnt. */
export interface Data {
  readonly train: Points
  readonly test: Points
  readonly classes: number
}

/** Random numbers from 0 to below 1 that depend on the seed alone; neighbouring seeds have nothing in common. */
export function randoms(seed: number): () => number {
  return numbersFrom(Math.imul(seed + 1, 0x9e3779b1) ^ 0x85ebca6b)
}

/** A place with its class or number. */
type Row = readonly [x1: number, x2: number, y: number]

interface Chance {
  /** Between two numbers. */
  between(low: number, high: number): number
  /** Around 0, with spread 1. */
  normal(): number
  /** From 0 to 1: the noise as it was set. */
  readonly noise: number
}

/** What a data set is: how many classes, and the point number i of n. */
interface Maker {
  readonly classes: number
  point(i: number, n: number, chance: Chance): Row
}

const shaken = (x1: number, x2: number, y: number, size: number, { normal, noise }: Chance): Row => [
  x1 + normal() * noise * size,
  x2 + normal() * noise * size,
  y,
]

function blob(centres: readonly (readonly [number, number])[]): Maker {
  return {
    classes: centres.length,
    point: (i, _, chance) => {
      const y = i % centres.length
      const spread = 0.3 + 1.6 * chance.noise
      return [centres[y]![0] + chance.normal() * spread, centres[y]![1] + chance.normal() * spread, y]
    },
  }
}

/** The height of the hills at a place, from −1 to 1. */
export function hillHeight(x1: number, x2: number): number {
  const tops = [
    [-1.5, 1.3, 1],
    [1.6, 1.5, -1],
    [1.3, -1.6, 1],
    [-1.6, -1.4, -1],
  ] as const
  return tops.reduce((sum, [a, b, h]) => sum + h * Math.exp(-((x1 - a) ** 2 + (x2 - b) ** 2) / 0.9), 0)
}

const makers: { readonly [N in Exclude<DataName, "own">]: Maker } = {
  spirals: {
    classes: 2,
    point: (i, n, chance) => {
      const y = i % 2
      const along = Math.floor(i / 2) / Math.max(1, Math.ceil(n / 2) - 1)
      const [r, t] = [0.25 + 2.45 * along, 2.6 * Math.PI * along + y * Math.PI]
      return shaken(r * Math.sin(t), r * Math.cos(t), y, 0.6, chance)
    },
  },
  circles: {
    classes: 2,
    point: (i, _, chance) => {
      const y = i % 2
      const r = y === 0 ? 1.25 * Math.sqrt(chance.between(0, 1)) : chance.between(2, 2.8)
      const t = chance.between(0, 2 * Math.PI)
      return shaken(r * Math.cos(t), r * Math.sin(t), y, 1, chance)
    },
  },
  moons: {
    classes: 2,
    point: (i, _, chance) => {
      const [y, t] = [i % 2, chance.between(0, Math.PI)]
      const [x1, x2] = y === 1 ? [Math.cos(t) - 0.5, Math.sin(t) - 0.25] : [0.5 - Math.cos(t), 0.25 - Math.sin(t)]
      return shaken(1.75 * x1, 1.75 * x2, y, 1, chance)
    },
  },
  blobs: blob([
    [-1.3, -1.1],
    [1.3, 1.1],
  ]),
  three: blob([
    [-1.5, 1.1],
    [1.6, 1.2],
    [0, -1.5],
  ]),
  checks: {
    classes: 2,
    point: (_, __, chance) => {
      const side = (v: number): number => v + 0.18 * Math.sign(v)
      const [x1, x2] = [side(chance.between(-2.6, 2.6)), side(chance.between(-2.6, 2.6))]
      return shaken(x1, x2, x1 * x2 > 0 ? 1 : 0, 1, chance)
    },
  },
  slope: {
    classes: 0,
    point: (_, __, chance) => {
      const [x1, x2] = [chance.between(-3, 3), chance.between(-3, 3)]
      return [x1, x2, (x1 + x2) / 6 + chance.normal() * chance.noise * 0.5]
    },
  },
  hills: {
    classes: 0,
    point: (_, __, chance) => {
      const [x1, x2] = [chance.between(-3, 3), chance.between(-3, 3)]
      return [x1, x2, hillHeight(x1, x2) + chance.normal() * chance.noise * 0.5]
    },
  },
}

/** Three decimals: what the exported program says is exactly what was trained on. */
const round = (value: number): number => Math.round(value * 1000) / 1000
const inside = (value: number): number => round(Math.min(RANGE, Math.max(-RANGE, value)))

/** The points of these settings. */
export function makeData(settings: Pick<Settings, "data" | "noise" | "points" | "share" | "seed" | "own">): Data {
  const { data, noise, points, share, seed, own } = settings
  const random = randoms(seed)
  const { rows, classes } = data === "own" ? unpack(own) : made(makers[data], points, noise / 100, random)
  const mixed = mix(rows, random)
  const trains = Math.max(1, Math.min(mixed.length - 1, Math.round((mixed.length * share) / 100)))
  return { train: packed(mixed.slice(0, trains)), test: packed(mixed.slice(trains)), classes }
}

/** What these points depend on, as text. */
export const pointsKey = ({ data, noise, points, share, seed, own }: Settings): string =>
  JSON.stringify(data === "own" ? [share, seed, own] : [data, noise, points, share, seed])

function made(maker: Maker, n: number, noise: number, random: () => number): Own {
  const chance: Chance = {
    between: (low, high) => low + (high - low) * random(),
    normal: () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random()),
    noise,
  }
  const rows = Array.from({ length: n }, (_, i): Row => {
    const [x1, x2, y] = maker.point(i, n, chance)
    return [inside(x1), inside(x2), round(y)]
  })
  return { rows, classes: maker.classes }
}

function mix(rows: readonly Row[], random: () => number): Row[] {
  const all = [...rows]
  for (let i = all.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1))
    ;[all[i], all[j]] = [all[j]!, all[i]!]
  }
  return all
}

const packed = (rows: readonly Row[]): Points => ({
  x: Float64Array.from({ length: 2 * rows.length }, (_, k) => rows[k >> 1]![k % 2]!),
  y: Float64Array.from(rows, ([, , y]) => y),
})

/** The reader's points as numbers. */
export interface Own {
  readonly rows: readonly Row[]
  /** 0 where numbers are to be learnt. */
  readonly classes: number
}

/** The most points of the reader's own: more would not fit into an address. */
export const MOST_OWN = 600

const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
const STEPS = 1023

/** Own points as text for the address: the number of classes, then five letters for each point. */
export function pack({ rows, classes }: Own): string {
  if (rows.length === 0) return ""
  const step = (value: number): number =>
    Math.round((STEPS * (Math.min(RANGE, Math.max(-RANGE, value)) + RANGE)) / (2 * RANGE))
  const target = (y: number): number => (classes > 0 ? y : Math.round((STEPS * (Math.min(2, Math.max(-2, y)) + 2)) / 4))
  const text = rows.slice(0, MOST_OWN).map(([x1, x2, y]) => {
    let bits = (step(x1) * 1024 + step(x2)) * 1024 + target(y)
    let word = ""
    for (let k = 0; k < 5; k++) {
      word = letters[bits % 64]! + word
      bits = Math.floor(bits / 64)
    }
    return word
  })
  return classes + text.join("")
}

/** The points of such a text; none if it is no such text. */
export function unpack(text: string): Own {
  const classes = Number(text[0] ?? "2")
  if (!/^[0-4]([\w-]{5})*$/.test(text) || classes === 1) return { rows: [], classes: 2 }
  const rows = (text.slice(1).match(/.{5}/g) ?? []).map((word): Row => {
    const bits = [...word].reduce((sum, letter) => sum * 64 + letters.indexOf(letter), 0)
    const [x1, x2, y] = [Math.floor(bits / 1048576), Math.floor(bits / 1024) % 1024, bits % 1024]
    const place = (step: number): number => round((2 * RANGE * step) / STEPS - RANGE)
    return [place(x1), place(x2), classes > 0 ? Math.min(classes - 1, y) : round((4 * y) / STEPS - 2)]
  })
  return { rows: rows.slice(0, MOST_OWN), classes }
}

/** What each feature is of a place. */
export const featureOf: { readonly [F in FeatureName]: (x1: number, x2: number) => number } = {
  x1: (x1) => x1,
  x2: (_, x2) => x2,
  x1sq: (x1) => x1 * x1,
  x2sq: (_, x2) => x2 * x2,
  x1x2: (x1, x2) => x1 * x2,
  sin1: (x1) => Math.sin(x1),
  sin2: (_, x2) => Math.sin(x2),
}

/** The features of places, row by row. */
export function featureRows(x: ArrayLike<number>, features: readonly FeatureName[]): Float32Array {
  const of = features.map((name) => featureOf[name])
  const rows = new Float32Array((x.length / 2) * of.length)
  for (let i = 0; i < x.length / 2; i++) {
    for (let k = 0; k < of.length; k++) rows[i * of.length + k] = of[k]!(x[2 * i]!, x[2 * i + 1]!)
  }
  return rows
}

/** The places of a square grid of n × n: row by row from the top, in the middle of its cells. */
export function gridPlaces(n: number): Float64Array {
  const places = new Float64Array(2 * n * n)
  const at = (i: number): number => -RANGE + ((i + 0.5) * 2 * RANGE) / n
  for (let row = 0; row < n; row++) {
    for (let column = 0; column < n; column++) {
      places[2 * (row * n + column)] = at(column)
      places[2 * (row * n + column) + 1] = -at(row)
    }
  }
  return places
}

/** Features in their own order. */
export function ordered(features: Iterable<FeatureName>): FeatureName[] {
  const set = new Set(features)
  return featureNames.filter((name) => set.has(name))
}
