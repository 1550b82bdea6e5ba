// A training without a model, for callbacks: what a test does not supply may not be asked for.
import type { Callback, Logs, Training } from "../../src/index.ts"

/** A training in which the given members work; all others throw. */
export function fakeTraining(given: Partial<Training> = {}): Training {
  const absent = (name: string) => (): never => {
    throw new Error(`the callback may not ask for ${name} here`)
  }
  return {
    learningRate: 0.1,
    epochs: 1,
    step: 0,
    stop: absent("stop"),
    getWeights: absent("getWeights"),
    setWeights: absent("setWeights"),
    weights: absent("weights"),
    activations: absent("activations"),
    save: absent("save"),
    saveWeights: absent("saveWeights"),
    ...given,
  }
}

/** Plays epochs with these logs; `each` is told of every epoch before its end. */
export async function playEpochs(
  callback: Callback,
  training: Training,
  epochs: readonly Logs[],
  each: (epoch: number) => void = () => {},
): Promise<void> {
  await callback.onTrainBegin?.({}, training)
  for (const [epoch, logs] of epochs.entries()) {
    await callback.onEpochBegin?.(epoch, {}, training)
    each(epoch)
    await callback.onEpochEnd?.(epoch, logs, training)
  }
  await callback.onTrainEnd?.(epochs.at(-1) ?? {}, training)
}
