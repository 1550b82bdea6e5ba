// Looks at a training after each of its epochs: what the layers do, what is read wrong. Changes no bit of it, and takes a few
// hundredths of its time. It is the reader's eye, in every run; the coach (src/train/watching.ts), which may be off, looks at other
// things: gradients of the training's own rounds, and rows of training with its noise, after a few epochs. Here they are the gradient
// of the first rows, and rows of validation as they are predicted. Only the way of a kernel is in both, there of watched epochs alone.

import {
  type Callback,
  learningSpeed,
  type Model,
  type Saturation,
  saturation,
  type Tensor,
  type Training,
  TrilobiteError,
  weightHistory,
} from "../src/index.ts"
import { greatest, misread } from "./answers.ts"
import type { Answers, LayerSignals, Signals } from "./signals.ts"

/** Rows that are looked at for gradients and for flat values. */
const ROWS = 512
const BINS = 40
/** The surest mistakes that are told in full, and those whose numbers are. */
const SUREST = 12
const WRONG = 1000
/** The shares of the training's time that the longer looks may take. */
const SHARES = { flat: 0.006, gradients: 0.006, answers: 0.015 }

/** What an observer is given. */
export interface Observed {
  /** Rows of training, or the first piece of them, and how many rows an epoch has in all. */
  readonly x: Tensor
  readonly y: Tensor
  readonly rows: number
  /** Rows that are looked at for flat values and answers: of validation, if there are some. */
  readonly xValid: Tensor
  /** Rows with the greatest number at the class, or the numbers of the classes; without it no answers are seen. */
  readonly yValid?: Tensor | undefined
  /** A model of the same layers with steps of length 1 that is not trained: it is asked for gradients and answers. */
  readonly probe: Model
}

/** An observer of a training. */
export interface Observer extends Required<Pick<Callback, "onTrainBegin">> {
  /** Looks after an epoch (from 0) that took so many seconds. */
  look(epoch: number, seconds: number, training: Training): Promise<Signals>
  /** Seconds that it has taken so far. */
  readonly seconds: number
}

/** Observes a training. */
export function observe({ x, y, rows, xValid, yValid, probe }: Observed): Observer {
  const [xSome, ySome] = [head(x, ROWS), head(y, ROWS)]
  const labels = yValid && classesOf(yValid)
  const speed = learningSpeed()
  const flat = saturation({ rows: head(xValid, ROWS) })
  const histograms = weightHistory({ bins: BINS, keepWeights: false })
  let [begin, seconds, trained, last] = [-1, 0, 0, 0]
  /** The last sizes of the weights: the neurons of kernels. */
  let widths: readonly number[] = []
  const spent = { flat: 0, gradients: 0, answers: 0 }
  /** Does what is due; the time it takes is counted. */
  const sometimes = async <T>(
    what: keyof typeof spent,
    epoch: number,
    look: () => Promise<T>,
  ): Promise<T | undefined> => {
    // Flat values are seen quickly: after epochs 1, 2, 4, 8, ... however short they are.
    const isDue =
      (what !== "answers" && epoch === begin) || (what === "flat" && (epoch & (epoch + 1)) === 0) || epoch + 1 === last
    if (!isDue && spent[what] >= SHARES[what] * trained) return undefined
    const started = performance.now()
    const seen = await look()
    spent[what] += (performance.now() - started) / 1000
    return seen
  }
  return {
    get seconds() {
      return seconds
    },
    onTrainBegin: async (logs, training) => {
      widths = training.weights().map(({ tensor }) => tensor.shape.at(-1) ?? 0)
      for (const part of [speed, flat]) await part.onTrainBegin?.(logs, training)
    },
    look: async (epoch, took, training) => {
      const started = performance.now()
      trained += took
      last = training.epochs
      if (begin === -1) begin = epoch
      await speed.onEpochEnd?.(epoch, {}, training)
      // Begun anew each time, so that it keeps one snapshot.
      await histograms.onTrainBegin?.({}, training)
      const flats = await sometimes("flat", epoch, () => flatOf(flat, epoch, training))
      const answers = await sometimes("answers", epoch, async () => {
        if (labels === undefined) return undefined
        probe.setWeights(training.getWeights())
        return answersOf(await probe.predict(xValid, { batchSize: ROWS }), labels)
      })
      const gradients = await sometimes("gradients", epoch, () => gradientsOf(probe, training, xSome, ySome))
      const { weights } = histograms.snapshots[0]!
      const layers = Object.entries(speed.speeds).map(([layer, speeds]): LayerSignals => {
        // A layer's only kernel has the name of the layer, several have their own behind it.
        const i = weights.findIndex((of) => {
          return /kernel$/i.test(of.name) && (of.layer === layer || `${of.layer}/${of.name}` === layer)
        })
        const { min, max, counts } = weights[i]!.histogram
        const gradient = gradients?.get(layer)
        const seen = flats?.get(layer)
        const units = widths[i]!
        return {
          layer,
          speed: speeds.at(-1)!,
          weights: { min, max, counts },
          ...(gradient === undefined ? {} : { gradient }),
          ...(seen === undefined ? {} : { units, saturated: seen.saturated }),
          ...(seen?.dead === undefined ? {} : { dead: Math.round(seen.dead * units) }),
        }
      })
      seconds += (performance.now() - started) / 1000
      return {
        epoch: epoch + 1,
        learningRate: training.learningRate,
        samplesPerSecond: rows / took,
        rows: xSome.shape[0]!,
        layers,
        ...(answers === undefined ? {} : { answers }),
      }
    },
  }
}

/**
 * The shares of flat values and, where the activation can die, of dead neurons, by layers; undefined if no layer has an
 * activation with a flat part.
 */
async function flatOf(
  flat: Saturation,
  epoch: number,
  training: Training,
): Promise<ReadonlyMap<string, { readonly saturated: number; readonly dead: number | undefined }> | undefined> {
  try {
    await flat.onEpochEnd?.(epoch, {}, training)
  } catch (error) {
    if (error instanceof TrilobiteError && error.code === "E_CONFIG") return undefined
    throw error
  }
  return new Map(
    flat.layers.map(({ layer, activation, saturated, dead }) => [
      layer,
      { saturated: saturated.at(-1)!, dead: /^relu/.test(activation) ? dead.at(-1)! : undefined },
    ]),
  )
}

/**
 * The lengths of the gradients by layers: the speed of a plain step of length 1, which goes the way of the gradient. Undefined if
 * it leads to where there are no numbers.
 */
async function gradientsOf(
  probe: Model,
  training: Training,
  x: Tensor,
  y: Tensor,
): Promise<ReadonlyMap<string, number> | undefined> {
  const before = training.weights()
  probe.setWeights(before.map(({ tensor }) => tensor))
  try {
    await probe.trainOnBatch(x, y)
  } catch (error) {
    if (error instanceof TrilobiteError && error.code === "E_DIVERGED") return undefined
    throw error
  }
  const after = probe.getWeights()
  const step = learningSpeed()
  const weighed = (tensors: readonly Tensor[]): Training => ({
    ...training,
    weights: () => before.map((of, i) => ({ ...of, tensor: tensors[i]! })),
  })
  await step.onTrainBegin?.({}, weighed(before.map(({ tensor }) => tensor)))
  await step.onEpochEnd?.(0, {}, weighed(after))
  return new Map(Object.entries(step.speeds).map(([layer, [length]]) => [layer, length!]))
}

/** The first rows, copied: nobody holds all rows for their sake. */
function head({ dtype, shape: [all = 0, ...rest], data }: Tensor, rows: number): Tensor {
  const taken = Math.min(rows, all)
  return { dtype, shape: [taken, ...rest], data: data.slice(0, (taken * data.length) / Math.max(1, all)) }
}

/** The class of each row: where its greatest number is, or its only number. */
function classesOf({ shape: [rows = 0, classes = 1], data }: Tensor): Uint16Array {
  return Uint16Array.from({ length: rows }, (_, i) => (classes === 1 ? data[i]! : greatest(data, i * classes, classes)))
}

/** A probability for each class, where one output says how sure the second of two is. */
function ofTwo(second: ArrayLike<number>): Float32Array {
  return Float32Array.from({ length: 2 * second.length }, (_, i) => {
    const p = second[i >> 1]!
    return i % 2 === 0 ? 1 - p : p
  })
}

/** What was said of each row, beside what is true. */
function answersOf({ shape: [, classes = 1], data }: Tensor, labels: Uint16Array): Answers {
  const { confusion, mistakes } = classes === 1 ? misread(ofTwo(data), 2, labels) : misread(data, classes, labels)
  return {
    confusion,
    mistakes: mistakes.slice(0, SUREST).map(({ truth: _, ...mistake }) => mistake),
    wrong: mistakes.slice(0, WRONG).map(({ index }) => index),
  }
}
