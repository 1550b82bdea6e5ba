// Regression on the diabetes data, ten-fold cross-validation: `node examples/diabetes.ts`. Target: as good as scikit-learn's
// MLPRegressor with the same layers (scripts/golden/sklearn_mlp.py).

import { adam, dense, l2, sequential } from "trilobite"
import { column, type Effort, folds, numbersOf, type Outcome, pick, report, standardize } from "./support.ts"

/** The mean R² on rows that a net has not seen. */
export async function diabetes({
  repeats = 3,
  callbacks = [],
}: Effort & { readonly repeats?: number } = {}): Promise<Outcome> {
  const { x, y } = await numbersOf("diabetes")
  const scores: number[] = []
  for (let seed = 0; seed < repeats; seed++) {
    for (const { train, test } of folds(x.length, 10, seed)) {
      const [known, targets] = [pick(x, train), pick(y, train)]
      const mean = targets.reduce((a, b) => a + b, 0) / targets.length
      const spread = Math.sqrt(targets.reduce((a, b) => a + (b - mean) ** 2, 0) / targets.length)
      const kernelRegularizer = l2({ l2: 0.01 })
      const model = sequential(
        [
          standardize(known),
          dense({ units: 16, activation: "relu", kernelRegularizer }),
          dense({ units: 16, activation: "relu", kernelRegularizer }),
          dense({ units: 1 }),
        ],
        { seed, threads: 1 },
      )
      model.compile({ loss: "mse", optimizer: adam({ learningRate: 0.003 }) })
      const scaled = targets.map((t) => [(t - mean) / spread])
      await model.fit(known, scaled, { epochs: 40, batchSize: 32, verbose: 0, callbacks })
      const found = column(await model.predict(pick(x, test))).map((value) => value * spread + mean)
      const wanted = pick(y, test)
      const center = wanted.reduce((a, b) => a + b, 0) / wanted.length
      const left = wanted.reduce((sum, t, i) => sum + (t - found[i]!) ** 2, 0)
      scores.push(1 - left / wanted.reduce((sum, t) => sum + (t - center) ** 2, 0))
    }
  }
  const measured = scores.reduce((a, b) => a + b, 0) / scores.length
  return { name: "diabetes, cross-validated R²", measured, target: DIABETES }
}

/** The mean of scikit-learn 1.2.1 over ten seeds. */
const DIABETES = 0.3975

if (import.meta.filename === process.argv[1]) report(await diabetes())
