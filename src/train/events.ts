// What happens while a model is trained, as plain data: callbacks, progress lines and files are made from it.
// Knows no model and no backend.

import type { Finding } from "../coach/finding.ts"

/** Numbers by name: loss, accuracy, valLoss, valAccuracy. */
export type Logs = { readonly [name: string]: number }

/** Measured things that are several numbers, by name: a confusion matrix, accuracies by class. */
export interface Tables {
  readonly [name: string]: readonly number[] | readonly (readonly number[])[]
}

/** Why a training has ended: all epochs done, a callback wanted it, the caller's signal, or an error. */
export type EndReason = "completed" | "stopped" | "aborted" | "failed"

/** One event of a training. Epochs count from 0, as in Keras; seconds are training alone, without validation. */
export type FitEvent =
  /** Rounds and rows of an epoch are Infinity for a stream, which nobody has counted. */
  | {
      readonly type: "trainBegin"
      readonly epochs: number
      readonly initialEpoch: number
      readonly rounds: number
      readonly rows: number
      readonly batchSize: number
      /** True if it goes on with a training that was interrupted. */
      readonly resumed?: true
    }
  /**
   * `epochs`: how many there shall be, as things stand, if their number is open. `resumed`: the epoch had begun before the training was
   * interrupted; onEpochBegin is not called again.
   */
  | { readonly type: "epochBegin"; readonly epoch: number; readonly epochs?: number; readonly resumed?: true }
  /** Before a round; only if somebody listens to single rounds. */
  | { readonly type: "batchBegin"; readonly epoch: number; readonly round: number }
  /** Rounds finished so far in this epoch, and the running means over them. */
  | {
      readonly type: "progress"
      readonly epoch: number
      readonly round: number
      readonly logs: Logs
      readonly seconds: number
    }
  /** After a round, with its own numbers; only if somebody listens to single rounds. */
  | { readonly type: "batchEnd"; readonly epoch: number; readonly round: number; readonly logs: Logs }
  | {
      readonly type: "epochEnd"
      readonly epoch: number
      readonly logs: Logs
      readonly tables: Tables
      readonly seconds: number
    }
  /** The coach has found something: before the first step, behind the epoch's end, or behind the end of the training. */
  | { readonly type: "finding"; readonly finding: Finding }
  | { readonly type: "trainEnd"; readonly reason: EndReason; readonly logs: Logs; readonly seconds: number }
