// The settings of `trilobite train` on a table: one list, from which flags, config files, their JSON schema and the help come.

import { TrilobiteError } from "../src/index.ts"
import type { TrainConfig } from "./config.ts"
import { readName, readNumber, readPath, readWhole } from "./values.ts"

/** The names of the settings. */
export type SettingName = Exclude<keyof TrainConfig, "$schema">

/** A JSON schema of a value: the part of it that settings need. */
export interface Schema {
  readonly type: "string" | "number" | "integer" | "boolean" | "array"
  readonly enum?: readonly string[]
  readonly minimum?: number
  readonly maximum?: number
  readonly exclusiveMaximum?: number
  readonly minLength?: number
  readonly maxLength?: number
  readonly items?: Schema
  /** A word that stands for a number, too. */
  readonly word?: string
}

/** A setting: what it takes, its default, and how it is written as a flag. */
export interface Setting {
  readonly name: SettingName
  readonly description: string
  /** The default as it is used and as it is told. */
  readonly usual?: string | number | readonly number[]
  readonly told?: string
  readonly schema: Schema
  /** What stands for its value in the help, and an example of one. */
  readonly value: string
  readonly example: string
}

const names = (name: SettingName, description: string): Setting => ({
  name,
  description,
  schema: { type: "array", items: { type: "string", minLength: 1 } },
  value: "names",
  example: "width,height",
})
const one = (name: SettingName, description: string, all: readonly string[], told: string): Setting => ({
  name,
  description,
  told,
  schema: { type: "string", enum: all },
  value: all.join("|"),
  example: all[0]!,
})
const share = (name: SettingName, description: string, usual: number): Setting => ({
  name,
  description,
  usual,
  schema: { type: "number", minimum: 0, exclusiveMaximum: 1 },
  value: "share",
  example: "0.2",
})
const whole = (name: SettingName, description: string, usual: number, minimum: number, maximum: number): Setting => ({
  name,
  description,
  usual,
  schema: { type: "integer", minimum, maximum },
  value: "n",
  example: String(usual),
})
const text = (
  name: SettingName,
  description: string,
  value: string,
  example: string,
  more: Partial<Setting> = {},
): Setting => ({
  name,
  description,
  schema: { type: "string", minLength: 1 },
  value,
  example,
  ...more,
})

/** All settings in the order of the help. */
export const settings: readonly Setting[] = [
  text("data", "a file, or the name of a data set", "file", "data.csv"),
  text("target", "the column to predict", "column", "species"),
  names("features", "columns to predict from (default: all others)"),
  names("ignore", "columns to leave out"),
  names("categorical", "columns whose numbers are names of things"),
  one("task", "classes or numbers", ["classification", "regression"], "by what the target holds"),
  one("scaling", "how numbers get a common size", ["standardize", "minMax", "none"], "standardize"),
  one("missing", "what becomes of missing cells", ["error", "mean", "drop"], "error"),
  text("delimiter", "what stands between cells", "sign", ";", {
    schema: { type: "string", minLength: 1, maxLength: 1 },
  }),
  {
    name: "header",
    description: "whether the first line holds names",
    schema: { type: "boolean" },
    value: "on|off",
    example: "off",
  },
  share("validation", "share of the rows that validates", 0.2),
  share("test", "share of the rows for the last test", 0),
  one("split", "how rows are divided", ["random", "stratified", "time"], "stratified for classes"),
  text("timeColumn", "the column by which time divides", "column", "date"),
  {
    name: "stream",
    description: "whether the file is read in pieces, again in every epoch",
    told: "on if it is larger than an eighth of the memory",
    schema: { type: "boolean" },
    value: "on|off",
    example: "on",
  },
  {
    name: "layers",
    description: "units of the hidden layers",
    usual: [64, 64],
    told: "64,64",
    schema: { type: "array", items: { type: "integer", minimum: 1, maximum: 100_000 } },
    value: "units",
    example: "128,64",
  },
  text("activation", "activation of the hidden layers", "name", "tanh", { usual: "relu" }),
  share("dropout", "share of hidden values left out at random", 0),
  {
    name: "l2",
    description: "weight of the squared weights in the cost",
    usual: 0,
    schema: { type: "number", minimum: 0 },
    value: "weight",
    example: "0.001",
  },
  text("optimizer", "how the weights move", "name", "adam", { usual: "adam" }),
  {
    name: "learningRate",
    description: "length of the steps",
    told: "the optimizer's",
    schema: { type: "number", minimum: 0 },
    value: "rate",
    example: "0.001",
  },
  text("loss", "what is minimised", "name", "huber", { told: "cross-entropy or squared error" }),
  {
    ...whole("batchSize", "rows in a round; auto: as memory allows", 32, 1, 10_000_000),
    schema: { type: "integer", minimum: 1, maximum: 10_000_000, word: "auto" },
    value: "n|auto",
  },
  {
    ...whole("epochs", "times that all rows are used, at most; auto: found out", 200, 1, 1_000_000),
    schema: { type: "integer", minimum: 1, maximum: 1_000_000, word: "auto" },
    value: "n|auto",
  },
  whole("patience", "epochs without improvement until it stops; 0: never", 20, 0, 1_000_000),
  one("classWeights", "whether rare classes count more", ["none", "balanced"], "none"),
  whole("seed", "what division, weights and order depend on", 0, 0, Number.MAX_SAFE_INTEGER),
]

/** The settings with their defaults: those that have none may be open. */
export type Settings = Omit<TrainConfig, "batchSize"> & { readonly batchSize: number } & Required<
    Pick<
      TrainConfig,
      "validation" | "test" | "layers" | "activation" | "dropout" | "l2" | "optimizer" | "epochs" | "patience" | "seed"
    >
  >

/** The defaults of settings, of those that have one. */
export function usualSettings(): Partial<Settings> {
  return Object.fromEntries(settings.flatMap(({ name, usual }) => (usual === undefined ? [] : [[name, usual]])))
}

/** The settings among some options, with their values. */
export function givenSettings(options: { readonly [N in SettingName]?: unknown }): (readonly [SettingName, unknown])[] {
  return settings.flatMap(({ name }) => {
    const value = options[name]
    return value === undefined || value === null ? [] : [[name, value] as const]
  })
}

/** The settings that were given, over the defaults; a batch size that is to be found out begins with its default. */
export function complete(given: TrainConfig): Settings {
  const { batchSize, ...others } = given
  const known = batchSize === undefined || batchSize === "auto" ? {} : { batchSize }
  return { ...usualSettings(), ...others, ...known } as Settings
}

/** A setting's name as a flag: `--learning-rate`. */
export function flagOf(name: string): string {
  return `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`
}

/** The value of a flag. Throws E_USAGE for what is none. */
export function parseFlag({ name, schema, example }: Setting, given: string): unknown {
  const flag = flagOf(name)
  const { type, items, minimum: least, maximum: most, exclusiveMaximum } = schema
  const limits = { ...(least === undefined ? {} : { least }), ...(most === undefined ? {} : { most }) }
  const example_ = `${flag} ${example}`
  if (schema.enum !== undefined) return readName(flag, "choice", given, schema.enum)
  if (given === schema.word) return given
  if (type === "integer") return readWhole(flag, given, example_, limits)
  if (type === "number") {
    const value = readNumber(flag, given, example_, limits)
    if (exclusiveMaximum === undefined || value < exclusiveMaximum) return value
    throw new TrilobiteError("E_USAGE", {
      where: flag,
      what: "this is no share.",
      expected: `a number below ${exclusiveMaximum}`,
      got: given,
      hint: `For example: ${example_}.`,
    })
  }
  if (type === "boolean") return readName(flag, "setting", given, ["on", "off"]) === "on"
  if (type === "string") {
    const value = given === "\\t" ? "\t" : given
    if (value.length <= (schema.maxLength ?? Number.POSITIVE_INFINITY))
      return name === "delimiter" && value === "\t" ? value : readPath(flag, value)
    throw new TrilobiteError("E_USAGE", {
      where: flag,
      what: "this is too long.",
      expected: "one character",
      got: JSON.stringify(given),
      hint: `For example: ${example_}.`,
    })
  }
  const parts = given.split(",").map((part) => part.trim())
  if (items!.type === "integer") {
    const { minimum = 0, maximum = 0 } = items!
    return given.trim() === "0" || given.trim() === "none"
      ? []
      : parts.map((part) => readWhole(flag, part, example_, { least: minimum, most: maximum }))
  }
  return parts.map((part) => readPath(flag, part))
}

/**
 * The settings that the flags of a change name, with their values; undefined where they are no flags of `train`, or where one of them
 * leaves its value to the reader (`--ignore <columns>`).
 */
export function settingsIn(flags: string): ReadonlyMap<SettingName, unknown> | undefined {
  const words = flags.split(" ")
  const found = new Map<SettingName, unknown>()
  for (let i = 0; i < words.length; i += 2) {
    const setting = settings.find(({ name }) => flagOf(name) === words[i])
    const value = words[i + 1]
    if (setting === undefined || value === undefined || value.startsWith("<")) return undefined
    try {
      found.set(setting.name, parseFlag(setting, value))
    } catch {
      return undefined
    }
  }
  return found
}

/** The JSON schema of a config file. */
export function jsonSchema(): object {
  const properties = settings.map(({ name, description, schema, usual, told }) => {
    const sentence = `${description[0]!.toUpperCase()}${description.slice(1)}${usual === undefined && told !== undefined ? ` (default: ${told})` : ""}.`
    const { word, ...rest } = schema
    const takes = word === undefined ? rest : { anyOf: [rest, { const: word }] }
    return [name, { description: sentence, ...takes, ...(usual === undefined ? {} : { default: usual }) }] as const
  })
  return {
    $schema: "http://json-schema.org/draft-07/schema#",
    title: "A config of trilobite train",
    type: "object",
    additionalProperties: false,
    properties: { $schema: { type: "string" }, ...Object.fromEntries(properties) },
  }
}
