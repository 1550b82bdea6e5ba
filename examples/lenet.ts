// LeNet-5 on MNIST: `node examples/lenet.ts`. Target: 99 % on the 10,000 images that it has not seen, after ten epochs at most.

import { adam, conv2D, cosineDecay, dense, flatten, maxPooling2D, reshape, sequential } from "trilobite"
import { asTrainingData, mnist } from "trilobite/datasets"
import { type Effort, type Outcome, report } from "./support.ts"

/**
 * Trains the net and measures it. Two convolutions, each followed by a pooling, and three dense layers, as in LeCun et al. 1998; with
 * ReLU and maxima instead of the paper's tanh and trained averages.
 */
export async function lenet({
  epochs = 10,
  target = 0.99,
  verbose = 0,
  callbacks = [],
}: Effort = {}): Promise<Outcome> {
  const { xTrain, yTrain, xValid, yValid } = asTrainingData(await mnist())
  const model = sequential(
    [
      reshape({ targetShape: [28, 28, 1], inputShape: [784] }),
      conv2D({ filters: 6, kernelSize: 5, padding: "same", activation: "relu" }),
      maxPooling2D(),
      conv2D({ filters: 16, kernelSize: 5, activation: "relu" }),
      maxPooling2D(),
      flatten(),
      dense({ units: 120, activation: "relu" }),
      dense({ units: 84, activation: "relu" }),
      dense({ units: 10, activation: "softmax" }),
    ],
    { seed: 1, numerics: "fused" },
  )
  const learningRate = cosineDecay({ initialLearningRate: 0.003, decaySteps: epochs * 469 })
  model.compile({ loss: "categoricalCrossentropy", optimizer: adam({ learningRate }), metrics: ["accuracy"] })
  await model.fit(xTrain, yTrain, { batchSize: 128, epochs, verbose, callbacks })
  const { accuracy } = await model.evaluate(xValid, yValid, { batchSize: 128 })
  return { name: `LeNet-5 on MNIST after ${epochs} epochs, accuracy`, measured: accuracy!, target }
}

if (import.meta.filename === process.argv[1]) report(await lenet({ verbose: 1 }))
