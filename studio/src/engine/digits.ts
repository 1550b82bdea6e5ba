// The digits of MNIST as plain bytes: pixels and labels of a part, kept once they are read.

import { type MnistPart, mnistPart } from "./mnist.ts"

/** Images of 28 × 28 pixels, one after another, and the digit that each shows. */
export interface Digits {
  readonly pixels: Uint8Array
  readonly labels: Uint8Array
}

/** The digits to train with or to test with. Rejects with a message for the reader if they are not there. */
export async function digits(part: MnistPart): Promise<Digits> {
  const { images, labels } = await mnistPart(part)
  return { pixels: images.data as Uint8Array, labels: labels.data as Uint8Array }
}
