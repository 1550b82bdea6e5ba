// A number of the logs that a callback watches: reading it, and what counts as better. Knows no callback.

import { configError, show, TrilobiteError, unknownName } from "../../core/errors.ts"
import type { CallbackState } from "../../formats/saved-model.ts"
import { canonical } from "../../nn/names.ts"
import { type Kind, type OptionalOption, oneOf, optional, that } from "../../nn/options.ts"
import type { Logs } from "../events.ts"
import { consoleOutput } from "../progress.ts"

/** Whether less or more is better; `auto` goes by the name of the number. */
export type MonitorMode = "auto" | "min" | "max"

/** The option `mode`. */
export const modeOption: OptionalOption<MonitorMode> = optional(oneOf("mode", ["auto", "min", "max"] as const), "auto")

/** The option `verbose` of callbacks that say what they do: 0 or 1. */
export const verboseOption: OptionalOption<0 | 1> = optional(
  that("0 or 1", (value): value is 0 | 1 => value === 0 || value === 1) as Kind<0 | 1>,
  0,
)

/** Prints a line if `verbose` is 1. */
export function say(verbose: 0 | 1, text: string): void {
  if (verbose === 1) consoleOutput().write(`${text}\n`)
}

/** A watched number. */
export interface Monitor {
  readonly name: string
  /** What every number is better than. */
  readonly worst: number
  /** Whether a is better than b, by more than minDelta. NaN is never better. */
  better(a: number, b: number): boolean
  /** The number in these logs. Throws E_CONFIG if it is not there. */
  read(logs: Logs): number
}

/** Ends of the names of numbers of which more is better; all others are costs or errors. */
const MORE =
  /(acc|accuracy|auc|precision|recall|specificity|score|iou|similarity|correlation|true(positives|negatives))\d*$/i

/** The number that the options of a callback say. */
export function monitorOf(
  where: string,
  given: { readonly monitor: string; readonly mode: MonitorMode; readonly minDelta?: number },
): Monitor {
  const { mode, minDelta = 0 } = given
  const name = canonical(given.monitor)
  const more = mode === "max" || (mode === "auto" && MORE.test(name))
  return {
    name,
    worst: more ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY,
    better: (a, b) => (more ? a - minDelta > b : a + minDelta < b),
    read: (logs) => {
      const value = Object.hasOwn(logs, name) ? logs[name] : undefined
      if (value === undefined) throw unknownMonitor(where, name, Object.keys(logs))
      return value
    },
  }
}

/** Numbers of a state, by name. Throws E_MODEL if one is none. */
export function numbersOf<Names extends readonly string[]>(
  state: CallbackState,
  names: readonly [...Names],
): { [K in keyof Names]: number } {
  const numbers = names.map((name) => {
    const value = state[name]
    if (typeof value === "number") return value
    const where = `${state.type}.${name}`
    throw new TrilobiteError("E_MODEL", { where, what: "this is no number.", got: show(value) })
  })
  return numbers as { [K in keyof Names]: number }
}

function unknownMonitor(where: string, monitor: string, known: readonly string[]): Error {
  if (monitor.startsWith("val") && !known.some((name) => name.startsWith("val"))) {
    return configError({
      where,
      what: `there is no ${monitor}: this training has no validation data.`,
      hint: 'Give fit validationData or validationSplit, or watch another number: monitor: "loss".',
    })
  }
  return unknownName(where, "number to monitor", monitor, known)
}
