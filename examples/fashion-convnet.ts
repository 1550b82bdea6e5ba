// A small convolutional net on Fashion-MNIST: `node examples/fashion-convnet.ts`. Target: 91.5 % on the 10,000 images that it has not
// seen. The data are those of Debian's package dataset-fashion-mnist, or of the folder in TRILOBITE_FASHION_MNIST.

import {
  adam,
  batchNormalization,
  conv2D,
  cosineDecay,
  dense,
  dropout,
  flatten,
  maxPooling2D,
  randomFlip,
  reshape,
  sequential,
} from "trilobite"
import { asTrainingData } from "trilobite/datasets"
import { type Effort, fashionImages, type Outcome, report } from "./support.ts"

/** Trains the net and measures it; undefined if the data are not on this machine. */
export async function fashionConvnet({
  epochs = 10,
  target = 0.915,
  verbose = 0,
  callbacks = [],
}: Effort = {}): Promise<Outcome | undefined> {
  const data = await fashionImages()
  if (data === undefined) return undefined
  const { xTrain, yTrain, xValid, yValid } = asTrainingData(data)
  const model = sequential(
    [
      reshape({ targetShape: [28, 28, 1], inputShape: [784] }),
      randomFlip({ mode: "horizontal" }),
      conv2D({ filters: 32, kernelSize: 3, activation: "relu" }),
      maxPooling2D(),
      batchNormalization(),
      conv2D({ filters: 64, kernelSize: 3, activation: "relu" }),
      maxPooling2D(),
      batchNormalization(),
      flatten(),
      dropout({ rate: 0.3 }),
      dense({ units: 128, activation: "relu" }),
      dropout({ rate: 0.2 }),
      dense({ units: 10, activation: "softmax" }),
    ],
    { seed: 1, numerics: "fused" },
  )
  const learningRate = cosineDecay({ initialLearningRate: 0.002, decaySteps: epochs * 469 })
  model.compile({ loss: "categoricalCrossentropy", optimizer: adam({ learningRate }), metrics: ["accuracy"] })
  await model.fit(xTrain, yTrain, { batchSize: 128, epochs, verbose, callbacks })
  const { accuracy } = await model.evaluate(xValid, yValid, { batchSize: 128 })
  return { name: `convnet on Fashion-MNIST after ${epochs} epochs, accuracy`, measured: accuracy!, target }
}

if (import.meta.filename === process.argv[1]) report(await fashionConvnet({ verbose: 1 }))
