// The training worker: runs jobs, each until it ends or the page stops it.

import { jobs } from "./jobs.ts"
import type { FromPage, FromWorker, Job } from "./protocol.ts"
import { allowOwnScripts } from "./trusted.ts"

allowOwnScripts()

interface Under {
  readonly abort: AbortController
  readonly listeners: ((message: unknown) => void)[]
  readonly unheard: unknown[]
}

const under = new Map<number, Under>()
const send = (message: FromWorker): void => postMessage(message, { transfer: transferOf(message) })

/** What an event hands over instead of copying it: the list `transfer` in it, if there is one. */
function transferOf(message: FromWorker): Transferable[] {
  const { event } = message as { readonly event?: { readonly transfer?: readonly Transferable[] } }
  return Array.isArray(event?.transfer) ? [...event.transfer] : []
}

async function begin(id: number, name: string, params: unknown): Promise<void> {
  const own: Under = { abort: new AbortController(), listeners: [], unheard: [] }
  under.set(id, own)
  try {
    const job = (await jobs[name as keyof typeof jobs]()) as Job<unknown, unknown, unknown>
    const onMessage = (listener: (message: unknown) => void): void => {
      own.listeners.push(listener)
      for (const message of own.unheard.splice(0)) listener(message)
    }
    const { signal } = own.abort
    for await (const event of job(params, { signal, onMessage })) {
      if (signal.aborted) break
      send({ type: "event", id, event })
    }
    send({ type: "ended", id })
  } catch (error) {
    send({ type: "failed", id, message: error instanceof Error ? error.message : String(error) })
  } finally {
    under.delete(id)
  }
}

self.onmessage = ({ data }: MessageEvent<FromPage>): void => {
  if (data.type === "start") void begin(data.id, data.name, data.params)
  const own = under.get(data.id)
  if (data.type === "stop") own?.abort.abort()
  if (data.type !== "tell" || own === undefined) return
  if (own.listeners.length === 0) own.unheard.push(data.message)
  for (const listener of own.listeners) listener(data.message)
}
