// The generator against its published vectors, the distributions against their moments, and the exact numbers of a
// few draws.
import { describe, expect, test } from "vitest"
import { float32 } from "../src/core/arithmetic.ts"
import { log32 } from "../src/core/math.ts"
import { permutation } from "../src/core/order.ts"
import {
  fillNormal,
  fillTruncatedNormal,
  fillUniform,
  normalFromUniform,
  type Stream,
  streamKey,
  streams,
  threefry,
  threefryOver,
} from "../src/core/random.ts"

const { initialization, dropout, shuffle } = streams

function hex(words: Iterable<number>): string {
  return Array.from(words, (word) => (word >>> 0).toString(16).padStart(8, "0")).join(" ")
}

describe("threefry", () => {
  // The known answers of the Random123 library (kat_vectors) for threefry2x32 with 20 rounds.
  test.each([
    [0, 0, 0, 0, "6b200159 99ba4efe"],
    [0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff, "1cb996fc bb002be7"],
    [0x13198a2e, 0x03707344, 0x243f6a88, 0x85a308d3, "c4923a9c 483df7a0"],
  ])("gives the published words (%#)", (key0, key1, counter0, counter1, want) => {
    const out = new Int32Array(3)
    threefry(key0, key1, counter0, counter1, out, 1)
    expect(hex(out.subarray(1))).toBe(want)
    expect(out[0]).toBe(0)
  })
})

describe("threefryOver", () => {
  test("numbers gives the words of threefry", () => {
    const out = new Int32Array(2)
    for (let i = 0; i < 1000; i++) {
      const word = (n: number): number => Math.imul(4 * i + n + 1, 0x9e3779b1)
      threefry(word(0), word(1), word(2), word(3), out, 0)
      expect(threefryOver(float32, [word(0), word(1)], [word(2), word(3)])).toEqual([...out])
    }
  })
})

describe("streamKey", () => {
  test("is the block that its definition says", () => {
    const out = new Int32Array(2)
    threefry(5, 3, dropout, 9, out, 0)
    expect(hex(streamKey(3 * 2 ** 32 + 5, dropout, 9))).toBe(hex(out))
  })

  test("differs by every part of seed, stream and substream", () => {
    const keys = new Set<string>()
    for (const seed of [0, 1, 2 ** 31, 2 ** 32, 2 ** 32 + 1, 2 ** 53 - 1]) {
      for (const stream of Object.values(streams)) {
        for (const substream of [0, 1, 2 ** 32 - 1]) keys.add(hex(streamKey(seed, stream, substream)))
      }
    }
    expect(keys.size).toBe(6 * 6 * 3)
  })

  test.each([-1, 0.5, NaN, 2 ** 53])("refuses the seed %d", (seed) => {
    expect(() => streamKey(seed, shuffle, 0)).toThrow(/seed: .*integer from 0 to 9007199254740991, got/)
  })
})

interface Moments {
  readonly mean: number
  readonly std: number
  readonly least: number
  readonly most: number
}

function moments(x: Float32Array): Moments {
  let [sum, squares, least, most] = [0, 0, Infinity, -Infinity]
  for (const v of x) {
    sum += v
    squares += v * v
    least = Math.min(least, v)
    most = Math.max(most, v)
  }
  const mean = sum / x.length
  return { mean, std: Math.sqrt(squares / x.length - mean * mean), least, most }
}

const n = 1 << 18

describe("fillUniform", () => {
  const x = new Float32Array(n)
  fillUniform(x, 42, initialization, 0, 0)

  test("stays within [0, 1) and has the moments of the uniform distribution", () => {
    const { mean, std, least, most } = moments(x)
    expect(least).toBeGreaterThanOrEqual(0)
    expect(most).toBeLessThan(1)
    expect(most).toBeGreaterThan(0.9999)
    expect(Math.abs(mean - 0.5)).toBeLessThan((4 * 0.2887) / Math.sqrt(n))
    expect(Math.abs(std - Math.sqrt(1 / 12))).toBeLessThan(0.001)
  })

  test("falls evenly into 256 bins, alone and with its neighbour", () => {
    const alone = new Float64Array(256)
    const pairs = new Float64Array(256)
    for (let i = 0; i < n; i++) {
      alone[Math.floor(x[i]! * 256)]!++
      pairs[Math.floor(x[i]! * 16) * 16 + Math.floor(x[(i + 1) % n]! * 16)]!++
    }
    // 255 degrees of freedom: mean 255, standard deviation 22.6.
    for (const bins of [alone, pairs]) {
      const chi = chiSquare(bins, n)
      expect(chi).toBeGreaterThan(165)
      expect(chi).toBeLessThan(345)
    }
  })

  test("has the committed numbers, of which a shorter list is the beginning", () => {
    const first = new Float32Array(5)
    fillUniform(first, 42, initialization, 0, 0)
    expect(Array.from(first)).toEqual(Array.from(x.subarray(0, 5)))
    expect(Array.from(first, (v) => v * 2 ** 24)).toEqual([11917240, 16242212, 3237287, 14574906, 15117856])
  })

  test("differs by seed, stream, substream and step", () => {
    const draw = (seed: number, stream: Stream, substream: number, step: number): string => {
      const out = new Float32Array(4)
      fillUniform(out, seed, stream, substream, step)
      return out.join()
    }
    const draws = [draw(1, 1, 0, 0), draw(2, 1, 0, 0), draw(1, 2, 0, 0), draw(1, 1, 1, 0), draw(1, 1, 0, 1)]
    expect(new Set(draws).size).toBe(5)
    expect(draw(1, 1, 0, 0)).toBe(draws[0])
  })

  test("writes only its own part of a buffer", () => {
    const whole = new Float32Array(7).fill(7)
    fillUniform(whole.subarray(1, 6), 42, initialization, 0, 0)
    expect(Array.from(whole)).toEqual([7, ...x.subarray(0, 5), 7])
  })

  test.each([
    ["step", -1, 0],
    ["step", 2 ** 32, 0],
    ["substream", 0, 1.5],
  ])("refuses a bad %s", (where, step, substream) => {
    expect(() => fillUniform(new Float32Array(2), 1, dropout, substream, step)).toThrow(`${where}: `)
  })
})

function chiSquare(bins: Float64Array, total: number): number {
  const expected = total / bins.length
  return bins.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0)
}

describe("normalFromUniform", () => {
  // Quantiles to 12 digits from an independent implementation in float64.
  test.each([
    [0.25, 0.674489750196],
    [-0.25, -0.674489750196],
    [0.375, 1.15034938038],
    [0.4375, 1.53412054435],
    [-0.5 + 2 ** -10, -3.0972690782],
    [0.5 - 2 ** -25, 5.41998317492],
    [2 ** -25, 7.47033439467e-8],
  ])("the quantile of 1/2 + %d is %d", (q, want) => {
    expect(Math.abs(normalFromUniform(float32, log32, q) / want - 1)).toBeLessThan(4e-7)
  })

  test("is odd and finite on every kind of input that it is given", () => {
    for (let k = 0; k < 2 ** 23; k += 8191) {
      const q = (k + 0.5) * 2 ** -24
      const z = normalFromUniform(float32, log32, q)
      expect(z).toBeGreaterThan(0)
      expect(z).toBeLessThan(5.42)
      expect(normalFromUniform(float32, log32, -q)).toBe(-z)
    }
  })
})

describe("fillNormal", () => {
  test("has the moments of the normal distribution", () => {
    const x = new Float32Array(n)
    fillNormal(x, 3, 2, 7, initialization, 1, 0)
    const { mean, std } = moments(x)
    expect(Math.abs(mean - 3)).toBeLessThan((4 * 2) / Math.sqrt(n))
    expect(Math.abs(std - 2)).toBeLessThan(0.012)
    for (const [z, share] of [
      [1, 0.6826895],
      [2, 0.9544997],
      [3, 0.9973002],
    ] as const) {
      const within = x.filter((v) => Math.abs(v - 3) < 2 * z).length / n
      expect(Math.abs(within - share)).toBeLessThan((4 * 0.5) / Math.sqrt(n))
    }
  })

  test("has the committed numbers", () => {
    const x = new Float32Array(5)
    fillNormal(x, 0, 1, 42, initialization, 0, 0)
    expect(Array.from(x)).toEqual([
      0.554328203201294, 1.8537328243255615, -0.8670497536659241, 1.1204179525375366, 1.2878129482269287,
    ])
  })
})

describe("fillTruncatedNormal", () => {
  test("stays within two standard deviations and fills them", () => {
    const x = new Float32Array(n)
    fillTruncatedNormal(x, -1, 0.5, 7, initialization, 1, 0)
    const { mean, std, least, most } = moments(x)
    expect(least).toBeGreaterThanOrEqual(-2)
    expect(most).toBeLessThanOrEqual(0)
    expect(least).toBeLessThan(-1.999)
    expect(most).toBeGreaterThan(-0.001)
    expect(Math.abs(mean + 1)).toBeLessThan((4 * 0.44) / Math.sqrt(n))
    expect(Math.abs(std - 0.5 * 0.8796257)).toBeLessThan(0.003)
  })

  test("has the committed numbers", () => {
    const x = new Float32Array(5)
    fillTruncatedNormal(x, 0, 1, 42, initialization, 0, 0)
    expect(Array.from(x)).toEqual([
      0.526567816734314, 1.6146994829177856, -0.8171271085739136, 1.044853925704956, 1.1893274784088135,
    ])
  })
})

describe("permutation", () => {
  test.each([0, 1, 2, 255, 257, 60_000])("of %d holds every index once", (size) => {
    const order = permutation(size, 3, 0)
    expect(order.length).toBe(size)
    expect(Array.from(order).sort((a, b) => a - b)).toEqual(Array.from({ length: size }, (_, i) => i))
  })

  test("is a function of seed, epoch and stream, and differs by each", () => {
    const of = (seed: number, epoch: number, stream?: Stream): string => permutation(50, seed, epoch, stream).join()
    expect(of(1, 0)).toBe(of(1, 0))
    expect(new Set([of(1, 0), of(1, 1), of(2, 0), of(2 ** 32 + 1, 0), of(1, 0, streams.split)]).size).toBe(5)
  })

  test("has the committed order", () => {
    expect(permutation(12, 42, 0).join(" ")).toBe("8 10 1 3 0 9 7 4 2 6 11 5")
    expect(permutation(60_000, 42, 1).slice(0, 6).join(" ")).toBe("59531 28583 26980 1262 22565 11529")
  })

  test("gives all 24 orders of 4 equally often", () => {
    const counts = new Map<string, number>()
    const draws = 24_000
    for (let epoch = 0; epoch < draws; epoch++) {
      const order = permutation(4, 11, epoch).join("")
      counts.set(order, (counts.get(order) ?? 0) + 1)
    }
    expect(counts.size).toBe(24)
    // 23 degrees of freedom: beyond 49.7 once in a thousand.
    expect(chiSquare(Float64Array.from(counts.values()), draws)).toBeLessThan(49.7)
  })

  test.each([
    ["n", -1, 0],
    ["n", 2 ** 31, 0],
    ["epoch", 4, -1],
  ])("refuses a bad %s", (where, size, epoch) => {
    expect(() => permutation(size, 1, epoch)).toThrow(`${where}: `)
  })
})
