// Code that must not compile: each line marked as an error is one, or the type check fails. Never run.
import { call, module_ } from "../../src/backend/wasm/assembler.ts"
import type { Code } from "../../src/backend/wasm/code.ts"
import { brIf, cond, drop, if_, loop, select, seq } from "../../src/backend/wasm/control.ts"
import { atomic, f32, f32x4, i32, i64, v128 } from "../../src/backend/wasm/instructions.ts"

/** Right and wrong uses side by side. */
export function uses(): void {
  const [a, x, v] = [i32.const(1), f32.const(1), f32x4.const(1, 2, 3, 4)]
  const sum: Code<"f32"> = f32.add(x, x)
  const lane: Code<"f32"> = f32x4.extractLane(0, v)
  const less: Code<"i32"> = f32.lt(sum, lane)
  // @ts-expect-error an i32 is no f32
  f32.add(x, a)
  // @ts-expect-error one operand is missing
  f32.add(x)
  // @ts-expect-error one operand too many
  f32.sqrt(x, x)
  // @ts-expect-error an instruction that does not exist
  f32.shl(x, x)
  // @ts-expect-error a store leaves no value
  drop(f32.store(a, 0, x))
  // @ts-expect-error the value of a store is the third argument
  f32.store(a, x, 0)
  // @ts-expect-error an address is an i32
  v128.load(i64.const(0n), 0)
  // @ts-expect-error atomics take no alignment
  atomic.load(a, 0, 1)
  // @ts-expect-error the timeout of a wait is an i64
  atomic.wait32(a, 0, a, a)
  // @ts-expect-error a scalar is no vector
  f32x4.mul(v, x)
  // @ts-expect-error a replaced lane takes a value
  f32x4.replaceLane(0, v)
  // @ts-expect-error a vector constant has four values
  f32x4.const(1, 2, 3)
  // @ts-expect-error both values have one type
  select(less, x, a)
  // @ts-expect-error the values have the type that was said
  cond("i32", less, a, x)
  // @ts-expect-error a condition is an i32
  if_(x, [])
  // @ts-expect-error a statement leaves no value
  if_(a, [x])
  // @ts-expect-error a condition is an i32
  loop((l) => [brIf(l, x)])
  // @ts-expect-error only the last may leave a value
  seq(x, drop(x))
  const last: Code<"f32"> = seq(drop(a), x)

  const m = module_()
  const f = m.define("f", { params: ["i32", "f32"], results: ["f32"] }, (fn) => {
    const [i, y] = fn.params
    const w = fn.local("v128")
    // @ts-expect-error a v128 local takes a v128
    w.set(y.get)
    // @ts-expect-error there is no third parameter
    fn.params[2]
    return [i.set(a), w.set(f32x4.splat(y.get)), y.tee(last)]
  })
  const called: Code<"f32"> = call(f, a, called0())
  drop(called)
  // @ts-expect-error parameters are typed
  call(f, x, x)
  // @ts-expect-error parameters are counted
  call(f, a)
  // @ts-expect-error the result is an f32
  const wrong: Code<"i32"> = call(f, a, x)
  drop(wrong)
  // @ts-expect-error the body must leave an i32
  m.define("g", { params: [], results: ["i32"] }, () => [x])
  // @ts-expect-error the body must leave nothing
  m.define("h", { params: [], results: [] }, () => [x])
}

function called0(): Code<"f32"> {
  return f32.const(0)
}
