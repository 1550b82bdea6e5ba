// The worker threads of this process: started when first needed, shared by all programs, idle threads hold nobody up.
// Knows orders and answers, not programs.

import { TrilobiteError } from "../../core/errors.ts"
import type { Platform, Thread } from "./platform.ts"
import type { Answer, Order } from "./worker.ts"

interface Member {
  readonly thread: Thread
  readonly waiting: Map<number, { resolve(result: number): void; reject(error: Error): void }>
  readonly loaded: Set<number>
  dead: boolean
}

/** A set of threads that grows as it is asked for more. */
export interface Pool {
  readonly platform: Platform
  /** Runs an entry on the first threads of the pool at once; the results are in the order of the threads. */
  run(
    load: Order & { kind: "load" },
    entry: string,
    args: readonly (readonly number[])[],
    onFailure: () => void,
  ): Promise<number[]>
  drop(key: number): void
}

/** A pool on a platform. */
export function createPool(platform: Platform): Pool {
  const members: Member[] = []
  let nextId = 0

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
      if ("failure" in answer) found?.reject(engineError(answer.failure))
      else found?.resolve(answer.result)
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
  return {
    platform,
    async run(load, entry, args, onFailure) {
      const runs = args.map((list, i) => {
        const m = member(i)
        if (!m.loaded.has(load.key)) {
          m.loaded.add(load.key)
          m.thread.post(load)
        }
        const id = nextId++
        m.thread.hold(true)
        m.thread.post({ kind: "run", key: load.key, id, entry, args: list })
        return new Promise<number>((resolve, reject) => m.waiting.set(id, { resolve, reject }))
      })
      // The first failure lets the others go, who may be waiting for the one that failed.
      for (const run of runs) run.catch(onFailure)
      const settled = await Promise.allSettled(runs)
      const failed = settled.find((s) => s.status === "rejected")
      if (failed !== undefined) throw failed.reason
      return settled.map((s) => (s as PromiseFulfilledResult<number>).value)
    },
    drop(key) {
      for (const m of members) {
        if (m.loaded.delete(key) && !m.dead) m.thread.post({ kind: "drop", key })
      }
    },
  }
}

function engineError(reason: string): TrilobiteError {
  return new TrilobiteError("E_ENGINE", {
    where: "engine",
    what: `a thread of the engine failed: ${reason}.`,
    hint: "The model keeps the weights of the last finished round. Please report this with the program that `trilobite inspect` prints.",
  })
}
