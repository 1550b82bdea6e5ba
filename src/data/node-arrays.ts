// Whole arrays from files (Node only): npy and npz, an archive of npy files. Knows no tables.

import { crc32, inflateRawSync } from "node:zlib"
import { dataError, show } from "../core/errors.ts"
import type { Tensor } from "../core/tensor.ts"
import { readUnpacked } from "./node-file.ts"
import { parseNpy } from "./npy.ts"
import { type ZipMember, zipMembers } from "./zip.ts"

/**
 * The array in a NumPy file (numpy.save): float32 of any floats, uint8 of bytes and booleans, int32 of other integers.
 * @throws E_IO if the file cannot be read; E_DATA if it is no npy file, damaged, pickled, or holds numbers that do not fit.
 * @example
 * ```ts
 * import { writeFileSync } from "node:fs"
 * import { readNpy } from "trilobite/datasets"
 * const head = "{'descr': '<f8', 'fortran_order': False, 'shape': (3,), }".padEnd(117) + "\n"
 * const path = "/tmp/trilobite-example-f8.npy"
 * const numbers = Buffer.from(new Float64Array([1, 2.5, 3]).buffer)
 * writeFileSync(path, Buffer.concat([Buffer.from("\x93NUMPY\x01\x00\x76\x00", "latin1"), Buffer.from(head), numbers]))
 * readNpy(path).data // => [1, 2.5, 3]
 * ```
 */
export function readNpy(path: string): Tensor {
  return parseNpy(readUnpacked(path), path)
}

/**
 * The arrays in an archive of NumPy's (numpy.savez, numpy.savez_compressed) by their names; the object has no prototype.
 * @throws E_IO if the file cannot be read; E_DATA if it is no such archive, damaged, encrypted, or expands too far.
 */
export function readNpz(path: string): { readonly [name: string]: Tensor } {
  return parseNpz(readUnpacked(path), path)
}

/** The arrays in such an archive's bytes. */
export function parseNpz(bytes: Uint8Array, where: string): { readonly [name: string]: Tensor } {
  const arrays = Object.create(null) as { [name: string]: Tensor }
  for (const member of zipMembers(bytes, where).values()) {
    const inside = `${where}, member ${show(member.name)}`
    if (!member.name.endsWith(".npy")) {
      throw dataError({
        where: inside,
        what: "this is no array.",
        expected: "a name that ends with .npy",
        hint: "Write it with numpy.savez.",
      })
    }
    const name = member.name.slice(0, -4)
    if (name === "__proto__") {
      throw dataError({ where: inside, what: "an array cannot have this name.", hint: "Rename it." })
    }
    arrays[name] = parseNpy(unpackMember(member, inside), inside)
  }
  return arrays
}

/** The bytes of a member. Throws E_DATA unless it has exactly the size and the checksum that the archive says. */
export function unpackMember({ method, packed, size, crc }: ZipMember, where: string): Uint8Array {
  let bytes = packed
  if (method === 8) {
    try {
      bytes = inflateRawSync(packed, { maxOutputLength: Math.max(1, size) })
    } catch (error) {
      const got = error instanceof Error ? error.message : String(error)
      throw dataError({
        where,
        what: "the member is damaged, or larger than it says.",
        got,
        hint: "Get the file again.",
      })
    }
  }
  if (bytes.length === size && crc32(bytes) === crc) return bytes
  const fields = { expected: `${size} bytes with checksum ${crc}`, hint: "Get the file again." }
  throw dataError({ where, what: "the member is damaged.", ...fields })
}
