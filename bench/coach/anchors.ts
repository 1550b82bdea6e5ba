// The rules of three tools that came before, restated over the coach's evidence, each with its published defaults: what they would have
// said of the same trainings. Their causes are put into the coach's codes, generously: what a tool names is taken for the
// nearest fault.
//
// Checked against what they publish (2026-11-28):
// - AutoTrainer (Zhang et al., ICSE 2021): github.com/shiningrain/AUTOTRAINER, AutoTrainer/utils/monitor.py at 04f4033: the numbers are
//   its default_param (beta 1e-3, 1e-4 and 70, gamma 0.7, zeta 0.03, eta 0.2, delta 0.01, Theta 0.7), the order is that of `determine`.
//   It counts gradients that are 0; the evidence has neurons that are.
// - UMLAUT (Schoop et al., CHI 2021): github.com/BerkeleyHCI/umlaut, umlaut/heuristics.py, the version with check_missing_activations. It
//   asks for a layer of type Softmax at the end of every network; here only of those that learn several classes.
// - Amazon SageMaker Debugger: "List of Debugger Built-in Rules" of the developer guide, github.com/awsdocs/amazon-sagemaker-developer-guide,
//   doc_source/debugger-built-in-rules.md at 1c4d5ff; awslabs/sagemaker-debugger-rulesconfig adds no thresholds of its own. Left out:
//   rules without defaults (TensorVariance, UnchangedTensor, AllZero) and those that compare runs. Its saturated neurons are those whose
//   sums lie beyond 9.5 (tanh) or -23 and 17 (sigmoid); the evidence has the outer 2 % of values, which is reached earlier.

import type { EpochFacts, Evidence, KernelFacts, LayerLook, Seen } from "../../src/coach/evidence.ts"
import type { FaultCode } from "../../src/coach/finding.ts"

/** Says what is wrong, the most important first. Asked before the first step, after each epoch and at the end. */
export interface Doctor {
  readonly name: string
  /** For one training: what is said of the evidence so far. */
  begin(): (evidence: Evidence) => readonly FaultCode[]
}

const numberOf = (seen: Seen | undefined): number =>
  seen === "infinite" ? Number.POSITIVE_INFINITY : (seen ?? Number.NaN)

/** Norm of the gradient of each kernel, first layer first. */
const norms = ({ kernels }: EpochFacts): number[] =>
  kernels.map((k: KernelFacts) => Math.sqrt(numberOf(k.gradientSquare)))

/** Looks at the layers, the newest. */
function looks({ probe, epochs }: Evidence): readonly LayerLook[] {
  return epochs.findLast(({ layers }) => layers !== undefined)?.layers ?? probe?.layers ?? []
}

/** The share of neurons that give 0 for all rows, of all that can. */
function deadShare(evidence: Evidence): number {
  const units = new Map(evidence.network.layers.map(({ name, units }) => [name, units]))
  const own = looks(evidence).filter(({ dead }) => dead !== undefined)
  const all = own.reduce((n, { layer }) => n + (units.get(layer) ?? 0), 0)
  return all === 0 ? 0 : own.reduce((n, { dead }) => n + dead!, 0) / all
}

const finite = (seen: Seen | undefined): boolean => seen === undefined || Number.isFinite(numberOf(seen))

const broken = ({ diverged, epochs }: Evidence): boolean =>
  diverged !== undefined || epochs.some(({ loss, valLoss }) => !finite(loss) || !finite(valLoss))

/** Its symptoms, from 30 % of the epochs on; accuracy has to reach 0.7. Vanishing, exploding, dying, oscillating, slow. */
const autoTrainer: Doctor = {
  name: "AutoTrainer",
  begin: () => (evidence) => {
    const { epochs, training } = evidence
    const now = epochs.at(-1)
    if (broken(evidence) || numberOf(now?.valLoss) >= 1e5) return ["F07"]
    if (now === undefined || epochs.length < 0.3 * training.epochs) return []
    const accuracy = epochs.map((e) => e.accuracy ?? Number.NaN)
    const validation = epochs.map((e) => e.valAccuracy ?? Number.NaN)
    const rises = (list: readonly number[]): number => Math.max(0, ...list.slice(1).map((value, i) => value - list[i]!))
    const low = Math.max(...accuracy) < 0.7 || Math.max(...validation) < 0.7
    const slow = rises(accuracy) < 0.01 && rises(validation) < 0.01
    if (low || slow) {
      const gradients = norms(now)
      const ratio = gradients[0]! / gradients.at(-1)!
      if (deadShare(evidence) >= 0.7) return ["F05"]
      if (ratio > 70) return ["F07"]
      if (ratio < 1e-3 && gradients[0]! < 1e-4) return ["F06"]
      return slow ? ["F09"] : []
    }
    const swings = extremes(accuracy)
    return swings >= 0.2 * accuracy.length ? ["F08"] : []
  },
}

/** Pairs of a highest and a lowest place of a curve that lie at least 0.03 apart. */
function extremes(curve: readonly number[]): number {
  const inner = curve.slice(1, -1).map((value, i) => [value - curve[i]!, value - curve[i + 2]!, value] as const)
  const high = inner.filter(([a, b]) => a >= 0 && b >= 0).map(([, , value]) => value)
  const low = inner.filter(([a, b]) => a <= 0 && b <= 0).map(([, , value]) => value)
  return high.filter((value, i) => low[i] !== undefined && value - low[i]! >= 0.03).length
}

/** Its heuristics: inputs outside -1 to 1, learning rate outside 1e-7 to 0.01, no softmax, linear layers, curves that part. */
const umlaut: Doctor = {
  name: "UMLAUT",
  begin: () => (evidence) => {
    const { network, training, data, epochs } = evidence
    const said: FaultCode[] = []
    const { output, layers } = network
    const ofClasses = /categorical/i.test(output.loss)
    if (ofClasses && output.activation !== "softmax" && !output.fromLogits) said.push("F12")
    if (layers.some((l) => l.hasKernel && !l.isOutput && l.activation === "linear")) said.push("F14")
    if (epochs.length === 0) return said
    if (data !== undefined && (data.least < -1 || data.greatest > 1)) said.push("F02")
    if (broken(evidence) && data?.nonFinite !== undefined) said.push("F01")
    if (training.learningRate > 0.01) said.push("F08")
    if (training.learningRate < 1e-7) said.push("F09")
    const [before, now] = epochs.slice(-2)
    if (
      now !== undefined &&
      numberOf(now.valLoss) > numberOf(before!.valLoss) &&
      numberOf(now.loss) <= numberOf(before!.loss)
    )
      said.push("F17")
    const { accuracy = Number.NaN, valAccuracy = Number.NaN } = epochs.at(-1)!
    if (epochs.length > 3 && (valAccuracy > 0.95 || valAccuracy > accuracy)) said.push("F28")
    return said
  },
}

/** Its rules for networks, as far as the evidence holds their tensors; by epochs where they count steps. */
const sageMaker: Doctor = {
  name: "SageMaker Debugger",
  begin: () => (evidence) => {
    const { probe, epochs, data } = evidence
    const said: FaultCode[] = []
    if (broken(evidence)) said.push("F07")
    // CheckInputImages: the mean of pictures is more than 0.2 from 0 (of 500 and more).
    const pictures = data?.sameScale && data.features >= 64 && data.rows >= 500
    if (pictures && Math.abs(data.means.reduce((a, b) => a + b, 0) / data.means.length) > 0.2) said.push("F02")
    // PoorWeightInitialization: variances of weights ten times apart, or 5th and 95th percentile of a gradient (a normal one has 3.29
    // deviations between them) within 0.001.
    const variances = (probe?.layers ?? []).map(({ kernelDeviation }) => kernelDeviation ** 2)
    const narrow = (probe?.layers ?? []).some(({ gradientRms }) => 3.29 * numberOf(gradientRms) < 1e-3)
    if (narrow || Math.max(...variances) > 10 * Math.min(...variances)) said.push("F15")
    const dead = looks(evidence)
    const units = new Map(evidence.network.layers.map(({ name, units }) => [name, units]))
    if (dead.some((look) => (look.dead ?? 0) > 0.5 * (units.get(look.layer) ?? 1))) said.push("F05")
    if (dead.some((look) => (look.saturated ?? 0) > 0.5)) said.push("F04")
    const now = epochs.at(-1)
    if (now === undefined) return said
    const size = new Map(evidence.network.layers.map(({ name, parameters }) => [name, parameters]))
    const tiny = now.kernels.some((k) => Math.sqrt(numberOf(k.gradientSquare) / (size.get(k.layer) ?? 1)) < 1e-7)
    if (tiny) said.push("F06")
    const steps = now.kernels.map((k) => numberOf(k.step) / k.length)
    if (steps.some((s) => s > 10)) said.push("F08")
    if (steps.some((s) => s < 1e-8)) said.push("F09")
    const [before] = epochs.slice(-2)
    // LossNotDecreasing asks for no percentage by default.
    if (epochs.length > 1 && numberOf(now.loss) >= numberOf(before!.loss)) said.push("F09")
    if (numberOf(now.valLoss) - numberOf(now.loss) > 0.1 * numberOf(now.loss)) said.push("F17")
    const counts = data?.targets.classes ?? []
    // ClassImbalance: classes ten times apart, or more than 0.7 of one taken for others.
    const unequal = counts.length > 1 && Math.max(...counts) > 10 * Math.max(1, Math.min(...counts))
    if (unequal || (now.recall ?? []).some((found) => found < 0.3)) said.push("F16")
    return said
  },
}

export const anchors: readonly Doctor[] = [autoTrainer, umlaut, sageMaker]
