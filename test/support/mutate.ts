// Seeded damage to valid files, for fuzzing readers: the same seed gives the same mutants on every machine.

/** A small counter-based generator (splitmix32) of whole numbers from 0 to n − 1. */
export function generator(seed: number): (n: number) => number {
  let state = seed | 0
  return (n) => {
    state = (state + 0x9e3779b9) | 0
    let z = Math.imul(state ^ (state >>> 16), 0x21f0aaad)
    z = Math.imul(z ^ (z >>> 15), 0x735a2d97)
    return ((z ^ (z >>> 15)) >>> 0) % n
  }
}

const INTERESTING = [0, 1, 8, 0x1f, 0x20, 0x22, 0x2c, 0x2d, 0x39, 0x3a, 0x5b, 0x5c, 0x5d, 0x7b, 0x7d, 0x7f, 0x80, 0xff]

/** A copy of the file with one to four faults: bits, bytes, cuts, repeats, or a piece of another file. */
export function mutant(file: Uint8Array, other: Uint8Array, next: (n: number) => number): Uint8Array {
  let bytes: Uint8Array = file.slice()
  for (let i = next(4) + 1; i > 0; i--) {
    const at = next(bytes.length + 1)
    const to = at + next(Math.min(16, bytes.length - at + 1))
    const kind = next(6)
    const splice = (middle: Uint8Array, end: number): Uint8Array => {
      return new Uint8Array([...bytes.subarray(0, at), ...middle, ...bytes.subarray(end)])
    }
    if (kind === 0 && at < bytes.length) bytes[at] = bytes[at]! ^ (1 << next(8))
    else if (kind === 1 && at < bytes.length) bytes[at] = INTERESTING[next(INTERESTING.length)]!
    else if (kind === 2) bytes = splice(new Uint8Array(0), to)
    else if (kind === 3) bytes = splice(bytes.subarray(at, to), at)
    else if (kind === 4) bytes = bytes.slice(0, at)
    else bytes = splice(other.subarray(next(other.length + 1)).subarray(0, next(16)), to)
  }
  return bytes
}
