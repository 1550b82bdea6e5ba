// A place for a page that is being written.

import type { JSX } from "preact"

/** The page. */
export default function Page(): JSX.Element {
  return <main id="main" class="message" tabindex={-1} />
}
