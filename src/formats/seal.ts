// The checksum of our files: a text of the header that speaks of all other bytes. Knows bytes, no model.

import { fingerprint } from "../core/fingerprint.ts"
import { modelError } from "./weights-file.ts"

/** The key of the metadata, and what stands there while the checksum is computed. */
export const SEAL = "checksum"
export const UNSEALED: string = "0".repeat(32)

const LEAD = new TextEncoder().encode(`"${SEAL}":"`)

/** Puts the checksum in its place. */
export function seal(bytes: Uint8Array): Uint8Array {
  const at = placeIn(bytes)
  bytes.set(new TextEncoder().encode(sealOf(bytes, at)), at)
  return bytes
}

/** Throws E_MODEL unless the bytes are those that were sealed. */
export function checkSeal(bytes: Uint8Array, where: string): void {
  const at = placeIn(bytes)
  const said = new TextDecoder().decode(bytes.subarray(at, at + UNSEALED.length))
  const got = at < 0 ? "none" : sealOf(bytes, at)
  if (said !== got) throw modelError(where, "the file is damaged: its checksum is not that of its bytes.", said, got)
}

/** A fingerprint of what is before it, and one of what is behind it. */
function sealOf(bytes: Uint8Array, at: number): string {
  return fingerprint(bytes.subarray(0, at)) + fingerprint(bytes.subarray(at + UNSEALED.length))
}

/** Where the checksum stands: quotes within texts of JSON have a stroke before them, so there is one such place. */
function placeIn(bytes: Uint8Array): number {
  let at = bytes.indexOf(LEAD[0]!)
  while (at >= 0 && !LEAD.every((byte, i) => bytes[at + i] === byte)) at = bytes.indexOf(LEAD[0]!, at + 1)
  return at < 0 ? at : at + LEAD.length
}
