// `trilobite convert`: a model from one format to another, by the endings of the names.

import { existsSync } from "node:fs"
import type { Command } from "commander"
import { loadModel, modelFormats } from "../../src/index.ts"
import { printJson, printLine } from "../output.ts"
import { readPath, usageError } from "../values.ts"

const list = (use: "read" | "write"): string[] =>
  modelFormats.filter((format) => format[use]).map(({ ending }) => ending)

const HELP = `
Formats, by the ending of the name:
${modelFormats.map(({ ending, title, read, write }) => `  ${ending.padEnd(14)}${title.padEnd(26)}${[read ? "read" : "", write ? "written" : ""].filter(Boolean).join(", ")}`).join("\n")}

What a file is, is seen from its bytes. What the other format cannot hold is
refused by name, and nothing is written. Files of Keras keep what the optimizer
had got to; the others hold what predicts. Beside model.json a file of weights is
read or written. With --json one object is printed: {"from", "to", "parameters"}.

Examples:
  $ trilobite convert runs/my-run/model.safetensors model.keras
  $ trilobite convert model.keras model.onnx
  $ trilobite convert model.h5 web/model.json
  $ trilobite convert model.safetensors predict.ts`

/** What stands on the command line beside the names. */
interface ConvertOptions {
  readonly force?: boolean
  readonly compile: boolean
  readonly json?: boolean
}

/** Adds the command. */
export function addConvert(program: Command): void {
  program
    .command("convert")
    .summary("write a model in another format: Keras, TensorFlow.js, ONNX, TypeScript")
    .description("Reads a model and writes it in another format.")
    .argument("<from>", "the file of the model", (text) => readPath("convert", text))
    .argument("<to>", "the file to be written", (text) => readPath("convert", text))
    .option("--force", "replace the file if there is one")
    .option("--no-compile", "leave out what the model was compiled with: loss, optimizer, metrics")
    .option("--json", "print a line of JSON only")
    .addHelpText("after", HELP)
    .action(async (from: string, to: string, options: ConvertOptions) => {
      const known = list("write")
      if (!known.some((ending) => to.toLowerCase().endsWith(ending))) {
        throw usageError({
          where: "convert",
          what: "this name says no format that is written.",
          expected: `a name that ends in ${known.join(", ")}`,
          got: JSON.stringify(to),
        })
      }
      if (options.force !== true && existsSync(to)) {
        throw usageError({ where: to, what: "there is a file already.", hint: "Replace it with --force, or choose another name." }) // biome-ignore format: one row
      }
      const model = await loadModel(from, { compile: options.compile })
      await model.save(to)
      const parameters = model.weights.reduce((n, { shape }) => n + shape.reduce((a, b) => a * b, 1), 0)
      if (options.json === true) printJson({ from, to, parameters })
      else printLine(`${from} -> ${to}: ${parameters.toLocaleString("en")} parameters`)
    })
}
