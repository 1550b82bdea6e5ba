// The small net of the lesson on backpropagation, as the library computes it: activations, cost, and gradients out of one round.

import { binaryCrossentropy, dense, type Model, meanSquaredError, sequential, sgd, type TensorLike } from "trilobite"
import { type Numbers, type Params, type Question, sizes, unflat } from "../../lessons/backprop-net.ts"
import type { Job } from "../protocol.ts"
import { channel } from "../queue.ts"
import { engine } from "../trilobite.ts"

/** A question with the number that its answer carries. */
export interface Asked extends Question {
  readonly id: number
  readonly params: Params
}

/** The library's numbers. */
export interface Answered {
  readonly id: number
  readonly numbers: Numbers
}

/** A rate of 1: what a round takes from a weight is its gradient. */
const RATE = 1

function netOf({ act, cost }: Question): Model {
  const [inputs, ...wide] = sizes
  const layers = wide.map((units, l) =>
    dense({
      units,
      activation: l === wide.length - 1 ? "sigmoid" : act,
      ...(l === 0 ? { inputShape: [inputs] } : {}),
    }),
  )
  const model = sequential(layers, engine({ seed: 0, threads: 1 }))
  const loss = cost === "quadratic" ? meanSquaredError() : binaryCrossentropy()
  model.compile({ loss, optimizer: sgd({ learningRate: RATE }) })
  return model
}

const tensors = ({ weights, biases }: Params): TensorLike[] =>
  weights.flatMap((rows, l): TensorLike[] => [rows.map((row) => [...row]), [...biases[l]!]])

const numbersOf = (model: Model): number[] => model.getWeights().flatMap(({ data }) => [...data])

/** The library's numbers for a question; the model's weights are those of the question before and after. */
export async function ask(model: Model, { params, x, y }: Omit<Asked, "id">): Promise<Numbers> {
  model.setWeights(tensors(params))
  const layers = await model.activations([[...x]])
  const before = numbersOf(model)
  const { loss } = await model.trainOnBatch([[...x]], [[y]])
  const after = numbersOf(model)
  const gradients = unflat(before.map((w, i) => (w - after[i]!) / RATE))
  return {
    a: [[...x], ...layers.map(({ values }) => [...values.data])],
    delta: gradients.biases,
    gradients: gradients.weights,
    cost: loss!,
  }
}

/** Answers the newest question; those between are left out. */
export const backprop: Job<Record<string, never>, Answered, Asked> = async function* (_, { signal, onMessage }) {
  const questions = channel<Asked>()
  onMessage(questions.push)
  signal.addEventListener("abort", questions.close)
  const models = new Map<string, Model>()
  for await (const asked of questions) {
    if (questions.waiting > 0) continue
    const kind = `${asked.act} ${asked.cost}`
    const model = models.get(kind) ?? netOf(asked)
    models.set(kind, model)
    yield { id: asked.id, numbers: await ask(model, asked) }
  }
}
