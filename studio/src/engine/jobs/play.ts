// The playground's training: goes on until it is told otherwise, and shows what it has come to about 30 times a second.

import { type Look, type Neuron, Session } from "../../playground/session.ts"
import { LOOK_EVERY, PATIENCE, type Settings } from "../../playground/settings.ts"
import type { Job } from "../protocol.ts"
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

/** Milliseconds between two looks. */
const BETWEEN = 33

/** Trains. */
export const play: Job<PlayParams, PlayEvent, PlayMessage> = async function* (params, { signal, onMessage }) {
  const session = new Session(params.settings, engine())
  const inbox: PlayMessage[] = []
  let wake = (): void => {}
  onMessage((message) => {
    inbox.push(message)
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

  const obey = (message: PlayMessage): void => {
    ended = undefined
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
        goal = session.epoch + 1
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
  const show = async (): Promise<PlayEvent> => {
    const look = await session.look(pin)
    const own = {
      settings: session.settings,
      epoch: session.epoch,
      rate: session.rate,
      playing,
      pace: pace.now(),
      began,
    }
    began = false
    return { ...look, ...own, ...(ended === undefined ? {} : { ended }), transfer: transferOf(look) }
  }

  /** How many epochs may be trained by now, as fast as the reader wants to see them. */
  const due = (): number =>
    speed === Number.POSITIVE_INFINITY
      ? speed
      : Math.floor(played.epoch + ((performance.now() - played.at) / 1000) * speed) - session.epoch
  /** Until a message comes, or so many milliseconds. */
  const news = (ms?: number): Promise<void> =>
    new Promise((resolve) => {
      const timer = ms === undefined ? undefined : setTimeout(resolve, ms)
      wake = () => {
        clearTimeout(timer)
        resolve()
      }
      if (inbox.length > 0 || signal.aborted) wake()
    })

  while (!signal.aborted) {
    for (const message of inbox.splice(0)) obey(message)
    const until = performance.now() + BETWEEN
    while (session.ready && !signal.aborted && inbox.length === 0) {
      const left = goal > session.epoch ? goal - session.epoch : playing ? Math.min(rule.epochs(), due()) : 0
      if (left <= 0) break
      const started = performance.now()
      const epochs = Math.min(burst, left)
      ended = await session.train(epochs, signal)
      const took = performance.now() - started
      burst = Math.max(1, Math.min(4 * burst, Math.round((epochs * (BETWEEN - 5)) / Math.max(0.1, took))))
      if (playing) ended ??= await rule.ended()
      if (ended !== undefined) {
        playing = false
        goal = 0
      }
      if (performance.now() >= until) break
    }
    if (signal.aborted) return
    yield await show()
    if (playing && inbox.length === 0 && due() < 1) await news(Math.max(1, until - performance.now(), 1000 / speed / 2))
    if (inbox.length > 0 || (session.ready && (playing || goal > session.epoch))) continue
    pace.end()
    await news()
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
