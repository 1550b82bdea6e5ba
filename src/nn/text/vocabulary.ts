// Words and their numbers: learnt from counts, or given. Knows no text and no options.

import { configError, dataError, show } from "../../core/errors.ts"
import { log64 } from "../../core/math64.ts"
import type { Tensor } from "../../core/tensor.ts"

/** What a vocabulary makes of tokens: their numbers, or for each word whether it is there, how often, or that times its weight. */
export type OutputMode = "int" | "multiHot" | "count" | "tfIdf"

/** How tokens that are no words are numbered: before the words stand first the mask, then the unknown. */
export interface Special {
  /** The token of places that hold nothing; null: there is none. */
  readonly mask: string | null
  /** The token of unknown words; null: they are an error. */
  readonly unknown: string | null
}

/** Words in the order of their numbers, without the special tokens, and what each counts in tfIdf. */
export interface Words {
  readonly words: readonly string[]
  readonly weights: readonly number[] | null
}

/** Numbers of tokens. */
export interface Vocabulary extends Words {
  /** The special tokens, then the words. */
  readonly all: readonly string[]
  /** The number of a token; undefined for an unknown one if there is no number for these. */
  numberOf(token: string): number | undefined
}

/** How often tokens are in some documents, and in how many. */
export interface Counts {
  readonly documents: number
  readonly tokens: ReadonlyMap<string, { readonly count: number; readonly documents: number }>
}

/** Counts the tokens of documents. */
export function countTokens(documents: Iterable<readonly string[]>): Counts {
  const tokens = new Map<string, { count: number; documents: number; last: number }>()
  let n = 0
  for (const document of documents) {
    n++
    for (const token of document) {
      const known = tokens.get(token)
      if (known === undefined) tokens.set(token, { count: 1, documents: 1, last: n })
      else {
        known.count++
        if (known.last !== n) {
          known.documents++
          known.last = n
        }
      }
    }
  }
  return { documents: n, tokens }
}

/** By code points, as UTF-8 sorts; JavaScript's < compares halves of those above U+FFFF. */
function compare(a: string, b: string): number {
  const n = Math.min(a.length, b.length)
  for (let i = 0; i < n; i++) {
    const [x, y] = [a.charCodeAt(i), b.charCodeAt(i)]
    if (x === y) continue
    const surrogate = (c: number): boolean => c >= 0xd800 && c <= 0xdfff
    return surrogate(x) === surrogate(y) ? x - y : surrogate(x) ? 1 : -1
  }
  return a.length - b.length
}

/**
 * The words of some counts, the frequent ones first, of equally frequent ones the last by code points: at most `most` of them. A
 * word in d of n documents weighs ln(1 + n / (1 + d)).
 */
export function learnWords({ documents, tokens }: Counts, most: number, { mask, unknown }: Special): Words {
  const sorted = [...tokens]
    .filter(([token]) => token !== mask && token !== unknown)
    .sort(([a, x], [b, y]) => y.count - x.count || compare(b, a))
    .slice(0, most)
  return {
    words: sorted.map(([token]) => token),
    weights: sorted.map(([, known]) => log64(1 + documents / (1 + known.documents))),
  }
}

/**
 * Words as they are given, with or without the special tokens at their head. Throws E_CONFIG for what is no list of different
 * texts, for special tokens elsewhere, and for weights that are not one for each word.
 */
export function readWords(where: string, given: unknown, weights: unknown, special: Special): Words {
  if (!Array.isArray(given) || !given.every((word) => typeof word === "string")) {
    throw configError({ where, what: "this is no vocabulary.", expected: "a list of texts", got: show(given) })
  }
  const specials = [special.mask, special.unknown].filter((token) => token !== null)
  const headed = specials.length > 0 && specials.every((token, i) => given[i] === token)
  const words: readonly string[] = headed ? given.slice(specials.length) : given
  const seen = new Set<string>(specials)
  for (const word of words) {
    if (seen.has(word)) {
      const what = specials.includes(word) ? "a special token stands among the words." : "a word is there twice."
      throw configError({ where, what, got: show(word) })
    }
    seen.add(word)
  }
  if (weights === null || weights === undefined) return { words, weights: null }
  const list = ArrayBuffer.isView(weights) ? [...(weights as Float64Array)] : weights
  const known = Array.isArray(list) && list.every(Number.isFinite) ? (list as number[]) : undefined
  const own = headed && known?.length === given.length ? known.slice(specials.length) : known
  if (own?.length === words.length) return { words, weights: own }
  const expected = `${words.length} finite numbers, one for each word`
  throw configError({ where: "idfWeights", what: "these are no weights.", expected, got: show(weights) })
}

/** The words with their numbers. */
export function vocabularyOf({ words, weights }: Words, { mask, unknown }: Special): Vocabulary {
  const all = [...(mask === null ? [] : [mask]), ...(unknown === null ? [] : [unknown]), ...words]
  const numbers = new Map(all.map((word, i) => [word, i]))
  const other = unknown === null ? undefined : numbers.get(unknown)
  return { words, weights, all, numberOf: (token) => numbers.get(token) ?? other }
}

/**
 * Documents as rows of the vocabulary's size (or `width`): 1 for each word that is there, or how often it is there, in tfIdf
 * times its weight; unknown words weigh as much as words do on average. `[documents, width]`.
 */
export function bagsOf(
  mode: Exclude<OutputMode, "int">,
  documents: readonly (readonly number[])[],
  { all, words, weights }: Vocabulary,
  width: number = all.length,
): Tensor {
  if (mode === "tfIdf" && weights === null) {
    const hint = "Call adapt, or give idfWeights with the vocabulary."
    throw dataError({ where: "tfIdf", what: "the vocabulary has no weights.", hint })
  }
  const special = all.length - words.length
  const mean = weights === null ? 1 : weights.reduce((a, b) => a + b, 0) / Math.max(1, weights.length)
  const weightOf = (number: number): number => (number < special ? mean : weights![number - special]!)
  const data = new Float32Array(documents.length * width)
  for (const [row, numbers] of documents.entries()) {
    for (const number of numbers) data[row * width + number]! += 1
    if (mode === "count") continue
    for (const number of new Set(numbers)) {
      const at = row * width + number
      data[at] = mode === "multiHot" ? 1 : data[at]! * weightOf(number)
    }
  }
  return { dtype: "float32", shape: [documents.length, width], data }
}
