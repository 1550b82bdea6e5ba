// The public face of the rules: they are loaded when they are first asked. Knows no rule.

import type { Evidence } from "./evidence.ts"
import type { Diagnosis, Finding, Kept } from "./finding.ts"

/**
 * What is wrong with a training, as far as it is known: the cause that explains the rest as `headline`, at most two more faults in `also`,
 * and `tips`. Nothing is said that only one epoch shows. The same evidence gives the same answer, so that the evidence of an old run can
 * be diagnosed again: `model.examine` gives it before the first step, `model.coach.evidence` after `fit({ coach: true })`.
 * @example
 * ```ts
 * import { dense, diagnose, sequential } from "trilobite"
 * const model = sequential([dense({ units: 4, inputShape: [2] }), dense({ units: 1, activation: "sigmoid" })])
 * model.compile({ loss: "binaryCrossentropy", optimizer: "sgd" })
 * const evidence = await model.examine([[0, 1], [1, 0], [1, 1], [0, 0]], [[1], [1], [0], [0]])
 * const { headline } = await diagnose(evidence)
 * headline?.code // => "F14"
 * headline?.change.edit // => { kind: "activation", to: "relu" }
 * ```
 */
export async function diagnose(evidence: Evidence): Promise<Diagnosis> {
  return (await import("./coach.ts")).diagnose(evidence)
}

/**
 * A finding as lines of at most 80 characters: the cause, then its five parts (what was seen, what is normal, why it matters, the change with
 * its code and its flag, what should be seen next).
 * @example
 * ```ts
 * import { dense, diagnose, messageOf, sequential } from "trilobite"
 * const model = sequential([dense({ units: 4, inputShape: [2] }), dense({ units: 1, activation: "sigmoid" })])
 * model.compile({ loss: "binaryCrossentropy", optimizer: "sgd" })
 * const { headline } = await diagnose(await model.examine([[0, 1], [1, 0]], [[1], [0]]))
 * const lines = await messageOf(headline!)
 * lines.some((line) => line.startsWith("Normal   ")) // => true
 * ```
 */
export async function messageOf(finding: Finding): Promise<readonly string[]> {
  return (await import("./coach.ts")).messageOf(finding)
}

/**
 * Whether what a finding promised has come true in the training that followed its change: as soon as it has, or when its epochs are over.
 * Undefined while it is too early to say, and where nothing was measured.
 * @example
 * ```ts
 * import { dense, diagnose, promiseOf, sequential } from "trilobite"
 * const of = (activation: "linear" | "relu") => {
 *   const model = sequential([dense({ units: 8, activation, inputShape: [2] }), dense({ units: 1, activation: "sigmoid" })])
 *   model.compile({ loss: "binaryCrossentropy", optimizer: "adam" })
 *   return model
 * }
 * const x = [[0, 1], [1, 0], [1, 1], [0, 0]]
 * const y = [[1], [1], [0], [0]]
 * const { headline } = await diagnose(await of("linear").examine(x, y))
 * const changed = of("relu")
 * await changed.fit(x, y, { epochs: 2, coach: true, verbose: 0 })
 * const kept = await promiseOf(headline!, changed.coach!.evidence)
 * kept?.cameTrue // => false
 * ```
 */
export async function promiseOf(finding: Finding, after: Evidence): Promise<Kept | undefined> {
  return (await import("./coach.ts")).promiseOf(finding, after)
}
