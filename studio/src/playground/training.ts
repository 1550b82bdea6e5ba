// The page's side of the training: the newest of what the worker has sent, the curve so far, and what the page may do.

import { batch, effect, type ReadonlySignal, type Signal, signal } from "@preact/signals"
import { useEffect, useMemo } from "preact/hooks"
import { type Running, start } from "../engine/client.ts"
import type { PlayEvent, PlayMessage } from "../engine/jobs/play.ts"
import { cost } from "../ui/format.ts"
import { running } from "../ui/running.tsx"
import { said, speak } from "../ui/said.ts"
import type { Neuron } from "./session.ts"
import type { Settings } from "./settings.ts"
import { keptOf, keptText, type Setting, speeds } from "./state.ts"

/** The costs at the epochs at which somebody looked. */
export interface Curve {
  readonly epochs: readonly number[]
  readonly train: readonly number[]
  readonly test: readonly number[]
}

const nothing: Curve = { epochs: [], train: [], test: [] }

/** Points of a curve beyond which the older half is thinned. */
const MOST = 1200

/** The curve with one more look at the training. */
export function grown(curve: Curve, event: Pick<PlayEvent, "epoch" | "train" | "test" | "began">): Curve {
  if (event.began) curve = nothing
  if (Number.isNaN(event.test.cost)) return curve
  const last = curve.epochs.at(-1)
  const keep =
    last === undefined || last < event.epoch ? curve.epochs.length : curve.epochs.findIndex((e) => e >= event.epoch)
  const thin = keep > MOST
  const cut = <T>(all: readonly T[]): T[] => all.slice(0, keep).filter((_, i) => !thin || i % 2 === 0 || i > keep / 2)
  return {
    epochs: [...cut(curve.epochs), event.epoch],
    train: [...cut(curve.train), event.train.cost],
    test: [...cut(curve.test), event.test.cost],
  }
}

/** What was kept as B. */
export interface Kept {
  readonly settings: Settings
  readonly epoch: number
  /** What was to be seen of it; undefined while it is trained again. */
  readonly event: PlayEvent | undefined
  readonly curve: Curve
}

/** Milliseconds between two changes of words and curves while it trains; maps and weights change with every frame. */
const WORDS = 200

/** A training and what may be done with it. */
export interface Training {
  /** The newest look, frame by frame: for what is drawn on canvases. */
  readonly event: ReadonlySignal<PlayEvent | undefined>
  /** The same, a few times a second while it trains: for words. The curve changes with it. */
  readonly told: ReadonlySignal<PlayEvent | undefined>
  readonly curve: ReadonlySignal<Curve>
  readonly playing: ReadonlySignal<boolean>
  readonly kept: ReadonlySignal<Kept | undefined>
  /** Settings that were changed after the first epoch: the exported program cannot know them. */
  readonly changes: readonly string[]
  play(): void
  pause(): void
  step(): void
  again(): void
  setWeight(layer: number, from: number, to: number, value: number): void
  pin(neuron: Neuron | undefined): void
  keep(): void
  forget(): void
  swap(): void
}

/** A training with these settings for as long as the page is shown. */
export function useTraining(setting: Setting): Training {
  const made = useMemo(() => training(setting), [])
  useEffect(() => made.begin(), [])
  return made.training
}

function training(setting: Setting): { readonly training: Training; begin(): () => void } {
  const { now, view } = setting
  const event: Signal<PlayEvent | undefined> = signal(undefined)
  const told: Signal<PlayEvent | undefined> = signal(undefined)
  const curve = signal(nothing)
  const playing = signal(false)
  const kept: Signal<Kept | undefined> = signal(undefined)
  const changes: string[] = []
  let job: Running<PlayMessage> | undefined
  let other: Running<PlayMessage> | undefined
  let asked: Settings = now.peek()
  let newest: PlayEvent | undefined
  let growing = nothing
  let frame = 0
  let spoken = 0

  const draw = (now: number): void => {
    frame = 0
    if (newest === undefined) return
    const words = !newest.playing || newest.began || now - spoken >= WORDS
    batch(() => {
      event.value = newest
      if (!words) return
      spoken = now
      told.value = newest
      curve.value = growing
    })
    if (words) tell(newest, growing, pause)
    job?.tell({ type: "drawn" })
  }
  const hear = (heard: PlayEvent): void => {
    newest = heard
    growing = grown(growing, heard)
    if (heard.began) changes.length = 0
    if (heard.ended !== undefined) said(heard.ended)
    if (!heard.playing && playing.peek() && heard.ended !== undefined) playing.value = false
    if (!heard.playing) view.at.value = changes.length === 0 ? heard.epoch : 0
    if (frame === 0) frame = requestAnimationFrame(draw)
  }
  const startJob = (until: number): void => {
    job?.stop()
    asked = now.peek()
    growing = nothing
    changes.length = 0
    job = start("play", { settings: asked, playing: false, until, speed: speeds[view.speed.peek()] }, hear)
    const pin = view.pin.peek()
    if (pin.length === 2) job.tell({ type: "pin", neuron: [pin[0]! - 1, pin[1]! - 1] })
  }
  const play = (): void => {
    playing.value = true
    job?.tell({ type: "play", playing: true })
  }
  const pause = (): void => {
    playing.value = false
    job?.tell({ type: "play", playing: false })
  }
  const trainKept = (text: string): void => {
    other?.stop()
    const { settings, epoch } = keptOf(text)
    kept.value = { settings, epoch, event: undefined, curve: nothing }
    let line = nothing
    other = start("play", { settings, playing: false, until: epoch }, (heard) => {
      line = grown(line, heard)
      if (heard.epoch < epoch && heard.ended === undefined) return
      other?.stop()
      kept.value = { settings, epoch: heard.epoch, event: heard, curve: line }
    })
  }
  const begin = (): (() => void) => {
    startJob(view.at.peek())
    if (view.kept.peek() !== "") trainKept(view.kept.peek())
    const stop = effect(() => {
      const settings = now.value
      if (settings === asked) return
      if (newest !== undefined && newest.epoch > 0) changes.push(...changed(asked, settings, newest.epoch))
      asked = settings
      job?.tell({ type: "settings", settings })
    })
    const follow = view.speed.subscribe((speed) => job?.tell({ type: "speed", speed: speeds[speed] }))
    return () => {
      stop()
      follow()
      job?.stop()
      other?.stop()
      cancelAnimationFrame(frame)
      running.value = undefined
      playing.value = false
    }
  }
  return {
    begin,
    training: {
      event,
      told,
      curve,
      playing,
      kept,
      changes,
      play,
      pause,
      step: () => {
        playing.value = false
        job?.tell({ type: "step" })
      },
      again: () => job?.tell({ type: "again" }),
      setWeight: (layer, from, to, value) => {
        changes.push(`Epoch ${newest?.epoch ?? 0}: a weight was set by hand.`)
        job?.tell({ type: "weight", layer, from, to, value })
      },
      pin: (neuron) => {
        view.pin.value = neuron === undefined ? [] : [neuron[0] + 1, neuron[1] + 1]
        job?.tell({ type: "pin", neuron })
      },
      keep: () => {
        if (newest === undefined) return
        kept.value = { settings: newest.settings, epoch: newest.epoch, event: newest, curve: growing }
        view.kept.value = keptText(newest.settings, newest.epoch)
        said(`Kept as B: ${newest.epoch} epochs, test cost ${cost(newest.test.cost)}.`)
      },
      forget: () => {
        other?.stop()
        kept.value = undefined
        view.kept.value = ""
        view.split.value = 0
      },
      swap: () => {
        const before = kept.peek()
        if (before === undefined || newest === undefined) return
        other?.stop()
        kept.value = { settings: newest.settings, epoch: newest.epoch, event: newest, curve: growing }
        view.kept.value = keptText(newest.settings, newest.epoch)
        playing.value = false
        // The other one is trained again to the epoch at which it was kept: the same settings give the same weights.
        asked = before.settings
        setting.apply(before.settings)
        startJob(before.epoch)
      },
    },
  }
}

/** Which settings have changed, as lines for the exported program. */
function changed(before: Settings, after: Settings, epoch: number): string[] {
  return (Object.keys(after) as (keyof Settings)[])
    .filter((name) => String(before[name]) !== String(after[name]) && name !== "own")
    .map((name) => `Epoch ${epoch}: ${name} was changed from ${String(before[name])} to ${String(after[name])}.`)
}

/** When the title was last changed. */
let titled = Number.NEGATIVE_INFINITY

/** Says elsewhere how it goes: in the bar, in the title and to screen readers. */
function tell(event: PlayEvent, curve: Curve, pause: () => void): void {
  const { test, epoch, playing } = event
  const measure = test.accuracy === undefined ? `cost ${cost(test.cost)}` : `${(100 * test.accuracy).toFixed(1)} %`
  // A title is told to another process: once a second is enough for it.
  if (!playing || performance.now() - titled >= 1000) {
    titled = performance.now()
    document.title = playing ? `${measure}, epoch ${epoch}` : "Playground · trilobite studio"
  }
  running.value = playing ? { epoch, costs: curve.test.slice(-40), pause } : undefined
  if (!playing) return
  const before = curve.test.at(-12) ?? test.cost
  const trend = test.cost < before * 0.995 ? "falling" : test.cost > before * 1.005 ? "rising" : "level"
  speak(`Epoch ${epoch}, test cost ${cost(test.cost)}, ${trend}.`)
}
