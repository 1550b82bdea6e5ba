// Folders of images as rows (Node only): a folder for each class, PNG by pngjs and JPEG by jpeg-js, decoded when they are read.

import { readdirSync } from "node:fs"
import { createRequire } from "node:module"
import { join } from "node:path"
import { checkKeys, configError, dataError, show, type TrilobiteError, unknownName } from "../core/errors.ts"
import { ioError } from "../core/io.ts"
import { permutation } from "../core/order.ts"
import { streams } from "../core/random.ts"
import { recognise } from "../core/sniff.ts"
import { type RowSource, type RowSpec, rowBytes } from "./dataset.ts"
import { readDataFile } from "./node-file.ts"

/** How a folder of images is read: Keras's names and defaults. */
export interface ImageFolderOptions {
  /** Height and width of the rows; images of another size are resized (default [256, 256]). */
  readonly imageSize?: readonly [height: number, width: number]
  /** `rgb`: three numbers for each pixel; `grayscale`: one, 0.299 R + 0.587 G + 0.114 B (default rgb). */
  readonly colorMode?: "rgb" | "grayscale"
  /** Targets: the number of the class, or a row with a 1 at it (default int). */
  readonly labelMode?: "int" | "categorical"
  /** The folders that are classes, in their order (default: all, in the order of their names). */
  readonly classNames?: readonly string[]
  /** Whether bytes stand for byte / 255 (unorm8) instead of for 0 to 255 (default false). */
  readonly scale?: boolean
  /** The share of the images that validates, chosen at random by `seed`; `subset` says which part is wanted (default 0). */
  readonly validationSplit?: number
  readonly subset?: "training" | "validation"
  /** What the choice depends on (default 0). */
  readonly seed?: number
}

/** Images with the classes that their folders say. */
export interface ImageFolder extends RowSource {
  readonly classNames: readonly string[]
  /** The files, by row. */
  readonly paths: readonly string[]
}

/** Decoded rows of at most so many bytes are kept: an image is decoded once. */
const KEPT = 268_435_456
const MOST_FILES = 10_000_000
/** Pixels of an image: so many at most, and so many for each of its bytes beyond a first mebi. */
const PIXELS = 67_108_864
const PIXELS_PER_BYTE = 1000

/**
 * Images in folders, a folder for each class, as rows for fit, evaluate and predict: uint8 [height, width, 3] from 0 to 255, and
 * the class. They are decoded when they are read, and resized bilinearly. Keras: image_dataset_from_directory (which gives
 * batches of float32; shuffling and batches are `fit`'s here).
 * @throws E_IO if the folder cannot be read; E_DATA if there are no images in it, and when one is read that is damaged or too
 * large; E_CONFIG for options that make no sense.
 * @example
 * ```ts
 * import { mkdirSync, writeFileSync } from "node:fs"
 * import { PNG } from "pngjs"
 * import { imageDatasetFromDirectory } from "trilobite/datasets"
 * const image = new PNG({ width: 4, height: 4 })
 * for (const kind of ["cats", "dogs"]) {
 *   mkdirSync(`/tmp/trilobite-images/${kind}`, { recursive: true })
 *   writeFileSync(`/tmp/trilobite-images/${kind}/1.png`, PNG.sync.write(image))
 * }
 * const images = imageDatasetFromDirectory("/tmp/trilobite-images", { imageSize: [4, 4], scale: true })
 * images.classNames // => ["cats", "dogs"]
 * images.x // => { dtype: "unorm8", shape: [4, 4, 3] }
 * ```
 */
export function imageDatasetFromDirectory(directory: string, options: ImageFolderOptions = {}): ImageFolder {
  const where = "imageDatasetFromDirectory"
  const { imageSize, colorMode, labelMode, scale, validationSplit, subset, seed } = checked(where, options)
  const classNames = options.classNames ?? foldersIn(directory)
  const files = classNames.flatMap((name, label) => imagesIn(join(directory, name)).map((path) => ({ path, label })))
  if (files.length === 0) {
    const [expected, hint] = ["a folder for each class, with .png, .jpg or .jpeg files", "Name the folder above them."]
    throw dataError({
      where: directory,
      what: "there are no images.",
      expected,
      got: `${classNames.length} folders`,
      hint,
    })
  }
  const chosen = partOf(files, validationSplit, subset, seed)
  const channels = colorMode === "rgb" ? 3 : 1
  const x: RowSpec = { dtype: scale ? "unorm8" : "uint8", shape: [...imageSize, channels] }
  const y: RowSpec =
    labelMode === "int" ? { dtype: "int32", shape: [] } : { dtype: "float32", shape: [classNames.length] }
  const width = rowBytes(x)
  const kept = new Map<number, Uint8Array>()
  const pixelsOf = (row: number): Uint8Array => {
    const known = kept.get(row)
    if (known !== undefined) return known
    const { path } = chosen[row]!
    const pixels = fitted(decodeImage(readDataFile(path), path), imageSize, channels)
    if ((kept.size + 1) * width <= KEPT) kept.set(row, pixels)
    return pixels
  }
  return {
    rows: chosen.length,
    x,
    y,
    classNames,
    paths: chosen.map(({ path }) => path),
    read: (rows, into) => {
      rows.forEach((row, i) => {
        into.x.set(pixelsOf(row), i * width)
      })
      if (into.y === undefined) return
      const { buffer, byteOffset } = into.y
      const labels = Int32Array.from(rows, (row) => chosen[row]!.label)
      if (labelMode === "int") new Int32Array(buffer, byteOffset, rows.length).set(labels)
      else {
        const out = new Float32Array(buffer, byteOffset, rows.length * classNames.length).fill(0)
        labels.forEach((label, i) => {
          out[i * classNames.length + label] = 1
        })
      }
    },
  }
}

type Read = Required<Omit<ImageFolderOptions, "classNames" | "subset">> & Pick<ImageFolderOptions, "subset">

const known = ["imageSize", "colorMode", "labelMode", "classNames", "scale", "validationSplit", "subset", "seed"]

function checked(where: string, options: ImageFolderOptions): Read {
  checkKeys(where, options, known)
  const {
    imageSize = [256, 256],
    colorMode = "rgb",
    labelMode = "int",
    scale = false,
    validationSplit = 0,
    seed = 0,
    subset,
  } = options
  const refuse = (name: string, expected: string, got: unknown): TrilobiteError =>
    configError({ where: `${where}.${name}`, what: "this is not possible.", expected, got: show(got) })
  const isSize = (n: unknown): boolean => Number.isSafeInteger(n) && (n as number) >= 1 && (n as number) <= 16_384
  if (!Array.isArray(imageSize) || imageSize.length !== 2 || !imageSize.every(isSize)) {
    throw refuse("imageSize", "[height, width] in pixels, such as [28, 28]", imageSize)
  }
  if (!["rgb", "grayscale"].includes(colorMode))
    throw unknownName(`${where}.colorMode`, "mode", colorMode, ["rgb", "grayscale"])
  if (!["int", "categorical"].includes(labelMode))
    throw unknownName(`${where}.labelMode`, "mode", labelMode, ["int", "categorical"])
  if (typeof scale !== "boolean") throw refuse("scale", "true or false", scale)
  if (!(validationSplit >= 0 && validationSplit < 1))
    throw refuse("validationSplit", "a number from 0 to below 1", validationSplit)
  if ((subset !== undefined) !== validationSplit > 0) {
    throw refuse("subset", 'a validationSplit, and with it "training" or "validation"', subset)
  }
  if (subset !== undefined && !["training", "validation"].includes(subset))
    throw unknownName(`${where}.subset`, "part", subset, ["training", "validation"])
  const { classNames } = options
  const isName = (name: unknown): boolean => typeof name === "string" && name !== "" && !/[/\\]|^\.\.?$/.test(name)
  if (classNames !== undefined && !(Array.isArray(classNames) && classNames.every(isName))) {
    throw refuse("classNames", "a list of the names of folders", classNames)
  }
  return { imageSize, colorMode, labelMode, scale, validationSplit, seed, subset }
}

function partOf<T>(all: readonly T[], share: number, subset: string | undefined, seed: number): readonly T[] {
  if (subset === undefined) return all
  const order = permutation(all.length, seed, 0, streams.split)
  const held = Math.floor(all.length * share)
  const rows = subset === "validation" ? order.subarray(0, held) : order.subarray(held)
  if (rows.length > 0) return Array.from(rows.sort(), (row) => all[row]!)
  const [expected, got] = ["an image at least", `${all.length} images, share ${share}`]
  throw configError({ where: "imageDatasetFromDirectory.validationSplit", what: "nothing is left.", expected, got })
}

const byName = (a: string, b: string): number => (a < b ? -1 : 1)

/** The folders in a folder; links are not followed. */
function foldersIn(directory: string): string[] {
  return entriesOf(directory)
    .filter((entry) => entry.isDirectory() && !entry.name.startsWith("."))
    .map(({ name }) => name)
    .sort(byName)
}

/** The images below a folder, in the order of their paths. */
function imagesIn(directory: string): string[] {
  const found = entriesOf(directory).flatMap((entry): string[] => {
    const path = join(directory, entry.name)
    if (entry.isDirectory()) return imagesIn(path)
    return entry.isFile() && /\.(png|jpe?g)$/i.test(entry.name) ? [path] : []
  })
  if (found.length > MOST_FILES) {
    throw dataError({
      where: directory,
      what: "too many images.",
      expected: `at most ${MOST_FILES}`,
      hint: "Divide the folder.",
    })
  }
  return found.sort(byName)
}

function entriesOf(directory: string): ReturnType<typeof list> {
  try {
    return list(directory)
  } catch (error) {
    throw ioError(directory, "cannot look into this folder.", error)
  }
}

const list = (directory: string) => readdirSync(directory, { withFileTypes: true })

/** The decoders, loaded with the first image: who reads none has no use for them (13 MB of memory, 15 ms). */
const required = createRequire(import.meta.url)
const png = (): typeof import("pngjs") => required("pngjs")
const jpeg = (): typeof import("jpeg-js") => required("jpeg-js")

/** An image: four bytes (red, green, blue, opacity) for each pixel, row by row. */
export interface Pixels {
  readonly width: number
  readonly height: number
  readonly data: Uint8Array
}

/**
 * The pixels in the bytes of a PNG or JPEG file, whatever its name says.
 * @throws E_DATA if it is neither, damaged, or declares more pixels than it can hold.
 */
export function decodeImage(bytes: Uint8Array, where: string): Pixels {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  const isPng = buffer.toString("latin1", 0, 8) === "\u0089PNG\r\n\u001a\n"
  const size = isPng ? pngSize(buffer) : jpegSize(buffer)
  if (size === undefined) {
    const hint = recognise(bytes) ?? "Is it damaged? Other formats are not read: convert it."
    throw dataError({ where, what: "this is no image that can be read.", expected: "a PNG or JPEG file", hint })
  }
  const [width, height] = size
  const most = Math.min(PIXELS, 1_048_576 + PIXELS_PER_BYTE * bytes.length)
  if (width * height === 0 || width * height > most) {
    const fields = {
      expected: `1 to ${most} pixels in ${bytes.length} bytes`,
      got: `${width} x ${height}`,
      hint: "Is it damaged?",
    }
    throw dataError({ where, what: "the image is too large.", ...fields })
  }
  let pixels: Pixels
  try {
    pixels = isPng
      ? png().PNG.sync.read(buffer)
      : jpeg().decode(buffer, {
          useTArray: true,
          tolerantDecoding: false,
          maxResolutionInMP: 68,
          maxMemoryUsageInMB: 1024,
        })
  } catch (error) {
    const got = error instanceof Error ? error.message : String(error)
    throw dataError({ where, what: "the image is damaged.", got, hint: "Get it again." })
  }
  if (pixels.width === width && pixels.height === height && pixels.data.length === 4 * width * height) return pixels
  throw dataError({
    where,
    what: "the image is damaged.",
    expected: `${width} x ${height} pixels`,
    got: `${pixels.width} x ${pixels.height}`,
    hint: "Get it again.",
  })
}

function pngSize(bytes: Buffer): readonly [number, number] | undefined {
  if (bytes.length < 33 || bytes.toString("latin1", 12, 16) !== "IHDR") return undefined
  return [bytes.readUInt32BE(16), bytes.readUInt32BE(20)]
}

/** Width and height in the first frame header; undefined if there is none. */
function jpegSize(bytes: Buffer): readonly [number, number] | undefined {
  if (bytes[0] !== 0xff || bytes[1] !== 0xd8) return undefined
  for (let at = 2; at + 9 < bytes.length; ) {
    if (bytes[at] !== 0xff) return undefined
    const marker = bytes[at + 1]!
    if (marker === 0xff) at++
    else if (marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker)) {
      return [bytes.readUInt16BE(at + 7), bytes.readUInt16BE(at + 5)]
    } else at += 2 + bytes.readUInt16BE(at + 2)
  }
  return undefined
}

/** An image of a certain size, with three or one number for each pixel. */
function fitted(
  { width, height, data }: Pixels,
  [rows, columns]: readonly [number, number],
  channels: number,
): Uint8Array {
  const out = new Uint8Array(rows * columns * channels)
  const [ys, xs] = [places(height, rows), places(width, columns)]
  for (let i = 0; i < rows; i++) {
    const y = ys[i]!
    for (let j = 0; j < columns; j++) {
      const x = xs[j]!
      const at = (channel: number): number => {
        const value = (row: number, column: number): number => data[4 * (row * width + column) + channel]!
        const above = value(y.low, x.low) * (1 - x.part) + value(y.low, x.high) * x.part
        const below = value(y.high, x.low) * (1 - x.part) + value(y.high, x.high) * x.part
        return above * (1 - y.part) + below * y.part
      }
      const to = (i * columns + j) * channels
      if (channels === 3) for (let c = 0; c < 3; c++) out[to + c] = Math.floor(at(c) + 0.5)
      else out[to] = Math.floor(0.299 * at(0) + 0.587 * at(1) + 0.114 * at(2) + 0.5)
    }
  }
  return out
}

/** For each place of n the two places of `from` between which its middle lies, and how far. */
function places(
  from: number,
  n: number,
): readonly { readonly low: number; readonly high: number; readonly part: number }[] {
  return Array.from({ length: n }, (_, i) => {
    const middle = Math.min(from - 1, Math.max(0, ((i + 0.5) * from) / n - 0.5))
    const low = Math.floor(middle)
    return { low, high: Math.min(from - 1, low + 1), part: middle - low }
  })
}
