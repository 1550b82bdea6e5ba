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
  useUrlState,
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
export type View = Settings & {
  /** The epoch at which the training stood. */
  readonly at: number
  /** The pinned neuron: layer and unit, counted from 1. */
  readonly pin: readonly number[]
  /** The settings that were kept as B, as text, with their epoch. */
  readonly kept: string
  /** Where the line between A and B stands on the map, in percent; 0: A alone. */
  readonly split: number
  readonly axis: "log" | "linear"
}

const whole = (first: number, least: number, most: number): Key<number> => {
  const key = numberKey(first, least, most)
  return {
    ...key,
    read: (text) => {
      const value = key.read(text)
      return Number.isInteger(value) ? value : undefined
    },
  }
}

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

const onKey: Key<boolean> = {
  initial: true,
  write: (value) => (value ? "on" : "off"),
  read: (text) => (text === "on" ? true : text === "off" ? false : undefined),
}

const ownKey: Key<string> = {
  initial: "",
  write: (value) => value,
  read: (text) => (unpack(text).rows.length > 0 ? text : undefined),
}

/** The keys of the settings. */
export const settingsKeys: Keys<Settings> = {
  data: wordKey(initial.data, dataNames),
  noise: whole(initial.noise, 0, 50),
  points: whole(initial.points, 20, 2000),
  share: whole(initial.share, 10, 90),
  seed: whole(initial.seed, 0, 9999),
  own: ownKey,
  features: featuresKey,
  layers: layersKey,
  activation: wordKey(initial.activation, activations),
  cost: wordKey(initial.cost, costs),
  optimizer: wordKey(initial.optimizer, optimizers),
  rate: numberKey(initial.rate, 0, 10),
  schedule: wordKey(initial.schedule, schedules),
  batch: whole(initial.batch, 1, 2000),
  shuffle: onKey,
  regularizer: wordKey(initial.regularizer, regularizers),
  strength: numberKey(initial.strength, 0, 10),
  stop: wordKey(initial.stop, stopRules),
  epochs: whole(initial.epochs, 1, 100000),
  init: whole(initial.init, 0, 9999),
}

/** The keys of this page. */
export const keys: Keys<View> = {
  ...settingsKeys,
  at: whole(0, 0, 100000),
  pin: listKey([], 1, MOST_NEURONS),
  kept: { initial: "", write: (value) => value, read: (text) => text },
  split: whole(0, 0, 100),
  axis: wordKey("log", ["log", "linear"]),
}

/** Settings with an epoch as text, and back. */
export const keptText = (settings: Settings, epoch: number): string =>
  `${stateText(settingsKeys, settings)}&at=${epoch}`
/** What such a text says. */
export function keptOf(text: string): { readonly settings: Settings; readonly epoch: number } {
  return { settings: stateOf(settingsKeys, text), epoch: stateOf({ at: keys.at }, text).at }
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

const names = Object.keys(settingsKeys) as (keyof Settings)[]

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
    const now = computed(() => Object.fromEntries(names.map((name) => [name, view[name].value])) as unknown as Settings)
    const history = steps<Settings>()
    const put = (settings: Partial<Settings>): void =>
      batch(() => {
        for (const [name, value] of Object.entries(settings))
          (view[name as keyof Settings] as Signal<unknown>).value = value
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
      if (location.pathname === own) made.apply(stateOf(settingsKeys, location.search))
    }
    addEventListener("popstate", follow)
    return () => removeEventListener("popstate", follow)
  }, [])
  return made
}
