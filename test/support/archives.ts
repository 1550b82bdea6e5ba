// Zip archives and images for tests, as programs write them.
import { crc32, deflateRawSync } from "node:zlib"
import { encode } from "jpeg-js"
import { PNG } from "pngjs"

/** A member to be written; the fields beside its name and bytes are lies that a test wants told. */
export interface Planted {
  readonly name: string
  readonly bytes: Uint8Array
  readonly packed?: boolean
  readonly flags?: number
  readonly crc?: number
  readonly size?: number
  readonly mode?: number
}

/** The bytes of an archive. */
export function zip(members: readonly Planted[], comment = ""): Buffer {
  const parts: Buffer[] = []
  const list: Buffer[] = []
  let at = 0
  for (const { name, bytes, packed = false, flags = 0, mode, ...lies } of members) {
    const raw = Buffer.from(name)
    const data = packed ? deflateRawSync(bytes) : Buffer.from(bytes)
    const fields = Buffer.alloc(26)
    fields.writeUInt16LE(20, 0)
    fields.writeUInt16LE(flags, 2)
    fields.writeUInt16LE(packed ? 8 : 0, 4)
    fields.writeUInt32LE(lies.crc ?? crc32(bytes), 10)
    fields.writeUInt32LE(data.length, 14)
    fields.writeUInt32LE(lies.size ?? bytes.length, 18)
    fields.writeUInt16LE(raw.length, 22)
    const local = Buffer.concat([Buffer.from("PK\u0003\u0004"), fields, raw, data])
    const rest = Buffer.alloc(14)
    rest.writeUInt32LE((mode ?? 0) * 65_536, 6)
    rest.writeUInt32LE(at, 10)
    list.push(
      Buffer.concat([Buffer.from("PK\u0001\u0002"), Buffer.from([20, mode === undefined ? 0 : 3]), fields, rest, raw]),
    )
    parts.push(local)
    at += local.length
  }
  const central = Buffer.concat(list)
  const end = Buffer.alloc(22)
  end.write("PK\u0005\u0006", "latin1")
  end.writeUInt16LE(members.length, 8)
  end.writeUInt16LE(members.length, 10)
  end.writeUInt32LE(central.length, 12)
  end.writeUInt32LE(at, 16)
  end.writeUInt16LE(comment.length, 20)
  return Buffer.concat([...parts, central, end, Buffer.from(comment)])
}

/** The bytes of an npy file of float32 [n]. */
export function npyOf(values: readonly number[]): Buffer {
  const header = Buffer.from(
    `${`{'descr': '<f4', 'fortran_order': False, 'shape': (${values.length},), }`.padEnd(117)}\n`,
  )
  const head = Buffer.from("\x93NUMPY\x01\x00\x76\x00", "latin1")
  return Buffer.concat([head, header, Buffer.from(new Float32Array(values).buffer)])
}

/** An image whose pixel (row, column) has these red, green and blue. */
export function image(
  kind: "png" | "jpeg",
  width: number,
  height: number,
  colour: (row: number, column: number) => readonly [number, number, number],
): Buffer {
  const data = Buffer.alloc(4 * width * height, 255)
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) data.set(colour(row, column), 4 * (row * width + column))
  }
  if (kind === "jpeg") return encode({ width, height, data }, 95).data
  const png = new PNG({ width, height })
  data.copy(png.data)
  return PNG.sync.write(png)
}
