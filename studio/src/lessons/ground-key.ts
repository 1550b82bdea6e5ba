// A drawing in the address: bytes as base64 that needs no escaping.

import type { Key } from "../ui/url.ts"

export type { Key } from "../ui/url.ts"

/** A key for so many bytes as `initial` has. */
export function base64Key(initial: readonly number[]): Key<readonly number[]> {
  return {
    initial,
    write: (bytes) =>
      btoa(String.fromCharCode(...bytes))
        .replaceAll("+", "-")
        .replaceAll("/", "_"),
    read: (text) => {
      try {
        const bytes = [...atob(text.replaceAll("-", "+").replaceAll("_", "/"))].map((c) => c.charCodeAt(0))
        return bytes.length === initial.length ? bytes : undefined
      } catch {
        return undefined
      }
    },
  }
}
