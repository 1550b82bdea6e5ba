// Changes what the coach proposes: an Edit carried out on a setup, the menu of all single edits, when a setup counts as repaired, and
// random search, with which the coach's repair is compared.

import type { Edit, FaultCode } from "../../src/coach/finding.ts"
import { integers } from "../../src/core/order.ts"
import { streams } from "../../src/core/random.ts"
import { classesOf } from "./sets.ts"
import type { Alteration, Setup } from "./setup.ts"
import { type Outcome, train } from "./train.ts"

const initializers = ["heNormal", "heUniform", "glorotNormal", "glorotUniform", "lecunNormal", "lecunUniform"] as const

/** The setup with the edit; undefined for what a program cannot do here (look at the data; what is already so). */
export function edited(setup: Setup, edit: Edit): Setup | undefined {
  const next = after(setup, edit)
  return next === undefined || JSON.stringify(next) === JSON.stringify(setup) ? undefined : next
}

function after(setup: Setup, edit: Edit): Setup | undefined {
  const alter = (...steps: Alteration[]): Setup => ({ ...setup, alter: [...setup.alter, ...steps] })
  const { hidden } = setup
  const each = (layer: string | undefined, change: Partial<(typeof hidden)[number]>): Setup => {
    const own = hidden.map((h, i) => (layer === undefined || layer === `hidden${i + 1}` ? { ...h, ...change } : h))
    return { ...setup, hidden: own }
  }
  switch (edit.kind) {
    case "learningRate":
      return { ...setup, learningRate: edit.to }
    case "optimizer":
      if (edit.to !== "sgd" && edit.to !== "adam") return undefined
      return { ...setup, optimizer: edit.to, learningRate: edit.learningRate, momentum: 0 }
    case "batchSize":
      return { ...setup, batchSize: edit.to }
    case "epochs":
      return { ...setup, epochs: edit.to }
    case "earlyStopping":
      return { ...setup, epochs: Math.min(setup.epochs, edit.bestEpoch + 1) }
    case "shuffle":
      return { ...setup, shuffle: true }
    case "clip":
      return { ...setup, clip: edit.to }
    case "activation":
      return each(edit.layer, { activation: edit.to })
    case "initializer": {
      const kernel = initializers.find((name) => name === edit.to) as (typeof hidden)[number]["kernel"]
      if (kernel === undefined) return undefined
      const next = each(edit.layer, { kernel, ...(edit.bias === undefined ? {} : { bias: 0 }) })
      const output = edit.layer === undefined || edit.layer === "output"
      return output && setup.output.kernel !== undefined ? { ...next, output: { ...setup.output, kernel } } : next
    }
    case "output": {
      const { twice: _, ...output } = setup.output
      return {
        ...setup,
        output: { ...output, activation: edit.activation, units: edit.units ?? output.units },
        loss: edit.loss,
      }
    }
    case "dropout":
      return { ...setup, dropout: edit.to }
    case "regularizer":
      return { ...setup, l2: edit.l2 }
    case "units":
      return each(edit.layer, { units: edit.to })
    case "depth": {
      const last = hidden.at(-1) ?? { units: 16, activation: "relu" }
      return { ...setup, hidden: Array.from({ length: edit.to }, (_, i) => hidden[i] ?? last) }
    }
    case "inputs":
      if (edit.how === "drop") return alter({ do: "drop" })
      if (edit.how === "standardize") return alter({ do: "standardize" })
      return alter({ do: "scale", by: 1 / (edit.by ?? 255) })
    case "targets":
      if (edit.how === "standardize") return alter({ do: "standardizeTargets" })
      return classesOf(setup.sample.set) === 0 ? undefined : alter({ do: "code", as: "proper" })
    case "classWeights":
      return { ...setup, classWeights: true }
    case "divide":
      return edit.why === "unlike" ? alter({ do: "divideAgain" }) : undefined
    case "restart":
      return { ...setup, seed: setup.seed + 1 }
    case "look":
      return undefined
  }
}

/** A single edit, and the causes of which it is the proper remedy; none: it may help, and says nothing of the cause. */
export interface Remedy {
  readonly name: string
  readonly edit: Edit
  readonly codes: readonly FaultCode[]
}

/** All single edits for a setup, `bestEpoch` of the validation as it was seen. Those that change nothing are left out. */
export function menuOf(setup: Setup, bestEpoch: number): readonly Remedy[] {
  const { learningRate: rate, batchSize, hidden, epochs, sample } = setup
  const classes = classesOf(sample.set)
  const units = Math.max(1, ...hidden.map((h) => h.units))
  const [activation, loss] =
    classes === 0
      ? ["linear", "meanSquaredError"]
      : classes === 2
        ? ["sigmoid", "binaryCrossentropy"]
        : ["softmax", "categoricalCrossentropy"]
  const columns = classes > 2 ? classes : 1
  const relu = hidden.some((h) => h.activation === "relu")
  const remedies: readonly (readonly [name: string, edit: Edit, ...codes: FaultCode[]])[] = [
    ["rate / 10", { kind: "learningRate", to: rate / 10 }, "F08", "F10"],
    ["rate / 100", { kind: "learningRate", to: rate / 100 }, "F08"],
    ["rate x 10", { kind: "learningRate", to: rate * 10 }, "F09"],
    ["rate x 100", { kind: "learningRate", to: rate * 100 }, "F09"],
    ["rate x 1000", { kind: "learningRate", to: rate * 1000 }, "F09"],
    ["adam", { kind: "optimizer", to: "adam", learningRate: 0.001 }],
    ["batch 32", { kind: "batchSize", to: 32 }, batchSize > 32 ? "F20" : "F21"],
    ["epochs x 2", { kind: "epochs", to: 2 * epochs }, "F18"],
    ["epochs x 10", { kind: "epochs", to: Math.min(300, 10 * epochs) }, "F18"],
    ["best epoch", { kind: "earlyStopping", bestEpoch }, "F17"],
    ["shuffle", { kind: "shuffle" }, "F19"],
    ["no clip", { kind: "clip", to: null }, "F11"],
    ["clip 1", { kind: "clip", to: 1 }, "F07"],
    ["relu", { kind: "activation", to: "relu" }, "F04", "F06", "F14"],
    ["tanh", { kind: "activation", to: "tanh" }, "F14", "F05"],
    ["initializer", { kind: "initializer", to: relu ? "heNormal" : "glorotUniform", bias: "zeros" }, "F15", "F04", "F05", "F07"],
    ["output", { kind: "output", activation, loss, units: columns }, "F12"],
    ["no dropout", { kind: "dropout", to: 0 }, "F25"],
    ["dropout .3", { kind: "dropout", to: 0.3 }, "F17"],
    ["no penalty", { kind: "regularizer", l2: 0 }, "F25"],
    ["units x 2", { kind: "units", to: 2 * units }, "F22"],
    ["units 32", { kind: "units", to: 32 }, "F22"],
    ["two layers", { kind: "depth", to: 2 }, hidden.length > 2 ? "F23" : "F22", ...(hidden.length > 2 ? (["F06"] as const) : [])],
    ["a layer more", { kind: "depth", to: hidden.length + 1 }, "F22"],
    ["drop rows", { kind: "inputs", how: "drop" }, "F01"],
    ["standardize", { kind: "inputs", how: "standardize" }, "F02"],
    ["code of classes", { kind: "targets", how: columns > 1 ? "oneHot" : "zeroOne" }, "F13"],
    ["standardize targets", { kind: "targets", how: "standardize" }, "F29"],
    ["class weights", { kind: "classWeights" }, "F16"],
    ["divide again", { kind: "divide", why: "unlike" }, "F26"],
    ["restart", { kind: "restart" }, "F24"],
  ] // biome-ignore format: a table
  // What a reader could not do to these rows is not on offer: numbers have no classes, classes no deviation.
  const possible = ({ kind, ...edit }: Edit): boolean => {
    if (kind === "targets") return ("how" in edit && edit.how === "standardize") === (classes === 0)
    return kind !== "classWeights" || classes > 0
  }
  const first = ([, edit]: (typeof remedies)[number], i: number): boolean => {
    return remedies.findIndex(([, other]) => JSON.stringify(other) === JSON.stringify(edit)) === i
  }
  return remedies
    .filter((row, i) => first(row, i) && possible(row[1]) && edited(setup, row[1]) !== undefined)
    .map(([name, edit, ...codes]) => ({ name, edit, codes }))
}

/** The epoch after which validation was best, from 0. */
export function bestEpochOf({ valLoss }: Pick<Outcome, "valLoss">): number {
  return Math.max(0, valLoss.indexOf(Math.min(...valLoss)))
}

/** By what a training is worse than its control, if it is: its score, or only its validation loss (more than 1.5 times). */
export type Harm = "score" | "loss"

/** Whether a score is as good as the control's: within 2 points (classes), or its mistakes within 1.25 times (numbers). */
export function close({ sample }: Setup, score: number, control: number): boolean {
  if (classesOf(sample.set) > 0) return score >= control - 0.02
  return 1 - score <= 1.25 * (1 - control)
}

const lastOf = ({ valLoss }: Outcome): number => valLoss.at(-1) ?? Number.POSITIVE_INFINITY

/** Whether validation losses of two trainings say the same: one loss, of targets that are written in one way. */
const comparable = (a: Setup, b: Setup): boolean => {
  const written = ({ alter }: Setup): string =>
    JSON.stringify(alter.filter((step) => ["code", "scaleTargets", "standardizeTargets", "permute"].includes(step.do)))
  return a.loss === b.loss && written(a) === written(b)
}

/** A setup and what became of it. */
export type Pair = readonly [setup: Setup, outcome: Outcome]

/** By what a training is worse than its control. */
export function harmOf([setup, outcome]: Pair, [control, level]: Pair): Harm | undefined {
  if (outcome.error !== undefined || !close(setup, outcome.score, level.score)) return "score"
  return comparable(setup, control) && lastOf(outcome) > 1.5 * lastOf(level) ? "loss" : undefined
}

/** Whether a training that was harmed is now as good as its control. */
export function restored([setup, outcome]: Pair, [control, level]: Pair, by: Harm): boolean {
  if (outcome.error !== undefined || !close(setup, outcome.score, level.score)) return false
  return by === "score" || (comparable(setup, control) && lastOf(outcome) <= 1.25 * lastOf(level))
}

/** How a repair went. */
export interface Repair {
  readonly score: number
  readonly repaired: boolean
  /** Trainings after the first one, and rounds of all of them. */
  readonly retrains: number
  readonly steps: number
  /** What was changed, in the order of the trainings. */
  readonly tries: readonly { readonly edits: readonly Edit[]; readonly kept: boolean; readonly score: number }[]
}

/** What became of a repair that has ended with this training. */
export function repairOf(
  first: Pair,
  last: Pair,
  control: Pair,
  tries: Repair["tries"],
  outcomes: readonly Outcome[],
): Repair {
  const harm = harmOf(first, control)
  return {
    score: last[1].score,
    repaired: harm === undefined || restored(last, control, harm),
    retrains: outcomes.length,
    steps: outcomes.reduce((sum, { steps }) => sum + steps, 0),
    tries,
  }
}

/**
 * Whether a training is better than another as far as its user can tell: by how many of its validation rows are right, by their loss
 * where that is the same. This is not the coach's rule: `isBetter` asks the loss first, and for a gain beyond noise (of 68 random
 * changes they judge 10 otherwise). What the coach is compared with must not move with it.
 */
function better(a: Outcome, b: Outcome, sameLoss: boolean): boolean {
  if (a.error !== undefined || a.merit < b.merit) return false
  if (a.merit > b.merit || b.error !== undefined) return true
  return sameLoss && lastOf(a) < lastOf(b)
}

/**
 * Random search: any edit of the menu that was not tried, each as likely as another; kept if it helped, undone otherwise. Ends after 20
 * trainings or more than `budget` rounds.
 */
export async function search(
  setup: Setup,
  first: Outcome,
  control: Pair,
  seed: number,
  budget: number,
): Promise<Repair> {
  const draw = integers(seed, streams.augmentation, 101, 0)
  let now: Pair = [setup, first]
  const known = new Set<string>()
  const tries: Repair["tries"][number][] = []
  const outcomes: Outcome[] = []
  for (let steps = 0; outcomes.length < 20 && steps < budget; ) {
    const menu = menuOf(now[0], bestEpochOf(now[1])).filter(({ edit }) => !known.has(JSON.stringify(edit)))
    if (menu.length === 0) break
    const { edit } = menu[draw(menu.length)]!
    known.add(JSON.stringify(edit))
    const next = edited(now[0], edit)!
    const outcome = await train(next)
    outcomes.push(outcome)
    steps += outcome.steps
    const kept = better(outcome, now[1], next.loss === now[0].loss)
    tries.push({ edits: [edit], kept, score: outcome.score })
    if (kept) now = [next, outcome]
  }
  return repairOf([setup, first], now, control, tries, outcomes)
}
