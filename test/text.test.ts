// Texts as numbers: Keras's rules by examples, and properties of any texts.
import fc from "fast-check"
import { describe, expect, test } from "vitest"
import {
  dense,
  embedding,
  globalAveragePooling1D,
  padSequences,
  sequential,
  type TextVectorizationOptions,
  textVectorization,
} from "../src/index.ts"

const rows = ({ data, shape }: { data: ArrayLike<number>; shape: readonly number[] }): number[][] =>
  Array.from({ length: shape[0]! }, (_, r) => Array.from({ length: shape[1]! }, (_, i) => data[r * shape[1]! + i]!))

const TEXTS = ["The cat sat; the cat ran.", "A dog ran!", "the end"]

describe("textVectorization", () => {
  const adapted = (options: TextVectorizationOptions = {}): ReturnType<typeof textVectorization> => {
    const made = textVectorization(options)
    made.adapt(TEXTS)
    return made
  }

  test("words by how frequent they are, equal ones from the last on, after padding and the unknown", () => {
    const texts = adapted()
    expect(texts.getVocabulary()).toEqual(["", "[UNK]", "the", "ran", "cat", "sat", "end", "dog", "a"])
    expect(texts.getVocabulary(false)[0]).toBe("the")
    expect(texts.vocabularySize()).toBe(9)
    const made = texts.vectorize(["the cat, the bird", "", "Dog"])
    expect(made.dtype).toBe("int32")
    expect(rows(made)).toEqual([[2, 4, 2, 1], [0, 0, 0, 0], [7, 0, 0, 0]]) // biome-ignore format: rows
  })

  test("no more than maxTokens, special ones counted", () => {
    expect(adapted({ maxTokens: 4 }).getVocabulary()).toEqual(["", "[UNK]", "the", "ran"])
    expect(adapted({ maxTokens: 4, outputMode: "count" }).getVocabulary()).toEqual(["[UNK]", "the", "ran", "cat"])
  })

  test("rows are cut and filled at their end", () => {
    const texts = adapted({ outputSequenceLength: 3 })
    expect(rows(texts.vectorize(["the", "the cat sat ran"]))).toEqual([[2, 0, 0], [2, 4, 5]]) // biome-ignore format: rows
  })

  test.each([
    ["lowerAndStripPunctuation", "Don't STOP-me, 3.5€ «ÉTÉ»", ["dont", "stopme", "35€", "«été»"]],
    ["lower", "Don't STOP", ["don't", "stop"]],
    ["stripPunctuation", "Don't _STOP_", ["Dont", "STOP"]],
    [null, "Don't  STOP\n", ["Don't", "STOP"]],
  ] as const)("standardize: %s", (standardize, text, tokens) => {
    expect(textVectorization({ standardize }).tokenize(text)).toEqual(tokens)
  })

  test("splits into characters, not into halves of them, or not at all; and into runs", () => {
    expect(textVectorization({ split: "character" }).tokenize("Aé😀")).toEqual(["a", "é", "😀"])
    expect(textVectorization({ split: null }).tokenize("New York!")).toEqual(["new york"])
    expect(textVectorization({ ngrams: 2 }).tokenize("a b c")).toEqual(["a", "b", "c", "a b", "b c"])
    expect(textVectorization({ ngrams: [3, 1] }).tokenize("a b c")).toEqual(["a b c", "a", "b", "c"])
    expect(textVectorization({ ngrams: [2] }).tokenize("a")).toEqual([])
    expect(textVectorization({ standardize: "lower_and_strip_punctuation" as "lower" }).config.standardize).toBe(
      "lowerAndStripPunctuation",
    )
  })

  test("rows over the vocabulary: whether, how often, and how telling", () => {
    const of = (options: TextVectorizationOptions): number[] =>
      rows(adapted({ maxTokens: 4, ...options }).vectorize(["the cat the bird the"]))[0]!
    expect(of({ outputMode: "multiHot" })).toEqual([1, 1, 0, 1])
    expect(of({ outputMode: "count" })).toEqual([1, 3, 0, 1])
    // Three documents; "the" and "ran" are in two of them, "cat" in one.
    const [two, one] = [Math.log(1 + 3 / 3), Math.log(1 + 3 / 2)]
    const found = of({ outputMode: "tfIdf" })
    for (const [i, value] of [(2 * two + one) / 3, 3 * two, 0, one].entries()) expect(found[i]).toBeCloseTo(value, 6)
    const padded = adapted({ maxTokens: 20, outputMode: "count", padToMaxTokens: true })
    expect(padded.vectorize(["the"]).shape).toEqual([1, 20])
    expect(padded.vocabularySize()).toBe(20)
  })

  test("a vocabulary may be given, with the special tokens or without, and set", () => {
    const given = textVectorization({ vocabulary: ["b", "a"] })
    expect(rows(given.vectorize(["a b c"]))).toEqual([[3, 2, 1]])
    given.setVocabulary(["", "[UNK]", "c"])
    expect(rows(given.vectorize(["a b c"]))).toEqual([[1, 1, 2]])
    const weighted = textVectorization({ vocabulary: ["b", "a"], idfWeights: [2, 4], outputMode: "tfIdf" })
    expect(rows(weighted.vectorize(["a a b c"]))).toEqual([[3, 2, 8]])
    weighted.setVocabulary(["[UNK]", "x"], [9, 0.5])
    expect(rows(weighted.vectorize(["x y"]))).toEqual([[0.5, 0.5]])
  })

  test("is the same from its config as plain JSON", () => {
    for (const outputMode of ["int", "multiHot", "count", "tfIdf"] as const) {
      const texts = adapted({ outputMode, ngrams: 2 })
      const again = textVectorization(JSON.parse(JSON.stringify(texts.config)))
      expect(again.vectorize(TEXTS)).toEqual(texts.vectorize(TEXTS))
      expect(again.config).toEqual(texts.config)
    }
  })

  test("adapting again forgets what was there", () => {
    const texts = adapted()
    texts.adapt(new Set(["only this"]))
    expect(texts.getVocabulary(false)).toEqual(["this", "only"])
  })

  test.each<[string, () => unknown, RegExp]>([
    ["no vocabulary", () => textVectorization().vectorize(["a"]), /no vocabulary yet.*adapt/],
    ["no texts", () => textVectorization({ vocabulary: ["a"] }).vectorize([]), /there is none/],
    ["one text", () => textVectorization().adapt("text" as unknown as string[]), /these are no texts.*list of one/],
    ["a number", () => textVectorization().adapt(["a", 3 as unknown as string]), /texts\[1\]: this is no text/],
    ["a word twice", () => textVectorization({ vocabulary: ["a", "a"] }), /a word is there twice/],
    ["[UNK] inside", () => textVectorization({ vocabulary: ["a", "[UNK]"] }), /special token/],
    ["too many words", () => textVectorization({ maxTokens: 3, vocabulary: ["a", "b"] }), /longer than maxTokens/],
    ["no room", () => textVectorization({ maxTokens: 2 }), /no room for words/],
    ["weights alone", () => textVectorization({ idfWeights: [1] }), /weights without words/],
    ["wrong weights", () => textVectorization({ vocabulary: ["a"], idfWeights: [1, 2, 3] }), /one for each word/],
    [
      "no weights",
      () => textVectorization({ vocabulary: ["a"], outputMode: "tfIdf" }).vectorize(["a"]),
      /has no weights/,
    ],
    [
      "length of counts",
      () => textVectorization({ outputMode: "count", outputSequenceLength: 3 }),
      /vocabulary's length/,
    ],
    ["no maxTokens", () => textVectorization({ outputMode: "count", padToMaxTokens: true }), /needs maxTokens/],
    ["no option", () => textVectorization({ ngram: 2 } as object), /Did you mean "ngrams"/],
    ["no mode", () => textVectorization({ outputMode: "binary" as "int" }), /output mode/],
  ])("refuses %s", (_, act, message) => {
    expect(act).toThrow(message)
  })

  test("any texts: numbers below the size, lengths of the tokens, words found again", () => {
    const text = fc.string({ unit: "grapheme", maxLength: 30 })
    fc.assert(
      fc.property(
        fc.array(text, { minLength: 1, maxLength: 8 }),
        fc.constantFrom("whitespace", "character", null),
        fc.constantFrom("lower", "lowerAndStripPunctuation", "stripPunctuation", null),
        fc.constantFrom(null, 5, 9),
        (texts, split, standardize, maxTokens) => {
          const made = textVectorization({ split, standardize, maxTokens })
          made.adapt(texts)
          const vocabulary = made.getVocabulary()
          expect(new Set(vocabulary).size).toBe(vocabulary.length)
          expect(vocabulary.length).toBeLessThanOrEqual(maxTokens ?? Infinity)
          const numbers = rows(made.vectorize(texts))
          for (const [r, given] of texts.entries()) {
            const tokens = made.tokenize(given)
            expect(numbers[r]!.slice(tokens.length).every((n) => n === 0)).toBe(true)
            for (const [i, token] of tokens.entries()) {
              const at = vocabulary.indexOf(token)
              expect(numbers[r]![i]).toBe(at < 0 ? 1 : at)
              if (maxTokens === null) expect(at).toBeGreaterThanOrEqual(0)
            }
          }
          const counts = textVectorization({ split, standardize, outputMode: "count" })
          counts.adapt(texts)
          for (const [r, row] of rows(counts.vectorize(texts)).entries()) {
            expect(row.reduce((a, b) => a + b)).toBe(made.tokenize(texts[r]!).length)
          }
        },
      ),
    )
  })

  test("a megabyte in a second", () => {
    const words = Array.from({ length: 5000 }, (_, i) => `word${(i * 7919) % 5000}`)
    const texts = Array.from({ length: 2000 }, (_, r) => Array.from({ length: 60 }, (_, i) => words[(r * 31 + i * i) % 5000]).join(" ")) // biome-ignore format: one line
    expect(texts.join("").length).toBeGreaterThan(1e6)
    const made = textVectorization()
    const start = performance.now()
    made.adapt(texts)
    made.vectorize(texts)
    expect(performance.now() - start).toBeLessThan(2000)
  })

  test("feeds an embedding, whose padding does not count", async () => {
    const texts = textVectorization({ outputSequenceLength: 6 })
    const given = ["good film", "very good", "a bad film", "bad bad film, very bad"]
    texts.adapt(given)
    const size = texts.vocabularySize()
    const layers = [
      embedding({ inputDim: size, outputDim: 4, maskZero: true, inputShape: [6] }),
      globalAveragePooling1D(),
      dense({ units: 1, activation: "sigmoid" }),
    ]
    const model = sequential(layers, { seed: 1 })
    model.compile({ loss: "binaryCrossentropy", optimizer: "adam", metrics: ["binaryAccuracy"] })
    await model.fit(texts.vectorize(given), [1, 1, 0, 0], { epochs: 200, batchSize: 4, verbose: 0 })
    expect((await model.evaluate(texts.vectorize(given), [1, 1, 0, 0])).binaryAccuracy).toBe(1)
  })
})

describe("padSequences", () => {
  test("Keras's defaults: filled and cut at the beginning", () => {
    const given = [[1], [2, 3], [4, 5, 6]]
    expect(rows(padSequences(given))).toEqual([[0, 0, 1], [0, 2, 3], [4, 5, 6]]) // biome-ignore format: rows
    expect(rows(padSequences(given, { maxlen: 2 }))).toEqual([[0, 1], [2, 3], [5, 6]]) // biome-ignore format: rows
    const post = padSequences(given, { maxlen: 2, padding: "post", truncating: "post", value: -1, dtype: "float32" })
    expect(rows(post)).toEqual([[1, -1], [2, 3], [4, 5]]) // biome-ignore format: rows
    expect(post.dtype).toBe("float32")
    expect(rows(padSequences([[], new Int32Array([7])]))).toEqual([[0], [7]])
  })

  test.each<[string, () => unknown, RegExp]>([
    ["nothing", () => padSequences([]), /no sequences/],
    ["a number", () => padSequences([1 as unknown as number[]]), /no sequence/],
    ["fractions", () => padSequences([[0.5]]), /sequences\[0\]\[0\].*float32/],
    ["a fraction to fill with", () => padSequences([[1]], { value: 0.5 }), /padSequences.value/],
    ["texts", () => padSequences([["a" as unknown as number]]), /no int32 number/],
    ["no side", () => padSequences([[1]], { padding: "left" as "pre" }), /padding/],
  ])("refuses %s", (_, act, message) => {
    expect(act).toThrow(message)
  })

  test("any sequences: what is kept is a run of them at the right end", () => {
    fc.assert(
      fc.property(
        fc.array(fc.array(fc.integer({ min: 1, max: 99 }), { maxLength: 9 }), { minLength: 1, maxLength: 6 }),
        fc.option(fc.integer({ min: 1, max: 9 })),
        fc.constantFrom("pre" as const, "post" as const),
        fc.constantFrom("pre" as const, "post" as const),
        (sequences, maxlen, padding, truncating) => {
          const width = maxlen ?? Math.max(1, ...sequences.map(({ length }) => length))
          const found = rows(padSequences(sequences, { maxlen, padding, truncating }))
          const wanted = sequences.map((s) => {
            const kept = s.length <= width ? s : truncating === "pre" ? s.slice(-width) : s.slice(0, width)
            const fill = Array<number>(width - kept.length).fill(0)
            return padding === "pre" ? [...fill, ...kept] : [...kept, ...fill]
          })
          expect(found).toEqual(wanted)
        },
      ),
    )
  })
})
