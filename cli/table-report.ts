// What a training on a table says: the table and the network before, a line of an epoch, the end. Knows no training.

import type { Prepared, PreparedPieces, Table } from "../src/datasets.ts"
import type { Logs, Model } from "../src/index.ts"
import { printLine, warningText } from "./output.ts"
import { quoted } from "./run-folder.ts"
import { type Scores, scoresText, shortened } from "./scores.ts"
import type { Settings } from "./settings.ts"
import { inPieces } from "./streaming.ts"
import { count, type Source, tableText } from "./tables.ts"

/** How a training on a table has ended: result.json. */
export interface TableResult {
  readonly data: string
  readonly target: string
  readonly task: "classification" | "regression"
  readonly epochs: number
  /** Of the epoch whose weights are saved. */
  readonly bestEpoch: number | null
  readonly bestValLoss: number | null
  readonly loss: number | null
  readonly valLoss: number | null
  readonly validation: Scores | null
  readonly test: Scores | null
  readonly seconds: number
  readonly ended: string
  readonly out: string
}

/** What was measured in an epoch, counted from 1. */
export type Line = {
  readonly epoch: number
  readonly loss: number
  readonly valLoss?: number
  readonly seconds: number
} & Logs

/** The words for what is measured. */
const WORDS: { readonly [measure: string]: string } = {
  loss: "loss",
  accuracy: "accuracy",
  binaryAccuracy: "accuracy",
  r2Score: "R²",
}

/** An epoch of so many in a line. */
export function lineText(line: Line, epochs: number): string {
  const measures = Object.entries(line).filter(([name]) => name !== "epoch" && name !== "seconds")
  const words = measures.map(([name, value]) => {
    const plain = name.replace(/^val(.)/, (_, letter: string) => letter.toLowerCase())
    const word = WORDS[plain] ?? plain
    return `${plain === name ? word : `validation ${word}`} ${(value as number).toFixed(4)}`
  })
  return `Epoch ${String(line.epoch).padStart(String(epochs).length)}  ${words.join("  ")}`
}

const sizesOf = ({ train, validation, test }: Prepared["rows"]) => ({
  train: train.length,
  validation: validation.length,
  test: test.length,
})

/** What is said of a table that is not in memory. */
function piecesText(table: Table, { preparation, features }: PreparedPieces): string {
  const used = `${count(preparation.features.length, "column")} used as ${count(features.length, "input")}`
  return [
    `${shortened(table.source, 50)}: ${count(table.rows, "row")}, ${count(table.columns.length, "column")}, ${used}`,
    "Reading      in pieces, again in every epoch; rows are mixed with the 4,096 before",
    "             them (--stream off reads the whole file into memory)",
  ].join("\n")
}

/** Says what is trained on what, before it begins. */
export function announce(table: Source, data: Prepared | PreparedPieces, settings: Settings, model: Model): void {
  const { classes, task } = data
  const { train, validation, test } = inPieces(data) ? data.rows : sizesOf(data.rows)
  printLine(inPieces(data) ? piecesText(table, data) : tableText(table, data))
  const what = task === "classification" ? `classification into ${classes.length} classes` : "regression"
  const parts = [`${count(train, "row")} to train`, `${validation} to validate`]
  if (test > 0) parts.push(`${test} to test`)
  printLine(`\nTask         ${what}; ${parts.join(", ")}`)
  const width = data.features.length
  const hidden = settings.layers.map((n) => `${n} ${settings.activation}`)
  const last = task === "regression" ? "1 linear" : classes.length === 2 ? "1 sigmoid" : `${classes.length} softmax`
  printLine(
    `Network      ${[count(width, "input"), ...hidden, last].join(" - ")}: ${count(model.countParams(), "parameter")}`,
  )
  const loss = settings.loss ?? (task === "regression" ? "mean squared error" : "cross-entropy")
  const rate = model.optimizer.learningRate
  printLine(
    `Training     ${loss}, ${settings.optimizer} ${Number(rate.toPrecision(4))}, batches of ${settings.batchSize}, ${settings.epochs === "auto" ? "epochs by the validation cost" : `up to ${count(settings.epochs, "epoch")}`}`,
  )
  for (const { message } of data.warnings) printLine(warningText(message))
  printLine("")
}

/** Says what has come of it; `resume` is the command that goes on. */
export function report(result: TableResult, settings: Settings, quiet: boolean, resume: string): void {
  const { epochs, bestEpoch, ended, validation, test, out } = result
  if (!quiet) printLine("")
  const stopped =
    ended !== "aborted" && settings.epochs === "auto"
      ? ", as the validation cost says"
      : ended === "stopped"
        ? `, stopped after ${settings.patience} without improvement`
        : ended === "aborted"
          ? ", interrupted"
          : ""
  const best =
    bestEpoch === null || validation === null || (settings.patience === 0 && settings.epochs !== "auto")
      ? ""
      : `; the weights of epoch ${bestEpoch} are saved`
  printLine(`Epochs       ${epochs}${stopped}${best}`)
  for (const [name, scores] of [
    ["Validation", validation],
    ["Test", test],
  ] as const) {
    if (scores !== null) printLine(`${name.padEnd(13)}${count(scores.rows, "row")}\n${scoresText(scores)}`)
  }
  printLine(`Time         ${result.seconds.toFixed(1)} s`)
  printLine(`Saved in     ${out}`)
  if (!quiet) printLine(`To use it    trilobite predict ${quoted(out)} <file>`)
  if (ended === "aborted") printLine(`To go on:\n${resume}`)
}
