// A channel between callbacks and a generator: what is pushed is read in the same order, by one reader.

/** Values that are pushed by one side and iterated over by the other. */
export interface Channel<T> extends AsyncIterable<T> {
  push(value: T): void
  /** Ends the iteration after what has been pushed. */
  close(): void
  /** How many values wait to be read. */
  readonly waiting: number
}

/** A new channel. */
export function channel<T>(): Channel<T> {
  const values: T[] = []
  let closed = false
  let wake = (): void => {}
  return {
    push(value) {
      if (closed) return
      values.push(value)
      wake()
    },
    close() {
      closed = true
      wake()
    },
    get waiting() {
      return values.length
    },
    async *[Symbol.asyncIterator]() {
      while (true) {
        while (values.length > 0) yield values.shift() as T
        if (closed) return
        await new Promise<void>((resolve) => {
          wake = resolve
        })
      }
    },
  }
}
