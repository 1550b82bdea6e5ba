// Links within the studio: pages change without loading anew.

import type { ComponentChildren, JSX } from "preact"
import { root } from "../root.ts"
import { go } from "./url.ts"

/** A link to another page of the studio. */
export function Link(props: {
  readonly to: string
  readonly current?: boolean
  readonly class?: string
  readonly label?: string
  readonly children: ComponentChildren
}): JSX.Element {
  const { to, current, label, children } = props
  const follow = (event: MouseEvent): void => {
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.button !== 0) return
    event.preventDefault()
    go(to)
  }
  return (
    <a
      href={root + to}
      class={props.class}
      aria-label={label}
      aria-current={current ? "page" : undefined}
      onClick={follow}
    >
      {children}
    </a>
  )
}
