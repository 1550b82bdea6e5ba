// A training as plain data: rows and what is done to them, network, optimizer, plan. Faults, jitter and repairs are functions from one
// setup to another. Trains nothing.

import type { Initializer } from "../../src/index.ts"
import type { SetId } from "./sets.ts"

/** Rows of a set: how many train and validate; what they are drawn with. */
export interface Sample {
  readonly set: SetId
  readonly rows: number
  readonly validation: number
  readonly noise: number
  readonly seed: number
}

/** What is done to the rows, in order. Test rows, with which trainings are judged, keep their classes' shares. */
export type Alteration =
  /** Faults: of inputs, of targets, of the order of rows, of how rows were divided. */
  | { readonly do: "scale"; readonly by: number; readonly feature?: number }
  | { readonly do: "shift"; readonly by: number; readonly of: "all" | "unseen" }
  | { readonly do: "constant" }
  | { readonly do: "empty"; readonly rows: number }
  | { readonly do: "sort" }
  | { readonly do: "permute" }
  | { readonly do: "mislabel"; readonly share: number }
  | { readonly do: "thin"; readonly class: number; readonly share: number }
  | { readonly do: "code"; readonly as: Coding }
  | { readonly do: "scaleTargets"; readonly by: number; readonly plus?: number }
  /** Repairs. */
  | { readonly do: "standardize" }
  | { readonly do: "drop" }
  | { readonly do: "standardizeTargets" }
  | { readonly do: "divideAgain" }

/** How classes are written: 0 and 1 (one column, or one for each class), their number, -1 and 1, from 1 on, two ones in a row. */
export type Coding = "proper" | "index" | "signs" | "fromOne" | "twoHot"

/** A hidden layer. */
export interface Hidden {
  readonly units: number
  readonly activation: string
  readonly kernel?: Initializer
  /** What its biases begin with (0 unless said). */
  readonly bias?: number
}

/** The last layer. */
export interface Output {
  readonly units: number
  readonly activation: string
  readonly kernel?: Initializer
  /** A second softmax behind it. */
  readonly twice?: boolean
}

/** A training. */
export interface Setup {
  readonly sample: Sample
  readonly alter: readonly Alteration[]
  readonly hidden: readonly Hidden[]
  readonly output: Output
  readonly loss: string
  readonly optimizer: "sgd" | "adam"
  readonly learningRate: number
  readonly momentum: number
  readonly clip: number | null
  readonly batchSize: number
  readonly epochs: number
  readonly shuffle: boolean
  readonly dropout: number
  readonly l2: number
  readonly classWeights: boolean
  readonly seed: number
}

/** What a case changes in its base: fields that take the place of the base's; alterations and fields of the sample are added to its own. */
export type Changes = Partial<Omit<Setup, "sample">> & { readonly sample?: Partial<Sample> }

/** The setup with changes. */
export function changed(setup: Setup, changes: Changes): Setup {
  return {
    ...setup,
    ...changes,
    sample: { ...setup.sample, ...changes.sample },
    alter: [...setup.alter, ...(changes.alter ?? [])],
  }
}

/** Hidden layers that are alike but for their sizes. */
export const layers = (units: readonly number[], activation: string, more: Partial<Hidden> = {}): readonly Hidden[] =>
  units.map((n) => ({ units: n, activation, ...more }))
