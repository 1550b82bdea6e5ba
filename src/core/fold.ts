// The order in which long lists of float32 are summed: a function of their length alone. Knows no arrays.

/** The ways in which one axis is folded into one number. */
export type Fold = "sum" | "max" | "min"

/** What a fold of nothing gives. */
export const foldStart: { readonly [f in Fold]: number } = { sum: 0, max: -Infinity, min: Infinity }

/**
 * Elements in a chunk of a fold. The fold of x₀ … xₙ₋₁ is defined so: within each chunk of this length, four chains
 * take the elements r ≡ 0, 1, 2, 3 (mod 4) in order, each from {@link foldStart}; the chunk is (c₀ ∘ c₁) ∘ (c₂ ∘ c₃); the chunks are
 * folded in order, from {@link foldStart}. Every backend keeps to this, whatever its threads and vector width.
 */
export const FOLD_CHUNK = 1024

/** A fold of `n` values by the order that {@link FOLD_CHUNK} defines; `combine` rounds as its representation demands. */
export function foldInOrder(
  n: number,
  start: number,
  at: (r: number) => number,
  combine: (a: number, b: number) => number,
): number {
  let total = start
  for (let from = 0; from < n; from += FOLD_CHUNK) {
    const chains: [number, number, number, number] = [start, start, start, start]
    const to = Math.min(n, from + FOLD_CHUNK)
    for (let r = from; r < to; r++) {
      const c = (r & 3) as 0 | 1 | 2 | 3
      chains[c] = combine(chains[c], at(r))
    }
    total = combine(total, combine(combine(chains[0], chains[1]), combine(chains[2], chains[3])))
  }
  return total
}
