// What the coach costs from the fourth epoch to the end, by the clock and by the time that processors have worked for it, which says more
// where other programs run. Trainings with and without it go on in turns, long ones epoch by epoch: a machine that others use changes its
// pace within seconds.
//   node bench/coach-overhead.ts [--pairs 10] [--only toy] [--threads 1] [--save]
// What comes once (facts of the data, the probe, the modules) is given beside it: the first two epochs of a toy are watched from end to end,
// so that only its third loads the module that trains. The weights are compared bit by bit. There are ten times as many pairs of toys.

import { writeFileSync } from "node:fs"
import { parseArgs } from "node:util"
import { asTrainingData, mnist } from "../src/datasets.ts"
import { dense, type Layer, type ModelOptions, type OptimizerLike, sequential, sgd, type Tensor } from "../src/index.ts"
import { clockOf, machine, median } from "./machine.ts"

interface Work {
  readonly name: string
  /** Whether its rows are those of MNIST; else they are made. */
  readonly digits?: boolean
  /** Whether an epoch with the coach is followed by one without it; else a training follows a training. */
  readonly inTurns: boolean
  readonly sizes: readonly number[]
  readonly activation: "tanh" | "relu"
  readonly rows: number
  readonly batchSize: number
  readonly epochs: number
  /** The most that the coach may take, as a share. */
  readonly bound: number
  readonly optimizer?: OptimizerLike
  readonly model?: ModelOptions
}

const deep = [2, ...Array.from({ length: 9 }, () => 16), 1]
/** The chapter's intermediate net, on as many rows as MNIST has. */
const net = {
  inTurns: true,
  sizes: [784, 64, 64, 10],
  activation: "relu",
  rows: 60_000,
  epochs: 10,
  bound: 0.03,
} as const
const works: readonly Work[] = [
  { ...net, name: "digits, batch 128", digits: true, batchSize: 128 },
  { ...net, name: "digits, batch 32", digits: true, batchSize: 32 },
  { ...net, name: "digits, batch 1", digits: true, batchSize: 1, rows: 20_000 },
  { ...net, name: "chance, batch 128", batchSize: 128 },
  {
    name: "toy, batch 10",
    inTurns: false,
    sizes: [2, 8, 8, 1],
    activation: "tanh",
    rows: 700,
    batchSize: 10,
    epochs: 300,
    bound: 0.05,
  },
  {
    name: "toy, ten layers, batch 32",
    inTurns: false,
    sizes: deep,
    activation: "tanh",
    rows: 700,
    batchSize: 32,
    epochs: 200,
    bound: 0.05,
  },
]

/** Numbers that look random and are the same always. */
const noise = (n: number, times: number): Float32Array =>
  Float32Array.from({ length: n }, (_, i) => (((Math.imul(i + 1, 0x9e3779b1) ^ (i << 7)) >>> 8) / 16777216) * times)

/** The epochs in which all modules are loaded. */
const FIRST = 3

/** Milliseconds of an epoch after the first ones, in the mean and in the middle, and until the first ones have ended. */
interface Times {
  readonly epoch: number
  readonly middle: number
  readonly first: number
}

interface Once {
  readonly clock: Times
  readonly processor: Times
  readonly bits: string
}

const [clock, processor] = [clockOf(false), clockOf(true)]

/** Digits, or bytes whose classes are chance: what cannot be learnt is looked at closest. A toy's class is in its first number. */
async function dataOf({ digits, sizes, rows }: Work): Promise<readonly [x: Tensor, y: Tensor]> {
  const outputs = sizes.at(-1)!
  if (digits === true) {
    const { xTrain, yTrain } = asTrainingData(await mnist())
    return [head(xTrain, rows), head(yTrain, rows)]
  }
  const x = noise(rows * sizes[0]!, 1)
  const y = new Float32Array(rows * outputs)
  for (let i = 0; i < rows; i++) {
    if (outputs > 1) y[i * outputs + (i % outputs)] = 1
    else y[i] = Number(x[i * sizes[0]!]! > 0.5)
  }
  const shape = [rows, sizes[0]!]
  const bytes = { dtype: "unorm8", data: Uint8Array.from(x, (v) => 255 * v), shape } as const
  return [
    outputs > 1 ? bytes : { dtype: "float32", data: x, shape },
    { dtype: "float32", data: y, shape: [rows, outputs] },
  ]
}

/** The first rows. */
const head = ({ dtype, data, shape }: Tensor, rows: number): Tensor =>
  ({ dtype, data: data.subarray(0, (data.length / shape[0]!) * rows), shape: [rows, ...shape.slice(1)] }) as Tensor

/** Trainings that go on in turns: who passes waits until it is asked again, which is at once if nobody waits. */
class Turns {
  readonly #waiting: (() => void)[] = []

  wait(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve))
  }

  leave(): void {
    this.#waiting.shift()?.()
  }

  async pass(): Promise<void> {
    const again = this.wait()
    this.leave()
    await again
  }
}

async function train(work: Work, [x, y]: readonly [Tensor, Tensor], coach: boolean, turns?: Turns): Promise<Once> {
  const { sizes, activation, batchSize, epochs } = work
  const layers = sizes.slice(1).map((units, i): Layer => {
    const last = i === sizes.length - 2
    const out = units === 1 ? "sigmoid" : "softmax"
    return dense({ units, activation: last ? out : activation, ...(i === 0 ? { inputShape: [sizes[0]!] } : {}) })
  })
  const threads = options.threads === undefined ? undefined : Number(options.threads)
  const model = sequential(layers, { seed: 1, threads, ...work.model })
  const loss = sizes.at(-1) === 1 ? "binaryCrossentropy" : "categoricalCrossentropy"
  model.compile({ loss, optimizer: work.optimizer ?? sgd({ learningRate: 0.05 }) })
  const now = (): readonly [number, number] => [clock(), processor()]
  // An epoch lasts from its beginning to that of the next one: the coach's work comes after its end is told. The first of all is what
  // comes before the first epoch.
  const spans: (readonly [clock: number, processor: number])[] = []
  let begun = now()
  const mark = (): void => {
    const [c, p] = now()
    spans.push([c - begun[0], p - begun[1]])
  }
  const onEpochBegin = async (): Promise<void> => {
    mark()
    await turns?.pass()
    begun = now()
  }
  await model.fit(x, y, { batchSize, epochs, verbose: 0, coach, callbacks: [{ onEpochBegin }] })
  mark()
  turns?.leave()
  const bits = model
    .getWeights()
    .map(({ data }) => new Uint32Array(data.slice().buffer).join())
    .join(";")
  const total = (list: readonly number[]): number => list.reduce((a, b) => a + b, 0)
  const timesBy = (which: 0 | 1): Times => {
    const times = spans.map((span) => span[which])
    const each = times.slice(1 + FIRST)
    return { epoch: total(each) / each.length, middle: median(each), first: total(times.slice(0, 1 + FIRST)) }
  }
  return { clock: timesBy(0), processor: timesBy(1), bits }
}

/** One training without the coach and one with it; which of them comes first changes. */
async function pair(
  work: Work,
  data: readonly [Tensor, Tensor],
  i: number,
): Promise<readonly [plain: Once, coached: Once]> {
  const coachFirst = i % 2 === 1
  const turns = work.inTurns ? new Turns() : undefined
  const later = turns?.wait()
  const first = train(work, data, coachFirst, turns)
  if (later === undefined) await first
  else await later
  const second = await train(work, data, !coachFirst, turns)
  return coachFirst ? [second, await first] : [await first, second]
}

/** The middle 95 % of medians of draws from the list. */
function interval(list: readonly number[]): readonly [number, number] {
  let state = 12345
  const draw = (): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return list[Math.floor((state / 4294967296) * list.length)]!
  }
  const medians = Array.from({ length: 2000 }, () => median(list.map(draw))).sort((a, b) => a - b)
  return [medians[50]!, medians[1949]!]
}

const { values: options } = parseArgs({
  options: {
    pairs: { type: "string", default: "10" },
    only: { type: "string", default: "" },
    threads: { type: "string" },
    save: { type: "boolean", default: false },
  },
})
const pairs = Number(options.pairs)
const round = (n: number, digits = 3): number => Number(n.toFixed(digits))

/** What trainings with the coach took over what those without it took, pair by pair. */
function compared(plain: readonly Times[], coached: readonly Times[]): object {
  const ratiosOf = (key: "epoch" | "middle"): readonly number[] =>
    coached.map((times, i) => times[key] / plain[i]![key])
  const told = (ratios: readonly number[]) => ({
    ratio: round(median(ratios)),
    interval: interval(ratios).map((n) => round(n)),
  })
  const least = (list: readonly Times[]): number => Math.min(...list.map(({ epoch }) => epoch))
  const of = (list: readonly Times[], key: "epoch" | "first"): number => median(list.map((times) => times[key]))
  return {
    /** The epoch in the middle of a training, and the mean of all after the first ones with what comes at the end. */
    middle: told(ratiosOf("middle")),
    mean: told(ratiosOf("epoch")),
    // The least times are those that other work on the machine has disturbed least.
    ratioOfLeast: round(least(coached) / least(plain)),
    epochMs: round(of(plain, "epoch")),
    onceMs: round(of(coached, "first") - of(plain, "first"), 1),
  }
}

const results: object[] = []
for (const work of works.filter(({ name }) => name.includes(options.only))) {
  const data = await dataOf(work)
  await train(work, data, false)
  await train(work, data, true)
  const [plain, coached]: [Once[], Once[]] = [[], []]
  for (let i = 0; i < (work.inTurns ? pairs : 10 * pairs); i++) {
    const [one, other] = await pair(work, data, i)
    plain.push(one)
    coached.push(other)
  }
  if (new Set([...plain, ...coached].map(({ bits }) => bits)).size !== 1) throw new Error(`${work.name}: other bits.`)
  const by = (time: "clock" | "processor"): object =>
    compared(
      plain.map((once) => once[time]),
      coached.map((once) => once[time]),
    )
  const result = { name: work.name, bound: 1 + work.bound, clock: by("clock"), processor: by("processor") }
  results.push(result)
  console.log(JSON.stringify(result))
}
const report = { machine: machine(), pairs, threads: options.threads ?? "auto", results }
if (options.save)
  writeFileSync(new URL("results/coach-overhead.json", import.meta.url), `${JSON.stringify(report, null, 2)}\n`)
else console.log(JSON.stringify(report.machine))
