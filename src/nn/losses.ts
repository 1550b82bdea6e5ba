// Losses: the table of all of them, reading one, and its traced value per example. Knows no layers and no training; the
// formulas are in losses/, what targets they take is in targets.ts.

import type { Node } from "../graph/node.ts"
import { type CrossentropyLoss, crossentropyLosses } from "./losses/crossentropy.ts"
import { type CustomLoss, customLoss, isCustom, type LossFunction, traceFunction } from "./losses/custom.ts"
import { type FocalLoss, focalLosses } from "./losses/focal.ts"
import { type MarginLoss, marginLosses } from "./losses/margin.ts"
import { type OverlapLoss, overlapLosses } from "./losses/overlap.ts"
import { type RegressionLoss, regressionLosses } from "./losses/regression.ts"
import type { LossTable, Targets } from "./losses/rule.ts"
import type { Spelling } from "./names.ts"
import { readSpec } from "./spec.ts"

/** A loss of ours as plain data: a type with all its options. */
export type KnownLoss = RegressionLoss | CrossentropyLoss | FocalLoss | MarginLoss | OverlapLoss

/** A loss: plain data, but for the function of the user's own ones. */
export type Loss = KnownLoss | CustomLoss

/** Short names of losses. */
export const lossAliases = {
  mse: "meanSquaredError",
  mae: "meanAbsoluteError",
  mape: "meanAbsolutePercentageError",
  msle: "meanSquaredLogarithmicError",
  bce: "binaryCrossentropy",
  kld: "klDivergence",
  kldivergence: "klDivergence",
} as const

/** The name of a loss. */
export type LossName = KnownLoss["type"]

/** A thing of a union as a user may write it: its type, and of its options those that are not the default. */
export type Given<S> = S extends { readonly type: infer T } ? { readonly type: T } & Partial<Omit<S, "type">> : never

/** What a user may give as a loss: a name, an object as the functions of that name give it, or a function of their own. */
export type LossLike = Spelling<LossName> | keyof typeof lossAliases | Given<KnownLoss> | CustomLoss | LossFunction

/** The table of losses. */
export const losses: LossTable<KnownLoss> = {
  ...regressionLosses,
  ...crossentropyLosses,
  ...focalLosses,
  ...marginLosses,
  ...overlapLosses,
}

/** The loss that a name, an object or a function stands for, complete. Throws E_CONFIG for unknown names, options and values. */
export function readLoss(value: unknown): Loss {
  if (typeof value === "function") return customLoss(value.name || "loss", value as LossFunction)
  if (isCustom(value)) {
    const { name, fn, targets } = value as CustomLoss
    return customLoss(name, fn, { targets })
  }
  return readSpec<KnownLoss>("loss", "loss", losses, value, lossAliases)
}

/** The loss of each example, `[batch]`, traced; what training minimises is its mean over the rows. */
export function traceLoss(loss: Loss, yTrue: Node, yPred: Node): Node {
  if (loss.type === "custom") return traceFunction("loss", loss.fn, yTrue, yPred)
  const { type, ...config } = loss
  const { trace }: { trace: (config: never, yTrue: Node, yPred: Node) => Node } = losses[type]
  return trace(config as never, yTrue, yPred)
}

/** What the loss compares the output with. */
export function targetsOf(loss: Loss): Targets {
  return loss.type === "custom" ? loss.targets : losses[loss.type].targets
}

/** What the loss is called in sentences. */
export function nameOf(loss: Loss): string {
  return loss.type === "custom" ? loss.name : loss.type
}
