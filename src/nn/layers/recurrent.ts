// What recurrent layers share: their options, their parameters, and running a cell over the steps of a sequence. Knows no cell.

import { configError } from "../../core/errors.ts"
import { BATCH, formatShape, type Shape, sameShape } from "../../core/shape.ts"
import type { Node } from "../../graph/node.ts"
import { add, constant, indexOver, lessEqual, mul, product, reshape, stopGradient, where } from "../../graph/ops.ts"
import { lookup, reverse, scatterAdd } from "../../graph/places.ts"
import { scan } from "../../graph/scan.ts"
import { type Activation, activationKind } from "../activations.ts"
import { type Constraint, constraintKind, limitOf } from "../constraints.ts"
import { type Initializer, initializerKind, zeros } from "../initializers.ts"
import type { Layer, LayerFactory, LayerOfMany, LayerOptions } from "../layer.ts"
import {
  finiteNumber,
  flag,
  maybeNull,
  type OptionTable,
  optional,
  positiveInteger,
  type Resolved,
  required,
  that,
  wholeNumber,
} from "../options.ts"
import { penaltyOf, type Regularizer, regularizerKind, traceRegularizer } from "../regularizers.ts"
import type { Scope } from "../scope.ts"

/** The options of every recurrent layer. */
export interface RecurrentOptions extends LayerOptions {
  /** The numbers that are carried from step to step, and that a step gives. */
  readonly units: number
  /** The function of what a step computes (default tanh). */
  readonly activation?: Activation
  /** Whether there are biases (default true). */
  readonly useBias?: boolean
  /** How the weights of the input begin (default glorotUniform). */
  readonly kernelInitializer?: Initializer
  /** How the weights of what is carried begin (default orthogonal). */
  readonly recurrentInitializer?: Initializer
  /** How the biases begin (default zeros). */
  readonly biasInitializer?: Initializer
  /** What is added to the cost for the weights of the input (default nothing). */
  readonly kernelRegularizer?: Regularizer | null
  /** What is added to the cost for the weights of what is carried (default nothing). */
  readonly recurrentRegularizer?: Regularizer | null
  /** What is added to the cost for the biases (default nothing). */
  readonly biasRegularizer?: Regularizer | null
  /** What is added to the cost for the output of a batch (default nothing). */
  readonly activityRegularizer?: Regularizer | null
  /** What the weights of the input become after every update (default what they are). */
  readonly kernelConstraint?: Constraint | null
  /** What the weights of what is carried become after every update (default what they are). */
  readonly recurrentConstraint?: Constraint | null
  /** What the biases become after every update (default what they are). */
  readonly biasConstraint?: Constraint | null
  /** The share of the input's features that is dropped in training, the same in all steps of a sequence (default 0). */
  readonly dropout?: number
  /** The share of what is carried that is dropped before its weights in training, the same in all steps (default 0). */
  readonly recurrentDropout?: number
  /** Whether the output of every step is given, not only the last (default false). */
  readonly returnSequences?: boolean
  /** Whether what is carried at the end is given too, as further outputs (default false). */
  readonly returnState?: boolean
  /** Whether steps run from the last to the first; outputs come in that order, a mask stays in its own, as in Keras (default false). */
  readonly goBackwards?: boolean
  /**
   * Whether row i of a batch begins with what row i of the batch before has carried at its end, in training and when the model is asked,
   * until `model.resetStates()` (default false: every batch begins with zeros). Gradients do not flow from batch to batch. The network
   * needs a fixed number of rows: the `batchShape` of its first layer. What is carried stands among the weights of the model as
   * `state0`, `state1` `[batchSize, units]`, which training does not change by gradients.
   */
  readonly stateful?: boolean
  /** Which random numbers are drawn for dropout; null: those of the layer's place in the model (default null). */
  readonly seed?: number | null
  /** There is nothing to unroll: the steps are a loop in the program, which is as fast and not longer for more of them. */
  readonly unroll?: false
}

/** Makes recurrent layers of one type: with `returnState` they give several values. */
export interface RecurrentFactory<O extends RecurrentOptions>
  extends Pick<LayerFactory<O>, "type" | "options" | "create"> {
  (options: O & { readonly returnState: true }): LayerOfMany
  (options: O): Layer
}

const share = finiteNumber({ least: 0, below: 1 })

/** The table of the options of every recurrent layer. */
export const recurrentOptions: OptionTable<Own> = {
  units: required(positiveInteger()),
  activation: optional(activationKind(), "tanh"),
  useBias: optional(flag(), true),
  kernelInitializer: optional(initializerKind(), "glorotUniform"),
  recurrentInitializer: optional(initializerKind(), "orthogonal"),
  biasInitializer: optional(initializerKind(), "zeros"),
  kernelRegularizer: optional(regularizerKind(), null),
  recurrentRegularizer: optional(regularizerKind(), null),
  biasRegularizer: optional(regularizerKind(), null),
  activityRegularizer: optional(regularizerKind(), null),
  kernelConstraint: optional(constraintKind(), null),
  recurrentConstraint: optional(constraintKind(), null),
  biasConstraint: optional(constraintKind(), null),
  dropout: optional(share, 0),
  recurrentDropout: optional(share, 0),
  returnSequences: optional(flag(), false),
  returnState: optional(flag(), false),
  goBackwards: optional(flag(), false),
  stateful: optional(flag(), false),
  seed: optional(maybeNull(wholeNumber()), null),
  unroll: optional(
    that(
      "false: steps are a loop in the program, and nothing is gained by writing them out",
      (x): x is false => x === false,
    ),
    false,
  ),
}

type Own = Omit<RecurrentOptions, keyof LayerOptions>
type Config = Resolved<Own>

/** A recurrent cell, ready to run. */
export interface Cell {
  /** What a step takes of the input, for all steps at once: `[batch, steps, features] -> [batch, steps, ...]`. */
  readonly before: (x: Node) => Node
  /**
   * One step: from its part of that, from what is carried, and from the first of it as it goes into products (with dropout), what is
   * carried on. The first is the output.
   */
  readonly step: (item: Node, states: readonly Node[], dropped: Node) => readonly Node[]
  /** How many values of `units` numbers are carried. */
  readonly states: number
}

/** The parameters of a cell of so many gates; `ones` are the elements of its bias that begin as 1. */
export interface CellParameters {
  readonly kernel: Node
  readonly recurrent: Node
  /** Undefined without biases. */
  readonly bias: Node | undefined
}

/** Asks for the parameters of a cell. */
export function cellParameters(
  config: Config,
  x: Node,
  scope: Scope,
  gates: number,
  { shape, ones }: { readonly shape?: Shape; readonly ones?: readonly [number, number] } = {},
): CellParameters {
  const { units } = config
  if (x.shape.length !== 3) {
    const what = `the input ${formatShape(x.shape)} is no sequence.`
    const hint = "Images need a reshape, single numbers for each step the shape [steps, 1]."
    throw configError({ what, expected: "[batch, steps, features]", hint })
  }
  const kernel = scope.parameter("kernel", [x.shape[2]!, gates * units], config.kernelInitializer, {
    regularizer: penaltyOf(config.kernelRegularizer),
    constraint: limitOf(config.kernelConstraint),
  })
  const recurrent = scope.parameter("recurrentKernel", [units, gates * units], config.recurrentInitializer, {
    regularizer: penaltyOf(config.recurrentRegularizer),
    constraint: limitOf(config.recurrentConstraint),
  })
  if (!config.useBias) return { kernel, recurrent, bias: undefined }
  const bias = scope.parameter("bias", shape ?? [gates * units], config.biasInitializer, {
    regularizer: penaltyOf(config.biasRegularizer),
    constraint: limitOf(config.biasConstraint),
    ones,
  })
  return { kernel, recurrent, bias }
}

/** x·W + b for all steps at once. */
export function inputsOf(x: Node, kernel: Node, bias: Node | undefined): Node {
  const z = product(x, kernel, { outer: 0, inner: 1 })
  return bias === undefined ? z : add(z, bias)
}

/**
 * Runs a cell over the steps of the first input; the others, if there are any, are what is carried at the begin. A step that does not
 * count by the input's mask changes nothing, and gives what the one before gave (zeros at first).
 */
export function recur(config: Config, inputs: readonly Node[], scope: Scope, cell: Cell): Node | readonly Node[] {
  const { units, goBackwards } = config
  const [x, ...given] = inputs as [Node, ...Node[]]
  const [batch, , features] = x.shape as [number, number, number]
  const wanted = [batch, units]
  if (given.length > 0 && (given.length !== cell.states || given.some(({ shape }) => !sameShape(shape, wanted)))) {
    const expected = `a sequence, or it and ${cell.states} of the shape ${formatShape(wanted)}`
    throw configError({
      what: "the inputs do not fit.",
      expected,
      got: inputs.map((v) => formatShape(v.shape)).join(", "),
    })
  }
  const nothing = constant(0, wanted)
  const kept = config.stateful ? keptStates(units, cell.states, scope) : undefined
  /** The factors of a dropout that is the same in all steps. */
  const drop = (value: Node, rate: number, shape: Shape): Node => {
    if (rate === 0 || !scope.training) return value
    const seed = config.seed === null ? null : config.seed + (shape === wanted ? 1 : 0)
    return mul(value, where(lessEqual(rate, scope.random(shape, seed)), 1 / (1 - rate), 0))
  }
  const dropping = config.recurrentDropout > 0 && scope.training
  const factors = dropping ? drop(constant(1, wanted), config.recurrentDropout, wanted) : undefined
  const [mask] = scope.masks
  const items = cell.before(drop(x, config.dropout, [batch, 1, features]))
  const known = given.length === 0 ? kept?.values : given
  const initial = known ?? Array.from({ length: cell.states }, () => nothing)
  // Where it begins with zeros, what is carried is what the last step that counts has given.
  const apart = mask !== undefined && known !== undefined
  const { final, every } = scan(
    {
      initial: apart ? [...initial, nothing] : initial,
      sequences: mask === undefined ? [items] : [items, mask],
      reverse: goBackwards,
    },
    (carried, [item, counts]) => {
      const states = carried.slice(0, cell.states)
      const made = cell.step(item!, states, factors === undefined ? states[0]! : mul(states[0]!, factors))
      if (counts === undefined) return { next: made, every: [made[0]!] }
      const open = reshape(counts, [batch, 1])
      const old = apart ? [...states, carried[cell.states]!] : states
      const next = [...made, ...(apart ? [made[0]!] : [])].map((value, i) => where(open, value, old[i]!))
      return { next, every: [apart ? next[cell.states]! : next[0]!] }
    },
  )
  kept?.keep(final)
  const sequence = goBackwards ? reverse(every[0]!, 1) : every[0]!
  if (config.returnSequences && mask !== undefined) scope.passMask(mask)
  const output = config.returnSequences ? sequence : final[apart ? cell.states : 0]!
  if (config.activityRegularizer !== null) scope.addLoss(traceRegularizer(config.activityRegularizer, output))
  return config.returnState ? [output, ...final.slice(0, cell.states)] : output
}

/**
 * What the rows of the batch before have left, and how it is replaced. A state has a row for each row of a batch: it is looked up by the
 * row's number, and made anew by the scatter that is the lookup's gradient, exactly, since every number occurs once.
 */
function keptStates(
  units: number,
  count: number,
  scope: Scope,
): { readonly values: readonly Node[]; readonly keep: (final: readonly Node[]) => void } {
  const { batchSize } = scope
  if (batchSize === undefined) {
    const hint = "Give the first layer its batchShape, such as batchShape: [32, 10, 8], or input({ shape, batchSize })."
    throw configError({ where: "stateful", what: "the batches of the network have no fixed size.", hint })
  }
  const rows = indexOver([BATCH])
  const names = Array.from({ length: count }, (_, i) => `state${i}`)
  const values = names.map((name) => lookup(scope.state(name, [batchSize, units], zeros(), { carried: true }), rows))
  const keep = (final: readonly Node[]): void => {
    names.forEach((name, i) => void scope.update(name, scatterAdd(stopGradient(final[i]!), rows, batchSize)))
  }
  return { values, keep }
}
