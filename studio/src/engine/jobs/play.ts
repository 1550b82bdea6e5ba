// The playground's training: goes on until it is told otherwise, and shows what it has come to about 30 times a second.

import { type Look, type Neuron, Session } from "../../playground/session.ts"
import { LOOK_EVERY, PATIENCE, type Settings } from "../../playground/settings.ts"
import type { Job } from "../protocol.ts"
import { channel } from "../queue.ts"
import { engine } from "../trilobite.ts"

/** How it begins. */
export interface PlayParams {
  readonly settings: Settings
  readonly playing: boolean
  /** Trains so many epochs at once, and pauses. */
  readonly until?: number
  /** Epochs a second at most while it plays (default: as many as it can). */
  readonly speed?: number
}

/** What the page says to it. */
export type PlayMessage =
  | { readonly type: "play"; readonly playing: boolean }
  | { readonly type: "step" }
  | { readonly type: "speed"; readonly speed: number }
  | { readonly type: "again" }
  | { readonly type: "settings"; readonly settings: Settings }
  | {
      readonly type: "weight"
      readonly layer: number
      readonly from: number
      readonly to: number
      readonly value: number
    }
  | { readonly type: "pin"; readonly neuron: Neuron | undefined }
  /** The page has drawn the last event. */
  | { readonly type: "drawn" }

/** What it has come to. */
export interface PlayEvent extends Look {
  readonly settings: Settings
  readonly epoch: number
  /** The learning rate of the next round, which schedules change. */
  readonly rate: number
  readonly playing: boolean
  /** Points trained per second, everything counted; 0 while nothing is known. */
  readonly pace: number
  /** Whether it has just begun from the first weights. */
  readonly began: boolean
  /** Why it has paused by itself. */
  readonly ended?: string
  /** The arrays that are handed over instead of copied. */
  readonly transfer: readonly Transferable[]
}

/** Milliseconds between two looks at a training that goes on. */
const BETWEEN = 33

/** Milliseconds after which there is another look although the page has not drawn the last one: it may be hidden. */
const PATIENCE_MS = 500

/** Milliseconds of training after which messages are read: less than a frame. */
const BURST = 12

/** Trains, and looks at what it has come to beside it. */
export const play: Job<PlayParams, PlayEvent, PlayMessage> = (params, { signal, onMessage }) => {
  const events = channel<PlayEvent>()
  events.follow(train(params, signal, onMessage, events.push))
  return events
}

async function train(
  params: PlayParams,
  signal: AbortSignal,
  onMessage: (listener: (message: PlayMessage) => void) => void,
  tell: (event: PlayEvent) => void,
): Promise<void> {
  const session = new Session(params.settings, engine())
  const inbox: PlayMessage[] = []
  let wake = (): void => {}
  let drawn = true
  onMessage((message) => {
    if (message.type === "drawn") drawn = true
    else inbox.push(message)
    wake()
  })
  signal.addEventListener("abort", () => wake())
  let playing = params.playing
  let goal = params.until ?? 0
  let pin: Neuron | undefined
  let ended: string | undefined
  let began = true
  let burst = 1
  let speed = params.speed ?? Number.POSITIVE_INFINITY
  let played = { at: performance.now(), epoch: 0 }
  let rule = startRule(session)
  const pace = paceOf(session)
  /** Whether anything has changed since the last look, and when that was. */
  let changed = true
  let looked = Number.NEGATIVE_INFINITY
  let looking = false
  let failure: { readonly error: unknown } | undefined

  const obey = (message: PlayMessage): void => {
    ended = undefined
    changed = true
    // What the reader has done is shown at once.
    looked = Number.NEGATIVE_INFINITY
    switch (message.type) {
      case "play":
        playing = message.playing
        if (playing) rule = startRule(session)
        played = { at: performance.now(), epoch: session.epoch }
        pace.begin()
        return
      case "speed":
        speed = message.speed
        played = { at: performance.now(), epoch: session.epoch }
        return
      case "step":
        playing = false
        // Steps that come faster than they are taken are all taken.
        goal = Math.max(goal, session.epoch) + 1
        return
      case "again":
        session.again()
        began = true
        goal = 0
        played = { at: performance.now(), epoch: 0 }
        rule = startRule(session)
        return
      case "settings":
        if (session.change(message.settings)) {
          ;[began, goal] = [true, 0]
          played = { at: performance.now(), epoch: 0 }
        }
        rule = startRule(session)
        return
      case "weight":
        session.setWeight(message.layer, message.from, message.to, message.value)
        return
      case "pin":
        pin = message.neuron
    }
  }
  /** Looks at the training as it is now, and tells of it as soon as the answers are there. */
  const look = async (): Promise<void> => {
    const own = {
      settings: session.settings,
      epoch: session.epoch,
      rate: session.rate,
      playing,
      pace: pace.now(),
      began,
      ...(ended === undefined ? {} : { ended }),
    }
    ;[began, changed, looking, drawn, looked] = [false, false, true, false, performance.now()]
    try {
      const found = await session.look(pin)
      tell({ ...found, ...own, transfer: transferOf(found) })
    } catch (error) {
      failure ??= { error }
    } finally {
      looking = false
      wake()
    }
  }

  /** How many epochs may be trained by now, as fast as the reader wants to see them. */
  const due = (): number =>
    speed === Number.POSITIVE_INFINITY
      ? speed
      : Math.floor(played.epoch + ((performance.now() - played.at) / 1000) * speed) - session.epoch
  /** Milliseconds until the next look; Infinity while there is nothing to be seen, or one is under way. */
  const untilLook = (): number => {
    if (!changed || looking) return Number.POSITIVE_INFINITY
    return looked + (drawn ? BETWEEN : PATIENCE_MS) - performance.now()
  }
  /** Until something happens, or so many milliseconds. */
  const news = (ms: number): Promise<void> =>
    new Promise((resolve) => {
      const timer = ms === Number.POSITIVE_INFINITY ? undefined : setTimeout(resolve, ms)
      wake = () => {
        clearTimeout(timer)
        wake = () => {}
        resolve()
      }
      if (inbox.length > 0 || signal.aborted || failure !== undefined) wake()
    })

  while (!signal.aborted) {
    if (failure !== undefined) throw failure.error
    for (const message of inbox.splice(0)) obey(message)
    const wanted = goal > session.epoch ? goal - session.epoch : playing ? Math.min(rule.epochs(), due()) : 0
    const left = session.ready ? wanted : 0
    if (left > 0) {
      const started = performance.now()
      const epochs = Math.min(burst, left)
      ended = await session.train(epochs, signal)
      changed = true
      const took = performance.now() - started
      burst = Math.max(1, Math.min(4 * burst, Math.round((epochs * BURST) / Math.max(0.1, took))))
      if (playing) ended ??= await rule.ended()
      if (ended !== undefined) {
        playing = false
        goal = 0
      }
    }
    const goesOn = session.ready && (playing || goal > session.epoch)
    if (!goesOn && !looking && inbox.length === 0 && changed) looked = Number.NEGATIVE_INFINITY
    if (untilLook() <= 0 && !signal.aborted) void look()
    if (left > 0 && goesOn && (goal > session.epoch || due() > 0)) continue
    if (!goesOn) pace.end()
    await news(Math.max(1, Math.min(untilLook(), goesOn ? 1000 / speed / 2 : Number.POSITIVE_INFINITY)))
  }
}

interface Rule {
  /** How many epochs may be trained before the rule is asked again. */
  epochs(): number
  /** Why training ends now, if it does. */
  ended(): Promise<string | undefined>
}

function startRule(session: Session): Rule {
  const { stop, epochs } = session.settings
  const first = session.epoch
  if (stop === "epochs") {
    const last = first < epochs ? epochs : first + epochs
    const left = (): number => last - session.epoch
    return {
      epochs: left,
      ended: async () => (left() <= 0 ? `Epoch ${session.epoch}: that was the last one.` : undefined),
    }
  }
  if (stop === "never") return { epochs: () => Number.POSITIVE_INFINITY, ended: async () => undefined }
  let [best, at] = [Number.POSITIVE_INFINITY, first]
  return {
    epochs: () => LOOK_EVERY - (session.epoch % LOOK_EVERY),
    ended: async () => {
      if (session.epoch % LOOK_EVERY !== 0) return undefined
      const cost = await session.testCost()
      if (cost < best) [best, at] = [cost, session.epoch]
      if (session.epoch - at < PATIENCE) return undefined
      return `The test cost has not fallen since epoch ${at}: ended after epoch ${session.epoch}.`
    },
  }
}

/** Points per second over the last second or so. */
function paceOf(session: Session): { begin(): void; end(): void; now(): number } {
  let marks: { readonly at: number; readonly trained: number }[] = []
  let last = 0
  const begin = (): void => {
    marks = [{ at: performance.now(), trained: session.trained }]
  }
  begin()
  return {
    begin,
    end: () => {
      marks = []
    },
    now: () => {
      if (marks.length === 0) begin()
      const mark = { at: performance.now(), trained: session.trained }
      marks = [...marks.filter(({ at }) => mark.at - at < 1500), mark]
      const [first] = marks
      if (mark.at - first!.at > 200) last = ((mark.trained - first!.trained) * 1000) / (mark.at - first!.at)
      return last
    },
  }
}

function transferOf({ field, fields, means, weights, pinned }: Look): Transferable[] {
  const arrays = [field, ...fields, ...means, ...weights, ...(pinned === undefined ? [] : [pinned])]
  return [...new Set(arrays.map(({ buffer }) => buffer as ArrayBuffer))]
}
