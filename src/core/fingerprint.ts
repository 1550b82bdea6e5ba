// A short text that tells bytes from damaged or other ones: the same on every machine. No defence against forgers, who could
// write it anew. Knows no file.

const ODD = 0x9e3779b1 | 0
const ODDER = 0x85ebca77 | 0

/**
 * 64 bits of the bytes as 16 hexadecimal digits. Every step can be undone for a given word, so that bytes that differ in one word of
 * four differ in both halves; others agree once in 2^64.
 */
export function fingerprint(bytes: Uint8Array): string {
  const words = Math.ceil(bytes.length / 4)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  let a = ODD ^ bytes.length
  let b = ODDER
  for (let i = 0; i < words; i++) {
    const word = 4 * i + 4 <= bytes.length ? view.getInt32(4 * i, true) : lastWord(bytes)
    a = (a + Math.imul(word, ODDER)) | 0
    a = Math.imul((a << 13) | (a >>> 19), ODD)
    b = Math.imul(b ^ word, ODD)
    b ^= b >>> 15
  }
  return hex(scattered(a)) + hex(scattered(b))
}

/** The bytes after the last whole word, filled up with zeros. */
function lastWord(bytes: Uint8Array): number {
  return bytes.subarray(bytes.length & ~3).reduceRight((word, byte) => (word << 8) | byte, 0)
}

/** Every bit of the word in every bit of the result. */
function scattered(word: number): number {
  let x = Math.imul(word ^ (word >>> 16), ODDER)
  x = Math.imul(x ^ (x >>> 13), ODD)
  return x ^ (x >>> 16)
}

const hex = (word: number): string => (word >>> 0).toString(16).padStart(8, "0")
