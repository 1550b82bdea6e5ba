// What the coach says: a finding in five parts, with one change that a program can make too. Knows no rule.

import type { Evidence } from "./evidence.ts"

/** The faults of which the coach knows the signs. F00: something is wrong and nobody knows what. */
export type FaultCode =
  | "F00" | "F01" | "F02" | "F03" | "F04" | "F05" | "F06" | "F07" | "F08" | "F09"
  | "F10" | "F11" | "F12" | "F13" | "F14" | "F15" | "F16" | "F17" | "F18" | "F19"
  | "F20" | "F21" | "F22" | "F23" | "F24" | "F25" | "F26" | "F27" | "F28" | "F29" // biome-ignore format: a table

/** Something that the coach has found. */
export interface Finding {
  readonly code: FaultCode
  /** The cause in a few words: `learning rate too high`. */
  readonly cause: string
  /** A fault harms this training; a tip might help it. */
  readonly kind: "fault" | "tip"
  /** How sure it is, from 0 to 100; from 83 on it is proven and silences the symptoms that follow from it. */
  readonly score: number
  /** The epoch, from 0, after which it was first seen; null: before the first step. */
  readonly epoch: number | null
  /** The layer it is about, if it is about one. */
  readonly layer?: string
  /** What was seen, with its number; what is normal, as a range; why it matters, in one sentence of the chapter's words. */
  readonly saw: string
  readonly normal: string
  readonly why: string
  readonly change: Change
  /** What should be seen when the change is made, and how to tell. */
  readonly expect: Expectation
}

/** ONE change: in words, as code, as a flag of the command line where there is one, and as data. */
export interface Change {
  readonly text: string
  readonly code: string
  readonly flag?: string
  readonly edit: Edit
}

/** A change as data: what the automatic repair and the tuner carry out. `layer` absent: all hidden layers. */
export type Edit =
  | { readonly kind: "learningRate"; readonly to: number }
  | { readonly kind: "optimizer"; readonly to: string; readonly learningRate: number }
  | { readonly kind: "batchSize"; readonly to: number }
  | { readonly kind: "epochs"; readonly to: number }
  | { readonly kind: "earlyStopping"; readonly bestEpoch: number }
  | { readonly kind: "shuffle" }
  | { readonly kind: "clip"; readonly to: number | null }
  | { readonly kind: "activation"; readonly layer?: string; readonly to: string }
  | { readonly kind: "initializer"; readonly layer?: string; readonly to: string; readonly bias?: "zeros" }
  | { readonly kind: "output"; readonly activation: string; readonly loss: string; readonly units?: number }
  | { readonly kind: "dropout"; readonly to: number }
  | { readonly kind: "regularizer"; readonly l2: number }
  | { readonly kind: "units"; readonly layer?: string; readonly to: number }
  | { readonly kind: "depth"; readonly to: number }
  | { readonly kind: "inputs"; readonly how: "drop" | "standardize" | "divide"; readonly by?: number }
  | { readonly kind: "targets"; readonly how: "oneHot" | "zeroOne" | "standardize" }
  | { readonly kind: "classWeights" }
  | { readonly kind: "divide"; readonly why: "unlike" | "shared" }
  | { readonly kind: "restart" }
  /** Nothing that a program could do: the reader must look at the data. */
  | { readonly kind: "look" }

/** What should be seen next. */
export interface Expectation {
  readonly text: string
  /**
   * The number by which it is told, within so many epochs of the next training, and its bounds. `keptValLoss` is validation's loss of the
   * weights that are kept at the end: the best ones where a callback ends the training, else the last.
   */
  readonly measure:
    | "loss" | "valLoss" | "keptValLoss" | "stepShare" | "saturated" | "dead" | "gap" | "recall" | "shared" | "finite" // biome-ignore format: a list
  readonly within: number
  readonly below?: number
  readonly above?: number
}

/** Whether a promise has come true, and the number by which it is told. */
export interface Kept {
  readonly finding: Finding
  readonly cameTrue: boolean
  /** The number that was measured last; absent if what was measured is no number. */
  readonly measured?: number
}

/** Who makes findings of evidence. */
export interface Advisor {
  /** Asked before the first step, after every epoch and at the end, with all that is known: the findings that are new. */
  advise(evidence: Evidence): readonly Finding[]
}

/** What is to be said now: one headline, at most two more, and tips. */
export interface Diagnosis {
  readonly headline?: Finding
  readonly also: readonly Finding[]
  readonly tips: readonly Finding[]
}
