// The worker threads of this process: started when first needed, shared by all programs, idle threads hold nobody up.
// Knows orders and answers, not programs.

import { TrilobiteError } from "../../core/errors.ts"
import { outOfMemory } from "./memory.ts"
import type { Platform, Thread } from "./platform.ts"
import type { Answer, Order, Result } from "./worker.ts"

interface Member {
  readonly thread: Thread
  readonly waiting: Map<number, { resolve(result: Result): void; reject(error: Error): void }>
  readonly loaded: Set<number>
  dead: boolean
}

/** A set of threads that grows as it is asked for more. */
export interface Pool {
  readonly platform: Platform
  /** A number by which threads know a module or a memory. */
  newKey(): number
  /**
   * Gives one order each to the first threads of the pool at once; the results are in the order of the threads. If one
   * fails, `onFailure` lets the others go; who has not come back a second later is ended.
   */
  run(
    load: Order & { kind: "load" },
    orders: readonly ((id: number) => Order)[],
    onFailure: () => void,
  ): Promise<Result[]>
  /** Tells every thread that works on it to stop; only work in slices hears it. */
  stop(key: number): void
  /** Whether the first thread holds the module or the memory with this key. */
  holds(key: number): boolean
  drop(key: number): void
}

/** Milliseconds that the other threads of a run have to come back after one has failed. */
const PATIENCE = 1000

/** A pool on a platform. */
export function createPool(platform: Platform): Pool {
  const members: Member[] = []
  let nextId = 0
  let nextKey = 0

  const fail = (member: Member, reason: string): void => {
    member.dead = true
    const lost = [...member.waiting.values()]
    member.waiting.clear()
    for (const { reject } of lost) reject(engineError(reason))
  }
  const start = (): Member => {
    const waiting: Member["waiting"] = new Map()
    const answered = (answer: Answer): void => {
      const found = waiting.get(answer.id)
      waiting.delete(answer.id)
      if (waiting.size === 0) member.thread.hold(false)
      if ("result" in answer) found?.resolve(answer)
      else found?.reject(answer.lacks === undefined ? engineError(answer.failure) : outOfMemory(answer.lacks))
    }
    const thread = platform.start(answered, (reason) => fail(member, reason))
    const member: Member = { thread, waiting, loaded: new Set(), dead: false }
    return member
  }
  const member = (i: number): Member => {
    let found = members[i]
    if (found === undefined || found.dead) {
      found = start()
      members[i] = found
    }
    return found
  }
  const alive = (key: number): Member[] => members.filter((m) => !m.dead && m.loaded.has(key))
  return {
    platform,
    newKey: () => nextKey++,
    async run(load, orders, onFailure) {
      const given = orders.map((order, i) => {
        const m = member(i)
        const id = nextId++
        const result = new Promise<Result>((resolve, reject) => {
          if (!m.loaded.has(load.key)) m.thread.post(load)
          m.loaded.add(load.key)
          if ("home" in load.memory) m.loaded.add(load.memory.home)
          m.thread.post(order(id))
          m.thread.hold(true)
          m.waiting.set(id, { resolve, reject })
        })
        return { m, id, result }
      })
      let patience: ReturnType<typeof setTimeout> | undefined
      // The first failure in time is the cause; others follow from it.
      let cause: unknown
      const release = (error: unknown): void => {
        cause ??= error
        onFailure()
        patience ??= setTimeout(() => {
          for (const { m, id } of given) if (m.waiting.has(id)) m.thread.end()
        }, PATIENCE)
      }
      for (const { result } of given) result.catch(release)
      const settled = await Promise.allSettled(given.map(({ result }) => result))
      clearTimeout(patience)
      if (cause !== undefined) throw cause
      return settled.map((s) => (s as PromiseFulfilledResult<Result>).value)
    },
    stop(key) {
      for (const m of alive(key)) m.thread.post({ kind: "stop", key })
    },
    holds: (key) => members[0]?.dead === false && members[0].loaded.has(key),
    drop(key) {
      for (const m of alive(key)) m.thread.post({ kind: "drop", key })
      for (const m of members) m.loaded.delete(key)
    },
  }
}

/** The error for a thread that failed. */
export function engineError(reason: string): TrilobiteError {
  return new TrilobiteError("E_ENGINE", {
    where: "engine",
    what: `a thread of the engine failed: ${reason}.`,
    hint: "Its weights may be those of an unfinished round: set them again (setWeights, or a saved model). Please report this with the program that `trilobite inspect` prints.",
  })
}
