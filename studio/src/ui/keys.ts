// Keys of a page: off while somebody types, and switched off for good if the reader wants.

import { type Signal, signal } from "@preact/signals"
import { useEffect } from "preact/hooks"

/** Whether single letters do anything (WCAG 2.1.4). */
export const lettersOn: Signal<boolean> = signal(true)

/** What a key does; the name is that of `KeyboardEvent.key`. */
export type Actions = { readonly [key: string]: () => void }

const typing = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement && (target.isContentEditable || /^(input|textarea|select)$/i.test(target.tagName))

/** Does what a key says while the component is there. The newest component that knows a key has it. */
export function useKeys(actions: Actions): void {
  useEffect(() => {
    const listen = (event: KeyboardEvent): void => {
      if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || typing(event.target)) return
      if (!lettersOn.peek() && event.key.length === 1) return
      // A button that has the focus keeps the space bar, a slider its arrows.
      const own = event.target instanceof HTMLElement ? event.target.closest("button, a, summary, [role=slider]") : null
      if (own !== null && (event.key === " " || event.key === "Enter" || event.key.startsWith("Arrow"))) return
      const action = actions[event.key]
      if (action === undefined) return
      event.preventDefault()
      action()
    }
    addEventListener("keydown", listen)
    return () => removeEventListener("keydown", listen)
  })
}

/** How far an arrow key moves a slider, in steps: shift ten, alt a tenth. Undefined for other keys, which keep their meaning. */
export function slid(event: KeyboardEvent): number | undefined {
  const direction = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1 }[event.key]
  if (direction === undefined) return undefined
  event.preventDefault()
  return direction * (event.shiftKey ? 10 : event.altKey ? 0.1 : 1)
}

/** Goes through the buttons of a group by arrow keys, round and round: `choose` is told the place, whose button gets the focus. */
export function chooseByArrows(
  event: KeyboardEvent,
  group: HTMLElement,
  now: number,
  count: number,
  choose: (place: number) => void,
): void {
  const direction = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key]
  if (direction === undefined) return
  event.preventDefault()
  const next = (now + direction + count) % count
  choose(next)
  group.querySelectorAll("button")[next]!.focus()
}
