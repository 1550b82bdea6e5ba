// What the page says of a run: its name, its headline, its spec. Knows no drawing.

import type { Run, RunState } from "../../../cli/studio/api.ts"
import { cost, count, duration, percent, rate } from "../ui/format.ts"
import { configOf, rightOf, roundsOf } from "./view.ts"

/** What is known of the chapter's networks beside their names. */
export interface NetWords {
  readonly layers: string
  readonly parameters: number
  readonly cost: "cross-entropy" | "quadratic cost"
}

/** The networks of the command line. */
export const netWords: { readonly [net: string]: NetWords } = {
  "intermediate-net": {
    layers: "784, 64 relu, 64 relu, 10 softmax",
    parameters: 55_050,
    cost: "cross-entropy",
  },
  "shallow-net": { layers: "784, 64 sigmoid, 10 softmax", parameters: 50_890, cost: "quadratic cost" },
}

const dated = /-\d{8}-\d{6}(-\d+)?$/

/** What a run is called: its folder, without the time that the command line has put there. */
export function titleOf(run: Run): string {
  return run.name.replace(dated, "") || run.name
}

/** When a run was begun: "28 Nov, 14:32". */
export function begunText({ begun }: Pick<Run, "begun">): string {
  const time = new Date(begun)
  const day = time.toLocaleDateString("en-GB", { day: "numeric", month: "short" })
  return `${day}, ${time.toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" })}`
}

const epochsText = (n: number): string => (n === 1 ? "1 epoch" : `${count(n)} epochs`)

/** The second line of a run in the list. */
export function railText(run: Run): string {
  const last = run.epochs.at(-1)
  const { epochs } = configOf(run)
  if (run.state === "running") return `epoch ${last?.epoch ?? 0}${epochs === undefined ? "" : ` of ${count(epochs)}`}`
  if (run.state === "unreadable") return "cannot be read"
  if (last === undefined) return "no epoch finished"
  const right = rightOf(last)
  return `${right === undefined ? "" : `${percent(right)}, `}${epochsText(run.epochs.length)}`
}

/** The sentence that heads a run. */
export function headline(run: Run): string {
  const last = run.epochs.at(-1)
  const { epochs, dataset } = configOf(run)
  const share = rightOf(last)
  const right = share === undefined ? undefined : percent(share, 1)
  const what = dataset === undefined || dataset === "mnist" ? "digits" : "rows"
  if (run.state === "running") {
    if (last === undefined) return "The first epoch is under way"
    const of = epochs === undefined ? "" : ` of ${count(epochs)}`
    return `Epoch ${count(last.epoch)}${of}: ${right === undefined ? `cost ${cost(last.valLoss ?? last.loss ?? Number.NaN)}` : right} so far`
  }
  if (run.state === "unreadable") return "This run cannot be read"
  if (last === undefined) {
    return run.state === "stopped" ? "Stopped before the first epoch had ended" : "It ended before the first epoch had"
  }
  const result =
    right === undefined ? `${epochsText(run.epochs.length)} trained` : `${right} of unseen ${what} read right`
  return run.state === "finished" ? result : `${result} after ${epochsText(run.epochs.length)}`
}

/** What stands on the chip of a run. */
export function stateText(state: RunState): string {
  return state
}

/** The line under the headline. */
export function specText(run: Run): string {
  const config = configOf(run)
  const { net, optimizer, learningRate, batchSize, epochs, dataset, rows, seed } = config
  if (net === undefined) return "Its config.json says nothing of how it was made."
  const known = netWords[net]
  const shape = known === undefined ? `${net}.` : `${net}: ${known.layers}. ${count(known.parameters)} parameters.`
  const [rounds, on] = [roundsOf(config), dataset === "mnist" ? "MNIST" : rows && `${count(rows)} rows`]
  const each = rounds === undefined ? "" : ` of ${rounds === 1 ? "1 round" : `${count(rounds)} rounds`}`
  const parts = [
    learningRate === undefined ? optimizer : `${optimizer ?? "SGD"} ${rate(learningRate)}`,
    batchSize === undefined ? undefined : `batch ${count(batchSize)}`,
    epochs === undefined ? undefined : `${epochsText(epochs)}${each}${on === undefined ? "" : ` on ${on}`}`,
    seed === undefined ? undefined : `seed ${seed}`,
  ].filter((part) => part !== undefined)
  return `${shape} ${parts.join(", ")}.`
}

/** Seconds of training, of all epochs. */
export function secondsOf(run: Run): number {
  return run.epochs.reduce((sum, { seconds = 0 }) => sum + seconds, 0)
}

/** What a screen reader hears of a new epoch. */
export function spokenText(run: Run): string {
  const [before, last] = run.epochs.slice(-2).length === 2 ? run.epochs.slice(-2) : [undefined, run.epochs.at(-1)]
  if (last?.valLoss === undefined) return ""
  const moved = before?.valLoss === undefined ? "" : last.valLoss < before.valLoss ? ", falling" : ", rising"
  return `Epoch ${last.epoch}, validation cost ${cost(last.valLoss)}${moved}.`
}

/** The title of the document. */
export function documentTitle(run: Run): string {
  const last = run.epochs.at(-1)
  if (run.state !== "running") return `${titleOf(run)} · trilobite studio`
  const right = rightOf(last)
  return right === undefined ? `epoch ${last?.epoch ?? 0}` : `${percent(right, 1)}, epoch ${last!.epoch}`
}

/** What a net is trained with, in a word. */
export const rowsWord = (run: Run): string => (configOf(run).dataset === "table" ? "rows" : "images")

/** What is said while the connection is lost. */
export function lostText(seconds: number, running: boolean): string {
  return `Last heard ${seconds < 60 ? `${Math.max(1, Math.round(seconds))} s` : duration(seconds)} ago, trying again.${running ? " The run itself goes on." : ""}`
}

/** The names of a net's layers with kernels: "layer 1", "layer 2", "output". */
export function layerNames(n: number): readonly string[] {
  return Array.from({ length: n }, (_, i) => (i === n - 1 ? "output" : `layer ${i + 1}`))
}

/** The tokens of their colours, from dark to light. */
export function layerTones(n: number): readonly string[] {
  const last = n <= 5 ? 4 : 5
  return Array.from({ length: n }, (_, i) => `layer-${1 + Math.round((i * last) / Math.max(1, n - 1))}`)
}
