// The rows that trainings of the benchmark learn: sets drawn from a seed, MNIST, and (held out) tables of the library. Alterations are
// carried out here. Trains nothing.

import { integers, permutation } from "../../src/core/order.ts"
import { fillNormal, fillUniform, streams } from "../../src/core/random.ts"
import { circles, dataSet, gaussians, hills, mnist, moons, type SetName, spirals, xor } from "../../src/datasets.ts"
import type { Tensor } from "../../src/index.ts"
import type { Alteration, Coding, Sample, Setup } from "./setup.ts"

/** Rows: inputs, and a class or a number of each. */
export interface Rows {
  readonly features: number
  readonly x: Float32Array
  readonly y: Float32Array
}

/** A set: classes (0: numbers are to be learnt), and its rows from a seed. */
interface Set {
  readonly classes: number
  readonly draw: (rows: number, noise: number, seed: number) => Rows | Promise<Rows>
}

const PI = Math.PI

function plane(make: typeof circles, classes: number): Set {
  return {
    classes,
    draw: (rows, noise, seed) => {
      const { x, y } = make({ rows, noise, seed })
      return { features: 2, x: x.data as Float32Array, y: Float32Array.from(y.data) }
    },
  }
}

/** Clouds of the normal distribution around centres; `noise` is their standard deviation. */
function clouds(centres: readonly (readonly number[])[]): Set {
  const features = centres[0]!.length
  return {
    classes: centres.length,
    draw: (rows, noise, seed) => {
      const x = new Float32Array(rows * features)
      fillNormal(x, 0, noise, seed, streams.augmentation, 3, 0)
      const y = Float32Array.from({ length: rows }, (_, i) => i % centres.length)
      for (let i = 0; i < x.length; i++) x[i]! += centres[y[Math.floor(i / features)]!]![i % features]!
      return { features, x, y }
    },
  }
}

/** Friedman's first function of five even numbers, brought to a deviation of about 1; `noise` is in the same unit. */
const friedman: Set = {
  classes: 0,
  draw: (rows, noise, seed) => {
    const x = new Float32Array(rows * 5)
    const y = new Float32Array(rows)
    fillUniform(x, seed, streams.augmentation, 4, 0)
    fillNormal(y, 0, noise, seed, streams.augmentation, 5, 0)
    for (let i = 0; i < rows; i++) {
      const [a, b, c, d, e] = x.subarray(5 * i, 5 * i + 5) as unknown as [number, number, number, number, number]
      y[i]! += (10 * Math.sin(PI * a * b) + 20 * (c - 0.5) ** 2 + 10 * d + 5 * e - 14.4) / 4.9
    }
    for (let i = 0; i < x.length; i++) x[i] = 2 * x[i]! - 1
    return { features: 5, x, y }
  },
}

/** Files are read once. */
let pictures: ReturnType<typeof mnist> | undefined
const tables = new Map<SetName, ReturnType<typeof dataSet>>()

/** Pictures of digits, 0 to 1: other rows for another seed. */
const digits: Set = {
  classes: 10,
  draw: async (rows, _, seed) => {
    pictures ??= mnist()
    const { images, labels } = (await pictures).train
    const order = permutation(60_000, seed, 0, streams.split)
    const x = new Float32Array(rows * 784)
    for (let i = 0; i < rows; i++) {
      const from = images.data.subarray(order[i]! * 784, order[i]! * 784 + 784)
      for (let j = 0; j < 784; j++) x[i * 784 + j] = from[j]! / 255
    }
    return { features: 784, x, y: Float32Array.from({ length: rows }, (_, i) => labels.data[order[i]!]!) }
  },
}

/** A table of the library: columns of numbers, standardised, and its target. No more rows than there are. */
function table(name: SetName, classes: number): Set {
  return {
    classes,
    draw: async (rows, _, seed) => {
      const read = tables.get(name) ?? dataSet(name)
      tables.set(name, read)
      const { columns, target, rows: all } = await read
      const numbers = columns.filter((column) => column.name !== target).filter((column) => column.kind === "number")
      const wanted = columns.find((column) => column.name === target)!
      const order = permutation(all, seed, 0, streams.split).subarray(0, Math.min(rows, all))
      const [n, features] = [order.length, numbers.length]
      const x = new Float32Array(n * features)
      numbers.forEach(({ values }, j) => {
        const [mean, deviation] = moments(Float64Array.from(order, (row) => values[row]!))
        order.forEach((row, i) => {
          x[i * features + j] = (values[row]! - mean) / (deviation || 1)
        })
      })
      const y = Float32Array.from(order, (row) => (wanted.kind === "text" ? wanted.codes[row]! : wanted.values[row]!))
      if (classes > 0) return { features, x, y }
      const [mean, deviation] = moments(y)
      return { features, x, y: y.map((value) => (value - mean) / deviation) }
    },
  }
}

/** The names of the sets; those of the second line are held out: no rule was looked at with them. */
export type SetId =
  | "circles" | "spirals" | "xor" | "blobs" | "flowers" | "friedman" | "mnist"
  | "moons" | "pair" | "hills" | "digits" | "wine" | "breastCancer" | "diabetes" | "penguins" // biome-ignore format: two lines

const sets: { readonly [id in SetId]: Set } = {
  circles: plane(circles, 2),
  spirals: plane(spirals, 2),
  xor: plane(xor, 2),
  blobs: clouds([[-2, -1], [2, -1], [0, 2.5]]),
  flowers: clouds([[-1, 0.5, -1.3, -1.2], [0.1, -0.6, 0.3, 0.2], [0.9, 0, 1, 1.1]]),
  friedman,
  mnist: digits,
  moons: plane(moons, 2),
  pair: plane(gaussians, 2),
  hills: plane(hills, 0),
  digits: table("digits", 10),
  wine: table("wine", 3),
  breastCancer: table("breastCancer", 2),
  diabetes: table("diabetes", 0),
  penguins: table("penguins", 3),
} // biome-ignore format: short lists of centres

/** Classes of a set; 0: numbers. */
export const classesOf = (set: SetId): number => sets[set].classes

/** What a training is given, and the rows by which it is judged. */
export interface Material {
  readonly x: Tensor
  readonly y: Tensor
  readonly xValidation: Tensor
  readonly yValidation: Tensor
  readonly validation: Rows
  readonly test: Rows
  /** The target that stands between two classes of one column. */
  readonly middle: number
  /** Rows of each class in training. */
  readonly counts: readonly number[]
}

/** Rows of test: enough that a point of accuracy is not one row. */
const TEST = 1000

/** The rows of a setup, as its training gets them. */
export async function materialOf({ sample, alter, output, loss }: Setup): Promise<Material> {
  const { classes } = sets[sample.set]
  const parts = await divided(sample)
  let [train, validation, test] = parts
  let coding: Coding = "proper"
  for (const step of alter) {
    if (step.do === "code") coding = step.as
    else [train, validation, test] = altered(step, [train, validation, test], classes, sample.seed)
  }
  const columns = loss === "sparseCategoricalCrossentropy" ? "index" : coding
  const written = (part: Rows): Tensor => targetsOf(part, classes, columns, output.units, sample.seed)
  const counts = Array.from({ length: classes }, (_, k) => train.y.filter((y) => y === k).length)
  return {
    x: inputsOf(train),
    y: written(train),
    xValidation: inputsOf(validation),
    yValidation: written(validation),
    validation,
    test,
    middle: coding === "signs" ? 0 : coding === "fromOne" ? 1.5 : 0.5,
    counts,
  }
}

const inputsOf = ({ features, x }: Rows): Tensor => ({
  dtype: "float32",
  shape: [x.length / features, features],
  data: x,
})

/** Training, validation and test rows of one draw. Small tables: a quarter each validates and tests. */
async function divided({ set, rows, validation, noise, seed }: Sample): Promise<[Rows, Rows, Rows]> {
  const all = await sets[set].draw(rows + validation + TEST, noise, seed)
  const n = all.y.length
  const enough = n >= rows + validation + TEST
  const [a, b] = enough ? [rows, validation] : [Math.min(rows, n >> 1), Math.min(validation, n >> 2)]
  // In an order of chance: generators give classes in turns.
  const order = permutation(n, seed, 1, streams.split)
  return [pick(all, order.subarray(0, a)), pick(all, order.subarray(a, a + b)), pick(all, order.subarray(a + b))]
}

function pick({ features, x, y }: Rows, rows: ArrayLike<number>): Rows {
  const chosen = new Float32Array(rows.length * features)
  for (let i = 0; i < rows.length; i++) {
    chosen.set(x.subarray(rows[i]! * features, rows[i]! * features + features), i * features)
  }
  return { features, x: chosen, y: Float32Array.from(rows, (row) => y[row]!) }
}

function join(parts: readonly Rows[]): Rows {
  const concat = (lists: readonly Float32Array[]) => Float32Array.from(lists.flatMap((list) => [...list]))
  return { features: parts[0]!.features, x: concat(parts.map(({ x }) => x)), y: concat(parts.map(({ y }) => y)) }
}

type Parts = [train: Rows, validation: Rows, test: Rows]

function altered(step: Alteration, parts: Parts, classes: number, seed: number): Parts {
  const [train, validation, test] = parts
  const all = (f: (rows: Rows) => Rows): Parts => [f(train), f(validation), f(test)]
  const inputs = (f: (value: number, feature: number) => number) => (rows: Rows) => ({
    ...rows,
    x: rows.x.map((value, i) => f(value, i % rows.features)),
  })
  const { features } = train
  switch (step.do) {
    case "scale":
      return all(inputs((value, j) => (step.feature === undefined || step.feature === j ? value * step.by : value)))
    case "shift": {
      const moved = inputs((value) => value + step.by)
      return step.of === "all" ? all(moved) : [train, moved(validation), moved(test)]
    }
    case "constant":
      return all(inputs(() => 0.5))
    case "empty": {
      const x = train.x.slice()
      const draw = integers(seed, streams.augmentation, 6, 0)
      for (let k = 0; k < step.rows; k++) x[draw(train.y.length) * features + draw(features)] = Number.NaN
      return [{ ...train, x }, validation, test]
    }
    case "sort": {
      const order = Array.from(train.y.keys()).sort((a, b) => train.y[a]! - train.y[b]!)
      return [pick(train, order), validation, test]
    }
    case "permute": {
      const mixed = (rows: Rows): Rows => ({ ...rows, y: pick(rows, permutation(rows.y.length, seed, 2)).y })
      return [mixed(train), mixed(validation), test]
    }
    case "mislabel": {
      const chance = new Float32Array(train.y.length)
      fillUniform(chance, seed, streams.augmentation, 7, 0)
      const draw = integers(seed, streams.augmentation, 8, 0)
      const y = train.y.map((k, i) => (chance[i]! < step.share ? (k + 1 + draw(classes - 1)) % classes : k))
      return [{ ...train, y }, validation, test]
    }
    case "thin": {
      const thinned = (rows: Rows): Rows => {
        const own = Array.from(rows.y.keys()).filter((i) => rows.y[i] === step.class)
        const kept = new Set(own.slice(0, Math.max(2, Math.round(own.length * step.share))))
        return pick(rows, Array.from(rows.y.keys()).filter((i) => rows.y[i] !== step.class || kept.has(i)))
      } // biome-ignore format: one thought
      return [thinned(train), thinned(validation), test]
    }
    case "scaleTargets":
      return all((rows) => ({ ...rows, y: rows.y.map((value) => value * step.by + (step.plus ?? 0)) }))
    case "standardize": {
      const column = (j: number): Float32Array => train.y.map((_, i) => train.x[i * features + j]!)
      const about = Array.from({ length: features }, (_, j) => moments(column(j)))
      return all(inputs((value, j) => (value - about[j]![0]) / (about[j]![1] || 1)))
    }
    case "standardizeTargets": {
      const [mean, deviation] = moments(train.y)
      return all((rows) => ({ ...rows, y: rows.y.map((value) => (value - mean) / (deviation || 1)) }))
    }
    case "drop":
      return all((rows) => {
        const whole = (i: number) => rows.x.subarray(i * features, (i + 1) * features).every(Number.isFinite)
        return pick(rows, Array.from(rows.y.keys()).filter(whole))
      })
    case "divideAgain": {
      const pool = join([train, validation])
      const order = permutation(pool.y.length, seed, 3, streams.split)
      const n = train.y.length
      return [pick(pool, order.subarray(0, n)), pick(pool, order.subarray(n)), test]
    }
    case "code":
      return parts
  }
}

/** The mean and the standard deviation of what is finite. */
function moments(values: ArrayLike<number>): readonly [mean: number, deviation: number] {
  const finite = Array.from(values).filter(Number.isFinite)
  const mean = finite.reduce((sum, value) => sum + value, 0) / finite.length
  const variance = finite.reduce((sum, value) => sum + (value - mean) ** 2, 0) / finite.length
  return [mean, Math.sqrt(variance)]
}

/** Targets in columns. Proper: one column for one output, otherwise a column for each class. */
function targetsOf({ y }: Rows, classes: number, coding: Coding, units: number, seed: number): Tensor {
  const n = y.length
  const column = (data: Float32Array): Tensor => ({ dtype: "float32", shape: [n, 1], data })
  if (classes === 0) return column(y)
  if (coding === "index") return { dtype: "float32", shape: [n], data: y }
  if (coding === "signs") return column(y.map((k) => 2 * k - 1))
  if (coding === "fromOne") return column(y.map((k) => k + 1))
  if (units === 1) return column(y)
  const data = new Float32Array(n * classes)
  const draw = integers(seed, streams.augmentation, 9, 0)
  for (let i = 0; i < n; i++) {
    data[i * classes + y[i]!] = 1
    if (coding === "twoHot") data[i * classes + ((y[i]! + 1 + draw(classes - 1)) % classes)] = 1
  }
  return { dtype: "float32", shape: [n, classes], data }
}
