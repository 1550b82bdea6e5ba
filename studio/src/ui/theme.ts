// Light and dark: the system's, until the reader has chosen. Canvas drawings read their colours here.

import { type ReadonlySignal, type Signal, signal } from "@preact/signals"

const KEY = "trilobite.theme"
/** Undefined where tests import a page without a browser. */
const system: MediaQueryList | undefined = globalThis.matchMedia?.("(prefers-color-scheme: dark)")

/** Which theme is shown. */
export const theme: Signal<"light" | "dark"> = signal("light")

/** Changes whenever the colours do: whatever draws on a canvas reads it. */
export const colours: ReadonlySignal<string> = theme

function stored(): string | null {
  try {
    return localStorage.getItem(KEY)
  } catch {
    return null
  }
}

/** Shows the theme of the last visit, or the system's. */
export function restoreTheme(): void {
  const chosen = stored()
  if (chosen === "light" || chosen === "dark") document.documentElement.dataset.theme = chosen
  const follow = (): void => {
    const own = document.documentElement.dataset.theme
    theme.value = own === "light" || own === "dark" ? own : system?.matches ? "dark" : "light"
  }
  follow()
  system?.addEventListener("change", follow)
}

/** Switches between light and dark. */
export function switchTheme(): void {
  const next = theme.value === "dark" ? "light" : "dark"
  document.documentElement.dataset.theme = next
  theme.value = next
  try {
    localStorage.setItem(KEY, next)
  } catch {
    // A page that may not store anything forgets it.
  }
}

/** A token's colour in the present theme, for canvases. */
export function token(name: string): string {
  const value = getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim()
  return /^(canvas|graytext|highlight)/i.test(value) ? ofSystem(value) : value
}

/** A colour of the system, which stands in for a token where colours are forced, as canvases mix colours: in digits. */
function ofSystem(name: string): string {
  const probe = document.createElement("i")
  probe.style.setProperty("forced-color-adjust", "none")
  probe.style.color = name
  document.body.append(probe)
  const parts = getComputedStyle(probe).color.match(/\d+/g) ?? []
  probe.remove()
  return `#${parts
    .slice(0, 3)
    .map((part) => Number(part).toString(16).padStart(2, "0"))
    .join("")}`
}
