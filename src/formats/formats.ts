// Who reads and writes which model files; each is loaded when it is first used. The list of formats is in endings.ts. Knows no bytes.

import { TrilobiteError } from "../core/errors.ts"
import { recognise } from "../core/sniff.ts"
import { type FormatName, modelFormats } from "./endings.ts"
import type { Beside, Files, ReadOptions, SavedModel } from "./saved-model.ts"
import { modelError } from "./weights-file.ts"

/** Who reads and writes the files of one ending. */
interface Handler {
  /** True if bytes begin as files of this format do. */
  readonly begins?: (bytes: Uint8Array) => boolean
  readonly read?: (bytes: Uint8Array, where: string, options: ReadOptions, beside: Beside) => Promise<SavedModel>
  readonly write?: (model: SavedModel, name: string) => Promise<Files>
}

const starts =
  (...first: readonly number[]) =>
  (bytes: Uint8Array): boolean =>
    first.every((b, i) => bytes[i] === b)

/** What one file holds, whole. */
const alone = (name: string, bytes: Uint8Array): Files => [[name, bytes]]

const keras = (): Promise<typeof import("./keras.ts")> => import("./keras.ts")

/** The handlers by the endings of `modelFormats`. */
const handlers: { readonly [ending: string]: Handler } = {
  ".safetensors": {
    read: async (bytes, where, options) => (await import("./read-model.ts")).readModel(bytes, where, options),
    write: async (model, name) => alone(name, (await import("./model-file.ts")).writeModel(model)),
  },
  ".keras": {
    begins: starts(0x50, 0x4b),
    read: async (bytes, where, options) => (await keras()).readKeras(bytes, where, options),
    write: async (model, name) => alone(name, (await keras()).writeKeras(model)),
  },
  ".weights.h5": { write: async (model, name) => alone(name, (await keras()).writeKerasWeights(model)) },
  ".h5": {
    begins: starts(0x89, 0x48, 0x44, 0x46),
    read: async (bytes, where, options) => (await keras()).readLegacyH5(bytes, where, options),
  },
  ".json": {
    begins: starts(0x7b),
    read: async (bytes, where, options, beside) => (await import("./tfjs.ts")).readTfjs(bytes, where, options, beside),
    write: async (model, name) => (await import("./tfjs.ts")).writeTfjs(model, name),
  },
  ".onnx": { write: async (model, name) => alone(name, (await import("./onnx.ts")).writeOnnx(model)) },
  ".ts": { write: async (model, name) => alone(name, (await import("./typescript.ts")).writeTypescript(model)) },
}

const OURS = ".safetensors"

const endings = (use: "read" | "write"): string =>
  modelFormats
    .filter((format) => format[use])
    .map(({ ending }) => ending)
    .join(", ")

/** The format of a file's name, undefined if it has none of the endings. */
function formatOf(name: string): FormatName | undefined {
  const fits = modelFormats.filter(({ ending }) => String(name).toLowerCase().endsWith(ending))
  return fits.sort((a, b) => b.ending.length - a.ending.length)[0]
}

/**
 * The files of a model in the format that a name asks for: ours, if it asks for none.
 * Throws E_MODEL if the format is not written or cannot hold the model.
 */
export async function writeAs(model: SavedModel, path: string): Promise<Files> {
  const format = formatOf(path)
  const { write } = handlers[format?.ending ?? OURS]!
  if (write !== undefined) return write(model, String(path).replace(/^.*[/\\]/s, ""))
  throw modelError(path, `${format!.title} files are not written.`, `a name that ends in ${endings("write")}`)
}

/**
 * The model in a file's bytes, whatever its name says: the format is seen from the first bytes.
 * Throws E_MODEL for what is no model.
 */
export async function readAny(
  bytes: Uint8Array,
  where: string,
  options: ReadOptions,
  beside: Beside,
): Promise<SavedModel> {
  const seen = Object.values(handlers).find(({ begins }) => begins?.(bytes))
  const named = formatOf(where)
  if (seen === undefined && named !== undefined && named.ending !== OURS) {
    const what = named.read ? `this is no ${named.title} file.` : `${named.title} files are not read.`
    const hint = named.read ? recognise(bytes) : `Files that are read end in ${endings("read")}.`
    throw new TrilobiteError("E_MODEL", { where, what, ...(hint === undefined ? {} : { hint }) })
  }
  return (seen ?? handlers[OURS]!).read!(bytes, where, options, beside)
}
