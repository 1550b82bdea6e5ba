// A run explained on one page: what the coach found, curves, what the layers did, what was read wrong, how to repeat it. Everything
// it says is in the run's files. Knows no file and no markup.

import { type Finding, type Plot, plotSvg } from "../../src/index.ts"
import { titleOf } from "../coach.ts"
import { commandOf, flagText } from "../command-of.ts"
import { isNetName } from "../nets.ts"
import { digits, percent, shortened } from "../scores.ts"
import { settings } from "../settings.ts"
import type { Answers, Signals } from "../signals.ts"
import { count } from "../tables.ts"
import type { Block, Drawing, Page } from "./document.ts"
import { asMatrix, type Fields, type FoundRun, type Measures } from "./read.ts"

/** All that is known of a run. */
export interface Told {
  readonly run: FoundRun
  readonly epochs: readonly Measures[]
  readonly signals: readonly Signals[]
  /** What the coach found, the headline first; undefined if it did not watch. */
  readonly findings: readonly Finding[] | undefined
  /** Whether what an earlier run promised came true in this one, which made its change. */
  readonly promise: string | undefined
  readonly decisions: readonly string[]
  /** The picture of a validation row as SVG text; null where rows are no pictures or cannot be had. */
  picture(index: number): string | null
}

/** The most points of a line, the most layers, classes of a matrix, and mistakes that are shown. */
const MOST = { points: 400, layers: 12, classes: 12, mistakes: 12 }

/** The page. */
export function explain(told: Told): Page {
  const blocks = [summary(told), coach(told), curves(told), layers(told), answers(told), settingsOf(told)]
  return { title: `Run ${shortened(told.run.name, 60)}`, blocks: blocks.flat() }
}

const heading = (text: string): Block => ({ kind: "heading", text })
const text = (...sentences: readonly string[]): Block => ({ kind: "text", text: sentences.join(" ") })
const number = (value: unknown): number | undefined =>
  typeof value === "number" && Number.isFinite(value) ? value : undefined
const fields = (value: unknown): Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Fields) : {}

const STATES: { readonly [state: string]: string } = {
  completed: "It ran to its end.",
  stopped: "It was stopped early, because the validation loss no longer fell.",
  aborted: "It was interrupted and saved.",
  running: "It is still running.",
  "without a result": "Its process has gone without a result: killed, crashed, or diverged.",
  unreadable: "Not all of its files can be read.",
}

function summary({ run, epochs }: Told): Block[] {
  const { net, target, task } = run.config
  const what = isNetName(String(net))
    ? `The chapter's ${net} on MNIST.`
    : typeof target === "string"
      ? `A ${task === "regression" ? "regression" : "classification"}: ${shortened(target, 40)} from the other columns of ${shortened(String(net), 40)}.`
      : "A training."
  const seconds = epochs.reduce((sum, { seconds: s = 0 }) => sum + s, 0)
  const took =
    epochs.length === 0
      ? "No epoch was finished."
      : `${count(epochs.length, "epoch")} in ${seconds.toFixed(1)} s of training.`
  return [text(what, STATES[run.state] ?? `It ended: ${run.state}.`, took)]
}

function coach({ findings, promise, decisions }: Told): Block[] {
  const blocks: Block[] = [heading("What the coach found")]
  if (findings === undefined) blocks.push(text("The coach did not watch this run (--no-coach, or an earlier version)."))
  else if (findings.length === 0) blocks.push(text("Nothing: no sign of a fault in any epoch."))
  if (promise !== undefined) blocks.push(text(promise))
  const found = findings ?? []
  for (const finding of found) {
    const { kind, saw, normal, why, change, expect } = finding
    blocks.push({
      kind: "finding",
      mark: kind,
      title: titleOf(finding),
      parts: [
        ["Seen:", saw],
        ["Normal:", normal],
        ["Why it matters:", why],
        ["Change:", change.text],
        ["Then:", expect.text],
      ],
      code: change.flag ?? change.code,
    })
  }
  const next = found[0]
  if (findings === undefined && decisions.length === 0) return blocks
  blocks.push(heading("What to try next"))
  if (next !== undefined) blocks.push(text(`One thing at a time: ${next.change.text}`, next.expect.text))
  else
    blocks.push(text("The coach has nothing to change. To see whether the result holds, repeat it with another seed."))
  for (const decision of decisions) blocks.push(text(decision))
  return blocks
}

/** The epoch with the least validation loss, or the least loss where nothing validated. */
function bestOf(epochs: readonly Measures[]): Measures | undefined {
  const loss = ({ valLoss, loss: own }: Measures): number => valLoss ?? own ?? Number.POSITIVE_INFINITY
  return epochs.reduce<Measures | undefined>((a, b) => (a === undefined || loss(b) < loss(a) ? b : a), undefined)
}

/** Measures of which there is a curve, with their words. */
const MEASURES: readonly (readonly [measure: string, word: string])[] = [
  ["accuracy", "accuracy"],
  ["binaryAccuracy", "accuracy"],
  ["r2Score", "R²"],
]

const valOf = (measure: string): string => `val${measure[0]!.toUpperCase()}${measure.slice(1)}`

function curves({ epochs }: Told): Block[] {
  const [best, last] = [bestOf(epochs), epochs.at(-1)]
  if (best === undefined || last === undefined) return []
  const has = (measure: string): boolean => epochs.some((epoch) => epoch[measure] !== undefined)
  const drawn = [["loss", "loss"] as const, ...MEASURES.filter(([measure]) => has(measure))]
  const plots = drawn.map(([measure, word]): Drawing => {
    const lines = [
      ["training", measure],
      ["validation", valOf(measure)],
    ].filter(([, of]) => has(of!))
    const series = lines.map(([name, of]) => ({ name: name!, ...points(epochs, (epoch) => epoch[of!]) }))
    const logY = measure === "loss" && epochs.every(({ loss = 0, valLoss = 1 }) => loss > 0 && valLoss > 0)
    const title = capital(word)
    return drawing(measure, { title, xLabel: "epoch", yLabel: word, logY, series }, `${title} of each epoch`)
  })
  const told = (epoch: Measures): string => {
    const measures = drawn.flatMap(([measure, word]) => {
      const [own, val] = [epoch[measure], epoch[valOf(measure)]]
      const value = (x: number): string => (word === "accuracy" ? percent(x) : digits(x))
      if (own === undefined) return []
      return [
        val === undefined
          ? `${word} ${value(own)}`
          : `${word} ${value(val)} in validation and ${value(own)} in training`,
      ]
    })
    return measures.join(", ")
  }
  const sentences = [
    best.epoch === last.epoch
      ? `The last epoch, ${last.epoch}, was the best: ${told(last)}.`
      : `Epoch ${best.epoch} was the best: ${told(best)}. The last, epoch ${last.epoch}: ${told(last)}.`,
  ]
  return [heading("Curves"), text(...sentences), { kind: "plots", plots }]
}

function layers({ signals }: Told): Block[] {
  const last = signals.at(-1)
  if (last === undefined || last.layers.length === 0) return []
  const names = last.layers.map(({ layer }) => layer)
  const shown =
    names.length <= MOST.layers ? names : [...names.slice(0, MOST.layers / 2), ...names.slice(-MOST.layers / 2)]
  const of = (line: Signals, name: string): Signals["layers"][number] | undefined =>
    line.layers.find(({ layer }) => layer === name)
  const seriesOf = (value: (layer: Signals["layers"][number]) => number | undefined): Plot["series"] =>
    shown
      .map((name) => ({
        name: shortened(name, 18),
        ...points(signals, (line) => {
          const layer = of(line, name)
          return layer && value(layer)
        }),
      }))
      .filter(({ x }) => x.length > 0)
  const plots = [
    drawing(
      "learning-speed",
      {
        title: "Speed of learning",
        xLabel: "epoch",
        yLabel: "way of the weights in an epoch",
        logY: true,
        series: seriesOf(({ speed }) => speed),
      },
      "How far the weights of each layer moved in each epoch",
    ),
  ]
  const flat = seriesOf(({ saturated }) => saturated)
  if (flat.length > 0) {
    const labels = { title: "Saturation", xLabel: "epoch", yLabel: "share of values on a flat part" }
    plots.push(drawing("saturation", { ...labels, series: flat }, "The share of flat values of each layer"))
  }
  const seen = (name: string): Partial<Signals["layers"][number]> =>
    signals.map((line) => of(line, name)).findLast((layer) => layer?.saturated !== undefined) ?? {}
  const rows = shown.map((name) => {
    const { saturated, dead, units } = seen(name)
    const gradient = signals.map((line) => of(line, name)?.gradient).findLast((value) => value !== undefined)
    return [
      shortened(name, 30),
      of(signals[0]!, name) === undefined ? "" : digits(of(signals[0]!, name)!.speed),
      digits(of(last, name)!.speed),
      gradient === undefined ? "" : digits(gradient),
      saturated === undefined ? "" : percent(saturated),
      dead === undefined || units === undefined ? "" : `${dead} of ${units}`,
    ]
  })
  const head = ["layer", "speed, first epoch", "speed, last epoch", "gradient", "flat", "dead"]
  const used = head.map((_, i) => rows.some((row) => row[i] !== ""))
  const kept = <T>(cells: readonly T[]): readonly T[] => cells.filter((_, i) => used[i])
  return [
    heading("Layers"),
    text(...speeds(last), ...flatness(shown.map((name) => ({ name, ...seen(name) })))),
    { kind: "plots", plots },
    { kind: "table", head: kept(head), rows: rows.map(kept) },
  ]
}

/** How far apart the layers' speeds are. */
function speeds({ layers: all }: Signals): readonly string[] {
  const moving = all.filter(({ speed }) => speed > 0)
  const still = all.length - moving.length
  const sentences = still === 0 ? [] : [`${count(still, "layer")} did not move at all in the last epoch.`]
  if (moving.length < 2) return sentences
  const sorted = [...moving].sort((a, b) => b.speed - a.speed)
  const [fast, slow] = [sorted[0]!, sorted.at(-1)!]
  const between = `${shortened(fast.layer, 30)} moved ${digits(fast.speed / slow.speed)} times as far as ${shortened(slow.layer, 30)} in the last epoch`
  return [...sentences, `${between}; layers of one kind that stand two apart may well differ tenfold.`]
}

/** What flat and dead neurons say, in a sentence. */
function flatness(
  all: readonly {
    readonly name: string
    readonly saturated?: number
    readonly dead?: number
    readonly units?: number
  }[],
): readonly string[] {
  const relus = all.filter(({ dead }) => dead !== undefined)
  const bent = all.filter(({ saturated, dead }) => saturated !== undefined && dead === undefined)
  const sentences: string[] = []
  if (relus.length > 0) {
    const [dead, units] = [
      relus.reduce((n, { dead: d = 0 }) => n + d, 0),
      relus.reduce((n, { units: u = 0 }) => n + u, 0),
    ]
    sentences.push(
      `Of relu about half the values are 0 in a healthy net; dead neurons are 0 for every row looked at: ${dead} of ${units}.`,
    )
  }
  const worst = [...bent].sort((a, b) => (b.saturated ?? 0) - (a.saturated ?? 0))[0]
  if (worst !== undefined) {
    sentences.push(
      `Saturated neurons learn slowly: most of them are in ${shortened(worst.name, 30)}, ${percent(worst.saturated ?? 0)} of its values on a flat end.`,
    )
  }
  return sentences
}

function answers(told: Told): Block[] {
  const scores = fields(told.run.result.validation)
  if (scores.kind === "numbers") return residuals(scores)
  const { classes, confusion: own, mistakes } = scores
  const seen = told.signals.map(({ answers: of }) => of).findLast((of) => of !== undefined)
  const confusion = asMatrix(own) ?? seen?.confusion
  if (confusion === undefined || confusion.length === 0) return []
  const names = confusion.map((_, k) => {
    const name: unknown = Array.isArray(classes) ? classes[k] : undefined
    return shortened(typeof name === "string" ? name : String(k), 20)
  })
  const epoch = seen === undefined ? undefined : told.signals.findLast(({ answers: of }) => of !== undefined)!.epoch
  const when = own === undefined && epoch !== undefined ? ` after epoch ${epoch}` : ""
  const rows = confusion.flat().reduce((a, b) => a + b, 0)
  const right = confusion.reduce((sum, row, k) => sum + row[k]!, 0)
  const blocks: Block[] = [
    heading("Right and wrong"),
    text(
      `Of ${count(rows, "validation row")}, ${right.toLocaleString("en-US")} were read right${when} (${percent(right / Math.max(1, rows))}).`,
      ...mixUps(confusion, names),
    ),
  ]
  if (confusion.length <= MOST.classes) blocks.push(matrix(confusion, names))
  return [...blocks, ...(own === undefined ? pictures(told, seen, names) : surest(mistakes))]
}

/** The mix-ups that happened most often. */
function mixUps(confusion: readonly (readonly number[])[], names: readonly string[]): readonly string[] {
  const pairs = confusion
    .flatMap((row, k) => row.map((n, j) => ({ n, k, j })))
    .filter(({ n, k, j }) => n > 0 && k !== j)
  const worst = pairs.sort((a, b) => b.n - a.n).slice(0, 3)
  if (worst.length === 0) return []
  return [
    `Most often mixed up: ${worst.map(({ n, k, j }) => `${names[k]} said to be ${names[j]}, ${n === 1 ? "once" : `${n} times`}`).join("; ")}.`,
  ]
}

function matrix(confusion: readonly (readonly number[])[], names: readonly string[]): Block {
  const most = confusion.reduce((m, row, k) => Math.max(m, ...row.filter((_, j) => j !== k)), 1)
  const shades = confusion.map((row, k) => [0, ...row.map((n, j) => (j === k ? 0 : n / most))])
  return {
    kind: "table",
    head: ["true \\ said", ...names],
    rows: confusion.map((row, k) => [names[k]!, ...row]),
    shades,
  }
}

const SURE = "The surest mistakes"

function pictures({ picture }: Told, seen: Answers | undefined, names: readonly string[]): Block[] {
  const wrong = (seen?.mistakes ?? []).slice(0, MOST.mistakes)
  if (wrong.length === 0) return []
  const shown = wrong.map(({ index, label, said, probability }) => {
    const line = `row ${index + 1}: ${names[label] ?? label}, said ${names[said] ?? said} (${percent(probability)})`
    return { svg: picture(index), text: line }
  })
  return [heading(SURE), { kind: "pictures", pictures: shown }]
}

function surest(mistakes: unknown): Block[] {
  const rows = asMisses(mistakes).map(({ row, truth, said, probability }) => [
    row,
    shortened(String(truth), 24),
    shortened(String(said), 24),
    percent(number(probability) ?? 0),
  ])
  if (rows.length === 0) return []
  return [heading(SURE), { kind: "table", head: ["row", "is", "was said to be", "how surely"], rows }]
}

function residuals({ rows, r2, rootMeanSquaredError, meanAbsoluteError, residuals: given, mistakes }: Fields): Block[] {
  const all = Array.isArray(given) ? given.map(number) : []
  const known = all.length === 5 && all.every((value) => value !== undefined) ? (all as readonly number[]) : undefined
  const errors = [
    ["R²", r2],
    ["root mean square", rootMeanSquaredError],
    ["mean absolute", meanAbsoluteError],
  ].flatMap(([name, value]) => (number(value) === undefined ? [] : [`${name} ${digits(number(value)!)}`]))
  const sentences = [
    `Over ${count(number(rows) ?? 0, "validation row")}, in the target's own unit: ${errors.join(", ")}.`,
  ]
  const blocks: Block[] = [heading("Residuals"), text(...sentences)]
  if (known !== undefined) {
    const head = ["least", "lower quarter", "median", "upper quarter", "greatest"]
    blocks.push(text("What is true less what was said:"), {
      kind: "table",
      head,
      rows: [known.map((value) => Number(digits(value)))],
    })
  }
  const misses = asMisses(mistakes).flatMap(({ row, truth, said }) => {
    const [a, b] = [number(truth), number(said)]
    return a === undefined || b === undefined ? [] : [[row, ...[a, b, a - b].map((value) => Number(digits(value)))]]
  })
  if (misses.length === 0) return blocks
  return [
    ...blocks,
    heading("The largest misses"),
    { kind: "table", head: ["row", "is", "was said", "residual"], rows: misses },
  ]
}

function asMisses(value: unknown): readonly (Fields & { readonly row: number })[] {
  const all = Array.isArray(value) ? value.map(fields) : []
  return all
    .flatMap((miss) => (number(miss.row) === undefined ? [] : [{ ...miss, row: number(miss.row)! }]))
    .slice(0, MOST.mistakes)
}

function settingsOf({ run }: Told): Block[] {
  const { config } = run
  const known = [
    "net",
    ...settings.map(({ name }) => name),
    "numerics",
    "dataset",
    "trilobite",
    "node",
    "platform",
    "cores",
  ]
  const told = known.flatMap((name) => {
    const value = config[name]
    if (value === undefined || value === null || (typeof value === "object" && !Array.isArray(value))) return []
    return [`${name} ${shortened(flagText(value), 60)}`]
  })
  if (told.length === 0) return []
  const command = commandOf(config)
  return [
    heading("How to repeat it"),
    ...(command === undefined ? [] : [{ kind: "code", text: command } as const]),
    text(`${told.join("; ")}.`),
  ]
}

function drawing(name: string, plot: Plot, alt: string): Drawing {
  return { name, svg: plotSvg(plot), alt }
}

/** The points of a curve: where it has a value, and not more than can be seen. */
function points<T extends { readonly epoch: number }>(
  lines: readonly T[],
  value: (line: T) => number | undefined,
): { readonly x: readonly number[]; readonly y: readonly number[] } {
  const known = lines.flatMap((line) => {
    const y = value(line)
    return y === undefined ? [] : [{ x: line.epoch, y }]
  })
  const every = Math.ceil(known.length / MOST.points)
  const some = known.filter((_, i) => i % every === 0 || i === known.length - 1)
  return { x: some.map(({ x }) => x), y: some.map(({ y }) => y) }
}

const capital = (word: string): string => `${word[0]!.toUpperCase()}${word.slice(1)}`
