// Iris, ten times ten-fold cross-validation: `node examples/iris.ts`. Target: as good as scikit-learn's MLPClassifier with the same
// layers (scripts/golden/sklearn_mlp.py).

import { adam, dense, sequential } from "trilobite"
import { type Effort, folds, numbersOf, type Outcome, pick, report, standardize } from "./support.ts"

/** The mean accuracy on rows that a net has not seen. */
export async function iris({
  repeats = 10,
  callbacks = [],
}: Effort & { readonly repeats?: number } = {}): Promise<Outcome> {
  const { x, y } = await numbersOf("iris")
  let right = 0
  for (let seed = 0; seed < repeats; seed++) {
    for (const { train, test } of folds(x.length, 10, seed, y)) {
      const known = pick(x, train)
      const model = sequential(
        [
          standardize(known),
          dense({ units: 16, activation: "relu" }),
          dense({ units: 16, activation: "relu" }),
          dense({ units: 3, activation: "softmax" }),
        ],
        { seed, threads: 1 },
      )
      model.compile({
        loss: "sparseCategoricalCrossentropy",
        optimizer: adam({ learningRate: 0.01, weightDecay: 0.03 }),
        metrics: ["accuracy"],
      })
      await model.fit(known, pick(y, train), { epochs: 80, batchSize: 32, verbose: 0, callbacks })
      const { accuracy } = await model.evaluate(pick(x, test), pick(y, test))
      right += accuracy! * test.length
    }
  }
  return { name: "iris, cross-validated accuracy", measured: right / (repeats * x.length), target: IRIS }
}

/** The mean of scikit-learn 1.2.1 over ten seeds. */
const IRIS = 0.9547

if (import.meta.filename === process.argv[1]) report(await iris())
