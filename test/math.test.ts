// The functions of core/math.ts against float64, on a sample of every exponent, and their exact bits.
import { createHash } from "node:crypto"
import { describe, expect, test } from "vitest"
import type { Arithmetic } from "../src/core/arithmetic.ts"
import { float32 } from "../src/core/arithmetic.ts"
import {
  cos,
  cos32,
  erf,
  erf32,
  exp,
  exp32,
  expm1,
  expm132,
  log,
  log1p,
  log1p32,
  log32,
  powInt,
  sigmoid,
  sigmoid32,
  sin,
  sin32,
  tanh,
  tanh32,
} from "../src/core/math.ts"
import { erf64 } from "./support/special.ts"

/**
 * 2048 mantissas, ends included, for each of the 512 combinations of sign and exponent: 2^20 inputs, ascending in
 * size.
 */
function sampleInputs(): Float32Array {
  const x = new Float32Array(512 * 2048)
  const bits = new Int32Array(x.buffer)
  for (let i = 0; i < x.length; i++) {
    const j = i & 2047
    const jitter = Math.imul(i + 1, 0x9e3779b1) >>> 20
    const mantissa = j === 0 ? 0 : j === 2047 ? 0x7fffff : j * 4096 + jitter
    bits[i] = ((i >>> 11) << 23) | mantissa
  }
  return x
}

const inputs = sampleInputs()
const one = new Float32Array(1)
const oneBits = new Int32Array(one.buffer)

/**
 * |got - want| in units in the last place of the float32 nearest to want; Infinity where only one of them is NaN or
 * infinite.
 */
function ulps(got: number, want: number): number {
  const nearest = Math.fround(want)
  if (!Number.isFinite(got) || !Number.isFinite(nearest)) return Object.is(got, nearest) ? 0 : Infinity
  return distance(got, want)
}

function distance(got: number, want: number): number {
  one[0] = Math.abs(want)
  const exponent = Math.max(1, oneBits[0]! >>> 23)
  return Math.abs(got - want) / 2 ** (exponent - 150)
}

type Opaque = (m: Arithmetic<object, object, object>, x: object) => object

interface Case {
  readonly name: string
  readonly over: Opaque
  readonly f: (x: number) => number
  readonly want: (x: number) => number
  readonly ulp: number
  readonly operations: number
  readonly hash: string
  /** The largest |x| for which the accuracy is promised; such a function need not rise. */
  readonly reach?: number
}

const cases: readonly Case[] = [
  {
    name: "exp",
    over: exp,
    f: exp32,
    want: Math.exp,
    ulp: 1,
    operations: 27,
    hash: "9003f6ef2296e37369564388c6c95a70",
  },
  {
    name: "expm1",
    over: expm1,
    f: expm132,
    want: Math.expm1,
    ulp: 1.7,
    operations: 28,
    hash: "371b5c0b300d3b605f3b6a83b62c3bd5",
  },
  {
    name: "log",
    over: log,
    f: log32,
    want: Math.log,
    ulp: 0.9,
    operations: 35,
    hash: "0c1d7db24ae15c0b00b6754512fc41b0",
  },
  {
    name: "log1p",
    over: log1p,
    f: log1p32,
    want: Math.log1p,
    ulp: 1.5,
    operations: 46,
    hash: "d901a9282f138e4252b66d79630e0ec0",
  },
  {
    name: "tanh",
    over: tanh,
    f: tanh32,
    want: Math.tanh,
    ulp: 2,
    operations: 30,
    hash: "2ec6f871fbc80ebaaeb8c6a1d33fccdd",
  },
  {
    name: "sigmoid",
    over: sigmoid,
    f: sigmoid32,
    want: (x) => 1 / (1 + Math.exp(-x)),
    ulp: 2,
    operations: 28,
    hash: "73f49fdbe7cf102cb3034f8a020f2472",
  },
  { name: "erf", over: erf, f: erf32, want: erf64, ulp: 1.1, operations: 65, hash: "dcfbd550a1d0bf761b996ec2e7a9b11d" },
  {
    name: "sin",
    over: sin,
    f: sin32,
    want: Math.sin,
    ulp: 1.6,
    operations: 46,
    hash: "dd5967cd37a16adf10f779f05528d8ff",
    reach: 12867,
  },
  {
    name: "cos",
    over: cos,
    f: cos32,
    want: Math.cos,
    ulp: 1.6,
    operations: 44,
    hash: "43795a63f520090650cab16e5299830c",
    reach: 12867,
  },
]

describe.each(cases)("$name", ({ over, f, want, ulp, operations, hash, reach = Infinity }) => {
  const results = inputs.map(f)

  test("is near the float64 value for every exponent and sign", () => {
    let worst = 0
    let at = 0
    for (let i = 0; i < inputs.length; i++) {
      if (Math.abs(inputs[i]!) > reach) continue
      const error = ulps(results[i]!, want(inputs[i]!))
      if (error > worst) {
        worst = error
        at = inputs[i]!
      }
    }
    expect(worst, `worst at ${at}`).toBeLessThanOrEqual(ulp)
    expect(worst).toBeGreaterThan(0.3) // else the measurement is broken
  })

  const rises = (): void => {
    let falls = 0
    for (let i = 1; i < inputs.length; i++) {
      if (i === inputs.length / 2) continue
      const down = i > inputs.length / 2
      const [low, high] = down ? [results[i]!, results[i - 1]!] : [results[i - 1]!, results[i]!]
      if (low > high) falls++
    }
    expect(falls).toBe(0)
  }
  // Sine and cosine, which are near their function up to an argument only, do go down.
  if (reach === Infinity) test("never goes down where its argument goes up", rises)

  test("has the committed bits", () => {
    const bits = new Int32Array(results.buffer.slice(0))
    for (let i = 0; i < bits.length; i++) if (Number.isNaN(results[i]!)) bits[i] = 0x7fc00000
    expect(createHash("sha256").update(new Uint8Array(bits.buffer)).digest("hex").slice(0, 32)).toBe(hash)
  })

  test("is a straight line of the documented length over any representation", () => {
    expect(countOperations(over)).toBe(operations)
  })
})

/**
 * Runs a function over values that cannot be looked at and counts what it does; constants and reinterpretation are
 * free.
 */
function countOperations(over: Opaque): number {
  let count = 0
  const opaque = Object.freeze({
    valueOf(): never {
      throw new Error("looked at a value")
    },
  })
  const free = new Set(["constant", "intConstant", "bits", "fromBits"])
  const counting = {} as Record<string, () => object>
  for (const operation of Object.keys(float32)) {
    counting[operation] = () => {
      if (!free.has(operation)) count++
      return opaque
    }
  }
  over(counting as unknown as Arithmetic<object, object, object>, opaque)
  return count
}

describe("special values", () => {
  const tiny = 2 ** -149
  const table: readonly [string, (x: number) => number, number, number][] = [
    ["exp", exp32, 0, 1],
    ["exp", exp32, -0, 1],
    ["exp", exp32, 1, Math.fround(Math.E)],
    ["exp", exp32, Infinity, Infinity],
    ["exp", exp32, -Infinity, 0],
    ["exp", exp32, NaN, NaN],
    ["exp", exp32, 88.72283, 3.402798519021476e38],
    ["exp", exp32, 88.73, Infinity],
    ["exp", exp32, 1e30, Infinity],
    ["exp", exp32, -103.2789, tiny],
    ["exp", exp32, -103.98, 0],
    ["exp", exp32, -1e30, 0],
    ["expm1", expm132, 0, 0],
    ["expm1", expm132, -0, -0],
    ["expm1", expm132, tiny, tiny],
    ["expm1", expm132, Infinity, Infinity],
    ["expm1", expm132, -Infinity, -1],
    ["expm1", expm132, NaN, NaN],
    ["log", log32, 1, 0],
    ["log", log32, 0, -Infinity],
    ["log", log32, -0, -Infinity],
    ["log", log32, -tiny, NaN],
    ["log", log32, -1, NaN],
    ["log", log32, -Infinity, NaN],
    ["log", log32, Infinity, Infinity],
    ["log", log32, NaN, NaN],
    ["log", log32, tiny, Math.fround(-103.27892990343185)],
    ["log", log32, 2 ** -126, Math.fround(-87.3365447505531)],
    ["log1p", log1p32, 0, 0],
    ["log1p", log1p32, -0, -0],
    ["log1p", log1p32, tiny, tiny],
    ["log1p", log1p32, -1, -Infinity],
    ["log1p", log1p32, -1.5, NaN],
    ["log1p", log1p32, -Infinity, NaN],
    ["log1p", log1p32, Infinity, Infinity],
    ["log1p", log1p32, NaN, NaN],
    ["tanh", tanh32, 0, 0],
    ["tanh", tanh32, -0, -0],
    ["tanh", tanh32, tiny, tiny],
    ["tanh", tanh32, -tiny, -tiny],
    ["tanh", tanh32, 9.02, 1],
    ["tanh", tanh32, Infinity, 1],
    ["tanh", tanh32, -Infinity, -1],
    ["tanh", tanh32, NaN, NaN],
    ["sigmoid", sigmoid32, 0, 0.5],
    ["sigmoid", sigmoid32, -0, 0.5],
    ["sigmoid", sigmoid32, Infinity, 1],
    ["sigmoid", sigmoid32, -Infinity, 0],
    ["sigmoid", sigmoid32, 1e30, 1],
    ["sigmoid", sigmoid32, -1e30, 0],
    ["sigmoid", sigmoid32, NaN, NaN],
    ["sigmoid", sigmoid32, -103.2789, tiny],
    ["erf", erf32, 0, 0],
    ["erf", erf32, -0, -0],
    ["erf", erf32, tiny, tiny],
    ["erf", erf32, 4, 1],
    ["erf", erf32, Infinity, 1],
    ["erf", erf32, -Infinity, -1],
    ["erf", erf32, NaN, NaN],
    ["sin", sin32, 0, 0],
    ["sin", sin32, -0, -0],
    ["sin", sin32, tiny, tiny],
    ["sin", sin32, -tiny, -tiny],
    ["sin", sin32, 3.1415927410125732, -8.742277657347586e-8],
    ["sin", sin32, Infinity, NaN],
    ["sin", sin32, -Infinity, NaN],
    ["sin", sin32, NaN, NaN],
    ["cos", cos32, 0, 1],
    ["cos", cos32, -0, 1],
    ["cos", cos32, 1.5707963705062866, -4.371138828673793e-8],
    ["cos", cos32, -3.1415927410125732, -1],
    ["cos", cos32, Infinity, NaN],
    ["cos", cos32, NaN, NaN],
  ]
  test.each(table)("%s of case %#", (_, f, x, want) => {
    expect(f(x)).toBe(want) // toBe is Object.is: it tells -0 from 0
  })

  test("NaN in, NaN out, whatever its sign and payload", () => {
    for (const word of [0x7fc00000, 0x7f800001, 0x7fffffff, 0xffc00000, 0xff800001, 0xffffffff]) {
      oneBits[0] = word
      for (const { name, f } of cases) expect(f(one[0]!), name).toBeNaN()
    }
  })
})

describe("sine and cosine", () => {
  test("are near the float64 value where turns matter most: close to every quarter of a circle up to 2^13", () => {
    let worst = 0
    for (let quarter = 1; quarter < 8192; quarter++) {
      one[0] = quarter * (Math.PI / 2)
      for (let step = -2; step <= 2; step++) {
        const x: number = one[0]!
        oneBits[0]! += step
        const near = one[0]!
        one[0] = x
        worst = Math.max(worst, ulps(sin32(near), Math.sin(near)), ulps(cos32(near), Math.cos(near)))
      }
    }
    expect(worst).toBeLessThanOrEqual(2)
    expect(worst).toBeGreaterThan(0.3)
  })

  test("are near the float64 value between 1 and 12867, at steps that fit no period", () => {
    let worst = 0
    for (let i = 1; i < 1_000_000; i++) {
      const x = Math.fround(i * 0.012866)
      worst = Math.max(worst, ulps(sin32(x), Math.sin(x)), ulps(cos32(x), Math.cos(x)))
    }
    expect(worst).toBeLessThanOrEqual(2)
  })

  test("beyond that the error is about the step between arguments, and the result stays within 1", () => {
    for (let x = 12867; x < 2 ** 24; x *= 1.0001) {
      const y = Math.fround(x)
      expect(Math.abs(sin32(y) - Math.sin(y))).toBeLessThan(y * 2 ** -23)
    }
    for (const x of inputs) {
      if (Number.isFinite(x) && !(Math.abs(sin32(x)) <= 1 && Math.abs(cos32(x)) <= 1)) expect(x, "beyond 1").toBe(0)
    }
  })
})

describe("float32", () => {
  const m = float32
  test.each([
    [0.5, 0],
    [-0.5, -0],
    [1.5, 2],
    [2.5, 2],
    [-2.5, -2],
    [-0, -0],
    [8388607.5, 8388608],
    [8388606.5, 8388606],
    [16777215, 16777215],
    [-Infinity, -Infinity],
    [NaN, NaN],
  ])("nearest(%d) is %d", (x, want) => expect(m.nearest(x)).toBe(want))
  test.each([
    [NaN, 0],
    [-0, 0],
    [-3, -3],
    [3e9, 2147483647],
    [-3e9, -2147483648],
    [Infinity, 2147483647],
  ])("toInt(%d) is %d", (x, want) => expect(m.toInt(x)).toBe(want))

  test("rounds once, also to subnormals", () => {
    expect(m.add(16777216, 1)).toBe(16777216)
    expect(m.add(16777216, 3)).toBe(16777220)
    expect(m.mul(2 ** -75, 2 ** -75)).toBe(0)
    expect(m.mul(1.5 * 2 ** -75, 2 ** -75)).toBe(2 ** -149)
    expect(m.div(1, 3)).toBe(0.3333333432674408)
    expect(m.sqrt(2)).toBe(1.4142135381698608)
    expect(m.constant(0.1)).toBe(0.10000000149011612)
  })

  test("min and max keep a NaN that comes first, and integers wrap", () => {
    expect(m.min(NaN, 1)).toBeNaN()
    expect(m.max(1, NaN)).toBe(1)
    expect(m.min(0, -0)).toBe(0)
    expect(m.addInt(0x7fffffff, 1)).toBe(-0x80000000)
    expect(m.shiftLeft(3, 31)).toBe(-0x80000000)
    expect(m.shiftRight(-8, 1)).toBe(-4)
    expect(m.fromBits(m.bits(-1.25))).toBe(-1.25)
    expect(m.bits(-0)).toBe(-0x80000000)
  })
})

describe("powInt", () => {
  test.each([
    [2, 10, 1024],
    [0, 0, 1],
    [-3, 3, -27],
    [0.5, 1074, 5e-324],
    [0.999, 1, 0.999],
    [0.999, 2, 0.999 * 0.999],
    [2, 5000, Infinity],
  ])("%d to the power %d", (base, n, want) => expect(powInt(base, n)).toBe(want))

  test("has the committed bits and is near the power", () => {
    expect(powInt(0.999, 100_000)).toBe(3.538527688346282e-44)
    expect(Math.abs(powInt(0.999, 10_000) / Math.exp(10_000 * Math.log(0.999)) - 1)).toBeLessThan(1e-11)
  })

  test.each([-1, 0.5, NaN, Infinity])("refuses the exponent %d", (n) => {
    expect(() => powInt(2, n)).toThrow("powInt")
  })
})
