// What happens in a training as lines of JSON in a file, for programs that read along. Knows no model.

import { flag, type OptionsOf, optional, readOptions, required, text } from "../../nn/options.ts"
import type { Callback } from "./callback.ts"

/** The options of {@link jsonLinesLogger}. */
export interface JsonLinesLoggerOptions {
  readonly filename: string
  /** Whether lines are added to a file that is there (default false: it is replaced). */
  readonly append?: boolean
}

type Resolved = Required<JsonLinesLoggerOptions>

const options: OptionsOf<Resolved> = { filename: required(text()), append: optional(flag(), false) }

/**
 * Writes a line of JSON when a training begins, after every epoch and at the end: `type` (trainBegin, epochEnd, trainEnd),
 * `time` (ISO 8601), and what the event says: `epoch` (from 0), `logs`, `learningRate`, `seconds`, `reason`. Numbers that JSON
 * does not have are the texts "NaN", "Infinity" and "-Infinity".
 * @throws E_CONFIG for a wrong option; E_IO if the file cannot be written, or in a browser.
 * @example
 * ```ts
 * import { readFileSync } from "node:fs"
 * import { tmpdir } from "node:os"
 * import { dense, jsonLinesLogger, sequential } from "trilobite"
 * const model = sequential([dense({ units: 1, inputShape: [1] })])
 * model.compile({ loss: "mse", optimizer: "sgd" })
 * const filename = `${tmpdir()}/training.jsonl`
 * await model.fit([[1]], [[2]], { epochs: 2, verbose: 0, callbacks: [jsonLinesLogger({ filename })] })
 * const lines = readFileSync(filename, "utf8").trim().split("\n")
 * lines.map((line) => JSON.parse(line).type) // => ["trainBegin", "epochEnd", "epochEnd", "trainEnd"]
 * ```
 */
export function jsonLinesLogger(given: JsonLinesLoggerOptions): Callback {
  const { filename, append } = readOptions<Resolved>("jsonLinesLogger", options, given)
  return {
    onEvent: async (event, training) => {
      if (event.type !== "trainBegin" && event.type !== "epochEnd" && event.type !== "trainEnd") return
      const { appendFile, beginFile, textOf } = await import("../../formats/node-log.ts")
      if (event.type === "trainBegin") {
        if (!append) beginFile(filename)
        else if (!/(^|\n)$/.test(textOf(filename))) appendFile(filename, "\n")
      }
      const { type, ...said } = event
      const rate = type === "epochEnd" ? { learningRate: training.learningRate } : {}
      const line = { type, time: new Date().toISOString(), ...said, ...rate }
      appendFile(filename, `${JSON.stringify(line, (_, value) => speakable(value))}\n`)
    },
  }
}

function speakable(value: unknown): unknown {
  return typeof value === "number" && !Number.isFinite(value) ? String(value) : value
}
