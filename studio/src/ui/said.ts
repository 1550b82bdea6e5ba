// Short sentences: shown for a moment, or spoken by screen readers at most every five seconds.

import { type Signal, signal } from "@preact/signals"

const BETWEEN = 5000

interface Said {
  /** Shows and speaks a sentence. */
  (sentence: string): void
  readonly shown: Signal<string>
  readonly spoken: Signal<string>
}

const shown: Signal<string> = signal("")
const spoken: Signal<string> = signal("")
let hide: ReturnType<typeof setTimeout> | undefined

/** Shows a sentence for a moment. */
export const said: Said = Object.assign(
  (sentence: string): void => {
    shown.value = sentence
    clearTimeout(hide)
    hide = setTimeout(() => {
      shown.value = ""
    }, 2600)
  },
  { shown, spoken },
)

let last = 0
let waiting: string | undefined

/** Speaks the newest sentence to screen readers, at most every five seconds. */
export function speak(sentence: string): void {
  const wait = last + BETWEEN - performance.now()
  if (wait <= 0) {
    last = performance.now()
    spoken.value = sentence
    return
  }
  if (waiting === undefined) {
    setTimeout(() => {
      last = performance.now()
      spoken.value = waiting ?? ""
      waiting = undefined
    }, wait)
  }
  waiting = sentence
}
