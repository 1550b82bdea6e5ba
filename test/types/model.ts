// The options of models, of compile and of fit are checked by the compiler.
import { type Callback, type Dataset, dense, earlyStopping, loadModel, sequential, sgd } from "../../src/index.ts"

const model = sequential([dense({ units: 1, inputShape: [1] })], { seed: 1, threads: 2, name: "a" })
model.compile({ loss: "categorical_crossentropy", optimizer: sgd({ momentum: 0.9 }), metrics: ["accuracy", "mse"] })

/** Right and wrong uses side by side. */
export async function uses(): Promise<void> {
  const x = [[0], [1]]
  await model.fit(x, [0, 1], { batchSize: 2, epochs: 1, verbose: "auto", validationData: [x, [0, 1]] })
  // @ts-expect-error a misspelt option of a model
  sequential([], { sead: 1 })
  // @ts-expect-error a layer without its list
  sequential(dense({ units: 1 }))
  // @ts-expect-error the function that makes a layer is none
  model.add(dense)
  // @ts-expect-error the loss is required
  model.compile({ optimizer: "sgd" })
  // @ts-expect-error a misspelt loss
  model.compile({ loss: "meanSquareError" })
  // @ts-expect-error a misspelt option of compile
  model.compile({ loss: "mse", optimiser: "sgd" })
  // @ts-expect-error an unknown optimizer
  model.compile({ loss: "mse", optimizer: "sdg" })
  // @ts-expect-error an unknown metric
  model.compile({ loss: "mse", metrics: ["accurcy"] })
  // @ts-expect-error a metric without its list
  model.compile({ loss: "mse", metrics: "accuracy" })
  // @ts-expect-error a misspelt option of fit
  await model.fit(x, x, { batch_size: 2 })
  // @ts-expect-error a text for a number
  await model.fit(x, x, { epochs: "3" })
  // @ts-expect-error a verbosity that does not exist
  await model.fit(x, x, { verbose: 3 })
  // @ts-expect-error validation data is a pair
  await model.fit(x, x, { validationData: [x] })
  // @ts-expect-error the targets are missing
  await model.fit(x)
  const source: Dataset = {
    rows: 2,
    x: { dtype: "float32", shape: [1] },
    y: { dtype: "float32", shape: [1] },
    read() {},
  }
  await model.fit(source, { stepsPerEpoch: 1, shuffleBuffer: 9, validationData: source })
  await model.fit(async function* () {}, { epochs: 2 })
  await model.evaluate(source, { batchSize: 2 })
  await model.predict(source)
  // @ts-expect-error targets beside a data set
  await model.fit(source, x)
  // @ts-expect-error targets beside a data set, and options
  await model.fit(source, x, { epochs: 2 })
  // @ts-expect-error a data set cannot be divided
  await model.fit(source, { validationSplit: 0.5 })
  await model.fit(x, x, { stepsPerEpoch: 3, validationFreq: [1, 3], classWeight: { 0: 2 }, sampleWeight: [1, 2] })
  // @ts-expect-error the weights of a data set come with it
  await model.fit(source, { sampleWeight: [1, 2] })
  // @ts-expect-error one round has no epoch to measure after
  await model.trainOnBatch(x, x, { trainMetrics: "epochEnd" })
  // @ts-expect-error targets beside a data set
  await model.evaluate(source, x)
  // @ts-expect-error texts are no data
  await model.fit([["a"]], x)
  // @ts-expect-error evaluate has no epochs
  await model.evaluate(x, x, { epochs: 1 })
  // @ts-expect-error predict takes no targets
  await model.predict(x, x)
  // @ts-expect-error a misspelt option of the summary
  model.summary({ printfn: () => {} })
  // @ts-expect-error a path is required
  await loadModel()
  // @ts-expect-error a misspelt option of early stopping
  earlyStopping({ patiense: 3 })
  // @ts-expect-error a mode that does not exist
  earlyStopping({ mode: "maximum" })
  // @ts-expect-error a function that is never called
  const never: Callback = { onEpochEnded: () => {} }
  // @ts-expect-error the end of an epoch has a number first
  const order: Callback = { onEpochEnd: (logs: { readonly loss: number }) => void logs.loss }
  void [never, order]
  // @ts-expect-error the history is read only
  model.history = undefined
}
