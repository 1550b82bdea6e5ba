// The loop over rounds as WebAssembly: phases, barriers, the guard, the log and the wish to stop.
// Knows the steps of an entry as functions to call, not what they compute.

import type { EntryPoint } from "../../program/program.ts"
import type { Frame, Func, Local, Module } from "./assembler.ts"
import { call } from "./assembler.ts"
import type { Code } from "./code.ts"
import { br, brIf, drop, if_, loop, return_, block as scope, unreachable } from "./control.ts"
import { control } from "./control-block.ts"
import { minimum, times } from "./emit.ts"
import { atomic, f32, f64, i32, i64, memory } from "./instructions.ts"
import { type Sharing, shareOf } from "./sharing.ts"

/** A kernel as a function of (from, to, rows, first, scratch, work, turn). */
export type KernelFunction = Func<readonly ["i32", "i32", "i32", "i32", "i32", "i32", "i32"], readonly []>

/** A step as the loop needs it. `extent` is the size of its first dimension if outputs are split, `grain` the unit. */
export interface StepFunction {
  readonly f: KernelFunction
  readonly split: "rows" | "outputs" | "all"
  readonly extent: number
  readonly grain: number
  readonly phase: number
  /** The loop of the entry that calls it in each of its turns. */
  readonly loop: number | undefined
}

/** What the loop needs beside the steps. */
export interface RoundOptions {
  readonly name: string
  readonly entry: EntryPoint
  readonly steps: readonly StepFunction[]
  /** Addresses of the run-time numbers that the loop sets, and of the log of one round. */
  readonly rowsAt: number
  readonly stepAt: number | undefined
  readonly logAt: number | undefined
  /** Whether a kernel asks for the step as an integer. */
  readonly draws: boolean
  /** Rows that the batch is split by. */
  readonly grain: number
  readonly scratchAt: number
  readonly scratchBytes: number
  /** How several threads share, and where the table of it begins; absent: there is one thread. */
  readonly sharing: (Sharing & { readonly at: number }) | undefined
}

/** A run that its guard has ended reports its finished rounds with this bit set. */
export const GUARD_BIT = 0x40000000

/** Nanoseconds that a thread sleeps at a barrier before it looks whether another has failed. */
const TENTH_OF_A_SECOND = 100_000_000n

/**
 * The barrier: returns when all threads have come. The last to arrive shares the work anew, if it is given the table of shares
 * (0: not), and opens it; the others look for a while, then sleep.
 */
export function defineBarrier(m: Module, sharing: Sharing | undefined): Func<readonly ["i32", "i32"], readonly []> {
  return m.define("barrier", { params: ["i32", "i32"], results: [] }, (fn) => {
    const [threads, table] = fn.params
    const generation = fn.local("i32")
    const looks = fn.local("i32")
    const zero = i32.const(0)
    const current = (): Code<"i32"> => atomic.load(zero, control.generation)
    const asleep = [
      atomic.add(zero, control.sleepers, i32.const(1)),
      atomic.wait32(zero, control.generation, generation.get, i64.const(TENTH_OF_A_SECOND)),
      atomic.add(zero, control.sleepers, i32.const(-1)),
    ] as const
    return [
      if_(i32.eq(threads.get, i32.const(1)), [return_()]),
      generation.set(current()),
      if_(i32.eq(atomic.add(zero, control.arrived, i32.const(1)), i32.sub(threads.get, i32.const(1))), [
        ...(sharing === undefined ? [] : [if_(table.get, [call(sharing.anew, table.get, threads.get)])]),
        atomic.store(zero, control.arrived, zero),
        atomic.store(zero, control.generation, i32.add(generation.get, i32.const(1))),
        if_(atomic.load(zero, control.sleepers), [drop(atomic.notify(zero, control.generation, i32.const(-1)))]),
        return_(),
      ]),
      looks.set(i32.load(zero, control.spin)),
      scope((open) => [
        loop((again) => [
          brIf(open, i32.ne(current(), generation.get)),
          looks.set(i32.sub(looks.get, i32.const(1))),
          brIf(again, i32.gtS(looks.get, zero)),
        ]),
        loop((again) => [
          if_(atomic.load(zero, control.abort), [unreachable()]),
          ...asleep.map(drop),
          brIf(again, i32.eq(current(), generation.get)),
        ]),
        br(open),
      ]),
    ]
  })
}

/** The exported function of an entry: (thread, threads, first, count, n, batch) -> rounds finished. */
export function defineEntry(m: Module, barrier: ReturnType<typeof defineBarrier>, options: RoundOptions): void {
  const { entry, steps, sharing } = options
  const params = ["i32", "i32", "i32", "i32", "i32", "i32"] as const
  m.define(options.name, { params, results: ["i32"], exported: true }, (fn) => {
    const [thread, threads, firstRound, count, n, batch] = fn.params
    const round = fn.local("i32")
    const first = fn.local("i32")
    const rows = fn.local("i32")
    const from = fn.local("i32")
    const to = fn.local("i32")
    const scratch = fn.local("i32")
    const work = fn.local("i32")
    const zero = i32.const(0)
    const table = i32.add(work.get, i32.const(sharing?.at ?? 0))
    const { start, begin, meet, end, share } = meetings(fn.local, barrier, sharing, thread.get, threads.get, table)
    const turn = fn.local("i32")
    const calls: Code<"void">[] = []
    const rangeOf = ({ split, extent, grain }: StepFunction): string =>
      split === "rows" ? "rows" : split === "all" ? "all" : `${extent} ${grain}`
    let range = ""
    /** Sets this thread's share of a step, if it is another than that of the step before. */
    const take = (into: Code<"void">[], step: StepFunction): void => {
      if (rangeOf(step) === range || step.split === "all") return
      const [extent, grain] = step.split === "rows" ? [rows.get, options.grain] : [i32.const(step.extent), step.grain]
      into.push(...share(extent, grain, from, to))
      range = rangeOf(step)
    }
    const append = (into: Code<"void">[], step: StepFunction, k: number): void => {
      if (k > 0 && step.phase !== steps[k - 1]!.phase) into.push(...meet)
      take(into, step)
      const t = step.loop === undefined ? zero : turn.get
      const run = call(step.f, from.get, to.get, rows.get, first.get, scratch.get, work.get, t)
      into.push(step.split === "all" ? run : if_(i32.ltS(from.get, to.get), [run]))
    }
    for (let k = 0; k < steps.length; k++) {
      const number = steps[k]!.loop
      if (number === undefined) append(calls, steps[k]!, k)
      else {
        // The meeting before the first step is no part of the turns.
        if (k > 0 && steps[k]!.phase !== steps[k - 1]!.phase) calls.push(...meet)
        const { turns, reverse, meets } = entry.loops[number]!
        const own = steps.filter(({ loop: l }) => l === number)
        const shared = own.filter(({ split }) => split !== "all")
        if (new Set(shared.map(rangeOf)).size === 1) take(calls, shared[0]!)
        else range = ""
        const each: Code<"void">[] = []
        own.forEach((step, i) => void append(each, step, i === 0 ? 0 : k + i))
        k += own.length - 1
        if (meets) each.push(...meet)
        const [begin, end] = reverse ? [turns - 1, -1] : [0, turns]
        calls.push(
          turn.set(i32.const(begin)),
          loop((again) => [
            ...each,
            turn.set(i32.add(turn.get, i32.const(reverse ? -1 : 1))),
            brIf(again, i32.ne(turn.get, i32.const(end))),
          ]),
        )
      }
      if (entry.guard?.step === k)
        calls.push(stopUnlessFinite(options.logAt! + 4 * entry.guard.log, writeLog, round.get))
    }
    function writeLog(): Code<"void">[] {
      if (options.logAt === undefined) return []
      const bytes = 4 * entry.logs.length
      const target = i32.add(i32.load(zero, control.log), times(round.get, bytes))
      return [if_(i32.eqz(thread.get), [memory.copy(target, i32.const(options.logAt), i32.const(bytes))])]
    }
    const now = (): Code<"i32"> => i32.add(i32.load(zero, control.step), round.get)
    const parity = i32.add(i32.const(control.agreed), times(i32.and(round.get, i32.const(1)), 4))
    const body: Code<"void">[] = [
      ...begin,
      first.set(i32.mul(i32.add(firstRound.get, round.get), batch.get)),
      rows.set(minimum(batch.get, i32.sub(n.get, first.get))),
      f32.store(zero, options.rowsAt, f32.convertI32S(rows.get)),
      ...(options.stepAt === undefined ? [] : [f32.store(zero, options.stepAt, f32.convertI32S(now()))]),
      ...(options.draws ? [i32.store(zero, control.now, now())] : []),
      ...calls,
      ...writeLog(),
      if_(i32.eqz(thread.get), [
        i32.store(parity, 0, atomic.load(zero, control.stop)),
        atomic.store(zero, control.progress, i32.add(round.get, i32.const(1))),
      ]),
      ...end,
    ]
    return [
      work.set(i32.load(zero, control.work)),
      scratch.set(i32.add(work.get, i32.const(options.scratchAt))),
      scratch.set(i32.add(scratch.get, i32.mul(thread.get, i32.const(options.scratchBytes)))),
      ...start,
      scope((out) => [
        brIf(out, i32.leS(count.get, zero)),
        loop((again) => [...body, brIf(out, seqStop(parity, round)), brIf(again, i32.ltS(round.get, count.get))]),
      ]),
      round.get,
    ]
  })
}

/** Reads whether the round that has ended should be the last, and counts it. */
function seqStop(parity: Code<"i32">, round: Local<"i32">): Code<"i32"> {
  const stop = i32.load(parity, 0)
  const counted = round.set(i32.add(round.get, i32.const(1)))
  return {
    type: "i32",
    write: (sink) => {
      stop.write(sink)
      counted.write(sink)
    },
  }
}

/** What a thread does to be one of several: before the first round, before and after each, between phases, for a step. */
interface Meetings {
  readonly start: readonly Code<"void">[]
  readonly begin: readonly Code<"void">[]
  readonly meet: readonly Code<"void">[]
  readonly end: readonly Code<"void">[]
  /** Sets from and to: this thread's share of 0 to extent. */
  share(extent: Code<"i32">, grain: number, from: Local<"i32">, to: Local<"i32">): Code<"void">[]
}

/** The meetings of threads, who measure what they work between them; of one thread: nothing. */
function meetings(
  local: Frame<readonly []>["local"],
  barrier: ReturnType<typeof defineBarrier>,
  sharing: Sharing | undefined,
  thread: Code<"i32">,
  threads: Code<"i32">,
  table: Code<"i32">,
): Meetings {
  if (sharing === undefined) {
    const share: Meetings["share"] = (extent, _, from, to) => [from.set(i32.const(0)), to.set(extent)]
    return { start: [], begin: [], meet: [], end: [], share }
  }
  const [since, worked] = [local("f64"), local("f64")]
  const parts = [local("f64"), local("f64")] as const
  const several = (...code: Code<"void">[]): Code<"void">[] => [if_(i32.gtS(threads, i32.const(1)), code)]
  const total = f64.add(worked.get, f64.sub(sharing.clock, since.get))
  const again = since.set(sharing.clock)
  const part = (first: Code<"i32">): Code<"f64"> => call(sharing.part, table, first, threads)
  return {
    start: several(again),
    begin: [parts[0].set(part(thread)), parts[1].set(part(i32.add(thread, i32.const(1))))],
    meet: several(worked.set(total), call(barrier, threads, i32.const(0)), again),
    end: several(sharing.keep(table, thread, total), call(barrier, threads, table), again, worked.set(f64.const(0))),
    share: (extent, grain, from, to) => shareOf([parts[0].get, parts[1].get], extent, grain, from, to),
  }
}

/** Ends the run in this round if a logged number is NaN or infinite; every thread finds the same. */
function stopUnlessFinite(at: number, writeLog: () => Code<"void">[], round: Code<"i32">): Code<"void"> {
  const exponent = 0x7f800000
  const bits = i32.load(i32.const(0), at)
  const bad = i32.eq(i32.and(bits, i32.const(exponent)), i32.const(exponent))
  return if_(bad, [...writeLog(), return_(i32.or(round, i32.const(GUARD_BIT)))])
}
