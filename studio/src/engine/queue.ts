// A queue between a callback that tells things and a generator that yields them.

/** What is pushed comes out of the iteration in order. */
export interface Channel<T> extends AsyncIterable<T> {
  push(value: T): void
  /** How many values wait to be read. */
  readonly waiting: number
  /** Ends the iteration after what was pushed. */
  close(): void
  /** Ends the iteration with an error after what was pushed. */
  fail(error: unknown): void
  /** Ends the iteration as this work ends. */
  follow(work: Promise<unknown>): void
}

/** A queue without limit, for one reader. */
export function channel<T>(): Channel<T> {
  const kept: T[] = []
  let ended: { readonly error?: unknown } | undefined
  let wake: (() => void) | undefined
  const knock = (): void => {
    wake?.()
    wake = undefined
  }
  const end = (how: { readonly error?: unknown }): void => {
    ended ??= how
    knock()
  }
  async function* read(): AsyncGenerator<T, void, undefined> {
    while (true) {
      while (kept.length > 0) yield kept.shift()!
      if (ended !== undefined) {
        if ("error" in ended) throw ended.error
        return
      }
      await new Promise<void>((resolve) => {
        wake = resolve
      })
    }
  }
  return {
    push: (value) => {
      if (ended !== undefined) return
      kept.push(value)
      knock()
    },
    get waiting() {
      return kept.length
    },
    close: () => end({}),
    fail: (error) => end({ error }),
    follow: (work) =>
      void work.then(
        () => end({}),
        (error: unknown) => end({ error }),
      ),
    [Symbol.asyncIterator]: read,
  }
}
