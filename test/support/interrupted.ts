// One training, begun, interrupted in the middle of an epoch and ended, in Node and in pages. The function is sent to pages as its own
// text: it uses nothing of this module.

type Library = typeof import("../../src/index.ts")

/** What is done: train to the end without a stop, up to the stop, or from a place on to the end. */
export interface Part {
  /** Stops in the middle of the second epoch. */
  readonly stop?: boolean
  /** Where the interrupted training is kept; absent: it begins. */
  readonly from?: string
  /** Where the model is saved afterwards. */
  readonly to?: string
  readonly threads: number
}

/** Does it, and answers with all weights. */
export async function interrupted(library: Library, part: Part): Promise<number[][]> {
  const { batchNormalization, dense, dropout, loadModel, sequential } = library
  const options = { seed: 3, threads: part.threads }
  const built = () => {
    const layers = [
      dense({ units: 24, activation: "tanh", inputShape: [4] }),
      batchNormalization(),
      dropout({ rate: 0.2 }),
      dense({ units: 1 }),
    ]
    const model = sequential(layers, options)
    model.compile({ loss: "mse", optimizer: "adam" })
    return model
  }
  const model = part.from === undefined ? built() : await loadModel(part.from, options)
  const x = Array.from({ length: 90 }, (_, i) => [(i % 7) / 7, (i % 11) / 11, (i % 13) / 13, (i % 5) / 5])
  const y = x.map(([a = 0, b = 0, c = 0]) => [a * b - c])
  const abort = new AbortController()
  let rounds = 0
  const onBatchEnd = () => {
    if (part.stop === true && ++rounds === 14) abort.abort()
  }
  await model.fit(x, y, {
    epochs: 4,
    batchSize: 9,
    verbose: 0,
    validationSplit: 0.1,
    callbacks: [{ onBatchEnd }],
    signal: abort.signal,
    ...(part.from === undefined ? {} : { resume: true as const }),
  })
  if (part.to !== undefined) await model.save(part.to)
  return model.getWeights().map(({ data }) => Array.from(data as Float32Array))
}
