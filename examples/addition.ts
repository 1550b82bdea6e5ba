// Adding two numbers that are written as text, "12+35" to "47", letter by letter: `node examples/addition.ts`. Target: 99 % of the whole
// answers to questions that the net has not seen in either order.

import {
  adam,
  cosineDecay,
  dense,
  embedding,
  lstm,
  repeatVector,
  sequential,
  textVectorization,
  timeDistributed,
} from "trilobite"
import { type Effort, folds, type Outcome, pick, report } from "./support.ts"

/**
 * Trains an encoder (an LSTM that reads the question and gives its last output), whose output is repeated for each letter of the answer
 * and read by a decoder (an LSTM that gives all its outputs), and counts the answers with every letter right.
 */
export async function addition({
  epochs = 60,
  target = 0.99,
  verbose = 0,
  callbacks = [],
}: Effort = {}): Promise<Outcome> {
  const numbers = Array.from({ length: 100 }, (_, i) => i)
  const pairs = numbers.flatMap((a) => numbers.filter((b) => b >= a).map((b) => [a, b] as const))
  const { train, test } = folds(pairs.length, 5, 1)[0]!
  /** Both orders of pairs: questions of five letters, filled up with spaces, and answers of three. */
  const texts = (rows: readonly number[]): { questions: string[]; answers: string[] } => {
    const both = pick(pairs, rows).flatMap(([a, b]) =>
      a === b
        ? [[a, b]]
        : [
            [a, b],
            [b, a],
          ],
    )
    return {
      questions: both.map(([a, b]) => `${a}+${b}`.padEnd(5)),
      answers: both.map(([a, b]) => `${a! + b!}`.padEnd(3)),
    }
  }
  const letters = textVectorization({ standardize: null, split: "character", vocabulary: [..."0123456789+ "] })
  const size = letters.vocabularySize()
  const model = sequential(
    [
      embedding({ inputDim: size, outputDim: 16, inputShape: [5] }),
      lstm({ units: 128 }),
      repeatVector({ n: 3 }),
      lstm({ units: 128, returnSequences: true }),
      timeDistributed({ layer: dense({ units: size, activation: "softmax" }) }),
    ],
    { seed: 1, numerics: "fused" },
  )
  const known = texts(train)
  const learningRate = cosineDecay({
    initialLearningRate: 0.004,
    decaySteps: epochs * Math.ceil(known.questions.length / 64),
  })
  model.compile({ loss: "sparseCategoricalCrossentropy", optimizer: adam({ learningRate }), metrics: ["accuracy"] })
  await model.fit(letters.vectorize(known.questions), letters.vectorize(known.answers), {
    batchSize: 64,
    epochs,
    verbose,
    callbacks,
  })

  const { questions, answers } = texts(test)
  const { data } = await model.predict(letters.vectorize(questions))
  const vocabulary = letters.getVocabulary()
  const answer = (row: number): string =>
    [0, 1, 2].map((letter) => vocabulary[highest(data, (3 * row + letter) * size, size)]).join("")
  const right = answers.filter((text, row) => answer(row) === text).length
  return { name: "sums of two numbers as text, whole answers", measured: right / answers.length, target }
}

/** Where the largest of some numbers is, counted from the first of them. */
function highest(values: ArrayLike<number>, from: number, length: number): number {
  let best = 0
  for (let i = 1; i < length; i++) if (values[from + i]! > values[from + best]!) best = i
  return best
}

if (import.meta.filename === process.argv[1]) report(await addition({ verbose: 1 }))
