// What a rule is, and how numbers are said. Knows no rule.

import type { Change, Expectation, FaultCode, Finding } from "./finding.ts"
import type { View } from "./view.ts"

/** What a rule has found: the five parts, and how sure it is. */
export interface Found {
  readonly kind: Finding["kind"]
  readonly score: number
  readonly layer?: string
  readonly saw: string
  readonly normal: string
  readonly why: string
  readonly change: Change
  readonly expect: Expectation
  /** Only what stands in the network or the data, or was seen before the first step; never a passing alarm. */
  readonly cause?: string
}

/** A fault and how it is recognised. */
export interface Rule {
  readonly code: FaultCode
  readonly cause: string
  /**
   * When it can be told: from what stands there before the first step (at once), from what epochs show (twice in a row), or only
   * when nothing more comes.
   */
  readonly when: "before" | "epochs" | "end"
  readonly find: (view: View) => Found | undefined
}

/** From this score on a cause is proven: it silences the symptoms of the training. */
export const PROVEN = 83

/** A share as a percentage: 21 %, 0.3 %, 0.004 %. */
export function percent(share: number): string {
  if (!Number.isFinite(share)) return "more than any number of percent"
  const p = 100 * share
  if (p === 0) return "0 %"
  const size = Math.abs(p)
  return `${size >= 10 ? p.toFixed(0) : size >= 1 ? p.toFixed(1).replace(/\.0$/, "") : p.toPrecision(1)} %`
}

/** A number in few digits. */
export function few(x: number): string {
  if (!Number.isFinite(x)) return "beyond numbers"
  const size = Math.abs(x)
  if (size >= 1e6 || (size > 0 && size < 1e-3)) return x.toExponential(1).replace("e+", "e")
  return String(Number(x.toPrecision(3)))
}

/** A count with thousands. */
export function count(n: number): string {
  return n.toLocaleString("en-US")
}

/** Rates and factors move by powers of ten: what a hundredth of 0.05 is called is 0.0005, not 5.0000000001e-4. */
export function rounded(x: number): number {
  return Number(x.toPrecision(3))
}

/** The learning rate in code and as a flag. */
export function rateChange(view: View, to: number, text: string): Change {
  const { optimizer } = view.evidence.training
  return {
    text,
    code: `model.compile({ ..., optimizer: ${optimizer}({ learningRate: ${to} }) })`,
    flag: `--learning-rate ${to}`,
    edit: { kind: "learningRate", to },
  }
}

/** That the training loss falls. */
export function falls(view: View, within: number, share = 0.95): Expectation {
  const from = view.losses.at(-1) ?? view.baseline
  const text = "The cost falls in every epoch."
  if (from === undefined || !Number.isFinite(from)) return { text, measure: "finite", within }
  const below = rounded(Math.min(from, view.baseline ?? from) * share)
  return { text: `The cost falls below ${few(below)} within ${within} epochs.`, measure: "loss", within, below }
}
