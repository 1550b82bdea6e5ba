// The chapter's batch size for a model, by the memory that its compiled program takes. Knows of a model only that; trains nothing.

import { type BatchSeen, type BatchStanding, decideBatchSize } from "../coach/procedures.ts"
import { checkKeys, configError, show } from "../core/errors.ts"

/** What is asked of a model: `Model.inspect`. */
export interface Inspected {
  inspect(options: { readonly batchSize: number }): Promise<{ readonly bytes: number }>
}

/** The options of {@link chooseBatchSize}. */
export interface BatchSizeOptions {
  /** Rows of training data: no batch is larger (default: no bound). */
  readonly rows?: number
  /** Bytes that the program may take (default 1 GiB; WebAssembly has 4). */
  readonly memory?: number
  /** Where it begins (default 32). */
  readonly from?: number
  /** The most that is tried (default 128: the chapter's limit). */
  readonly most?: number
  /** How long a row takes with a batch size, in seconds, measured by the caller: only with it larger ones than `from` are tried. */
  readonly secondsPerRow?: (batchSize: number) => number | Promise<number>
}

const GIB = 1_073_741_824

/**
 * The batch size by the chapter's rule: begin with 32; does it not fit the memory, halve it; is it slow and there is room, double it, not
 * beyond 128. How much memory it takes is known of the compiled program before anything is trained: values, gradients, what the optimizer
 * keeps; the rows of the data come on top of that whatever the size.
 * @returns the decision; its value is null if not even one row fits
 * @throws E_CONFIG for wrong options, and for a model that is not compiled.
 * @example
 * ```ts
 * import { dense, sequential } from "trilobite"
 * import { chooseBatchSize } from "trilobite/tune"
 * const model = sequential([dense({ units: 1000, inputShape: [100] }), dense({ units: 1 })])
 * model.compile({ loss: "mse", optimizer: "sgd" })
 * const { value } = await chooseBatchSize(model)
 * value // => 32
 * const small = await chooseBatchSize(model, { memory: 600_000 })
 * small.value! < 32 // => true
 * ```
 */
export async function chooseBatchSize(
  model: Inspected,
  given: BatchSizeOptions = {},
): Promise<NonNullable<BatchStanding["decision"]>> {
  const where = "chooseBatchSize"
  checkKeys(where, given, ["rows", "memory", "from", "most", "secondsPerRow"])
  const { rows = Number.MAX_SAFE_INTEGER, memory = GIB, from = 32, most = 128, secondsPerRow } = given
  for (const [name, value] of Object.entries({ rows, memory, from, most })) {
    if (Number.isSafeInteger(value) && value >= 1) continue
    const expected = "a whole number of at least 1"
    throw configError({ where: `${where}.${name}`, what: "this value is not possible.", expected, got: show(value) })
  }
  const seen: BatchSeen[] = []
  for (;;) {
    const { next, decision } = decideBatchSize(seen, { rows, memory, from, most })
    if (decision !== undefined) return decision
    const { bytes } = await model.inspect({ batchSize: next })
    const seconds = bytes <= memory ? await secondsPerRow?.(next) : undefined
    seen.push({ batchSize: next, bytes, ...(seconds === undefined ? {} : { secondsPerRow: seconds }) })
  }
}
