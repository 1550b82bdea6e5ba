// A callback that hears what the coach finds. Knows findings, no rule.

import type { Finding } from "../../coach/finding.ts"
import { type OptionsOf, readOptions, required, that } from "../../nn/options.ts"
import type { Callback, Training } from "./callback.ts"

/** The options of {@link coach}. */
export interface CoachCallbackOptions {
  /** Called with every finding, as data; it may stop the training or change its learning rate. */
  readonly onFinding: (finding: Finding, training: Training) => void | Promise<void>
}

const isFunction = (value: unknown): value is CoachCallbackOptions["onFinding"] => typeof value === "function"
const options: OptionsOf<CoachCallbackOptions> = { onFinding: required(that("a function", isFunction)) }

/**
 * Has the training watched and calls a function with everything that the coach finds, before the first step, behind epochs and at
 * the end. No weight changes by a bit. Throws E_CONFIG for a wrong option. Ours.
 * @example
 * ```ts
 * import { coach, dense, sequential } from "trilobite"
 * const model = sequential([dense({ units: 1, inputShape: [1] })])
 * model.compile({ loss: "mse", optimizer: "sgd" })
 * const codes: string[] = []
 * const watch = coach({ onFinding: ({ code }) => { codes.push(code) } })
 * await model.fit([[0], [1]], [[0], [1]], { epochs: 2, verbose: 0, callbacks: [watch] })
 * model.coach.evidence.epochs.length // => 2
 * ```
 */
export function coach(given: CoachCallbackOptions): Callback {
  const { onFinding } = readOptions<CoachCallbackOptions>("coach", options, given)
  return { onFinding }
}
