// Rows of a file that threads read between the rounds of a training (Node only): what is to be read stands in shared memory, and
// whoever has a moment takes the next row. Knows memory and an open file, no program.

import { turn } from "../../core/turn.ts"
import { control } from "./control-block.ts"
import type { Fetching, FetchingHost } from "./platform.ts"

type ReadSync = (fd: number, into: Uint8Array, at: number, length: number, position: number) => number

/** Rows that the caller's thread reads at a time, when nobody else does. */
const READ_HERE = 64

/** Words of the control block: what `Fetched` says lies between how many rows have been begun and are done with, and how many one reads in a round. */
const [ACTIVE, BEGUN, DONE, FAILED, WORDS] = [0, 1, 2, 3, 12]

/** Threads of a host that read rows. */
export function createFetching(readSync: ReadSync, { memory, threads, rounds }: FetchingHost): Fetching {
  const words = (): Int32Array => new Int32Array(memory(), control.fetching, WORDS)
  let busy = false
  return {
    words,
    async fetch({ rows, fd, start, rowBytes, list, into, floats }) {
      if (busy) return false
      busy = true
      const state = words()
      // Somewhat more than evenly, so that the last rounds have nothing left to read.
      const most = Math.ceil((1.25 * rows) / (Math.max(1, rounds()) * threads))
      state.set([0, 0, 0, 0, rows, fd, start, rowBytes, list, into, Number(floats), most])
      Atomics.store(state, ACTIVE, 1)
      try {
        while (Atomics.load(state, DONE) < rows) {
          if (rounds() > 0) await new Promise((resolve) => setTimeout(resolve, 1))
          else if (Atomics.load(state, BEGUN) < rows) {
            fetchRows(readSync, memory(), control.fetching, READ_HERE)
            await turn()
          } else return false // A thread has ended with a row in its hands.
        }
        return Atomics.load(state, FAILED) === 0
      } finally {
        Atomics.store(state, ACTIVE, 0)
        busy = false
      }
    },
  }
}

/**
 * Reads some of the rows, at most as many as a thread should in a round. It is sent to workers as text: it must use nothing from outside
 * itself.
 */
export function fetchRows(readSync: ReadSync, memory: ArrayBufferLike, at: number, most?: number): void {
  const words = new Int32Array(memory, at, 12)
  const rows = words[4]!
  const [fd, start, rowBytes] = [words[5]!, words[6]!, words[7]!]
  const list = new Int32Array(memory, words[8]! >>> 0, rows)
  const into = words[9]! >>> 0
  const bytes = new Uint8Array(memory)
  for (let n = most ?? words[11]!; n > 0; n--) {
    const k = Atomics.add(words, 1, 1)
    if (k >= rows) return
    const to = into + k * rowBytes
    let good = false
    try {
      good = readSync(fd, bytes, to, rowBytes, start + list[k]! * rowBytes) === rowBytes
      if (good && words[10] !== 0) {
        const numbers = new Float32Array(memory, to, rowBytes / 4)
        // A finite number times 0 is 0.
        let [a, b] = [0, 0]
        for (let i = 0; i + 1 < numbers.length; i += 2) {
          a += numbers[i]! * 0
          b += numbers[i + 1]! * 0
        }
        good = a + b + numbers[numbers.length - 1]! * 0 === 0
      }
    } catch {
      // The caller reads them all again by himself, and hears what is wrong.
    }
    if (!good) Atomics.store(words, 3, 1)
    Atomics.add(words, 2, 1)
  }
}
