// Plots as SVG: what is drawn where, and the speed of learning against the norms of weights before and after.
import { describe, expect, test } from "vitest"
import { type Callback, learningSpeed, type Tensor } from "../src/index.ts"
import { smoothed } from "../src/train/callbacks/learning-speed.ts"
import { type Plot, plotSvg } from "../src/train/plot.ts"
import { fakeTraining, playEpochs } from "./support/callbacks.ts"
import { expectRefusal, smallNet, threeClasses, wrong } from "./support/training.ts"

const plot: Plot = {
  title: "t",
  xLabel: "x",
  yLabel: "y",
  series: [{ name: "a", x: [0, 5, 10], y: [0, 50, 100] }],
}

/** Asserts that the text is XML of elements in pairs, and gives the texts in it. */
function textsOf(svg: string): string[] {
  const open: string[] = []
  const rest = svg.replace(
    /<(\/?)([a-z]+)((?: [a-zA-Z-]+(?::[a-z]+)?="[^"<>]*")*)(\/?)>/g,
    (_, end, name, __, empty) => {
      if (end === "/") expect(open.pop()).toBe(name)
      else if (empty === "") open.push(name)
      return ""
    },
  )
  expect(open).toEqual([])
  expect(rest, "nothing but texts is left").not.toMatch(/[<>]|&(?!#\d+;)/)
  return [...svg.matchAll(/<text[^>]*>([^<]*)<\/text>/g)].map(([, text]) => text!)
}

const linesOf = (svg: string): string[] => [...svg.matchAll(/<path d="([^"]*)" fill="none"/g)].map(([, path]) => path!)

describe("plot", () => {
  test("points are where they should be, ticks at round numbers", () => {
    const svg = plotSvg(plot)
    expect(linesOf(svg)).toEqual(["M72 348h0L296 194L520 40"])
    const texts = textsOf(svg)
    for (const tick of ["0", "2", "4", "6", "8", "10", "20", "40", "60", "80", "100"]) expect(texts).toContain(tick)
    expect(texts).toContain("a")
  })

  test("a logarithmic axis has ticks at powers of ten", () => {
    const svg = plotSvg({ ...plot, logY: true, series: [{ name: "a", x: [0, 1, 2], y: [1e-4, 1e-2, 1] }] })
    expect(linesOf(svg)).toEqual(["M72 348h0L296 194L520 40"])
    const ticks = [...svg.matchAll(/text-anchor="end">([^<]*)</g)].map(([, text]) => text)
    expect(ticks).toEqual(["1e-4", "0.001", "0.01", "0.1", "1"])
  })

  test("values between powers of ten have the powers around them, many decades fewer ticks", () => {
    const ticks = (...y: number[]): (string | undefined)[] => {
      const svg = plotSvg({ ...plot, logY: true, series: [{ name: "a", x: y, y }] })
      return [...svg.matchAll(/text-anchor="end">([^<]*)</g)].map(([, text]) => text)
    }
    expect(ticks(2, 3)).toEqual(["1", "10"])
    expect(ticks(0.02, 30)).toEqual(["0.01", "0.1", "1", "10", "100"])
    expect(ticks(1e-20, 1e12).length).toBeLessThanOrEqual(10)
  })

  test("what cannot be drawn is a gap", () => {
    const y = [1, NaN, 10, 0, 100, -1]
    const svg = plotSvg({ ...plot, logY: true, series: [{ name: "a", x: [0, 1, 2, 3, 4, 5], y }] })
    expect(linesOf(svg)[0]!.match(/[ML]/g)).toEqual(["M", "M", "M"])
    expect(svg).not.toMatch(/NaN|Infinity/)
  })

  test.each([[[]], [[NaN]], [[3, 3]], [[0, 0]], [[-2]], [[1e300, -1e300]], [[1e-300, 2e-300]]])(
    "values %j are drawn",
    (y) => {
      const svg = plotSvg({ ...plot, series: [{ name: "a", x: y.map((_, i) => i), y }] })
      textsOf(svg)
      expect(svg).not.toMatch(/NaN|Infinity/)
    },
  )

  test("names are escaped", () => {
    const svg = plotSvg({ ...plot, title: '<b> & "c"', series: [{ name: "</svg><script>", x: [0], y: [1] }] })
    expect(textsOf(svg)).toContain("&#60;/svg&#62;&#60;script&#62;")
    expect(svg).not.toContain("<script")
  })

  test("colours: one for each name, the same for its pale values; the rest follows the page", () => {
    const pair = (name: string) => [
      { name, x: [0, 1], y: [1, 2] },
      { name, x: [0, 1], y: [1, 2], faint: true },
    ]
    const svg = plotSvg({ ...plot, series: [...pair("a"), ...pair("b")] })
    const strokes = [...svg.matchAll(/fill="none" stroke="([^"]*)"/g)].map(([, colour]) => colour)
    expect(strokes[0]).toBe(strokes[1])
    expect(strokes[2]).toBe(strokes[3])
    expect(strokes[0]).not.toBe(strokes[2])
    expect(textsOf(svg).filter((text) => text === "a")).toHaveLength(1)
    expect(svg).toContain('fill="currentColor"')
    expect(svg).not.toMatch(/black|white|#000|#fff/)
  })
})

describe("learningSpeed", () => {
  const kernel = (...data: number[]): Tensor => ({
    dtype: "float32",
    shape: [data.length],
    data: Float32Array.from(data),
  })

  test("is the norm of the change of the kernel in each epoch", async () => {
    const ways = [kernel(0, 0), kernel(3, 4), kernel(3, 4), kernel(3, 16)]
    let now = 0
    const weights = () => [
      { layer: "a", name: "kernel", tensor: ways[now]! },
      { layer: "a", name: "bias", tensor: kernel(now) },
      { layer: "b", name: "kernel", tensor: kernel(now) },
      { layer: "b", name: "recurrentKernel", tensor: kernel(2 * now) },
    ]
    const speed = learningSpeed()
    for (let i = 0; i < 2; i++) {
      now = 0
      await playEpochs(speed, fakeTraining({ weights }), [{}, {}, {}], (epoch) => {
        now = epoch + 1
      })
      expect(speed.epochs).toEqual([0, 1, 2])
      expect(speed.speeds).toEqual({ a: [5, 0, 12], "b/kernel": [1, 1, 1], "b/recurrentKernel": [2, 2, 2] })
    }
    const names = textsOf(speed.toSvg({ layers: ["a"] }))
    expect(names).toContain("a")
    expect(names).not.toContain("b/kernel")
    expect(linesOf(speed.toSvg({ layers: ["a"], raw: true }))).toHaveLength(2)
    // Without smoothing, the epoch in which nothing changed is a gap.
    expect(linesOf(speed.toSvg({ layers: ["a"], sigma: 0 }))[0]!.match(/[ML]/g)).toEqual(["M", "M"])
    await expectRefusal(() => speed.toSvg({ layers: ["c"] }), "E_CONFIG", /"c".*a, b\/kernel/)
    await expectRefusal(() => speed.toSvg(wrong({ smooth: 3 })), "E_CONFIG", /smooth/)
  })

  test.each(["reference", "wasm"] as const)("of a training on %s", async (backend) => {
    const { x, y } = threeClasses(24)
    const model = smallNet({ backend })
    const kernels = (): number[][] => [0, 2].map((i) => [...model.getWeights()[i]!.data])
    const seen = [kernels()]
    const speed = learningSpeed()
    const watch: Callback = { onEpochEnd: () => void seen.push(kernels()) }
    await model.fit(x, y, { epochs: 4, batchSize: 8, verbose: 0, callbacks: [speed, watch] })
    for (const [i, layer] of ["dense", "dense_1"].entries()) {
      const expected = seen
        .slice(1)
        .map((after, e) => Math.sqrt(after[i]!.reduce((s, v, k) => s + (v - seen[e]![i]![k]!) ** 2, 0)))
      expect(speed.speeds[layer]).toHaveLength(4)
      for (const [e, value] of speed.speeds[layer]!.entries()) expect(value).toBeCloseTo(expected[e]!, 12)
      expect(Math.min(...expected)).toBeGreaterThan(0)
    }
  })

  test("a model without kernels is refused", async () => {
    await expectRefusal(
      () => playEpochs(learningSpeed(), fakeTraining({ weights: () => [] }), []),
      "E_CONFIG",
      /kernel/,
    )
  })
})

describe("smoothing", () => {
  // scipy.ndimage.gaussian_filter1d(values, sigma), SciPy 1.10.1
  test.each<[number[], number, number[]]>([
    [[1.0, 0, 0, 0, 0, 0, 0, 0], 1, [0.640914915, 0.295962573, 0.058422989, 0.004565692, 0.000133831, 0.0, 0.0, 0.0]],
    [
      [1.0, 5, 2, 8, 3, 3, 9, 1, 0, 4, 4, 7],
      3,
      [
        3.559696902, 3.643739137, 3.775309363, 3.899607233, 3.971597843, 3.978439971, 3.945013337, 3.919722721,
        3.944218877, 4.025994627, 4.131573054, 4.205086934,
      ],
    ],
    [[1.0, 2], 3, [1.499990073, 1.500009927]],
  ])("is SciPy's: %j, sigma %d", (values, sigma, expected) => {
    const found = smoothed(values, sigma)
    expect(found).toHaveLength(values.length)
    for (const [i, value] of found.entries()) expect(value).toBeCloseTo(expected[i]!, 6)
  })
  test("sigma 0 changes nothing", () => expect(smoothed([1, 5, 2], 0)).toEqual([1, 5, 2]))
})
