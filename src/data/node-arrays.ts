// Whole arrays from files (Node only): npy and npz, an archive of npy files. Knows no tables.

import { dataError, show } from "../core/errors.ts"
import type { Tensor } from "../core/tensor.ts"
import { openZip } from "../core/zip.ts"
import { readUnpacked } from "./node-file.ts"
import { parseNpy } from "./npy.ts"

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
export async function readNpz(path: string): Promise<{ readonly [name: string]: Tensor }> {
  return parseNpz(readUnpacked(path), path)
}

/** The arrays in such an archive's bytes. */
export async function parseNpz(bytes: Uint8Array, where: string): Promise<{ readonly [name: string]: Tensor }> {
  const arrays = Object.create(null) as { [name: string]: Tensor }
  const archive = openZip(bytes, where, "E_DATA")
  for (const member of archive.names) {
    const inside = `${where}, member ${show(member)}`
    const name = member.replace(/\.npy$/, "")
    if (name === member || name === "__proto__") {
      const what = name === member ? "this is no array." : "an array cannot have this name."
      throw dataError({
        where: inside,
        what,
        expected: "a name that ends with .npy",
        hint: "Write it with numpy.savez.",
      })
    }
    arrays[name] = parseNpy((await archive.read(member))!, inside)
  }
  return arrays
}
