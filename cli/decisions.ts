// What procedures decide for a run: a sentence for the reader, and a line with its evidence in the run folder. Knows no procedure.

import type { Callback, Decision } from "../src/index.ts"
import { printJson, printLine, wrap } from "./output.ts"
import { appendLines, files } from "./run-folder.ts"

/** How decisions are told. */
export interface DecisionOutput {
  readonly json?: true
  readonly quiet?: true
}

const COLUMNS = 80

/** Writes a decision into the folder, and tells it. */
export function recordDecision(folder: string, decision: Decision, { json, quiet }: DecisionOutput): void {
  appendLines(folder, files.decisions, [decision])
  if (quiet) return
  if (json) printJson({ decision })
  else printLine(wrap(decision.text, COLUMNS))
}

/** The callback that does so with what is decided in a training; it stands before the one that writes down where the run stands. */
export function decisionsOf(folder: string, output: DecisionOutput): Callback {
  return { onDecision: (decision) => recordDecision(folder, decision, output) }
}
