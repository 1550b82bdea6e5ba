// MNIST's images as the studio's server sends them: raw IDX files, kept once they have come.

import { type Signal, signal } from "@preact/signals"
import { root } from "../root.ts"
import type { Rgb } from "../ui/colour.ts"

/** Images with their labels. */
export interface Digits {
  readonly count: number
  /** One byte of grey for each pixel, 784 for each image. */
  readonly pixels: Uint8Array
  readonly labels: Uint8Array
}

/** A part of MNIST; "none" where nobody serves it. */
export type Part = Digits | "none" | undefined

/** The names of the parts. */
export type PartName = "train" | "test"

/** Pixels along an edge, and of an image. */
export const EDGE = 28
export const PIXELS: number = EDGE * EDGE

const parts: { readonly [name in PartName]: Signal<Part> } = { train: signal(undefined), test: signal(undefined) }
const asked = new Set<PartName>()

/** A part, asked for when it is first wanted. */
export function digits(name: PartName): Signal<Part> {
  const part = parts[name]
  if (!asked.has(name)) {
    asked.add(name)
    void load(name).then((loaded) => {
      part.value = loaded
    })
  }
  return part
}

async function load(name: PartName): Promise<Part> {
  try {
    const [images, labels] = await Promise.all(
      ["images", "labels"].map((kind) => bytesOf(`${root}/api/data/mnist/${name}/${kind}`)),
    )
    return readDigits(images!, labels!)
  } catch {
    return "none"
  }
}

async function bytesOf(url: string): Promise<Uint8Array> {
  const answer = await fetch(url)
  if (!answer.ok) throw new Error(`${url}: ${answer.status}`)
  return new Uint8Array(await answer.arrayBuffer())
}

/** Images and labels of two IDX files. Throws if they are something else. */
export function readDigits(images: Uint8Array, labels: Uint8Array): Digits {
  const [magic, count, rows, columns] = headOf(images, 4)
  const [labelMagic, labelCount] = headOf(labels, 2)
  const fits = magic === 0x803 && labelMagic === 0x801 && rows === EDGE && columns === EDGE && count === labelCount
  if (!fits || images.length !== 16 + count! * PIXELS || labels.length !== 8 + count!) {
    throw new Error("These are not MNIST's files.")
  }
  return { count: count!, pixels: images.subarray(16), labels: labels.subarray(8) }
}

function headOf(bytes: Uint8Array, numbers: number): number[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return Array.from({ length: numbers }, (_, i) => (bytes.length >= 4 * i + 4 ? view.getUint32(4 * i) : -1))
}

/** Paints an image into RGBA at a place: ink on nothing. */
export function paint(
  target: Uint8ClampedArray,
  { width, x, y }: { readonly width: number; readonly x: number; readonly y: number },
  pixels: Uint8Array,
  image: number,
  [r, g, b]: Rgb,
): void {
  for (let row = 0; row < EDGE; row++) {
    for (let column = 0; column < EDGE; column++) {
      const to = 4 * ((y + row) * width + x + column)
      target[to] = r
      target[to + 1] = g
      target[to + 2] = b
      target[to + 3] = pixels[image * PIXELS + row * EDGE + column]!
    }
  }
}
