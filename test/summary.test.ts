// The table and the picture of a model: what stands in them, and that they fit.
import { describe, expect, test } from "vitest"
import { add, dense, functional, input, type Model, sequential } from "../src/index.ts"
import { expectWords } from "./support/errors.ts"

const net = (...units: number[]): Model =>
  sequential(units.map((n, i) => dense({ units: n, ...(i === 0 ? { inputShape: [784] } : {}) })))

/** A residual network of two inputs and two outputs, one layer of which is frozen and one used twice. */
function branched(): Pick<Model, "summary" | "toSvg"> {
  const [image, meta] = [input({ shape: [16], name: "image <&>" }), input({ shape: [8], name: "meta" })]
  const shared = dense({ units: 16, name: "shared" })
  const h = shared(image)
  const sum = add()([h, shared(h), dense({ units: 16, trainable: false })(meta)])
  return functional({ inputs: [image, meta], outputs: { digit: dense({ units: 10 })(sum), size: sum } })
}

const silent = { printFn: () => {} }

describe("summary", () => {
  test("compares with another model", () => {
    expect(net(64, 64, 10).summary({ ...silent, versus: net(64, 10) })).toMatch(
      /Versus "sequential": \+4,160 parameters \(\+16\.25 KB\), \+1 layer$/,
    )
    expect(net(64, 10).summary({ ...silent, versus: net(64, 64, 10) })).toMatch(
      /−4,160 parameters \(−16\.25 KB\), −1 layer$/,
    )
    expectWords(() => net(1).summary({ verus: net(1) } as never), "E_CONFIG", '"versus"')
  })

  test("of a functional model says what each layer takes, in 80 columns", () => {
    const text = branched().summary(silent)
    expect(Math.max(...text.split("\n").map((line) => line.length))).toBeLessThanOrEqual(80)
    expect(text).toMatch(/shared \(Dense\).*272.*image <&>/)
    expect(text).toMatch(/add \(Add\).*shared, shared,…/)
    expect(text).toMatch(/Non-trainable params: 144/)
  })
})

describe("toSvg", () => {
  test("has a box for each input and layer and an arrow for each value that one takes", async () => {
    const svg = await branched().toSvg()
    const document = svg.match(/<(rect|path|text|title)\b/g)!
    expect(document.filter((tag) => tag === "<rect")).toHaveLength(2 + 4)
    // image, shared -> shared; shared, dense -> add; meta -> dense; add -> dense_1: and the tip of all arrows.
    expect(document.filter((tag) => tag === "<path")).toHaveLength(6 + 1)
    expect(svg).toContain("image &#60;&#38;&#62;")
    expect(svg).not.toContain("image <&>")
    expect(svg).toMatch(/144 parameters, frozen/)
    expect(svg.match(/· output/g)).toHaveLength(2)
    expect(svg).not.toMatch(/NaN|undefined/)
  })

  test("layers stand below what they need, and none overlap", async () => {
    const svg = await net(64, 64, 10).toSvg()
    const tops = [...svg.matchAll(/<rect x="([\d.]+)" y="([\d.]+)"/g)].map(([, , y]) => Number(y))
    expect(tops).toEqual([...tops].sort((a, b) => a - b))
    expect(new Set(tops).size).toBe(4)
  })
})
