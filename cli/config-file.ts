// Config files of `trilobite train`: JSON, read strictly, or TypeScript and JavaScript, which are programs of the user's own.

import { readFileSync, statSync } from "node:fs"
import { resolve } from "node:path"
import { pathToFileURL } from "node:url"
import { parseJson } from "../src/datasets.ts"
import { TrilobiteError } from "../src/index.ts"
import type { TrainConfig } from "./config.ts"
import { type Schema, settings } from "./settings.ts"
import { alike } from "./values.ts"

const LIMIT = 4_194_304

/**
 * The settings in a config file.
 * @throws E_IO if it cannot be read; E_CONFIG for what is no config, with its place.
 */
export async function readConfigFile(path: string): Promise<TrainConfig> {
  return checkConfig(/\.[cm]?[jt]s$/.test(path) ? await programOf(path) : jsonOf(path), path)
}

function jsonOf(path: string): unknown {
  return parseJson(textOf(path), path)
}

function textOf(path: string): string {
  try {
    if (statSync(path).size > LIMIT)
      throw new TrilobiteError("E_CONFIG", {
        where: path,
        what: "the config is too long.",
        expected: `at most ${LIMIT} bytes`,
      })
    return readFileSync(path, "utf8")
  } catch (error) {
    if (error instanceof TrilobiteError) throw error
    const got = error instanceof Error && "code" in error ? String(error.code) : String(error)
    const hint = "trilobite init writes a config."
    throw new TrilobiteError("E_IO", { where: path, what: "cannot read this config.", got, hint }, { cause: error })
  }
}

async function programOf(path: string): Promise<unknown> {
  textOf(path)
  try {
    const found = (await import(pathToFileURL(resolve(path)).href)) as { readonly default?: unknown }
    return found.default
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : ""
    const hint =
      code === "ERR_UNKNOWN_FILE_EXTENSION"
        ? "This Node reads no TypeScript: use Node 22.18 or later, or a config in JSON (trilobite init --json)."
        : "Correct the program."
    const got = error instanceof Error ? error.message.split("\n")[0]! : String(error)
    throw new TrilobiteError(
      "E_CONFIG",
      { where: path, what: "the config cannot be run.", got, hint },
      { cause: error },
    )
  }
}

/** A value as a config. Throws E_CONFIG for unknown settings and wrong values. */
export function checkConfig(value: unknown, where: string): TrainConfig {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    const hint = "A program exports it: export default { ... }."
    throw new TrilobiteError("E_CONFIG", {
      where,
      what: "this is no config.",
      expected: "an object",
      got: told(value),
      hint,
    })
  }
  const known = settings.map(({ name }) => name as string)
  for (const [key, given] of Object.entries(value)) {
    if (key === "$schema") continue
    const setting = settings.find(({ name }) => name === key)
    if (setting === undefined) {
      const near = alike(key, known)
      const fields = { what: `unknown setting ${JSON.stringify(key)}.`, expected: `one of ${known.join(", ")}` }
      throw new TrilobiteError("E_CONFIG", {
        where,
        ...fields,
        ...(near === undefined ? {} : { hint: `Did you mean ${JSON.stringify(near)}?` }),
      })
    }
    checkValue(given, setting.schema, `${where}, ${key}`)
  }
  return value
}

function checkValue(value: unknown, schema: Schema, where: string): void {
  const fail = (expected: string): TrilobiteError => {
    const quoted =
      typeof value === "string" && /number/.test(expected) && value.trim() !== "" && Number.isFinite(Number(value))
    const hint = quoted ? { hint: "Write the number without quotes." } : {}
    return new TrilobiteError("E_CONFIG", {
      where,
      what: "this value is not possible.",
      expected,
      got: told(value),
      ...hint,
    })
  }
  const { type, minimum, maximum, exclusiveMaximum, minLength, maxLength, word } = schema
  if (word !== undefined && value === word) return
  if (schema.enum !== undefined) {
    if (typeof value !== "string" || !schema.enum.includes(value))
      throw fail(schema.enum.map((name) => JSON.stringify(name)).join(" or "))
  } else if (type === "array") {
    if (!Array.isArray(value))
      throw fail(schema.items!.type === "string" ? "a list of names" : "a list of whole numbers")
    for (const [i, part] of value.entries()) checkValue(part, schema.items!, `${where}[${i}]`)
  } else if (type === "boolean") {
    if (typeof value !== "boolean") throw fail("true or false")
  } else if (type === "string") {
    const fits =
      typeof value === "string" &&
      value.length >= (minLength ?? 0) &&
      value.length <= (maxLength ?? Number.POSITIVE_INFINITY)
    if (!fits) throw fail(maxLength === 1 ? "one character" : "a text")
  } else {
    const kind = type === "integer" ? "a whole number" : "a number"
    const limits = `${minimum === undefined ? "" : ` of at least ${minimum}`}${maximum === undefined ? "" : ` and at most ${maximum}`}${exclusiveMaximum === undefined ? "" : ` and below ${exclusiveMaximum}`}`
    const fits =
      typeof value === "number" &&
      Number.isFinite(value) &&
      (type === "number" || Number.isSafeInteger(value)) &&
      value >= (minimum ?? value) &&
      value <= (maximum ?? value) &&
      (exclusiveMaximum === undefined || value < exclusiveMaximum)
    if (!fits) throw fail(kind + limits + (word === undefined ? "" : `, or ${JSON.stringify(word)}`))
  }
}

function told(value: unknown): string {
  if (typeof value === "function") return "a function"
  const text = JSON.stringify(value) ?? "nothing"
  return text.length > 60 ? `${text.slice(0, 57)}...` : text
}
