// Dense layers on Fashion-MNIST: `node examples/fashion-mnist.ts`. Target: 89 % on the 10,000 images that it has not seen. The data
// are those of Debian's package dataset-fashion-mnist, or of the folder in TRILOBITE_FASHION_MNIST.

import { existsSync } from "node:fs"
import { adam, dense, dropout, exponentialDecay, sequential } from "trilobite"
import { asTrainingData, mnist } from "trilobite/datasets"
import { type Outcome, report } from "./support.ts"

/** Where the data are, or undefined if they are not there. */
export function fashionFolder(): string | undefined {
  const folder = process.env.TRILOBITE_FASHION_MNIST ?? "/usr/share/datasets/fashion-mnist"
  return existsSync(folder) ? folder : undefined
}

/** Trains the net and measures it. */
export async function fashionMnist(path: string, verbose: 0 | 1 = 0): Promise<Outcome> {
  const { xTrain, yTrain, xValid, yValid } = asTrainingData(await mnist({ path }))
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
  await model.fit(xTrain, yTrain, { batchSize: 128, epochs: 15, verbose })
  const { accuracy } = await model.evaluate(xValid, yValid, { batchSize: 128 })
  return { name: "dense layers on Fashion-MNIST, accuracy", measured: accuracy!, target: 0.89 }
}

if (import.meta.filename === process.argv[1]) {
  const folder = fashionFolder()
  if (folder === undefined) console.log("skipped: Fashion-MNIST is not here (apt-get install dataset-fashion-mnist)")
  else report(await fashionMnist(folder, 1))
}
