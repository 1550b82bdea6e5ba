// The net of figure 8.8, one image at a time: how far the kernel of every layer moved in each epoch.

import {
  categoricalCrossentropy,
  dense,
  glorotUniform,
  heNormal,
  type Initializer,
  learningSpeed,
  lecunNormal,
  type Model,
  orthogonal,
  randomNormal,
  sequential,
  sgd,
  TrilobiteError,
} from "trilobite"
import { chapter, layerNames, type SpeedInitializer, type SpeedNet } from "../../lessons/speed-net.ts"
import { type Gate, gate } from "../gate.ts"
import { asTrainingData, firstOfMnist, type LabelledImages, MnistError } from "../mnist.ts"
import type { Job } from "../protocol.ts"
import { channel } from "../queue.ts"
import { engine } from "../trilobite.ts"

/** A net of this lesson, and for how many epochs (default the chapter's 200). */
export interface SpeedParams extends SpeedNet {
  readonly epochs?: number
}

/** An epoch's speeds, from `hidden_0` on, and the mean cost; or why there are no more. */
export type SpeedEvent =
  | { readonly type: "epoch"; readonly epoch: number; readonly speeds: readonly number[]; readonly loss: number }
  | { readonly type: "diverged"; readonly where: string }
  | { readonly type: "absent"; readonly says: string }

/** What the page tells. */
export type SpeedMessage = "pause" | "resume"

const initializers: { readonly [I in SpeedInitializer]: () => Initializer } = {
  glorotUniform,
  heNormal,
  lecunNormal,
  orthogonal,
  // A standard deviation that keeps nothing in mind: numbers of ordinary size.
  randomNormal: () => randomNormal({ stddev: 1 }),
}

/** The chapter's net with other layers, activation and weights to begin with. */
export function speedNet({ activation, initializer, layers, seed }: SpeedParams): Model {
  const { units, learningRate } = chapter
  const kernelInitializer = initializers[initializer]()
  const hidden = ["input", ...layerNames(layers)].map((name, i) =>
    dense({ units, activation, name, kernelInitializer, ...(i === 0 ? { inputShape: [784] } : {}) }),
  )
  const model = sequential([...hidden, dense({ units: 10, activation: "softmax" })], engine({ seed }))
  model.compile({ loss: categoricalCrossentropy(), optimizer: sgd({ learningRate }) })
  return model
}

/** Trains the net on the chapter's 1,000 images. */
export const speed: Job<SpeedParams, SpeedEvent, SpeedMessage> = async function* (params, { signal, onMessage }) {
  const way = gate(signal)
  onMessage((message) => (message === "pause" ? way.shut() : way.open()))
  let part: LabelledImages
  try {
    part = await firstOfMnist("train", chapter.rows)
  } catch (error) {
    if (!(error instanceof MnistError)) throw error
    yield { type: "absent", says: error.message }
    return
  }
  yield* train(params, part, way, signal)
}

async function* train(
  params: SpeedParams,
  part: LabelledImages,
  way: Gate,
  signal: AbortSignal,
): AsyncGenerator<SpeedEvent, void, undefined> {
  const events = channel<SpeedEvent>()
  const names = layerNames(params.layers)
  const measured = learningSpeed()
  const { xTrain, yTrain } = asTrainingData({ train: part, test: part })
  const work = speedNet(params).fit(xTrain, yTrain, {
    batchSize: 1,
    epochs: params.epochs ?? chapter.epochs,
    verbose: 0,
    signal,
    callbacks: [
      measured,
      {
        onEvent: () => way.pass(),
        onEpochEnd: (epoch, { loss }) =>
          events.push({
            type: "epoch",
            epoch: epoch + 1,
            speeds: names.map((name) => measured.speeds[name]![epoch]!),
            loss: loss!,
          }),
      },
    ],
  })
  events.follow(work)
  try {
    yield* events
  } catch (error) {
    if (!(error instanceof TrilobiteError) || error.code !== "E_DIVERGED") throw error
    yield { type: "diverged", where: error.where ?? "the first epoch" }
  }
}
