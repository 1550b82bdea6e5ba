// TensorBoard's event files as bytes: records framed as TFRecord does it, each one message of its protocol buffers
// (tensorflow/core/util/event.proto, framework/summary.proto). Knows no training and touches no files.

/** What a summary holds: a number, or the distribution of many. */
export type SummaryValue =
  | { readonly tag: string; readonly simple: number }
  | { readonly tag: string; readonly histogram: HistogramValue }

/** HistogramProto: `limits` are the upper ends of its intervals. */
export interface HistogramValue {
  readonly min: number
  readonly max: number
  readonly count: number
  readonly sum: number
  readonly sumSquares: number
  readonly limits: readonly number[]
  readonly counts: readonly number[]
}

/** The record with which every file begins; times are seconds since 1970. */
export function versionRecord(time: number): Uint8Array {
  return record([...double(1, time), ...bytes(3, text("brain.Event:2"))])
}

/** A record with some values of one step. */
export function summaryRecord(time: number, step: number, values: readonly SummaryValue[]): Uint8Array {
  const summary = values.flatMap((value) => {
    const held =
      "simple" in value
        ? [...key(2, 5), ...little(4, (view) => view.setFloat32(0, value.simple, true))]
        : histogram(value)
    return bytes(1, [...bytes(1, text(value.tag)), ...held])
  })
  return record([...double(1, time), ...key(2, 0), ...varint(step), ...bytes(5, summary)])
}

function histogram({ histogram: h }: { readonly histogram: HistogramValue }): number[] {
  const ends = [h.min, h.max, h.count, h.sum, h.sumSquares].flatMap((value, i) => double(i + 1, value))
  return bytes(5, [...ends, ...bytes(6, h.limits.flatMap(float64)), ...bytes(7, h.counts.flatMap(float64))])
}

/** Length (8 bytes), its checksum, the data, its checksum. */
function record(data: readonly number[]): Uint8Array {
  const out = new Uint8Array(data.length + 16)
  const view = new DataView(out.buffer)
  view.setUint32(0, data.length, true)
  view.setUint32(8, masked(out.subarray(0, 8)), true)
  out.set(data, 12)
  view.setUint32(12 + data.length, masked(out.subarray(12, 12 + data.length)), true)
  return out
}

/** CRC-32C (Castagnoli), reflected: polynomial 0x82f63b78. */
export function crc32c(data: Uint8Array): number {
  let crc = 0xffffffff
  for (const byte of data) {
    crc ^= byte
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0x82f63b78 : 0)
  }
  return ~crc >>> 0
}

/** A checksum that may stand among data of which checksums are made: turned by 15 bits, plus a constant. */
function masked(data: Uint8Array): number {
  const crc = crc32c(data)
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0
}

/** The beginning of a field: its number, and how it is written (0 varint, 1 eight bytes, 2 bytes with a length, 5 four bytes). */
function key(field: number, wire: 0 | 1 | 2 | 5): number[] {
  return varint(field * 8 + wire)
}

/** A whole number of at least 0, seven bits in a byte, the low ones first. */
function varint(n: number): number[] {
  const out: number[] = []
  let rest = n
  for (; rest >= 128; rest = Math.floor(rest / 128)) out.push((rest % 128) + 128)
  return [...out, rest]
}

function bytes(field: number, data: readonly number[]): number[] {
  return [...key(field, 2), ...varint(data.length), ...data]
}

function double(field: number, value: number): number[] {
  return [...key(field, 1), ...float64(value)]
}

function float64(value: number): number[] {
  return little(8, (view) => view.setFloat64(0, value, true))
}

function little(size: number, write: (view: DataView) => void): number[] {
  const out = new Uint8Array(size)
  write(new DataView(out.buffer))
  return [...out]
}

function text(value: string): number[] {
  return [...new TextEncoder().encode(value)]
}
