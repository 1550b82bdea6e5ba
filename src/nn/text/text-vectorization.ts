// Texts as numbers: standardized, split into tokens, looked up in a vocabulary. On the host: texts never enter a program.

import { configError, dataError, show } from "../../core/errors.ts"
import type { Tensor } from "../../core/tensor.ts"
import {
  flag,
  type Kind,
  maybeNull,
  type OptionsOf,
  oneOf,
  optional,
  positiveInteger,
  readOptions,
  that,
} from "../options.ts"
import { padSequences } from "./pad-sequences.ts"
import { bagsOf, countTokens, learnWords, type OutputMode, readWords, type Special, type Vocabulary, vocabularyOf } from "./vocabulary.ts" // biome-ignore format: one line

/** What is done to a text before it is split. */
export type Standardize = "lowerAndStripPunctuation" | "lower" | "stripPunctuation"

/** The options of {@link textVectorization}. */
export interface TextVectorizationOptions {
  /** The most numbers that the vocabulary may have, with those of padding and of unknown words; null: no limit (default null). */
  readonly maxTokens?: number | null
  /** What is done to a text before it is split; null: nothing (default lowerAndStripPunctuation). Punctuation is that of ASCII. */
  readonly standardize?: Standardize | null
  /** What tokens are: words between white space, or characters (code points); null: the whole text is one (default whitespace). */
  readonly split?: "whitespace" | "character" | null
  /** Neighbouring tokens as tokens too: n for runs of 1 to n, a list for runs of those lengths; null: none (default null). */
  readonly ngrams?: number | readonly number[] | null
  /** What is made of a text: numbers of its tokens, or a row over the vocabulary (default int). */
  readonly outputMode?: OutputMode
  /** The length of the rows of numbers; null: that of the longest text of the call (default null). Only for int. */
  readonly outputSequenceLength?: number | null
  /** Whether rows over the vocabulary have maxTokens numbers, however many words there are (default false). */
  readonly padToMaxTokens?: boolean
  /** The words, from the first number on, with or without the special tokens at their head; null: `adapt` learns them (default null). */
  readonly vocabulary?: readonly string[] | null
  /** What each word counts in tfIdf; given with the vocabulary (default null). */
  readonly idfWeights?: readonly number[] | null
}

/** The options as plain JSON, with what has been learnt: `textVectorization(config)` is the same again. */
export type TextVectorizationConfig = Required<TextVectorizationOptions>

/** Makes numbers of texts. */
export interface TextVectorization {
  readonly type: "TextVectorization"
  readonly config: TextVectorizationConfig
  /** Learns the vocabulary of these texts, and forgets the one before. Throws E_DATA for what are no texts. */
  adapt(texts: Iterable<string>): void
  /** The tokens of a text. */
  tokenize(text: string): string[]
  /** Numbers of texts: `[texts, longest]` int32, or `[texts, vocabulary]` float32. Throws E_DATA for no texts, or no vocabulary. */
  vectorize(texts: readonly string[]): Tensor
  /** The tokens in the order of their numbers: `""` of padding (int only) and `"[UNK]"` of unknown words first, unless left out. */
  getVocabulary(includeSpecialTokens?: boolean): string[]
  /** Sets the words, and what they count in tfIdf. Throws E_CONFIG if they are none, or too many. */
  setVocabulary(vocabulary: readonly string[], idfWeights?: readonly number[] | null): void
  /** How many numbers there are: what `inputDim` of an embedding has to be. */
  vocabularySize(): number
}

const runs: Kind<number | readonly number[]> = that(
  "a whole number of at least 1, or a list of them",
  (value): value is number | readonly number[] =>
    [value].flat().length > 0 && [value].flat().every((n) => Number.isSafeInteger(n) && (n as number) >= 1),
)
const isList = (value: unknown): value is readonly never[] => Array.isArray(value)
const list = that("a list", isList)

const table: OptionsOf<TextVectorizationConfig> = {
  maxTokens: optional(maybeNull(positiveInteger()), null),
  standardize: optional(
    maybeNull(oneOf("standardize", ["lowerAndStripPunctuation", "lower", "stripPunctuation"])),
    "lowerAndStripPunctuation",
  ),
  split: optional(maybeNull(oneOf("split", ["whitespace", "character"])), "whitespace"),
  ngrams: optional(maybeNull(runs), null),
  outputMode: optional(oneOf("output mode", ["int", "multiHot", "count", "tfIdf"]), "int"),
  outputSequenceLength: optional(maybeNull(positiveInteger()), null),
  padToMaxTokens: optional(flag(), false),
  vocabulary: optional(maybeNull(list), null),
  idfWeights: optional(maybeNull(list), null),
}

const PUNCTUATION = /[!"#$%&()*+,\-./:;<=>?@[\\\]^_`{|}~']/g

/**
 * Texts as numbers for a model. In int mode number 0 is padding and 1 unknown words, and words follow from 2 on, the frequent
 * ones first; otherwise rows begin with the unknown. It stands beside the model: `config` is plain JSON with the vocabulary.
 * Throws E_CONFIG for wrong options. Keras: TextVectorization.
 * @example
 * ```ts
 * import { textVectorization } from "trilobite"
 * const texts = textVectorization({ outputSequenceLength: 4 })
 * texts.adapt(["The cat sat.", "The dog!"])
 * texts.getVocabulary() // => ["", "[UNK]", "the", "sat", "dog", "cat"]
 * texts.vectorize(["The cat ran"]).data // => [2, 5, 1, 0]
 * textVectorization(JSON.parse(JSON.stringify(texts.config))).vocabularySize() // => 6
 * ```
 */
export function textVectorization(options: TextVectorizationOptions = {}): TextVectorization {
  const config = readOptions<TextVectorizationConfig>("textVectorization", table, options)
  const { maxTokens, outputMode, outputSequenceLength, padToMaxTokens } = config
  const special: Special = { mask: outputMode === "int" ? "" : null, unknown: "[UNK]" }
  const specials = outputMode === "int" ? 2 : 1
  checkTogether(config, specials)
  const tokenize = tokenizer(config)
  let vocabulary: Vocabulary | undefined
  const set = (words: unknown, weights: unknown): void => {
    const read = readWords("vocabulary", words, weights, special)
    if (maxTokens !== null && read.words.length + specials > maxTokens) {
      const expected = `at most ${maxTokens - specials} words and ${specials} special tokens`
      throw configError({ where: "vocabulary", what: "it is longer than maxTokens.", expected, got: `${read.words.length}` }) // biome-ignore format: one line
    }
    vocabulary = vocabularyOf(read, special)
  }
  if (config.vocabulary !== null) set(config.vocabulary, config.idfWeights)
  else if (config.idfWeights !== null) {
    throw configError({
      where: "idfWeights",
      what: "there are weights without words.",
      hint: "Give the vocabulary too.",
    })
  }
  const known = (): Vocabulary => {
    if (vocabulary !== undefined) return vocabulary
    const hint = "Call adapt with texts, or give the vocabulary."
    throw dataError({ where: "textVectorization", what: "there is no vocabulary yet.", hint })
  }
  return {
    type: "TextVectorization",
    get config() {
      return { ...config, vocabulary: vocabulary?.words ?? null, idfWeights: vocabulary?.weights ?? null }
    },
    adapt: (texts) => {
      const tokens = function* (): Generator<string[]> {
        let row = 0
        for (const text of checkTexts(texts)) yield tokenize(checkText(text, row++))
      }
      const words = learnWords(countTokens(tokens()), maxTokens === null ? Infinity : maxTokens - specials, special)
      vocabulary = vocabularyOf(outputMode === "tfIdf" ? words : { ...words, weights: null }, special)
    },
    tokenize: (text) => tokenize(checkText(text, 0)),
    vectorize: (texts) => {
      const words = known()
      const rows = Array.from(checkTexts(texts), (text, row) =>
        tokenize(checkText(text, row)).map((token) => words.numberOf(token)!),
      )
      if (rows.length === 0) throw dataError({ where: "texts", what: "there is none." })
      if (outputMode !== "int") return bagsOf(outputMode, rows, words, padToMaxTokens ? maxTokens! : undefined)
      return padSequences(rows, { maxlen: outputSequenceLength, padding: "post", truncating: "post" })
    },
    getVocabulary: (includeSpecialTokens = true) => [...(includeSpecialTokens ? known().all : known().words)],
    setVocabulary: (words, weights = null) => set(words, weights),
    vocabularySize: () => (outputMode !== "int" && padToMaxTokens ? maxTokens! : known().all.length),
  }
}

/** Throws E_CONFIG for options that exclude each other. */
function checkTogether(config: TextVectorizationConfig, specials: number): void {
  const { maxTokens, outputMode, outputSequenceLength, padToMaxTokens } = config
  if (outputSequenceLength !== null && outputMode !== "int") {
    throw configError({ where: "outputSequenceLength", what: `rows of ${outputMode} have the vocabulary's length.` })
  }
  if (padToMaxTokens && maxTokens === null) {
    throw configError({
      where: "padToMaxTokens",
      what: "it needs maxTokens.",
      hint: "Give maxTokens, or leave it out.",
    })
  }
  if (maxTokens !== null && maxTokens <= specials) {
    const expected = `more than the ${specials} special tokens`
    throw configError({ where: "maxTokens", what: "there is no room for words.", expected, got: `${maxTokens}` })
  }
}

/** Text to tokens, by the options. */
function tokenizer({ standardize, split, ngrams }: TextVectorizationConfig): (text: string) => string[] {
  const lower = standardize === "lower" || standardize === "lowerAndStripPunctuation"
  const strip = standardize === "stripPunctuation" || standardize === "lowerAndStripPunctuation"
  const lengths = typeof ngrams === "number" ? Array.from({ length: ngrams }, (_, i) => i + 1) : ngrams
  return (text) => {
    const cased = lower ? text.toLowerCase() : text
    const plain = strip ? cased.replace(PUNCTUATION, "") : cased
    const tokens =
      split === "whitespace" ? plain.split(/\s+/).filter((word) => word !== "") : split === null ? [plain] : [...plain]
    if (lengths === null) return tokens
    return lengths.flatMap((n) =>
      Array.from({ length: Math.max(0, tokens.length - n + 1) }, (_, i) => tokens.slice(i, i + n).join(" ")),
    )
  }
}

function checkTexts(texts: Iterable<string>): Iterable<string> {
  if (typeof texts === "object" && texts !== null && Symbol.iterator in texts) return texts
  const hint = typeof texts === "string" ? { hint: "Give one text as a list of one." } : {}
  throw dataError({
    where: "texts",
    what: "these are no texts.",
    expected: "a list of texts",
    got: show(texts),
    ...hint,
  })
}

function checkText(text: unknown, row: number): string {
  if (typeof text === "string") return text
  throw dataError({ where: `texts[${row}]`, what: "this is no text.", got: show(text) })
}
