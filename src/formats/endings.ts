// The names of the formats of model files, for help texts and choices: what of formats.ts is known without loading a reader.

/** A format as it is listed: what it is called, the ending of its files, and whether it is read and written. */
export interface FormatName {
  readonly title: string
  readonly ending: string
  readonly read: boolean
  readonly write: boolean
}

const both = { read: true, write: true } as const
const written = { read: false, write: true } as const

/**
 * The formats of model files: `loadModel` reads and `model.save` writes them.
 * @example
 * ```ts
 * import { modelFormats } from "trilobite"
 * modelFormats.filter(({ read }) => read).map(({ ending }) => ending) // => [".safetensors", ".keras", ".h5", ".json"]
 * ```
 */
export const modelFormats: readonly FormatName[] = [
  { title: "trilobite (safetensors)", ending: ".safetensors", ...both },
  { title: "Keras 3", ending: ".keras", ...both },
  { title: "Keras 3, weights alone", ending: ".weights.h5", ...written },
  { title: "Keras 2 (HDF5)", ending: ".h5", read: true, write: false },
  { title: "TensorFlow.js", ending: ".json", ...both },
  { title: "ONNX", ending: ".onnx", ...written },
  { title: "TypeScript function", ending: ".ts", ...written },
]
