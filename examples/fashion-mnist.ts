// Dense layers on Fashion-MNIST: `node examples/fashion-mnist.ts`. Target: 89 % on the 10,000 images that it has not seen. The data
// are those of Debian's package dataset-fashion-mnist, or of the folder in TRILOBITE_FASHION_MNIST.

import { adam, dense, dropout, exponentialDecay, sequential } from "trilobite"
import { asTrainingData } from "trilobite/datasets"
import { type Effort, fashionImages, type Outcome, report } from "./support.ts"

/** Trains the net and measures it; undefined if the data are not on this machine. */
export async function fashion({ verbose = 0, callbacks = [] }: Effort = {}): Promise<Outcome | undefined> {
  const data = await fashionImages()
  if (data === undefined) return undefined
  const { xTrain, yTrain, xValid, yValid } = asTrainingData(data)
  const model = sequential(
    [
      dense({ units: 256, activation: "relu", inputShape: [784] }),
      dropout({ rate: 0.2 }),
      dense({ units: 128, activation: "relu" }),
      dense({ units: 10, activation: "softmax" }),
    ],
    { seed: 1 },
  )
  const learningRate = exponentialDecay({ initialLearningRate: 0.001, decaySteps: 469, decayRate: 0.9 })
  model.compile({ loss: "categoricalCrossentropy", optimizer: adam({ learningRate }), metrics: ["accuracy"] })
  await model.fit(xTrain, yTrain, { batchSize: 128, epochs: 15, verbose, callbacks })
  const { accuracy } = await model.evaluate(xValid, yValid, { batchSize: 128 })
  return { name: "dense layers on Fashion-MNIST, accuracy", measured: accuracy!, target: 0.89 }
}

if (import.meta.filename === process.argv[1]) report(await fashion({ verbose: 1 }))
