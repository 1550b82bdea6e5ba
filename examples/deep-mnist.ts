// A deep net with batch normalization, dropout and Adam on MNIST: `node examples/deep-mnist.ts`. Target: 98.3 % on the 10,000
// images that it has not seen.

import { adam, batchNormalization, cosineDecay, dense, dropout, sequential } from "trilobite"
import { asTrainingData, mnist } from "trilobite/datasets"
import { type Effort, type Outcome, report } from "./support.ts"

/** Trains the net and measures it. */
export async function deepMnist({ verbose = 0, callbacks = [] }: Effort = {}): Promise<Outcome> {
  const { xTrain, yTrain, xValid, yValid } = asTrainingData(await mnist())
  const model = sequential(
    [
      dense({ units: 256, activation: "relu", inputShape: [784] }),
      batchNormalization(),
      dropout({ rate: 0.3 }),
      dense({ units: 128, activation: "relu" }),
      batchNormalization(),
      dropout({ rate: 0.3 }),
      dense({ units: 64, activation: "relu" }),
      batchNormalization(),
      dense({ units: 10, activation: "softmax" }),
    ],
    { seed: 1 },
  )
  const epochs = 12
  const learningRate = cosineDecay({ initialLearningRate: 0.003, decaySteps: epochs * 469 })
  model.compile({ loss: "categoricalCrossentropy", optimizer: adam({ learningRate }), metrics: ["accuracy"] })
  await model.fit(xTrain, yTrain, { batchSize: 128, epochs, verbose, callbacks })
  const { accuracy } = await model.evaluate(xValid, yValid, { batchSize: 128 })
  return { name: "deep net on MNIST, accuracy", measured: accuracy!, target: 0.983 }
}

if (import.meta.filename === process.argv[1]) report(await deepMnist({ verbose: 1 }))
