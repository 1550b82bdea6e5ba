// Float32 arithmetic on vectors of four, as instructions: the second instance of core/arithmetic.ts.
// Knows no kernel.

import type { Arithmetic } from "../../core/arithmetic.ts"
import { comparisons, type Scalar, type Scalars, scalarsOver } from "../../core/scalar.ts"
import type { Frame } from "./assembler.ts"
import type { Code, ValueType } from "./code.ts"
import { f32x4, i32, i32x4, v128 } from "./instructions.ts"

/** Code under construction: statements in order and the frame that gives locals. */
export interface Block {
  readonly out: Code<"void">[]
  readonly frame: Pick<Frame<readonly ValueType[]>, "local">
}

/** A vector value: code that may be repeated. */
export type Vector = Code<"v128">

/** Keeps a value in a local, so that it is computed once. */
export function keep<T extends ValueType>(block: Block, code: Code<T>): Code<T> {
  const local = block.frame.local(code.type as T)
  block.out.push(local.set(code))
  return local.get
}

const zero: Vector = f32x4.const(0, 0, 0, 0)
const four = (x: number): readonly [number, number, number, number] => [x, x, x, x]

/** Arithmetic that appends instructions to a block. Truth values are masks of ones and zeros. */
export function vectorArithmetic(block: Block): Arithmetic<Vector, Vector, Vector> {
  const k = (code: Vector): Vector => keep(block, code)
  return {
    constant: (x) => (Object.is(x, 0) ? zero : f32x4.const(...four(x))),
    add: (a, b) => k(f32x4.add(a, b)),
    sub: (a, b) => k(f32x4.sub(a, b)),
    mul: (a, b) => k(f32x4.mul(a, b)),
    div: (a, b) => k(f32x4.div(a, b)),
    neg: (a) => k(f32x4.neg(a)),
    abs: (a) => k(f32x4.abs(a)),
    sqrt: (a) => k(f32x4.sqrt(a)),
    nearest: (a) => k(f32x4.nearest(a)),
    floor: (a) => k(f32x4.floor(a)),
    min: (a, b) => k(f32x4.pmin(a, b)),
    max: (a, b) => k(f32x4.pmax(a, b)),
    less: (a, b) => k(f32x4.lt(a, b)),
    lessEqual: (a, b) => k(f32x4.le(a, b)),
    equal: (a, b) => k(f32x4.eq(a, b)),
    select: (c, a, b) => k(a === zero ? v128.andnot(b, c) : b === zero ? v128.and(a, c) : v128.bitselect(a, b, c)),
    and: (a, b) => k(v128.and(a, b)),
    not: (a) => k(v128.not(a)),
    toInt: (a) => k(i32x4.truncSatF32x4S(a)),
    toFloat: (a) => k(f32x4.convertI32x4S(a)),
    bits: (a) => a,
    fromBits: (a) => a,
    intConstant: (x) => i32x4.const(...four(x)),
    addInt: (a, b) => k(i32x4.add(a, b)),
    subInt: (a, b) => k(i32x4.sub(a, b)),
    shiftLeft: (a, n) => k(i32x4.shl(a, i32.const(n))),
    shiftRight: (a, n) => k(i32x4.shrS(a, i32.const(n))),
    shiftRightUnsigned: (a, n) => k(i32x4.shrU(a, i32.const(n))),
    andInt: (a, b) => k(v128.and(a, b)),
    orInt: (a, b) => k(v128.or(a, b)),
    xorInt: (a, b) => k(v128.xor(a, b)),
  }
}

/** A value of a body: numbers, or a mask that stands for 1 and 0. */
export interface Computed {
  readonly code: Vector
  readonly mask: boolean
}

/** The scalar operations of each block: made once, since a tile asks for many. */
const scalarsOf = new WeakMap<Block, Scalars<Vector, Vector>>()

/** Appends one scalar operation on vectors. */
export function computeScalar(block: Block, op: Scalar, args: readonly Computed[]): Computed {
  const scalars = scalarsOf.get(block) ?? scalarsOver(vectorArithmetic(block))
  scalarsOf.set(block, scalars)
  if (op === "where") {
    const [c, a, b] = args as [Computed, Computed, Computed]
    const mask = c.mask ? c.code : f32x4.ne(c.code, zero)
    return { code: scalars.where(mask, numbers(a), numbers(b)), mask: false }
  }
  const values = args.map(numbers)
  if (comparisons.includes(op)) {
    const test = scalars.tests[op as "less" | "lessEqual" | "equal"]
    return { code: test(values[0]!, values[1]!), mask: true }
  }
  return { code: scalars.values[op as keyof typeof scalars.values](...values), mask: false }
}

/** A value as numbers: a mask becomes ones and zeros. */
export function numbers(value: Computed): Vector {
  return value.mask ? v128.and(value.code, f32x4.const(1, 1, 1, 1)) : value.code
}
