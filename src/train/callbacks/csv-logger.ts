// The numbers of every epoch as a table in a text file. Knows no model.

import { configError, dataError, show } from "../../core/errors.ts"
import { flag, type OptionsOf, optional, readOptions, required, text, that } from "../../nn/options.ts"
import type { Callback } from "./callback.ts"

/** The options of {@link csvLogger}. */
export interface CsvLoggerOptions {
  readonly filename: string
  /** What stands between two columns (default ","). */
  readonly separator?: string
  /** Whether rows are added to a file that is there, under its header (default false: it is replaced). */
  readonly append?: boolean
}

type Resolved = Required<CsvLoggerOptions>

/** The table of its options. */
export const csvLoggerOptions: OptionsOf<Resolved> = {
  filename: required(text()),
  separator: optional(
    that("one character that is no letter, digit, quote, sign, point or end of a line", (value): value is string => {
      return typeof value === "string" && /^[^\w"'+\-.\r\n]$/.test(value)
    }),
    ",",
  ),
  append: optional(flag(), false),
}

/** What stands where an epoch has no such number: as Keras writes it. */
const MISSING = "NA"

/**
 * Writes a row for every epoch: `epoch` (from 0), then all numbers of the logs by name. A number that only later epochs have
 * (with validationFreq) becomes a column of its own, `NA` before. Keras: CSVLogger.
 * @throws E_CONFIG for a wrong option; E_DATA if the file that is added to has another header; E_IO if it cannot be written, or
 * in a browser.
 * @example
 * ```ts
 * import { readFileSync } from "node:fs"
 * import { tmpdir } from "node:os"
 * import { csvLogger, dense, sequential } from "trilobite"
 * const model = sequential([dense({ units: 1, kernelInitializer: "zeros", inputShape: [1] })])
 * model.compile({ loss: "mse", optimizer: "sgd" })
 * const filename = `${tmpdir()}/training.csv`
 * await model.fit([[1]], [[2]], { epochs: 2, verbose: 0, callbacks: [csvLogger({ filename, separator: ";" })] })
 * readFileSync(filename, "utf8").split("\n").slice(0, 2) // => ["epoch;loss", "0;4"]
 * ```
 */
export function csvLogger(given: CsvLoggerOptions): Callback {
  const { filename, separator, append } = readOptions<Resolved>("csvLogger", csvLoggerOptions, given)
  const line = (fields: readonly string[]): string => `${fields.join(separator)}\n`
  let columns: string[] = []
  return {
    onTrainBegin: async () => {
      const { appendFile, beginFile, textOf } = await import("../../formats/node-log.ts")
      columns = []
      if (!append) return beginFile(filename)
      const old = textOf(filename)
      if (old === "") return
      if (!old.endsWith("\n")) appendFile(filename, "\n")
      columns = old.slice(0, old.search(/\r?\n|$/)).split(separator)
      if (columns[0] === "epoch") return
      const what = "the file is no table of epochs with this separator."
      const hint = "Choose another file, or append: false to replace it."
      throw dataError({
        where: filename,
        what,
        expected: line(["epoch", "loss"]).trim(),
        got: columns[0]!.slice(0, 80),
        hint,
      })
    },
    onEpochEnd: async (epoch, logs) => {
      const { appendFile, textOf } = await import("../../formats/node-log.ts")
      const { saveFile } = await import("../../formats/node-file.ts")
      const values = new Map(
        [["epoch", epoch], ...Object.entries(logs)].map(([name, n]) => [name as string, String(n)]),
      )
      const added = [...values.keys()].filter((name) => !columns.includes(name)).sort(byPlace)
      for (const name of added) checkName(name, separator)
      const before = columns.length
      columns.push(...added)
      if (before === 0) appendFile(filename, line(columns))
      else if (added.length > 0) {
        const rows = textOf(filename).trimEnd().split(/\r?\n/).slice(1)
        const wider = rows.map((row) => line([row, ...added.map(() => MISSING)]))
        saveFile(filename, new TextEncoder().encode(line(columns) + wider.join("")))
      }
      appendFile(filename, line(columns.map((name) => values.get(name) ?? MISSING)))
    },
  }
}

/** A name of an output, and so of its numbers, may be any text. */
function checkName(name: string, separator: string): void {
  if (!name.includes(separator) && !/["\r\n]/.test(name)) return
  const hint = "Choose another separator, or another name for the output."
  throw configError({
    where: "csvLogger.separator",
    what: `it is in the name ${show(name)}, or a quote or end of a line.`,
    hint,
  })
}

/** The epoch first, other names in their order in the alphabet. */
function byPlace(a: string, b: string): number {
  const [first, second] = [a === "epoch" ? "" : a, b === "epoch" ? "" : b]
  return first < second ? -1 : 1
}
