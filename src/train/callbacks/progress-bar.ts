// The progress line of fit as a callback, for another place than the terminal. Knows no model.

import { maybe, type OptionsOf, optional, readOptions, that } from "../../nn/options.ts"
import type { FitEvent } from "../events.ts"
import type { Output, Verbosity } from "../progress.ts"
import type { Callback } from "./callback.ts"

/** The options of {@link progressBar}. */
export interface ProgressBarOptions {
  /** Where the text goes: something with `write(text)`; by default where the process writes. */
  readonly output?: Output
  /** 1: a line that moves, on terminals; 2: one line when an epoch has ended (default 1). */
  readonly verbose?: 1 | 2
}

interface Resolved {
  readonly output: Output | undefined
  readonly verbose: Exclude<Verbosity, 0>
}

const options: OptionsOf<Resolved> = {
  output: maybe(
    that("something with a function write", (value): value is Output => {
      return typeof value === "object" && value !== null && "write" in value && typeof value.write === "function"
    }),
  ),
  verbose: optional(
    that("1 or 2", (value): value is 1 | 2 => value === 1 || value === 2),
    1,
  ),
}

/**
 * What `fit` prints with `verbose: 1` or 2, as a callback: give fit `verbose: 0` beside it. Keras: ProgbarLogger.
 * @throws E_CONFIG for a wrong option.
 * @example
 * ```ts
 * import { dense, progressBar, sequential } from "trilobite"
 * const model = sequential([dense({ units: 1, inputShape: [1] })])
 * model.compile({ loss: "mse", optimizer: "sgd" })
 * let text = ""
 * const bar = progressBar({ output: { write: (part) => { text += part } } })
 * await model.fit([[0], [1]], [[0], [1]], { epochs: 2, verbose: 0, callbacks: [bar] })
 * text.startsWith("Epoch 1/2\n1/1 [====================]") // => true
 * ```
 */
export function progressBar(given: ProgressBarOptions = {}): Callback {
  const { output, verbose } = readOptions<Resolved>("progressBar", options, given)
  let write: ((event: FitEvent) => void) | undefined
  return {
    onEvent: async (event) => {
      if (write === undefined) {
        const { consoleOutput, progressWriter } = await import("../progress.ts")
        write = progressWriter(output ?? consoleOutput(), verbose)
      }
      write(event)
    },
  }
}
