// The playground's state: what stands in the address, and the settings that can be undone.

import { batch, computed, type ReadonlySignal, type Signal, signal } from "@preact/signals"
import { useEffect, useMemo } from "preact/hooks"
import {
  type Key,
  type Keys,
  listKey,
  numberKey,
  type State,
  stateOf,
  stateText,
  switchKey,
  useUrlState,
  wholeKey,
  wordKey,
} from "../ui/url.ts"
import { ordered, unpack } from "./data.ts"
import {
  activations,
  costs,
  dataNames,
  type FeatureName,
  featureNames,
  initial,
  MOST_LAYERS,
  MOST_NEURONS,
  optimizers,
  regularizers,
  type Settings,
  schedules,
  stopRules,
} from "./settings.ts"

/** The state as it stands in the address. */
export type View = ShortSettings & {
  /** The epoch at which the training stood. */
  readonly at: number
  /** The pinned neuron: layer and unit, counted from 1. */
  readonly pin: readonly number[]
  /** The settings that were kept as B, as text, with their epoch. */
  readonly kept: string
  /** Where the line between A and B stands on the map, in percent; 0: A alone. */
  readonly split: number
  /** Whether costs are drawn on a logarithmic axis. */
  readonly axis: boolean
  readonly speed: Speed
}

/** How fast epochs are shown: it changes no number. */
export type Speed = "slow" | "walk" | "run"

/** Epochs a second at most. */
export const speeds: { readonly [S in Speed]: number } = { slow: 4, walk: 30, run: Number.POSITIVE_INFINITY }

const featuresKey: Key<readonly FeatureName[]> = {
  initial: initial.features,
  write: (value) => value.join("-"),
  read: (text) => {
    const names = text.split("-")
    const known = ordered(
      names.filter((name): name is FeatureName => (featureNames as readonly string[]).includes(name)),
    )
    return known.length === names.length ? known : undefined
  },
}

const layersKey: Key<readonly number[]> = {
  ...listKey(initial.layers, 1, MOST_NEURONS),
  read: (text) => {
    const all = listKey(initial.layers, 1, MOST_NEURONS).read(text)
    return all !== undefined && all.length >= 1 && all.length <= MOST_LAYERS ? all : undefined
  },
}

const ownKey: Key<string> = {
  initial: "",
  write: (value) => value,
  read: (text) => (unpack(text).rows.length > 0 ? text : undefined),
}

/** What each setting is called in the address. */
interface ShortNames {
  readonly data: "d"
  readonly noise: "noise"
  readonly points: "n"
  readonly share: "share"
  readonly seed: "seed"
  readonly own: "p"
  readonly features: "f"
  readonly layers: "net"
  readonly activation: "act"
  readonly cost: "c"
  readonly optimizer: "opt"
  readonly rate: "eta"
  readonly schedule: "plan"
  readonly batch: "b"
  readonly shuffle: "order"
  readonly regularizer: "reg"
  readonly strength: "lam"
  readonly stop: "stop"
  readonly epochs: "until"
  readonly init: "w"
}

const short: ShortNames = {
  data: "d",
  noise: "noise",
  points: "n",
  share: "share",
  seed: "seed",
  own: "p",
  features: "f",
  layers: "net",
  activation: "act",
  cost: "c",
  optimizer: "opt",
  rate: "eta",
  schedule: "plan",
  batch: "b",
  shuffle: "order",
  regularizer: "reg",
  strength: "lam",
  stop: "stop",
  epochs: "until",
  init: "w",
}

const names = Object.keys(short) as (keyof Settings)[]

type ShortSettings = { readonly [N in keyof Settings as ShortNames[N]]: Settings[N] }

const longKeys: Keys<Settings> = {
  data: wordKey(initial.data, dataNames),
  noise: wholeKey(initial.noise, 0, 50),
  points: wholeKey(initial.points, 20, 2000),
  share: wholeKey(initial.share, 10, 90),
  seed: wholeKey(initial.seed, 0, 9999),
  own: ownKey,
  features: featuresKey,
  layers: layersKey,
  activation: wordKey(initial.activation, activations),
  cost: wordKey(initial.cost, costs),
  optimizer: wordKey(initial.optimizer, optimizers),
  rate: numberKey(initial.rate, 0, 10),
  schedule: wordKey(initial.schedule, schedules),
  batch: wholeKey(initial.batch, 1, 2000),
  shuffle: switchKey(true),
  regularizer: wordKey(initial.regularizer, regularizers),
  strength: numberKey(initial.strength, 0, 10),
  stop: wordKey(initial.stop, stopRules),
  epochs: wholeKey(initial.epochs, 1, 100000),
  init: wholeKey(initial.init, 0, 9999),
}

const shortOf = <T>(all: { readonly [N in keyof Settings]: T }): Record<string, T> =>
  Object.fromEntries(names.map((name) => [short[name], all[name]]))

/** The keys of the settings. */
export const settingsKeys: Keys<ShortSettings> = shortOf<unknown>(longKeys) as unknown as Keys<ShortSettings>

/** Settings by the names of the address. */
const shortSettings = (settings: Settings): ShortSettings => shortOf<unknown>(settings) as unknown as ShortSettings
const longSettings = (given: ShortSettings): Settings =>
  Object.fromEntries(names.map((name) => [name, given[short[name]]])) as unknown as Settings

/** The settings as the text of an address, and back. */
export const settingsText = (settings: Settings): string => stateText(settingsKeys, shortSettings(settings))
/** The settings that a text says. */
export const settingsOf = (text: string): Settings => longSettings(stateOf(settingsKeys, text))

/** The keys of this page. */
export const keys: Keys<View> = {
  ...settingsKeys,
  at: wholeKey(0, 0, 100000),
  pin: listKey([], 1, MOST_NEURONS),
  kept: { initial: "", write: (value) => value, read: (text) => text },
  split: wholeKey(0, 0, 100),
  axis: switchKey(true, ["log", "linear"]),
  speed: wordKey("walk", ["slow", "walk", "run"]),
}

/** Settings with an epoch as text, and back. */
export const keptText = (settings: Settings, epoch: number): string => `${settingsText(settings)}&at=${epoch}`
/** What such a text says. */
export function keptOf(text: string): { readonly settings: Settings; readonly epoch: number } {
  return { settings: settingsOf(text), epoch: stateOf({ at: keys.at }, text).at }
}

/** The settings of a page, which change through `apply` and can be undone. */
export interface Setting {
  readonly now: ReadonlySignal<Settings>
  readonly view: State<View>
  /** Changes some of them. */
  apply(change: Partial<Settings>): void
  readonly undoable: ReadonlySignal<boolean>
  readonly redoable: ReadonlySignal<boolean>
  undo(): void
  redo(): void
}

/** Changes of the same thing within so many milliseconds are one step of undo. */
const TOGETHER = 700

/** The steps back and forth over values. */
export function steps<T>(clock: () => number = () => performance.now()): {
  readonly back: Signal<readonly T[]>
  readonly forth: Signal<readonly T[]>
  note(before: T, what: string): void
} {
  const [back, forth] = [signal<readonly T[]>([]), signal<readonly T[]>([])]
  let last = { what: "", at: Number.NEGATIVE_INFINITY }
  return {
    back,
    forth,
    note(before, what) {
      const now = clock()
      if (what !== last.what || now - last.at > TOGETHER) back.value = [...back.value.slice(-99), before]
      forth.value = []
      last = { what, at: now }
    },
  }
}

/** The settings of the page that is shown. */
export function useSettings(): Setting {
  const view = useUrlState(keys)
  const made = useMemo((): Setting => {
    const now = computed(
      () => Object.fromEntries(names.map((name) => [name, view[short[name]].value])) as unknown as Settings,
    )
    const history = steps<Settings>()
    const put = (settings: Partial<Settings>): void =>
      batch(() => {
        for (const [name, value] of Object.entries(settings))
          (view[short[name as keyof Settings]] as Signal<unknown>).value = value
      })
    const move = (from: Signal<readonly Settings[]>, to: Signal<readonly Settings[]>): void => {
      const other = from.value.at(-1)
      if (other === undefined) return
      to.value = [...to.value, now.value]
      from.value = from.value.slice(0, -1)
      window.history.pushState(null, "", location.href)
      put(other)
    }
    return {
      now,
      view,
      apply: (change) => {
        const before = now.value
        const changed = (Object.keys(change) as (keyof Settings)[]).filter(
          (name) => String(before[name]) !== String(change[name]),
        )
        if (changed.length === 0) return
        history.note(before, changed.join())
        put(change)
      },
      undoable: computed(() => history.back.value.length > 0),
      redoable: computed(() => history.forth.value.length > 0),
      undo: () => move(history.back, history.forth),
      redo: () => move(history.forth, history.back),
    }
  }, [])
  useEffect(() => {
    const own = location.pathname
    const follow = (): void => {
      if (location.pathname === own) made.apply(settingsOf(location.search))
    }
    addEventListener("popstate", follow)
    return () => removeEventListener("popstate", follow)
  }, [])
  return made
}
