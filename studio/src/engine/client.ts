// The page's side of its training worker: begin a job, hear of it, tell it something, end it. Training never runs on the
// page's own thread.

import { said } from "../ui/said.ts"
import type { Jobs } from "./jobs.ts"
import type { FromPage, FromWorker } from "./protocol.ts"

/** The name of a job. */
export type JobName = keyof Jobs

type Params<N extends JobName> = Jobs[N]["params"]
type Event<N extends JobName> = Jobs[N]["event"]
type Message<N extends JobName> = Jobs[N]["message"]

/** A job under way. */
export interface Running<M> {
  /** Done when the job has ended; rejected with its error, whose message is for the reader. */
  readonly done: Promise<void>
  tell(message: M): void
  stop(): void
}

interface Waiting {
  onEvent(event: unknown): void
  end(error?: string): void
}

let worker: Worker | undefined
let count = 0
const waiting = new Map<number, Waiting>()

function theWorker(): Worker {
  if (worker !== undefined) return worker
  const made = new Worker(new URL("./worker.ts", import.meta.url), { type: "module", name: "training" })
  made.onmessage = ({ data }: MessageEvent<FromWorker>): void => {
    const job = waiting.get(data.id)
    if (data.type === "event") job?.onEvent(data.event)
    else {
      waiting.delete(data.id)
      job?.end(data.type === "failed" ? data.message : undefined)
    }
  }
  made.onerror = (event): void => {
    worker = undefined
    made.terminate()
    const all = [...waiting.values()]
    waiting.clear()
    for (const job of all) job.end(event.message || "The training worker could not be started.")
  }
  worker = made
  return made
}

/** Begins a job; `onEvent` hears of everything that it tells, in order. */
export function start<N extends JobName>(
  name: N,
  params: Params<N>,
  onEvent: (event: Event<N>) => void,
): Running<Message<N>> {
  const id = ++count
  const { promise, resolve, reject } = withResolvers()
  // Who does not wait for the end is told all the same.
  promise.catch((error: Error) => said(error.message))
  let ended = false
  waiting.set(id, {
    onEvent: (event) => {
      if (!ended) onEvent(event as Event<N>)
    },
    end: (error) => (error === undefined ? resolve() : reject(new Error(error))),
  })
  const send = (message: FromPage): void => theWorker().postMessage(message)
  send({ type: "start", id, name, params })
  return {
    done: promise,
    tell: (message) => send({ type: "tell", id, message }),
    stop: () => {
      ended = true
      send({ type: "stop", id })
    },
  }
}

function withResolvers(): {
  readonly promise: Promise<void>
  readonly resolve: () => void
  readonly reject: (error: Error) => void
} {
  let [resolve, reject] = [(): void => {}, (_: Error): void => {}]
  const promise = new Promise<void>((yes, no) => {
    resolve = yes
    reject = no
  })
  return { promise, resolve, reject }
}
