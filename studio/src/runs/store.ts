// The runs as the server tells them: the list, looked at again and again, and the events of single runs.

import { type Signal, signal } from "@preact/signals"
import type { ApiError, Run, RunList } from "../../../cli/studio/api.ts"
import { root } from "../root.ts"
import { type EventName, heard, type RunView, viewOf } from "./view.ts"

/** The list: undefined until it has come, "none" where there is no server. */
export const runs: Signal<readonly Run[] | "none" | undefined> = signal(undefined)

const BETWEEN = 4000
const AGAIN = 2000

/** Reads the list once. */
export async function readRuns(): Promise<void> {
  try {
    const answer = await fetch(`${root}/api/runs`)
    const isJson = answer.headers.get("content-type")?.includes("json") === true
    const list = answer.ok && isJson ? ((await answer.json()) as RunList).runs : undefined
    if (Array.isArray(list)) runs.value = list
    else if (runs.peek() === undefined) runs.value = "none"
  } catch {
    // A server that is away for a moment leaves the list as it was.
    if (runs.peek() === undefined) runs.value = "none"
  }
}

/** Reads the list now and every few seconds while the page is looked at; answers with what ends it. */
export function watchRuns(): () => void {
  void readRuns()
  const timer = setInterval(() => {
    if (document.visibilityState === "visible" && runs.peek() !== "none") void readRuns()
  }, BETWEEN)
  return () => clearInterval(timer)
}

/** A run that is followed. */
export interface Followed {
  readonly view: RunView
  /** When the connection was last known to be there, while it is lost: milliseconds as `Date.now()` counts. */
  readonly lostSince: number | undefined
}

/** What a follower needs of the browser. */
export interface Sources {
  open(url: string): EventSource
  later(action: () => void, ms: number): unknown
  frame(action: () => void): void
}

const browser: Sources = {
  open: (url) => new EventSource(url),
  later: (action, ms) => setTimeout(action, ms),
  frame: (action) => {
    requestAnimationFrame(action)
  },
}

/**
 * Follows a run from where the list has it: epochs that are known are heard again with what was observed of them, and counted
 * once. A lost connection is taken up after the last epoch that has come.
 */
export function follow(run: Run, onChange: (followed: Followed) => void, sources: Sources = browser): () => void {
  let view = viewOf(run)
  let lostSince: number | undefined
  let source: EventSource | undefined
  let ended = false
  let waiting = false
  /** The last epoch that came by the connection, not by the list: up to there observations are complete. */
  let reached = 0
  const tell = (): void => {
    if (waiting || ended) return
    waiting = true
    sources.frame(() => {
      waiting = false
      if (!ended) onChange({ view, lostSince })
    })
  }
  const take = (name: EventName) => (event: MessageEvent<string>) => {
    lostSince = undefined
    const data: unknown = JSON.parse(event.data)
    view = heard(view, name, data)
    if (name === "epoch") reached = (data as { readonly epoch: number }).epoch
    if (name === "reset") reached = 0
    tell()
  }
  const connect = (): void => {
    if (ended) return
    const own = sources.open(`${root}/api/runs/${run.id}/events?after=${reached}`)
    source = own
    for (const name of ["epoch", "signals", "state", "reset"] as const) own.addEventListener(name, take(name))
    own.onopen = () => {
      lostSince = undefined
      tell()
    }
    own.onerror = () => {
      lostSince ??= Date.now()
      tell()
      // The browser tries again by itself, and says after which epoch, unless the server has refused it.
      if (own.readyState !== 2) return
      own.close()
      sources.later(connect, AGAIN)
    }
  }
  connect()
  return () => {
    ended = true
    source?.close()
  }
}

/** Tells a run to stop; answers with what is the matter if it cannot be told. */
export async function stopRun(id: string): Promise<string | undefined> {
  try {
    const answer = await fetch(`${root}/api/runs/${id}/stop`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: "{}",
    })
    if (answer.ok) return undefined
    const { what, hint } = (await answer.json()) as ApiError
    return `${what.charAt(0).toUpperCase()}${what.slice(1)} ${hint}`
  } catch {
    return "The studio’s server does not answer. The run itself goes on."
  }
}
