// How threads share the work of a round: by how fast each was in the rounds before. Knows no kernel and no step.
//
// Processors of one machine differ, for milliseconds or for good: another program, another virtual machine beside it. Threads wait for
// the slowest at every meeting, so an even share costs what the slowest lacks. Shares change no bit: threads split outputs, never sums.

import { call, type Func, type Local, type Module } from "./assembler.ts"
import type { Code } from "./code.ts"
import { brIf, if_, loop, return_ } from "./control.ts"
import { minimum, plus, times } from "./emit.ts"
import { f32, f64, i32 } from "./instructions.ts"

/** How much of a new share is what the last round says; of the rest, what was known before. */
const TRUST = 0.3

/** The least share of a thread, of an even one: with less it could not show that it is fast again. */
const LEAST = 0.125

/** In milliseconds. */
const NANOSECOND = 1e-6

/** Bytes of the table in the memory of a module: a share for each thread (1 is an even one), then milliseconds of its work. */
export function sharingBytes(threads: number): number {
  return 8 * threads
}

/** The table before the first round. */
export function evenShares(threads: number): Float32Array<ArrayBuffer> {
  return new Float32Array(2 * threads).fill(1, 0, threads)
}

/** Sharing as functions of a module, all with the address of the table first. */
export interface Sharing {
  /** Milliseconds since some moment. */
  readonly clock: Code<"f64">
  /** Keeps how long a thread has worked in this round. */
  keep(table: Code<"i32">, thread: Code<"i32">, milliseconds: Code<"f64">): Code<"void">
  /** Shares anew by what all threads have kept; called while they wait. */
  readonly anew: Func<readonly ["i32", "i32"], readonly []>
  /** The part of the work, from 0 to 1, of the first so many of all threads: (table, first, threads). */
  readonly part: Func<readonly ["i32", "i32", "i32"], readonly ["f64"]>
}

/** Defines the functions for at most so many threads; the clock is imported, so it comes before all functions of the module. */
export function defineSharing(m: Module, most: number): Sharing {
  const now = m.import("env", "now", { params: [], results: ["f64"] })
  const at = (table: Code<"i32">, thread: Code<"i32">): Code<"i32"> => i32.add(table, times(thread, 4))
  const share = (place: Code<"i32">): Code<"f32"> => f32.load(place, 0)
  const time = (place: Code<"i32">): Code<"f32"> => f32.load(place, 4 * most)
  const each = (thread: Local<"i32">, threads: Code<"i32">, body: readonly Code<"void">[]): Code<"void">[] => [
    thread.set(i32.const(0)),
    loop((again) => [
      ...body,
      thread.set(i32.add(thread.get, i32.const(1))),
      brIf(again, i32.ltS(thread.get, threads)),
    ]),
  ]
  const anew = m.define("anew", { params: ["i32", "i32"], results: [] }, (fn) => {
    const [table, threads] = fn.params
    const thread = fn.local("i32")
    const place = fn.local("i32")
    const speeds = fn.local("f32")
    const speed = f32.div(share(place.get), time(place.get))
    const here = place.set(at(table.get, thread.get))
    // Of n threads with speeds s, the share of one should be n·s / Σ s.
    const wanted = f32.div(f32.mul(f32.convertI32S(threads.get), speed), speeds.get)
    const mixed = f32.add(f32.mul(f32.const(1 - TRUST), share(place.get)), f32.mul(f32.const(TRUST), wanted))
    return [
      ...each(thread, threads.get, [
        here,
        // A clock that shows no time has nothing to say.
        if_(i32.eqz(f32.gt(time(place.get), f32.const(NANOSECOND))), [return_()]),
        speeds.set(f32.add(speeds.get, speed)),
      ]),
      ...each(thread, threads.get, [here, f32.store(place.get, 0, f32.max(mixed, f32.const(LEAST)))]),
    ]
  })
  const part = m.define("part", { params: ["i32", "i32", "i32"], results: ["f64"] }, (fn) => {
    const [table, first, threads] = fn.params
    const thread = fn.local("i32")
    const before = fn.local("f64")
    const all = fn.local("f64")
    const own = f64.promoteF32(share(at(table.get, thread.get)))
    return [
      ...each(thread, threads.get, [
        if_(i32.ltS(thread.get, first.get), [before.set(f64.add(before.get, own))]),
        all.set(f64.add(all.get, own)),
      ]),
      f64.div(before.get, all.get),
    ]
  })
  return {
    clock: call(now),
    keep: (table, thread, milliseconds) => f32.store(at(table, thread), 4 * most, f32.demoteF64(milliseconds)),
    anew,
    part,
  }
}

/** Sets from and to: what lies between two parts of 0 to extent, in whole grains. */
export function shareOf(
  [first, last]: readonly [Code<"f64">, Code<"f64">],
  extent: Code<"i32">,
  grain: number,
  from: Local<"i32">,
  to: Local<"i32">,
): Code<"void">[] {
  const grains = f64.convertI32U(i32.divU(plus(extent, i32.const(grain - 1)), i32.const(grain)))
  const bound = (part: Code<"f64">): Code<"i32"> =>
    i32.mul(i32.truncSatF64U(f64.nearest(f64.mul(grains, part))), i32.const(grain))
  return [
    from.set(bound(first)),
    from.set(minimum(extent, from.get)),
    to.set(bound(last)),
    to.set(minimum(extent, to.get)),
  ]
}
