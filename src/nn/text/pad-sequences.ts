// Sequences of unequal lengths as one tensor. Knows no text.

import { dataError, show } from "../../core/errors.ts"
import type { Tensor } from "../../core/tensor.ts"
import { finiteNumber, maybeNull, oneOf, optional, positiveInteger, readOptions } from "../options.ts"

/** The options of {@link padSequences}. */
export interface PadSequencesOptions {
  /** The length of all rows; null: that of the longest sequence (default null). */
  readonly maxlen?: number | null
  /** The type of the numbers (default int32). */
  readonly dtype?: "int32" | "float32"
  /** Where short sequences are filled up: before or after them (default pre). */
  readonly padding?: "pre" | "post"
  /** Where long ones are cut: at the beginning or at the end (default pre). */
  readonly truncating?: "pre" | "post"
  /** What they are filled up with (default 0). */
  readonly value?: number
}

/**
 * Sequences of numbers as rows of one length, `-> [sequences, maxlen]`. Throws E_DATA for what are no sequences of numbers and for
 * numbers that the type cannot hold, E_CONFIG for a wrong option. Keras: pad_sequences.
 * @example
 * ```ts
 * import { padSequences } from "trilobite"
 * padSequences([[1], [2, 3], [4, 5, 6]]).data // => [0, 0, 1, 0, 2, 3, 4, 5, 6]
 * padSequences([[1], [2, 3, 4]], { maxlen: 2, padding: "post" }).data // => [1, 0, 3, 4]
 * ```
 */
export function padSequences(sequences: readonly ArrayLike<number>[], options: PadSequencesOptions = {}): Tensor {
  const { maxlen, dtype, padding, truncating, value } = readOptions<Required<PadSequencesOptions>>(
    "padSequences",
    {
      maxlen: optional(maybeNull(positiveInteger()), null),
      dtype: optional(oneOf("dtype", ["int32", "float32"]), "int32"),
      padding: optional(oneOf("padding", ["pre", "post"]), "pre"),
      truncating: optional(oneOf("truncating", ["pre", "post"]), "pre"),
      value: optional(finiteNumber(), 0),
    },
    options,
  )
  if (!Array.isArray(sequences) || sequences.length === 0) {
    const expected = "a list of at least one sequence of numbers"
    throw dataError({ where: "padSequences", what: "these are no sequences.", expected, got: show(sequences) })
  }
  const width = maxlen ?? sequences.reduce((most, sequence) => Math.max(most, lengthOf(sequence)), 1)
  const data = dtype === "int32" ? new Int32Array(sequences.length * width) : new Float32Array(sequences.length * width)
  const put = (at: number, number: unknown, where: string): void => {
    data[at] = number as number
    if (typeof number === "number" && (dtype === "float32" || data[at] === number)) return
    const hint = typeof number === "number" ? { hint: 'Give dtype: "float32" for numbers that are not whole.' } : {}
    throw dataError({ where, what: `this is no ${dtype} number.`, got: show(number), ...hint })
  }
  if (value !== 0) for (const at of data.keys()) put(at, value, "padSequences.value")
  for (const [row, sequence] of sequences.entries()) {
    const length = lengthOf(sequence)
    const kept = Math.min(length, width)
    const from = truncating === "pre" ? length - kept : 0
    const at = row * width + (padding === "pre" ? width - kept : 0)
    for (let i = 0; i < kept; i++) put(at + i, sequence[from + i], `sequences[${row}][${from + i}]`)
  }
  return { dtype, shape: [sequences.length, width], data }
}

function lengthOf(sequence: unknown): number {
  if (Array.isArray(sequence) || (ArrayBuffer.isView(sequence) && "length" in sequence))
    return sequence.length as number
  throw dataError({ where: "padSequences", what: "this is no sequence.", expected: "numbers", got: show(sequence) })
}
