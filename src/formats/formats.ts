// The table of formats of model files: what each is called, which ending it has, and who reads and writes it. Readers and writers
// are loaded when they are first used. Knows no bytes.

import { TrilobiteError } from "../core/errors.ts"
import { recognise } from "../core/sniff.ts"
import type { ReadOptions, SavedModel } from "./saved-model.ts"
import { modelError } from "./weights-file.ts"

/** Files by their names: the first is the one that was asked for. */
export type Files = readonly (readonly [name: string, bytes: Uint8Array])[]

/** The bytes of a file that lies beside the one that is read, by its plain name. */
export type Beside = (name: string) => Promise<Uint8Array>

/** A format: a format without `read` or `write` is not read or written. */
export interface ModelFormat {
  readonly title: string
  readonly ending: string
  /** True if bytes begin as files of this format do. */
  readonly begins?: (bytes: Uint8Array) => boolean
  readonly read?: (bytes: Uint8Array, where: string, options: ReadOptions, beside: Beside) => Promise<SavedModel>
  readonly write?: (model: SavedModel, name: string) => Promise<Files>
}

const starts = (...first: readonly number[]) => (bytes: Uint8Array): boolean => first.every((b, i) => bytes[i] === b)

/** What one file holds, whole. */
const alone = (name: string, bytes: Uint8Array): Files => [[name, bytes]]

/** The table: the longest ending that fits counts. */
export const modelFormats: readonly ModelFormat[] = [
  {
    title: "trilobite (safetensors)",
    ending: ".safetensors",
    read: async (bytes, where, options) => (await import("./read-model.ts")).readModel(bytes, where, options),
    write: async (model, name) => alone(name, (await import("./model-file.ts")).writeModel(model)),
  },
  {
    title: "Keras 3",
    ending: ".keras",
    begins: starts(0x50, 0x4b, 0x03, 0x04),
    read: async (bytes, where, options) => (await import("./keras.ts")).readKeras(bytes, where, options),
    write: async (model, name) => alone(name, (await import("./keras.ts")).writeKeras(model)),
  },
  {
    title: "Keras 3, weights alone",
    ending: ".weights.h5",
    write: async (model, name) => alone(name, (await import("./keras.ts")).writeKerasWeights(model)),
  },
  {
    title: "Keras 2 (HDF5)",
    ending: ".h5",
    begins: starts(0x89, 0x48, 0x44, 0x46),
    read: async (bytes, where, options) => (await import("./keras.ts")).readLegacyH5(bytes, where, options),
  },
  {
    title: "TensorFlow.js",
    ending: ".json",
    begins: starts(0x7b),
    read: async (bytes, where, options, beside) => (await import("./tfjs.ts")).readTfjs(bytes, where, options, beside),
    write: async (model, name) => (await import("./tfjs.ts")).writeTfjs(model, name),
  },
  {
    title: "ONNX",
    ending: ".onnx",
    write: async (model, name) => alone(name, (await import("./onnx.ts")).writeOnnx(model)),
  },
  {
    title: "TypeScript function",
    ending: ".ts",
    write: async (model, name) => alone(name, (await import("./typescript.ts")).writeTypescript(model)),
  },
]

/** The endings of the formats that can be read, or written. */
export function endings(use: "read" | "write"): readonly string[] {
  return modelFormats.filter((format) => format[use] !== undefined).map(({ ending }) => ending)
}

/** The format of a file's name, undefined if it has none of the endings. */
export function formatOf(name: string): ModelFormat | undefined {
  const fits = modelFormats.filter(({ ending }) => name.toLowerCase().endsWith(ending))
  return fits.sort((a, b) => b.ending.length - a.ending.length)[0]
}

/** The files of a model in the format that a name asks for. Throws E_MODEL if the format is not written or cannot hold the model. */
export async function writeAs(model: SavedModel, path: string): Promise<Files> {
  const format = formatOf(path) ?? modelFormats[0]!
  const name = path.slice(Math.max(path.lastIndexOf("/"), path.lastIndexOf("\\")) + 1)
  if (format.write !== undefined) return format.write(model, name)
  throw modelError(path, `${format.title} files are not written.`, `a name that ends in ${endings("write").join(", ")}`)
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
  const named = formatOf(where)
  const format = modelFormats.find(({ begins }) => begins?.(bytes)) ?? modelFormats[0]!
  if (format === modelFormats[0] && named !== undefined && named !== format) {
    const what = named.read === undefined ? `${named.title} files are not read.` : `this is no ${named.title} file.`
    const advice = named.read === undefined ? `Files that are read end in ${endings("read").join(", ")}.` : recognise(bytes)
    throw new TrilobiteError("E_MODEL", { where, what, ...(advice === undefined ? {} : { hint: advice }) })
  }
  return format.read!(bytes, where, options, beside)
}
