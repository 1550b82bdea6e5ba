// The table of optimizers, and what each is called with. Knows no trainer.

import type { OptimizerRule } from "./optimizer.ts"
import { type AdadeltaRule, adadeltaRule } from "./optimizers/adadelta.ts"
import { type AdafactorRule, adafactorRule } from "./optimizers/adafactor.ts"
import { type AdagradRule, adagradRule } from "./optimizers/adagrad.ts"
import { type AdamRule, adamRule, type Moments } from "./optimizers/adam.ts"
import { adamaxRule } from "./optimizers/adamax.ts"
import {
  type Common,
  type CommonOptions,
  checkCommon,
  commonOptions,
  type LearningRate,
  learningRateKind,
} from "./optimizers/common.ts"
import { type FtrlRule, ftrlRule } from "./optimizers/ftrl.ts"
import { lambRule } from "./optimizers/lamb.ts"
import { type LionRule, lionRule } from "./optimizers/lion.ts"
import { nadamRule } from "./optimizers/nadam.ts"
import { type RmspropRule, rmspropRule } from "./optimizers/rmsprop.ts"
import { type SgdRule, sgdRule } from "./optimizers/sgd.ts"
import { type OptionsOf, optional } from "./options.ts"
import { readSpec } from "./spec.ts"

/** What each optimizer has of its own, by its name. */
interface Rules {
  readonly sgd: SgdRule
  readonly rmsprop: RmspropRule
  readonly adam: AdamRule
  readonly adamW: AdamRule
  readonly nadam: Moments
  readonly adamax: Moments
  readonly adagrad: AdagradRule
  readonly adadelta: AdadeltaRule
  readonly lion: LionRule
  readonly ftrl: FtrlRule
  readonly lamb: Moments
  readonly adafactor: AdafactorRule
}

/** The name of an optimizer. */
export type OptimizerName = keyof Rules

/** The learning rate, which every optimizer has. */
interface Rated {
  /** The size η of a step, at least 0: a number or a schedule. */
  readonly learningRate: LearningRate
}

/** An optimizer as plain data: a type with all its options. */
export type Optimizer = { [T in OptimizerName]: { readonly type: T } & Rated & Rules[T] & Common }[OptimizerName]

/** The options of an optimizer: all may be left out. */
export type OptimizerOptions<T extends OptimizerName> = Partial<Rated & Rules[T]> & CommonOptions

interface Row<T extends OptimizerName> {
  readonly rule: OptimizerRule<Rules[T]>
  readonly options: OptionsOf<Rated & Rules[T] & Common>
}

function row<T extends OptimizerName>(
  rule: OptimizerRule<Rules[T]>,
  learningRate = 0.001,
  weightDecay: number | null = null,
): Row<T> {
  const options = {
    learningRate: optional(learningRateKind, learningRate),
    ...rule.options,
    ...commonOptions(weightDecay),
  }
  return { rule, options: options as Row<T>["options"] }
}

/** The table of optimizers: the rule of each, its learning rate and its weight decay by default. */
export const optimizers: { readonly [T in OptimizerName]: Row<T> } = {
  sgd: row<"sgd">(sgdRule, 0.01),
  rmsprop: row<"rmsprop">(rmspropRule),
  adam: row<"adam">(adamRule),
  adamW: row<"adamW">(adamRule, 0.001, 0.004),
  nadam: row<"nadam">(nadamRule),
  adamax: row<"adamax">(adamaxRule),
  adagrad: row<"adagrad">(adagradRule),
  adadelta: row<"adadelta">(adadeltaRule),
  lion: row<"lion">(lionRule),
  ftrl: row<"ftrl">(ftrlRule),
  lamb: row<"lamb">(lambRule),
  adafactor: row<"adafactor">(adafactorRule),
}

/** Other spellings of names. */
export const optimizerAliases = { adamw: "adamW", rmsProp: "rmsprop" } as const

/** What may be given as an optimizer: a name, or an object with a type and options, as the functions of that name give it. */
export type OptimizerLike =
  | OptimizerName
  | keyof typeof optimizerAliases
  | { [T in OptimizerName]: { readonly type: T } & OptimizerOptions<T> }[OptimizerName]

/** The optimizer that a name or an object stands for, complete. Throws E_CONFIG for unknown names, options and values. */
export function readOptimizer(value: unknown, where = "optimizer"): Optimizer {
  const read = readSpec<Optimizer>(where, "optimizer", optimizers as never, value, optimizerAliases)
  checkCommon(where, read)
  return read
}

/** The rule of an optimizer. */
export function ruleOf(optimizer: Optimizer): OptimizerRule<Optimizer> {
  return optimizers[optimizer.type].rule as unknown as OptimizerRule<Optimizer>
}

/** What is allowed but hardly meant. */
export function optimizerWarnings(optimizer: Optimizer): string[] {
  return optimizer.learningRate === 0 ? ["The learning rate is 0: nothing will be learnt."] : []
}
