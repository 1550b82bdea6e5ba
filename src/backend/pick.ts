// The list of backends, in the order in which they are tried. Knows their names, not their work.

import { configError, unknownName } from "../core/errors.ts"
import type { Backend } from "./backend.ts"
import { referenceBackend } from "./reference/reference.ts"
import { wasmBackend } from "./wasm/wasm.ts"

/** The backends by name, the fastest first. */
export const backends: readonly Backend[] = [wasmBackend, referenceBackend()]

/** Names of backends. */
export type BackendName = "wasm" | "reference"

/**
 * The backend of that name, or the first that can run here.
 * @throws E_CONFIG for an unknown name, or a backend that cannot run here (with the reason).
 */
export function pickBackend(name?: string): Backend {
  if (name === undefined) return backends.find((b) => b.unavailable() === undefined) ?? referenceBackend()
  const found = backends.find((b) => b.name === name)
  if (found === undefined) {
    throw unknownName(
      "backend",
      "backend",
      name,
      backends.map((b) => b.name),
    )
  }
  const reason = found.unavailable()
  if (reason !== undefined) {
    throw configError({
      where: "backend",
      what: `${name} cannot run: ${reason}.`,
      hint: "Leave the option out to get one that can.",
    })
  }
  return found
}
