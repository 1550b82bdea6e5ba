// What the command line prints: JSON lines, the report at the end of a training, errors. Knows no training.

import { TrilobiteError } from "../src/index.ts"
import type { Result } from "./run-folder.ts"

/** Prints one line on standard output. */
export function printLine(text: string): void {
  process.stdout.write(`${text}\n`)
}

/** Prints a value as one line of JSON. */
export function printJson(value: unknown): void {
  printLine(JSON.stringify(value))
}

/** The end of a training for a reader, within 80 columns (but for long folders). */
export function reportText(result: Result, out: string): string {
  const { bestEpoch, bestValLoss, bestValAccuracy, epochs, valLoss, valAccuracy } = result
  const measured = (loss: number | null, accuracy: number | null): string =>
    `validation loss ${digits(loss)}, validation accuracy ${digits(accuracy)}`
  const rows =
    bestEpoch === null
      ? [["Epochs", "none was finished"]]
      : [
          ["Best epoch", `${bestEpoch}: ${measured(bestValLoss, bestValAccuracy)}`],
          ["Last epoch", `${epochs}: ${measured(valLoss, valAccuracy)}`],
        ]
  if (result.unfinishedEpoch !== null) {
    rows.push(["Unfinished", `epoch ${result.unfinishedEpoch}: its rounds are in the weights, --resume goes on in it`])
  }
  const times = `${duration(result.seconds)} of training, ${duration(result.totalSeconds)} in all`
  const all = [...rows, ["Time", times], ["Saved in", out]]
  return all.map(([name, text]) => `${name!.padEnd(12)}${text}`).join("\n")
}

function digits(value: number | null): string {
  return value === null ? "unknown" : value.toFixed(4)
}

/** Seconds as a person reads them. */
function duration(seconds: number): string {
  if (seconds < 59.95) return `${seconds.toFixed(1)} s`
  const whole = Math.round(seconds)
  return `${Math.floor(whole / 60)} min ${whole % 60} s`
}

/** A warning about data, within 80 columns. */
export function warningText(message: string): string {
  return wrap(inert(message), 67, "")
    .split("\n")
    .map((line, i) => `${i === 0 ? "Warning" : ""}`.padEnd(13) + line)
    .join("\n")
}

/** The exit code of an error: its own, and 70 for one that nobody has thought of. */
export function exitCodeOf(error: unknown): number {
  return error instanceof TrilobiteError ? error.exitCode : 70
}

/** An error for a reader, or as one line of JSON; the stack only for our own mistakes (exit code 70). */
export function errorText(error: unknown, json: boolean, columns: number | undefined): string {
  const mistake = exitCodeOf(error) === 70
  const stack = error instanceof Error ? (error.stack ?? String(error)) : String(error)
  if (json) {
    const what = error instanceof Error ? error.message : String(error)
    const { code, where, expected, got, hint, ...rest } =
      error instanceof TrilobiteError ? error : { code: "E_INTERNAL", what }
    const fields = { code, what: rest.what, where, expected, got, hint, ...(mistake ? { stack } : {}) }
    return JSON.stringify({ error: fields })
  }
  if (mistake) return `trilobite: this is a bug in trilobite, please report it.\n${stack}`
  return wrap(`trilobite: ${(error as Error).message}`, columns)
}

/** A text on lines of a terminal's width; a single line where nobody reads it on a screen. */
export function wrap(text: string, columns: number | undefined, indent = "  "): string {
  if (columns === undefined || columns < 20) return text
  const lines: string[] = []
  let line = ""
  for (const word of text.split(" ")) {
    if (line !== "" && line.length + 1 + word.length > columns) {
      lines.push(line)
      line = `${indent}${word}`
    } else line = line === "" ? word : `${line} ${word}`
  }
  return [...lines, line].join("\n")
}

/** A text with its control characters as escapes: terminals obey them, and names of files and labels may hold any. */
export function inert(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are the characters to be made visible
  return text.replace(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/g, (c) => {
    return `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`
  })
}
