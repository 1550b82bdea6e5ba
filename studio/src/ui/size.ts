// The width of a figure on the screen, so that text is drawn at its own size everywhere.

import type { RefObject } from "preact"
import { useEffect, useRef, useState } from "preact/hooks"

/** No figure is drawn narrower. */
const LEAST = 280

/**
 * The width that a lesson's figure will have by style.css, so that it is mostly drawn once. It is asked for before anything is
 * drawn: later the question would lay out what is not finished. Undefined where tests import a page without a browser.
 */
const page: number = globalThis.document?.documentElement.offsetWidth ?? 0
const figure: number = Math.max(LEAST, Math.floor(widthAt(page)))

function widthAt(page: number): number {
  if (page <= 900) return page - 32
  if (page <= 1240) return page - 100 - Math.max(320, 0.41 * (page - 64))
  return Math.min(1520, page) - 568
}

/** The width of an element in whole pixels, followed: until it is known a lesson's, or 0 for what waits for it. */
export function useWidth<T extends Element = HTMLDivElement>(first?: 0): readonly [RefObject<T | null>, number] {
  const ref = useRef<T>(null)
  const [width, setWidth] = useState<number>(first ?? figure)
  useEffect(() => {
    const least = first ?? LEAST
    const watch = new ResizeObserver(([entry]) => setWidth(Math.max(least, Math.floor(entry!.contentRect.width))))
    watch.observe(ref.current!)
    return () => watch.disconnect()
  }, [])
  return [ref, width]
}
