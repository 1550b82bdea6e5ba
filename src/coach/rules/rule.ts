// What a rule is: one row of the table of faults. Knows no fault.

import type { Evidence, TargetFacts } from "../evidence.ts"
import type { Change, Edit, Expectation, FaultCode, Finding } from "../finding.ts"

/**
 * Where a cause stands in the chain that ends in a bad result, the first first: a fault of an earlier class explains the signs of all
 * later ones. `knobs` are options that throttle the steps (clipping, dropout, penalties, the size of a batch).
 */
export const classes = ["data", "pairing", "start", "knobs", "steps", "capacity", "generalisation", "unknown"] as const
export type FaultClass = (typeof classes)[number]

/** What a rule finds; the table knows the rest of the finding. */
export type Found = Omit<Finding, "code" | "cause" | "epoch" | "kind"> & { readonly kind?: Finding["kind"] }

/** A row of the table. */
export interface Rule {
  readonly code: FaultCode
  readonly cause: string
  readonly class: FaultClass
  /**
   * On what it is judged: what is known before the first step (`static`; `probe`: the untrained network too), two epochs in a row
   * (`running`), or only a training that has ended or stands still (`late`).
   */
  readonly when: "static" | "probe" | "running" | "late"
  /** Whether what was known before the first step lets it be expected: then the first epoch that shows it is the second witness. */
  readonly foreseen?: (evidence: Evidence) => boolean
  readonly find: (evidence: Evidence) => Found | undefined
}

/** From this score on a fault is proven and silences what follows from it. */
export const PROVEN = 83

/** A number as it is told: three digits, without needless zeros. */
export function shown(value: number): string {
  if (!Number.isFinite(value)) return "infinite"
  const size = Math.abs(value)
  if (size !== 0 && (size < 1e-3 || size >= 1e6)) return value.toExponential(1).replace(/\.0e/, "e").replace("e+", "e")
  if (size >= 1000) return String(Math.round(value))
  return String(Number(value.toPrecision(3)))
}

/** A share in per cent. */
export const percent = (share: number): string => `${shown(Number((100 * share).toPrecision(2)))} %`

/** A number of things: `1 row`, `3 rows`. */
export const counted = (n: number, one: string, many: string = `${one}s`): string => `${n} ${n === 1 ? one : many}`

/** Sets the learning rate. */
export function setRate(evidence: Evidence, to: number, text: string): Change {
  const { optimizer } = evidence.training
  return {
    text,
    code: `optimizer: ${optimizer}({ learningRate: ${shown(to)} })`,
    flag: `--learning-rate ${shown(to)}`,
    edit: { kind: "learningRate", to },
  }
}

/** A change whose flag there is not. */
export const changeTo = (text: string, code: string, edit: Edit, flag?: string): Change =>
  flag === undefined ? { text, code, edit } : { text, code, flag, edit }

/** Brings each input to mean 0 and deviation 1. */
export const standardizeInputs: Change = changeTo(
  "Standardise each feature: take its mean away, divide by its deviation.",
  "x.map((row) => row.map((v, i) => (v - mean[i]) / deviation[i]))",
  { kind: "inputs", how: "standardize" },
  "--scaling standardize",
)

/** Batches: the usual one, and the largest that is no matter of taste. */
export const USUAL_BATCH = 32
export const LARGEST_BATCH = 128

/** Sets the size of batches. */
export const setBatch = (to: number): Change =>
  changeTo(`Use batches of ${to}.`, `fit(x, y, { batchSize: ${to} })`, { kind: "batchSize", to }, `--batch-size ${to}`)

/** Sets the number of hidden layers, which have these neurons now: the first ones stay, new ones are like the last. */
export function setDepth(
  units: readonly number[],
  to: number,
  text: string = `Use ${counted(to, "hidden layer")}.`,
): Change {
  const layers = Array.from({ length: to }, (_, i) => units[i] ?? units.at(-1)!)
  const code = `sequential([ /* ${counted(to, "hidden layer")} */ ])`
  return changeTo(text, code, { kind: "depth", to }, `--layers ${layers.join(",")}`)
}

/** Neurons of a layer that are too few to carry anything through, and those to begin with: the middle of the chapter's 8 to 64. */
export const NARROW = 3
export const USUAL_UNITS = 32

/** Sets the neurons of all hidden layers, of which there are so many. */
export const setUnits = (layers: number, to: number): Change =>
  changeTo(
    `Use ${to} neurons per layer.`,
    `dense({ units: ${to} })`,
    { kind: "units", to },
    `--layers ${new Array(layers).fill(to).join(",")}`,
  )

/** Sets the number of epochs. */
export const setEpochs = (to: number, text: string = `Train ${to} epochs.`): Change =>
  changeTo(text, `fit(x, y, { epochs: ${to} })`, { kind: "epochs", to }, `--epochs ${to}`)

/** Brings the targets to mean 0 and deviation 1. */
export const standardizeTargets = ({ mean, deviation }: TargetFacts): Change =>
  changeTo(
    "Standardise the targets: take their mean away, divide by their deviation.",
    `const y = targets.map((v) => (v - ${shown(mean)}) / ${shown(deviation)})`,
    { kind: "targets", how: "standardize" },
  )

/** Epochs in which a change must show: five, or a quarter of the planned ones; plateaus take their time. */
export const soon = ({ training }: Evidence): number => Math.max(5, Math.ceil(training.epochs / 4))

/** What is expected of the loss within a few epochs. */
export function expectLoss(below: number, text: string, within: number = 3): Expectation {
  return { text, measure: "loss", within, below }
}
