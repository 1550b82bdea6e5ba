// When canvases are drawn: each at most once a frame, never within what asks for it, and never in the way of an answer to the
// reader.

import { effect } from "@preact/signals"
import { useLayoutEffect, useMemo, useRef } from "preact/hooks"

/** Milliseconds of drawing after which the rest waits for the next frame. */
const BUDGET = 8

const waiting = new Set<() => void>()
let frame = 0
/** Whether the reader has done something since the last frame: the next one is the answer, and nothing else. */
let answering = false

for (const type of ["keydown", "pointerdown", "click"]) {
  globalThis.addEventListener?.(
    type,
    () => {
      answering = true
    },
    true,
  )
}

function drawAll(): void {
  frame = 0
  const until = performance.now() + (answering ? 0 : BUDGET)
  answering = false
  for (const draw of waiting) {
    if (performance.now() >= until) break
    waiting.delete(draw)
    draw()
  }
  if (waiting.size > 0) frame = requestAnimationFrame(drawAll)
}

/** Draws in one of the next frames; who asks again until then is drawn once. */
export function paint(draw: () => void): void {
  waiting.add(draw)
  if (frame === 0) frame = requestAnimationFrame(drawAll)
}

/**
 * Draws in one of the next frames, and again whenever a value of `inputs`, or what `follow` reads of signals, has changed.
 * Answers with what asks for it besides.
 */
export function usePainting(draw: () => void, follow: () => unknown, inputs: readonly unknown[]): () => void {
  const newest = useRef(draw)
  newest.current = draw
  const [own, ask] = useMemo(() => {
    const own = (): void => newest.current()
    return [own, (): void => paint(own)] as const
  }, [])
  useLayoutEffect(
    () =>
      effect(() => {
        follow()
        ask()
      }),
    inputs,
  )
  useLayoutEffect(
    () => () => {
      waiting.delete(own)
    },
    [],
  )
  return ask
}
