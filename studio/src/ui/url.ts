// Where the reader is, and the state of a page after the `?`: short keys, only what differs from the default.

import { effect, type Signal, signal } from "@preact/signals"
import { useEffect, useMemo } from "preact/hooks"
import { root } from "../root.ts"

/** The path of the page that the address names, without what the site's own folder adds. */
export function pathNow(): string {
  return location.pathname.slice(root.length) || "/"
}

/** That path, as it changes. */
export const path: Signal<string> = signal(globalThis.location === undefined ? "/" : pathNow())

globalThis.addEventListener?.("popstate", () => {
  path.value = pathNow()
})

/** Shows another page: "/lessons/costs". */
export function go(to: string): void {
  history.pushState(null, "", root + to)
  path.value = pathNow()
  scrollTo(0, 0)
  document.querySelector<HTMLElement>("main")?.focus({ preventScroll: true })
}

/** A value of a page's state: how it is written into the address and read back; undefined for what cannot be. */
export interface Key<T> {
  readonly initial: T
  write(value: T): string
  read(text: string): T | undefined
}

/** A number between two others. */
export function numberKey(initial: number, least: number, most: number): Key<number> {
  return {
    initial,
    write: (value) => String(Number(value.toPrecision(6))),
    read: (text) => {
      const value = Number(text)
      return text !== "" && Number.isFinite(value) && value >= least && value <= most ? value : undefined
    },
  }
}

/** A whole number between two others. */
export function wholeKey(initial: number, least: number, most: number): Key<number> {
  const key = numberKey(initial, least, most)
  const read = (text: string): number | undefined => {
    const value = key.read(text)
    return value !== undefined && Number.isInteger(value) ? value : undefined
  }
  return { ...key, read }
}

/** One of some words. */
export function wordKey<T extends string>(initial: T, words: readonly T[]): Key<T> {
  return { initial, write: (value) => value, read: (text) => words.find((word) => word === text) }
}

/** On or off, in two words. */
export function switchKey(initial: boolean, [on, off]: readonly [string, string] = ["on", "off"]): Key<boolean> {
  return {
    initial,
    write: (value) => (value ? on : off),
    read: (text) => (text === on ? true : text === off ? false : undefined),
  }
}

/** Whole numbers in a row. */
export function listKey(initial: readonly number[], least: number, most: number): Key<readonly number[]> {
  return {
    initial,
    write: (value) => value.join("-"),
    read: (text) => {
      const all = text === "" ? [] : text.split("-").map(Number)
      return all.every((n) => Number.isInteger(n) && n >= least && n <= most) ? all : undefined
    },
  }
}

/** The keys of a page by their names in the address. */
export type Keys<V> = { readonly [N in keyof V]: Key<V[N]> }

/** The state of a page: a signal for each key. */
export type State<V> = { readonly [N in keyof V]: Signal<V[N]> }

/** The values of a state as the text after `?`, without those that have their first value. */
export function stateText<V extends object>(keys: Keys<V>, values: V): string {
  const query = new URLSearchParams()
  for (const name of Object.keys(keys) as (keyof V & string)[]) {
    const key = keys[name]
    const text = key.write(values[name])
    if (text !== key.write(key.initial)) query.set(name, text)
  }
  return query.toString()
}

/** The values that a text gives; keys that are missing or impossible have their first value. */
export function stateOf<V extends object>(keys: Keys<V>, text: string): V {
  const query = new URLSearchParams(text)
  const read = (Object.keys(keys) as (keyof V & string)[]).map((name) => {
    const given = query.get(name)
    return [name, (given === null ? undefined : keys[name].read(given)) ?? keys[name].initial]
  })
  return Object.fromEntries(read) as V
}

const BETWEEN_WRITES = 250

/**
 * The state of the page that is shown, read from the address when the page begins, and written to it at most four times a
 * second while it is shown.
 */
export function useUrlState<V extends object>(keys: Keys<V>): State<V> {
  const state = useMemo(() => {
    const values = stateOf(keys, location.search)
    return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, signal(value)])) as State<V>
  }, [])
  useEffect(() => {
    const own = location.pathname
    let timer: ReturnType<typeof setTimeout> | undefined
    const write = (): void => {
      timer = undefined
      if (location.pathname !== own) return
      const now = Object.fromEntries(Object.entries<Signal>(state).map(([name, value]) => [name, value.peek()])) as V
      const text = stateText(keys, now)
      history.replaceState(null, "", `${own}${text === "" ? "" : `?${text}`}`)
    }
    const stop = effect(() => {
      for (const value of Object.values<Signal>(state)) void value.value
      timer ??= setTimeout(write, BETWEEN_WRITES)
    })
    return () => {
      stop()
      clearTimeout(timer)
    }
  }, [])
  return state
}
