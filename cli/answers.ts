// What a net said of rows whose classes are known: how often it takes one class for another, and which rows it reads wrong. Used by
// `train` and by the studio's page that trains; imports types alone.

import type { Answers, Mistake } from "./signals.ts"

/** A mistake, with the probability of what is true beside that of what was said. */
export interface Misread extends Mistake {
  readonly truth: number
}

/** The place of the greatest of some numbers; the first of equals. */
export function greatest(data: ArrayLike<number>, from: number, count: number): number {
  let best = 0
  for (let k = 1; k < count; k++) if (data[from + k]! > data[from + best]!) best = k
  return best
}

/** Reads rows of probabilities, one for each class, beside the true classes: the confusion, and all mistakes, the surest first. */
export function misread(
  probabilities: ArrayLike<number>,
  classes: number,
  labels: ArrayLike<number>,
): { readonly confusion: Answers["confusion"]; readonly mistakes: readonly Misread[] } {
  const confusion = Array.from({ length: classes }, () => new Array<number>(classes).fill(0))
  const mistakes: Misread[] = []
  for (let index = 0; index < labels.length; index++) {
    const [row, label] = [classes * index, labels[index]!]
    const said = greatest(probabilities, row, classes)
    confusion[label]![said]!++
    if (said === label) continue
    mistakes.push({ index, label, said, probability: probabilities[row + said]!, truth: probabilities[row + label]! })
  }
  mistakes.sort((a, b) => b.probability - a.probability || a.index - b.index)
  return { confusion, mistakes }
}
