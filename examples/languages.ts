// Which of six languages a word is of, by its letters: `node examples/languages.ts`. Two nets that see the order of the letters are to
// be better than one that is told only how often each occurs (a bag of words whose words are letters), trained beside them.

import {
  adam,
  bidirectional,
  cosineDecay,
  dense,
  dropout,
  embedding,
  globalAveragePooling1D,
  type Layer,
  lstm,
  sequential,
  type TextVectorization,
  type TextVectorizationOptions,
  textVectorization,
} from "trilobite"
import { dataSet } from "trilobite/datasets"
import { type Effort, folds, type Outcome, pick, report } from "./support.ts"

/** Trains the three nets on four fifths of the words, and measures them on the others. */
export async function languages({ verbose = 0, callbacks = [] }: Effort = {}): Promise<readonly Outcome[]> {
  const { columns, rows } = await dataSet("words")
  const [words, language] = columns.filter((column) => column.kind === "text")
  const all = { texts: Array.from(words!.codes, (code) => words!.levels[code]!), classes: [...language!.codes] }
  const { train, test } = folds(rows, 5, 1, all.classes)[0]!

  /** Trains a net, given what makes numbers of texts, and gives the share of the other words that it puts right. */
  const measure = async (texts: TextVectorization, layers: readonly Layer[], epochs: number): Promise<number> => {
    const output = dense({ units: language!.levels.length, activation: "softmax" })
    const model = sequential([...layers, output], { seed: 1, numerics: "fused" })
    const optimizer = adam({
      learningRate: cosineDecay({ initialLearningRate: 0.004, decaySteps: epochs * Math.ceil(train.length / 64) }),
    })
    model.compile({ loss: "sparseCategoricalCrossentropy", optimizer, metrics: ["accuracy"] })
    const [x, y] = [texts.vectorize(pick(all.texts, train)), pick(all.classes, train)]
    await model.fit(x, y, { batchSize: 64, epochs, verbose, callbacks })
    const { accuracy } = await model.evaluate(texts.vectorize(pick(all.texts, test)), pick(all.classes, test))
    return accuracy!
  }
  const adapted = (options: TextVectorizationOptions): TextVectorization => {
    const texts = textVectorization({ split: "character", ...options })
    texts.adapt(pick(all.texts, train))
    return texts
  }

  const counts = adapted({ outputMode: "count" })
  const bag = await measure(
    counts,
    [dense({ units: 64, activation: "relu", inputShape: [counts.vocabularySize()] })],
    20,
  )

  // Runs of one to three letters, a vector for each: what the net sees is their mean.
  const runs = adapted({ ngrams: 3, maxTokens: 6000, outputSequenceLength: 24 })
  const pooled = await measure(
    runs,
    [
      embedding({ inputDim: runs.vocabularySize(), outputDim: 32, maskZero: true, inputShape: [24] }),
      globalAveragePooling1D(),
      dropout({ rate: 0.3 }),
    ],
    15,
  )

  const letters = adapted({ outputSequenceLength: 9 })
  const recurrent = await measure(
    letters,
    [
      embedding({ inputDim: letters.vocabularySize(), outputDim: 16, maskZero: true, inputShape: [9] }),
      bidirectional({ layer: lstm({ units: 48 }) }),
      dropout({ rate: 0.3 }),
    ],
    15,
  )
  return [
    { name: "language of a word, embedding and pooling, accuracy", measured: pooled, target: bag },
    { name: "language of a word, LSTM, accuracy", measured: recurrent, target: bag },
  ]
}

if (import.meta.filename === process.argv[1]) for (const outcome of await languages({ verbose: 1 })) report(outcome)
