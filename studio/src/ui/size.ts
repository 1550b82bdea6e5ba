// The width of a figure on the screen, so that text is drawn at its own size everywhere.

import type { RefObject } from "preact"
import { useEffect, useRef, useState } from "preact/hooks"

/** The width of an element in pixels, at least 280; 872 until it is known. */
export function useWidth<T extends Element>(): readonly [RefObject<T | null>, number] {
  const ref = useRef<T>(null)
  const [width, setWidth] = useState(872)
  useEffect(() => {
    const watch = new ResizeObserver(([entry]) => setWidth(Math.max(280, Math.round(entry!.contentRect.width))))
    watch.observe(ref.current!)
    return () => watch.disconnect()
  }, [])
  return [ref, width]
}
