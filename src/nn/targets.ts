// Checks of targets against a loss, and of a loss against the last layer, in the words of the user. Knows no graph.

import { configError, dataError } from "../core/errors.ts"
import { BATCH, formatShape, type Shape } from "../core/shape.ts"
import { placeOf, type Tensor } from "../core/tensor.ts"
import type { ActivationName } from "./activations.ts"
import { fits } from "./losses/rule.ts"
import { type Loss, nameOf, targetsOf } from "./losses.ts"

/** How far the probabilities of a row may be from summing to 1. */
const SUM_TOLERANCE = 1e-3

/**
 * The targets in the one shape that the loss asks for: `[n]` and `[n, 1]` become the same.
 * Throws E_DATA, with the place and a hint, if they are not what the loss can compare the output with:
 * other shapes, values that are not finite, labels that are no classes, rows that are no probabilities.
 * @param outputShape `[batch, ...]`
 */
export function checkTargets(loss: Loss, outputShape: Shape, targets: Tensor): Tensor {
  const shape = [targets.shape[0]!, ...targetShapeOf(loss, outputShape, targets.shape.slice(1))]
  checkTargetValues(loss, outputShape, targets)
  return { ...targets, shape }
}

/**
 * The shape of one row of targets in the form that the loss asks for, for rows that the user gives in the shape `row`.
 * Throws E_DATA if the loss cannot compare the output with them.
 */
export function targetShapeOf(loss: Loss, outputShape: Shape, row: Shape): Shape {
  const shape = [BATCH, ...row]
  const expected = targetsOf(loss) === "labels" ? outputShape.slice(0, -1) : outputShape
  if (fits(shape, expected)) return expected.slice(1)
  throw dataError({
    where: "targets",
    what: `they do not have the shape that ${nameOf(loss)} compares the output ${formatShape(outputShape)} with.`,
    expected: formatShape(expected),
    got: formatShape(shape),
    ...hintForShape(loss, shape, outputShape),
  })
}

/**
 * Throws E_DATA for the first value that is no possible target: not finite, no class, no probability, no sign, a row of
 * probabilities that do not sum to 1. `rowName` says what a row is called if not by its place.
 */
export function checkTargetValues(
  loss: Loss,
  outputShape: Shape,
  targets: Tensor,
  rowName?: (row: number) => number,
): void {
  const classes = outputShape[outputShape.length - 1]!
  const kind = targetsOf(loss)
  if (kind === "labels") {
    const ignored = "ignoreClass" in loss ? loss.ignoreClass : null
    const expected = `whole numbers from 0 to ${classes - 1}${ignored === null ? "" : `, or ${ignored}`}`
    checkEach(targets, labelFault(classes, ignored), expected, rowName)
  } else if (kind === "signs") checkEach(targets, signFault, "-1 and 1, or 0 and 1", rowName)
  else if (kind === "numbers") checkEach(targets, finiteFault, "finite numbers", rowName)
  else {
    checkEach(targets, probabilityFault, "numbers from 0 to 1", rowName)
    if (kind === "classes") checkRows(targets, classes, rowName)
  }
}

type Fault = (value: number) => string | undefined

/** What to do about it, so that the sentence stays with the fault. */
const finiteFault: Fault = (value) => (Number.isFinite(value) ? undefined : "Every target must be a finite number.")

const probabilityFault: Fault = (value) => {
  if (value >= 0 && value <= 1) return undefined
  return value === -1
    ? "Make the two classes 0 and 1."
    : (finiteFault(value) ?? "Divide by the largest value, or use meanSquaredError.")
}

const signFault: Fault = (value) => {
  if (value === -1 || value === 0 || value === 1) return undefined
  return finiteFault(value) ?? "A hinge loss asks on which side of a margin the output is."
}

const labelFault =
  (classes: number, ignored: number | null): Fault =>
  (value) => {
    if ((Number.isInteger(value) && value >= 0 && value < classes) || value === ignored) return undefined
    if (value === classes) return `Labels begin at 0: subtract 1, or give the last layer ${classes + 1} units.`
    return finiteFault(value) ?? "A label is the index of a class."
  }

type RowName = ((row: number) => number) | undefined

function checkEach({ data, shape }: Tensor, fault: Fault, expected: string, rowName: RowName): void {
  for (let i = 0; i < data.length; i++) {
    const hint = fault(data[i]!)
    if (hint === undefined) continue
    const where = `targets${placeOf(i, shape, rowName)}`
    throw dataError({ where, what: "this is no possible target.", expected, got: `${data[i]}`, hint })
  }
}

/** Rows of probabilities of classes: each sums to 1. */
function checkRows({ data, shape }: Tensor, classes: number, rowName: RowName): void {
  for (let start = 0; start < data.length; start += classes) {
    let sum = 0
    for (let i = start; i < start + classes; i++) sum += data[i]!
    if (Math.abs(sum - 1) <= SUM_TOLERANCE) continue
    const where = `targets${placeOf(start, shape, rowName).replace(/\[\d+\]$/, "")}`
    const what = "the probabilities of the classes do not sum to 1."
    const hint = "Each row has a 1 at its class and 0 elsewhere: toCategorical makes such rows from labels."
    throw dataError({ where, what, expected: "a sum of 1", got: `${sum}`, hint })
  }
}

function hintForShape(loss: Loss, shape: Shape, output: Shape): { readonly hint?: string } {
  const classes = output[output.length - 1]!
  const kind = targetsOf(loss)
  if (kind === "classes" && fits(shape, output.slice(0, -1))) {
    return {
      hint: `For labels use sparseCategoricalCrossentropy, or make them one-hot with toCategorical(labels, ${classes}).`,
    }
  }
  if (kind === "labels" && fits(shape, output)) return { hint: "For one-hot targets use categoricalCrossentropy." }
  const width = shape[shape.length - 1]!
  if (shape.length === output.length && width > 0)
    return { hint: `Give the last layer ${width} ${width === 1 ? "unit" : "units"}.` }
  return {}
}

/**
 * What is doubtful about a loss behind the last activation function; a few pairs that cannot learn at all throw E_CONFIG.
 * @param units the last size of the output
 */
export function checkPairing(loss: Loss, lastActivation: ActivationName, units: number): string[] {
  const { type } = loss
  const ofClasses = type !== "custom" && /categorical(Focal)?Crossentropy/i.test(type)
  if (units === 1 && (lastActivation === "softmax" || ofClasses)) {
    throw configError({
      where: "loss",
      what: lastActivation === "softmax" ? "softmax over one unit is always 1." : `${type} over one unit is always 0.`,
      hint: 'For two classes use one unit with activation "sigmoid" and the loss "binaryCrossentropy".',
    })
  }
  if (!("fromLogits" in loss)) {
    if (lastActivation !== "softmax" || type !== "meanSquaredError") return []
    return ["meanSquaredError behind softmax learns slowly where neurons saturate: categoricalCrossentropy does not."]
  }
  const proper = ofClasses ? "softmax" : "sigmoid"
  if (loss.fromLogits) {
    if (lastActivation === "linear") return []
    return [`${type} with fromLogits expects a linear output, but the last activation is ${lastActivation}.`]
  }
  if (lastActivation === proper) return []
  if (lastActivation !== "linear")
    return [`${type} expects the output of ${proper}, but the last activation is ${lastActivation}.`]
  return [`${type} expects probabilities, but the output is linear: end with ${proper}, or set fromLogits: true.`]
}
