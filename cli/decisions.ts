// What procedures decide for a run: a sentence for the reader, and a line with its evidence in the run folder. Knows no procedure.

import { freemem } from "node:os"
import { type Callback, type Decision, type Model, TrilobiteError } from "../src/index.ts"
import { chooseBatchSize } from "../src/tune.ts"
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

/**
 * The memory that a program may take: half of what is free, and of what WebAssembly has; a quarter where the coach watches, who keeps
 * two sums as large as the weights.
 */
const memory = (coach: boolean): number => {
  return Math.max(1, Math.floor(Math.min(freemem(), 4 * 2 ** 30) / (coach ? 4 : 2)))
}

/** The batch size that fits the memory, where it is to be found out. Throws E_CONFIG if none does. */
export async function batchSizeFor(
  model: Model,
  rows: number,
  { coach = true }: { readonly coach?: boolean },
): Promise<Decision & { readonly value: number }> {
  const decision = await chooseBatchSize(model, { rows, memory: memory(coach) })
  const { value, text } = decision
  if (typeof value === "number") return { ...decision, value }
  const hint = `Take a smaller network, or a machine with more memory${coach ? ", or --no-coach" : ""}.`
  throw new TrilobiteError("E_CONFIG", { where: "--batch-size auto", what: text, hint })
}

/** The callback that does so with what is decided in a training; it stands before the one that writes down where the run stands. */
export function decisionsOf(folder: string, output: DecisionOutput): Callback {
  return { onDecision: (decision) => recordDecision(folder, decision, output) }
}
