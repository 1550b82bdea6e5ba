// What the studio's server answers under /api: the types of its JSON and of its events, for server and web app alike.
// Imports types alone, so that a page may have it.
//
//   GET  /api/runs                               RunList
//   GET  /api/runs/<id>                          Run
//   GET  /api/runs/<id>/events?after=<epoch>     server-sent events, see RunEvents
//   POST /api/runs/<id>/stop                     Stopping (202); ApiError (409) if there is nothing to be stopped
//   GET  /api/data/mnist/<train|test>/<images|labels>     the bytes of an IDX file
//
// POST asks for content-type application/json; its body is {} or empty. Whatever is refused is an ApiError.

import type { Signals } from "../signals.ts"

export type { Answers, LayerSignals, Mistake, Signals, WeightCounts } from "../signals.ts"

/** Any value of JSON: what a file of a run holds is handed on as it is. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json }

/**
 * How a run stands. "running": its process is there. "finished": it has trained to its end. "stopped": it was interrupted,
 * and saved. "ended without a result": its process has gone without a word (killed, crashed, diverged). "unreadable": a file of
 * its folder is not what trilobite writes, see `problem`.
 */
export type RunState = "running" | "finished" | "stopped" | "ended without a result" | "unreadable"

/** What was measured in an epoch, counted from 1: every number of its line in history.jsonl. */
export interface Epoch {
  readonly epoch: number
  readonly [measure: string]: number
}

/** How a run stands, without its epochs. */
export interface RunStatus {
  readonly state: RunState
  /** When it was begun or last taken up again: milliseconds since 1970. */
  readonly begun: number
  /** result.json, once there is one that speaks of all epochs. */
  readonly result: Json
  /** What is the matter with its files, in words; null if nothing is. */
  readonly problem: string | null
  /** What the coach has said last, in order: what findings.jsonl holds, unchecked. */
  readonly findings: readonly Json[]
}

/** A run. */
export interface Run extends RunStatus {
  /** 16 hexadecimal digits, the same whenever the server is started. */
  readonly id: string
  /** The name of its folder: any characters at all. */
  readonly name: string
  /** config.json; null if it cannot be read. */
  readonly config: Json
  /** The finished epochs, with growing numbers. */
  readonly epochs: readonly Epoch[]
}

/** All runs, the newest first. */
export interface RunList {
  readonly runs: readonly Run[]
}

/**
 * The events of a run by their names, and what their `data` is. `epoch` has the number of the epoch as its id: a page that comes
 * back gets what it has missed, once. What happens within a tenth of a second comes together. `signals` comes just before the epoch that
 * it belongs to, where the run was observed; it is what signals.jsonl holds, unchecked but for the number of the epoch. `state` comes after
 * the epochs, at the start and whenever it has changed, so whenever the coach has found something. `reset` says that the epochs are written
 * anew (the run was taken up again): forget all of them, they follow.
 */
export interface RunEvents {
  readonly signals: Signals
  readonly epoch: Epoch
  readonly state: RunStatus
  readonly reset: Record<string, never>
}

/** The answer to a stop: the run was told; that it has ended comes as an event. */
export interface Stopping {
  readonly stopping: true
}

/** Why nothing came of a request. */
export type ApiErrorCode =
  | "E_REQUEST"
  | "E_TOKEN"
  | "E_FORBIDDEN"
  | "E_NOT_FOUND"
  | "E_METHOD"
  | "E_CONFLICT"
  | "E_TOO_LARGE"
  | "E_CONTENT_TYPE"
  | "E_BUSY"
  | "E_INTERNAL"

/** An error as JSON. */
export interface ApiError {
  readonly code: ApiErrorCode
  readonly what: string
  readonly hint: string
}
