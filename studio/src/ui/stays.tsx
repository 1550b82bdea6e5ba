// What stays on a small screen while the rest of a lesson scrolls beneath it.

import type { ComponentChildren, JSX } from "preact"
import { useLayoutEffect, useRef } from "preact/hooks"

/**
 * The drawing of a lesson: on a small screen it stays at the top, in 45 % of the height (style.css). Of one that is taller the lower
 * part stays. How tall it is stands in `--stays` of the page, for the style and for where the focus scrolls to.
 */
export function Stays({ children }: { readonly children: ComponentChildren }): JSX.Element {
  const box = useRef<HTMLDivElement>(null)
  useLayoutEffect(() => {
    const { style } = document.documentElement
    const own = box.current!
    const watch = new ResizeObserver(() => style.setProperty("--stays", `${own.offsetHeight}px`))
    watch.observe(own)
    return () => {
      watch.disconnect()
      style.removeProperty("--stays")
    }
  }, [])
  return (
    <div ref={box} class="stays">
      {children}
    </div>
  )
}
