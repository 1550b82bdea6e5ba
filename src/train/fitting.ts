// Training a model: what trains and what validates, the loop, and whom it tells. Loaded when a model is first trained.
// Knows a model by what it asks of it in examples.ts.

import type { Bound } from "../backend/backend.ts"
import type { Decision } from "../coach/procedures.ts"
import type { JsonObject } from "../core/json.ts"
import { type Dataset, isDataset, type Rows } from "../data/dataset.ts"
import type { Progress } from "../formats/saved-model.ts"
import { targetsOf } from "../nn/losses.ts"
import { averageKey } from "../nn/update.ts"
import { setValues, valuesOf } from "../nn/weights.ts"
import type { Training } from "./callbacks/callback.ts"
import { type History, Listeners } from "./callbacks/listeners.ts"
import type { RowsInMemory } from "./coaching.ts"
import { checkSameRows, divide } from "./division.ts"
import {
  type Aligned,
  checkFor,
  type InMemory,
  type Memory,
  type Room,
  readValidation,
  weightsFor,
} from "./examples.ts"
import { type Feed, fixedFeed } from "./feed.ts"
import { type EpochEnd, fitEvents } from "./fit.ts"
import { checkFitOptions } from "./fit-options.ts"
import type { Traced } from "./forward.ts"
import type { ClassWeights } from "./inputs.ts"
import type { readFitOptions } from "./options.ts"
import { memoryPart, type Opened, openDataset, type Part } from "./parts.ts"
import { consoleOutput, progressWriter } from "./progress.ts"
import { checkRun, goBackTo, goingOn, placeOf, placeToData, runOf, weightsNow } from "./resuming.ts"
import { classesOf, rowsOf, specsOf } from "./rows.ts"

type Read = ReturnType<typeof readFitOptions>

/** Trains the model on data that has been read, or on a data set. */
export async function fitModel(
  room: Room,
  read: Read,
  memory: InMemory,
  dataset: Dataset | undefined,
): Promise<History> {
  checkFitOptions(read, dataset !== undefined)
  const held: { release(): void }[] = []
  const begun = read.resume === undefined ? undefined : await goingOn(room, read.resume)
  const from = begun?.progress
  const seed = read.seed ?? (from === undefined ? room.seed : Number(from.run.seed))
  const initialEpoch = from?.initialEpoch ?? read.initialEpoch
  try {
    const parts = await partsOf(room, { ...read, initialEpoch }, memory, dataset, seed, held)
    let known: JsonObject | undefined
    const run = (): JsonObject => (known ??= runOf(room, read, seed, memory))
    if (from !== undefined) checkRun(from.run, run())
    if (begun !== undefined) goBackTo(room, begun)
    const sizes = [parts.train.batchSize, parts.validation?.batchSize ?? 1]
    const executable = await room.state.load(parts.traced, Math.max(...sizes), "train")
    const bounds = new Map<Rows, Bound>()
    const bind = (data: Rows): Bound => {
      const known = bounds.get(data)
      if (known !== undefined) return known
      const bound = executable.bind({ count: rowsOf(data), data })
      held.push(bound)
      bounds.set(data, bound)
      letGo(data, bound)
      return bound
    }
    const feed = (where: string, part: Part): Feed => {
      const made = fixedFeed(where, room.network.batchSize, part.feed(executable, bind))
      held.push(made)
      return made
    }
    const train = feed("fit", parts.train)
    const validation = parts.validation && feed("validation", parts.validation)
    const measured = parts.measured && feed("fit", parts.measured)
    const coaching = isCoached(read) ? (await import("./coaching.ts")).coach : undefined
    const warnings = [...room.takeWarnings(), ...(read.shuffle ? orderDoubts(parts.traced) : [])]
    if (read.verbose !== 0) for (const warning of warnings) console.warn(`Note: ${warning}`)

    const { signal, validationFreq } = read
    const open =
      read.epochs === "auto" ? (await import("./auto-epochs.ts")).openEpochs(initialEpoch, tellOf(read)) : undefined
    const planned = (): number => open?.planned ?? (read.epochs as number)
    let atEnd = false
    /** The weights before the end of the training has changed them. */
    let standing: Progress["weights"]
    const setWeights: typeof room.subject.setWeights = (weights) => {
      if (atEnd) standing ??= weightsNow(room)
      room.subject.setWeights(weights)
    }
    const subject = { ...room.subject, setWeights, rate: room.rate, step: () => room.state.step, epochs: planned }
    const callbacks = open === undefined ? read.callbacks : [open.callback, ...read.callbacks]
    const listeners = new Listeners(callbacks, subject, from)
    room.history = listeners.history
    const { logs } = parts.traced
    const place = placeOf(from, initialEpoch, logs)
    const progress = (): Progress => {
      return { ...placeToData(place), ...listeners.progress(), initialEpoch, run: run(), weights: standing }
    }
    room.keepProgress(progress)
    const print = progressWriter(consoleOutput(), read.verbose === "auto" ? 1 : read.verbose)
    const validates = (epoch: number): boolean =>
      typeof validationFreq === "number" ? (epoch + 1) % validationFreq === 0 : validationFreq.includes(epoch + 1)
    const { everyRound, control } = listeners
    const { verbose } = read
    const coached = coaching?.({
      room,
      read,
      parts,
      executable,
      bind,
      feed: train,
      seed,
      epochs: planned,
      // A callback that hears of findings says itself what is to be said.
      print: verbose !== 0 && read.coach !== false,
      listeners,
    })
    const where = { epochs: planned, isOpen: open !== undefined, initialEpoch, place, resumed: from !== undefined }
    const watching = coached?.watching
    const parted = validation ?? measured ?? coached ?? open
    const isHeard = callbacks.length > 0 || verbose !== 0 || parted !== undefined
    const unheard = (event: EpochEnd): void => {
      room.tables = event.tables
      listeners.record(event)
    }
    const quiet = isHeard ? undefined : unheard
    const rest = { everyRound, control, ...where, signal, seed, state: room.state, watching, unheard: quiet }
    try {
      for await (const event of fitEvents({ executable, logs, train, validation, measured, validates, ...rest })) {
        if (event.type === "epochEnd") room.tables = event.tables
        const looking = coached?.before(event)
        if (looking !== undefined) await looking
        if (event.type === "trainEnd") {
          atEnd = true
          if (takesMeans(room)) {
            standing = weightsNow(room)
            takeMeans(room)
          }
        }
        print(event)
        await listeners.tell(event)
        const advising = coached?.after(event)
        if (advising !== undefined) await advising
      }
    } catch (error) {
      const ended = await listeners.fail(error)
      await coached?.failed(ended)
      if (!ended) {
        room.keepProgress(undefined)
        throw error
      }
    }
    // An interrupted training may go on; nothing of its data is held for that.
    const last = listeners.history.ended === "aborted" ? progress() : undefined
    room.keepProgress(last && (() => last))
    return listeners.history
  } finally {
    for (const data of held) data.release()
  }
}

/** The copies that were made of rows for this training, once they are bound: the engine's memory serves instead of them. */
function letGo(data: Rows, bound: Bound): void {
  for (const [name, t] of Object.entries(data)) Object.assign(t, { data: bound.view(name) ?? t.data })
}

/** Who hears of decisions: the callbacks that can, else the reader. */
function tellOf({ callbacks, verbose }: Read): (decision: Decision, training: Training) => Promise<void> {
  const heard = callbacks.filter(({ onDecision }) => onDecision !== undefined)
  return async (decision, training) => {
    if (heard.length === 0 && verbose !== 0) consoleOutput().write(`${decision.text}\n`)
    for (const callback of heard) await callback.onDecision!(decision, training)
  }
}

/** Whether somebody wants to know what is wrong with the training. */
function isCoached({ coach, callbacks }: Read): boolean {
  return coach !== false || callbacks.some(({ onFinding }) => onFinding !== undefined)
}

/** What is doubtful about rows in a new order in every epoch. */
function orderDoubts({ parameters }: Traced): string[] {
  const layers = [...new Set(parameters.flatMap(({ carried, layer }) => (carried === true ? [layer] : [])))]
  if (layers.length === 0) return []
  const what =
    "row i of a batch goes on where row i of the batch before has ended, but rows come in a new order in every epoch"
  return [`${layers.join(", ")} (stateful): ${what}. Give shuffle: false.`]
}

/** Whether the optimizer keeps running means of the weights for the end of a training. */
function takesMeans({ training: { optimizer }, state }: Room): boolean {
  return optimizer.useEma && optimizer.emaOverwriteFrequency === null && state.step > 0
}

/** The running means of the weights take their place. */
function takeMeans({ state, cells }: Room): void {
  for (const [key, cell] of cells) {
    const mean = state.slots.get(averageKey(key))
    if (mean !== undefined) setValues(cell, valuesOf(mean))
  }
}

interface Parts {
  readonly traced: Traced
  /** Training rows in memory, and those that take part. */
  readonly rows?: RowsInMemory
  /** Validation rows in memory, likewise. */
  readonly others?: RowsInMemory | undefined
  readonly train: Part
  readonly validation: Part | undefined
  /** The training rows once more, if they are to be measured after each epoch. */
  readonly measured: Part | undefined
}

/** The epoch that is not prepared for any more. */
const lastEpoch = ({ epochs }: Read): number => (epochs === "auto" ? Number.POSITIVE_INFINITY : epochs)

/** What trains and what validates, as the options say. What must be closed goes to `held`. */
async function partsOf(
  room: Room,
  read: Read,
  memory: InMemory,
  dataset: Dataset | undefined,
  seed: number,
  held: { release(): void }[],
): Promise<Parts> {
  const { validationData, batchSize, initialEpoch } = read
  const epochs = lastEpoch(read)
  const wanted = room.wanted()
  const open = async (where: string, data: Dataset, classWeight?: ClassWeights): Promise<Opened> => {
    const opened = await openDataset(where, data, { wanted, paired: true, classWeight })
    held.push({ release: () => opened.close() })
    return opened
  }
  const opened = dataset === undefined ? undefined : await open("fit", dataset, read.classWeight)
  const specs = opened?.specs ?? specsOf(memory.train!.data)
  if (opened !== undefined) room.targetsFor(specs)
  const other = isDataset(validationData) ? await open("validationData", validationData) : undefined
  // Beside a data set, validation data in memory are read only now: before, nothing was known of the model's inputs.
  const late = memory.validation ?? readValidation(room, read)
  if (other !== undefined) checkSameRows(specs, other.specs)
  if (late !== undefined) checkSameRows(specs, specsOf(late.data))

  const has = [memory.train?.weights, late?.weights, opened?.weighted === true, other?.weighted === true]
  const weighted = has.some((own) => own !== undefined && own !== false)
  const targets = room.targetsFor(specs)
  const traced = await room.trainWith(targets, weighted, isCoached(read))
  const complete = (where: string, { data, weights }: Memory): Rows =>
    weighted ? { ...data, ...(weights ?? weightsFor(room, where, data)) } : data
  const shuffle = read.shuffle ? { seed, epochs } : undefined
  const validation = (): Part | undefined => {
    const use = { batchSize: read.validationBatchSize ?? batchSize, steps: read.validationSteps }
    if (other !== undefined) return other.part({ ...use, weighted, check: checkFor(room, "validationData", targets) })
    if (late === undefined) return undefined
    return memoryPart("validationData", complete("validationData", late), use.batchSize, use)
  }
  if (opened !== undefined) {
    const use = {
      batchSize,
      shuffle,
      epochs,
      steps: read.stepsPerEpoch,
      shuffleBuffer: read.shuffleBuffer,
      weighted,
      initialEpoch,
    }
    const check = checkFor(room, "fit", targets)
    const train = opened.part({ ...use, lasting: true, check })
    const again = { batchSize, weighted, check, steps: read.stepsPerEpoch }
    return {
      traced,
      train,
      validation: validation(),
      measured: read.trainMetrics === "epochEnd" ? opened.part(again) : undefined,
    }
  }
  const data = complete("fit", memory.train!)
  if (read.validationSplit > 0) return { traced, ...divided(data, read, seed, targets) }
  return {
    traced,
    rows: { data, taken: undefined },
    others: late && { data: late.data, taken: undefined },
    train: memoryPart("fit", data, batchSize, { shuffle, steps: read.stepsPerEpoch }),
    validation: validation(),
    measured: read.trainMetrics === "epochEnd" ? memoryPart("fit", data, batchSize) : undefined,
  }
}

/** A part of the rows trains, the others validate. */
function divided(data: Rows, read: Read, seed: number, targets: readonly Aligned[]): Omit<Parts, "traced"> {
  const [first, ...others] = targets
  const classes = others.length > 0 ? undefined : classesOf(data[first!.binding]!, targetsOf(first!.loss))
  const { train, validation } = divide(rowsOf(data), read.validationSplit, seed, classes)
  const shuffle = read.shuffle ? { seed, epochs: lastEpoch(read) } : undefined
  const size = read.validationBatchSize ?? read.batchSize
  return {
    rows: { data, taken: train },
    others: { data, taken: validation },
    train: memoryPart("fit", data, read.batchSize, { rows: train, shuffle, steps: read.stepsPerEpoch }),
    validation: memoryPart("validationSplit", data, size, { rows: validation, steps: read.validationSteps }),
    measured: read.trainMetrics === "epochEnd" ? memoryPart("fit", data, read.batchSize, { rows: train }) : undefined,
  }
}
