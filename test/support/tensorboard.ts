// Reads TensorBoard's event files by the specification: TFRecord's frames with their checksums, protocol buffers' wire
// format, the fields of event.proto and summary.proto. Shares nothing with what writes them.

export interface ReadHistogram {
  readonly min: number
  readonly max: number
  readonly count: number
  readonly sum: number
  readonly sumSquares: number
  readonly limits: number[]
  readonly counts: number[]
}

export interface ReadEvent {
  readonly time: number
  readonly step: number
  readonly version: string | undefined
  readonly values: { readonly tag: string; readonly simple?: number; readonly histogram?: ReadHistogram }[]
}

/** CRC-32C from a table made bit by bit. */
const table = Uint32Array.from({ length: 256 }, (_, n) => {
  let c = n
  for (let k = 0; k < 8; k++) c = c % 2 === 1 ? ((c >>> 1) ^ 0x82f63b78) >>> 0 : c >>> 1
  return c
})
function maskedChecksum(data: Uint8Array): number {
  let c = 0xffffffff
  for (const byte of data) c = (table[(c ^ byte) & 255]! ^ (c >>> 8)) >>> 0
  c = (c ^ 0xffffffff) >>> 0
  return ((((c << 17) >>> 0) + (c >>> 15) + 0xa282ead8) % 2 ** 32) >>> 0
}

/** The events of a file; an error if any byte is not as it should be. */
export function readEvents(file: Uint8Array): ReadEvent[] {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength)
  const events: ReadEvent[] = []
  for (let at = 0; at < file.length; ) {
    const length = Number(view.getBigUint64(at, true))
    if (view.getUint32(at + 8, true) !== maskedChecksum(file.subarray(at, at + 8))) throw new Error("length's checksum")
    const data = file.subarray(at + 12, at + 12 + length)
    if (view.getUint32(at + 12 + length, true) !== maskedChecksum(data)) throw new Error("data's checksum")
    events.push(event(data))
    at += length + 16
  }
  return events
}

type Field = { readonly field: number; readonly number: number; readonly data: Uint8Array }

/** The fields of a message in order: a number for those of fixed size, bytes for those with a length. */
function fields(message: Uint8Array): Field[] {
  const view = new DataView(message.buffer, message.byteOffset, message.byteLength)
  const found: Field[] = []
  let at = 0
  const varint = (): number => {
    let [value, scale] = [0, 1]
    for (;;) {
      const byte = message[at++]!
      value += (byte & 127) * scale
      if (byte < 128) return value
      scale *= 128
    }
  }
  while (at < message.length) {
    const key = varint()
    const [field, wire] = [key >>> 3, key & 7]
    const empty = new Uint8Array(0)
    if (wire === 0) found.push({ field, number: varint(), data: empty })
    else if (wire === 1) {
      found.push({ field, number: view.getFloat64(at, true), data: empty })
      at += 8
    } else if (wire === 5) {
      found.push({ field, number: view.getFloat32(at, true), data: empty })
      at += 4
    } else if (wire === 2) {
      const length = varint()
      found.push({ field, number: NaN, data: message.subarray(at, at + length) })
      at += length
    } else throw new Error(`wire type ${wire}`)
  }
  if (at !== message.length) throw new Error("a message that ends in a field")
  return found
}

const text = (data: Uint8Array): string => new TextDecoder("utf-8", { fatal: true }).decode(data)

function event(message: Uint8Array): ReadEvent {
  const all = fields(message)
  const version = all.find(({ field }) => field === 3)
  return {
    time: all.find(({ field }) => field === 1)!.number,
    step: all.find(({ field }) => field === 2)?.number ?? 0,
    version: version && text(version.data),
    values: all
      .filter(({ field }) => field === 5)
      .flatMap(({ data }) => fields(data).map((value) => summary(value.data))),
  }
}

function summary(message: Uint8Array): ReadEvent["values"][number] {
  const all = fields(message)
  const tag = text(all.find(({ field }) => field === 1)!.data)
  const simple = all.find(({ field }) => field === 2)
  if (simple !== undefined) return { tag, simple: simple.number }
  const histogram = fields(all.find(({ field }) => field === 5)!.data)
  const [min, max, count, sum, sumSquares] = [1, 2, 3, 4, 5].map(
    (n) => histogram.find(({ field }) => field === n)!.number,
  )
  const packed = (n: number): number[] => {
    const { data } = histogram.find(({ field }) => field === n)!
    const view = new DataView(data.buffer, data.byteOffset, data.byteLength)
    return Array.from({ length: data.length / 8 }, (_, i) => view.getFloat64(8 * i, true))
  }
  return {
    tag,
    histogram: {
      min: min!,
      max: max!,
      count: count!,
      sum: sum!,
      sumSquares: sumSquares!,
      limits: packed(6),
      counts: packed(7),
    },
  }
}
