// Findings and checks: what a run shows that is worth a sentence, as plain data. Every number in them is the run's own.

import type { Run } from "../../../cli/studio/api.ts"
import { cost, count } from "../ui/format.ts"
import { asOf, bestOf, configOf, type RunView, roundsOf } from "./view.ts"
import { netWords, rowsWord } from "./words.ts"

/** How serious a finding is. */
export type FindingKind = "tip" | "watch" | "fault"

/** A finding. In its texts numbers that matter stand between asterisks. */
export interface Finding {
  /** The same for the same finding of the same run. */
  readonly id: string
  readonly kind: FindingKind
  readonly headline: string
  /** What was seen, and what is normal. */
  readonly evidence: string
  /** Why, in a sentence. */
  readonly why: string
  readonly change?: {
    readonly text: string
    /** Lines of code; those that begin with "+" are to be added. */
    readonly code: string
  }
  /** What should be seen next time. */
  readonly expect?: string
}

/** Something that was looked at: in order, or worth a look. */
export interface Check {
  readonly ok: boolean
  readonly text: string
}

/** The code of a change without its marks, for the clipboard. */
export function plainCode(code: string): string {
  return code
    .split("\n")
    .map((line) => line.replace(/^\+/, " "))
    .join("\n")
}

/** The findings of a run: those of the coach, faults first, and what its epochs show. */
export function findingsOf(run: RunView): readonly Finding[] {
  const said = run.findings.flatMap((finding) => coachs(finding) ?? [])
  const last = [...new Map(said.map((finding) => [finding.id, finding])).values()]
  const [faults, tips] = (["fault", "tip"] as const).map((kind) => last.filter((finding) => finding.kind === kind))
  // The coach's word on overfitting says more.
  const own = last.some(({ id }) => id.startsWith("F17")) ? undefined : bestWasEarlier(run)
  return [...faults!, ...tips!, ...(own === undefined ? [] : [own])]
}

const isText = (value: unknown): value is string => typeof value === "string"
const fieldsOf = (value: unknown): { readonly [name: string]: unknown } =>
  typeof value === "object" && value !== null ? (value as { readonly [name: string]: unknown }) : {}

/** A finding of the coach as a card shows it; undefined for what the coach has not written. */
function coachs(value: unknown): Finding | undefined {
  const { code, cause, kind, layer, epoch, saw, normal, why, change, expect } = fieldsOf(value)
  const { text, code: lines, flag } = fieldsOf(change)
  const { text: then } = fieldsOf(expect)
  if (kind !== "fault" && kind !== "tip") return undefined
  if (![code, cause, saw, normal, why, text, lines, then].every(isText)) return undefined
  // Asterisks are this page's marks.
  const plain = (part: unknown): string => String(part).replaceAll("*", "×")
  const where = isText(layer) ? ` in ${layer}` : ""
  const when = typeof epoch === "number" ? `after epoch ${epoch + 1}` : "before the first step"
  return {
    id: `${code} ${isText(layer) ? layer : ""}`,
    kind,
    headline: `${String(cause).slice(0, 1).toUpperCase()}${String(cause).slice(1)}${where}`,
    evidence: `Seen ${when}: ${plain(saw)} Normal: ${plain(normal)}`,
    why: plain(why),
    change: { text: String(text), code: isText(flag) ? `${flag}\n\n${lines}` : String(lines) },
    expect: plain(then),
  }
}

/** How much a number moves from one epoch to the next, on average, in the last quarter of the epochs. */
export function wobble(values: readonly number[]): number {
  const late = values.slice(-Math.max(4, Math.ceil(values.length / 4)))
  const moves = late.slice(1).map((value, i) => Math.abs(value - late[i]!))
  return moves.reduce((a, b) => a + b, 0) / Math.max(1, moves.length)
}

/** "Epoch 19 was the best, not epoch 20": of runs that have ended. */
function bestWasEarlier(run: Run): Finding | undefined {
  const [best, last] = [bestOf(run), run.epochs.at(-1)]
  if (run.state === "running" || best?.valLoss === undefined || last?.valLoss === undefined) return undefined
  if (best.epoch === last.epoch) return undefined
  const move = wobble(run.epochs.flatMap(({ valLoss }) => (valLoss === undefined ? [] : [valLoss])))
  const isNoise = last.valLoss - best.valLoss <= 2 * move
  const normal = isNoise
    ? `From epoch to epoch it moves by ${cost(move)} late in this run: a wobble of this size is normal.`
    : `That is more than the ${cost(move)} by which it moves from epoch to epoch: it has turned.`
  const fell = (last.loss ?? Number.NaN) < (best.loss ?? Number.NaN)
  return {
    id: `best-${best.epoch}-${last.epoch}`,
    kind: isNoise ? "tip" : "watch",
    headline: `Epoch ${best.epoch} was the best, not epoch ${last.epoch}`,
    evidence: `Validation cost was lowest at *${cost(best.valLoss)}* and ended at *${cost(last.valLoss)}*. ${normal}`,
    why: fell
      ? `Training cost kept falling, to *${cost(last.loss!)}*. From here the net mostly learns its training ${configOf(run).dataset === "mnist" ? "digits" : "rows"} by heart.`
      : "Training cost did not fall any further either.",
    change: {
      text: "Keep the best epoch’s weights:",
      code: [
        "model.fit(x, y, {",
        `  epochs: ${configOf(run).epochs ?? last.epoch},`,
        "+ callbacks: [earlyStopping({",
        `+   patience: ${configOf(run).epochs ?? last.epoch},`,
        "+   restoreBestWeights: true,",
        "+ })],",
        "})",
      ].join("\n"),
    },
    expect: `Next time, with the same seed, you should see *${cost(best.valLoss)}* when you evaluate the model.`,
  }
}

/** What was looked at. */
export function checksOf(run: RunView): readonly Check[] {
  return [costFell(run), alive(run), evenSpeeds(run), seenOnce(run)].filter((check) => check !== undefined)
}

function costFell(run: Run): Check | undefined {
  const losses = run.epochs.map(({ loss }) => loss ?? Number.NaN)
  if (losses.length < 2) return undefined
  const rises = losses.slice(1).filter((loss, i) => !(loss < losses[i]!)).length
  if (rises === 0) return { ok: true, text: `Training cost fell in all ${count(losses.length)} epochs` }
  const steps = count(losses.length - 1)
  return {
    ok: rises / losses.length < 0.2,
    text: `Training cost fell in ${count(losses.length - 1 - rises)} of ${steps} steps from epoch to epoch`,
  }
}

function alive(run: RunView): Check | undefined {
  const seen = asOf(run.signals, undefined, ({ layers, rows }) => {
    const hidden = layers.filter(({ units, dead }) => units !== undefined && dead !== undefined)
    return hidden.length === 0 ? undefined : { hidden, rows }
  })
  if (seen === undefined) return undefined
  const units = seen.value.hidden.reduce((sum, { units = 0 }) => sum + units, 0)
  const dead = seen.value.hidden.reduce((sum, { dead = 0 }) => sum + dead, 0)
  if (dead === 0) return { ok: true, text: `No neuron is dead: ${count(units)} of ${count(units)} fire` }
  const rows = count(seen.value.rows)
  return {
    ok: false,
    text: `${count(dead)} of ${count(units)} neurons ${dead === 1 ? "is dead: it is" : "are dead: they are"} 0 for each of ${rows} ${rowsWord(run)}`,
  }
}

function evenSpeeds({ signals }: RunView): Check | undefined {
  const layers = signals.at(-1)?.layers ?? []
  if (layers.length < 2) return undefined
  const ratios = layers.slice(1).map(({ speed }, i) => {
    const other = layers[i]!.speed
    return Math.max(speed, other) / Math.min(speed, other)
  })
  const worst = ratios.reduce((a, b) => Math.max(a, b))
  if (worst < 10) return { ok: true, text: "No layer learns ten times slower than its neighbour" }
  const i = ratios.indexOf(worst)
  const times = Number.isFinite(worst) ? `${count(Math.round(worst))} times` : "infinitely"
  return { ok: false, text: `Layers ${i + 1} and ${i + 2} learn at very different speeds: ${times} apart` }
}

/** The library draws without putting back; how often and how many follows from the batch. */
function seenOnce(run: Run): Check | undefined {
  const config = configOf(run)
  const { net, dataset } = config
  const rounds = roundsOf(config)
  const isOurs = dataset === "table" || netWords[net ?? ""] !== undefined
  if (rounds === undefined || !isOurs || run.epochs.length === 0) return undefined
  const text = `Each ${dataset === "table" ? "row" : "image"} was seen once per epoch: ${count(rounds)} rounds`
  return { ok: true, text }
}
