// Giving others their turn on this thread. Knows no clock beyond the one that says when a turn is due, and no work.

/** Milliseconds of work after which others on this thread get their turn. */
export const TURN = 4

/** Lets everything else that waits on this thread run first: messages, timers, input. */
export function turn(): Promise<void> {
  return new Promise((resolve) => {
    if (typeof setImmediate === "function") setImmediate(resolve)
    else later(resolve)
  })
}

let channel: MessageChannel | undefined
const waiting: (() => void)[] = []

/** After what waits already: a message to oneself, since browsers hold up timers that begin timers by 4 ms. */
function later(resolve: () => void): void {
  if (channel === undefined) {
    channel = new MessageChannel()
    channel.port1.onmessage = () => waiting.shift()?.()
  }
  waiting.push(resolve)
  channel.port2.postMessage(0)
}
