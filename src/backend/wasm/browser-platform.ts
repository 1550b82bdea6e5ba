// What a browser offers (and other hosts with web workers): workers, and a compiler that takes no instructions.
// Knows what a worker is sent, not what it computes.

import type { Platform, Thread } from "./platform.ts"
import { type Answer, obey, transfersOf } from "./worker.ts"

/** More workers than this gain nothing: browsers round the number of cores, and each worker costs megabytes. */
const MOST_WORKERS = 16

const source = `
(${obey.toString()})({
  on: (listener) => { self.onmessage = (event) => listener(event.data) },
  post: (answer, transfer) => self.postMessage(answer, transfer),
})`

/** Where workers begin: text of our own, the same for all. The page's policy may forbid it (worker-src without blob:). */
let own: string | undefined
const ownUrl = (): string => {
  own ??= URL.createObjectURL(new Blob([source], { type: "text/javascript" }))
  return own
}

/** The workers of a page; with `workerUrl` they begin with that script, a module that imports `trilobite/worker`. */
export function browserPlatform(workerUrl?: string): Platform {
  const host = globalThis as { navigator?: { hardwareConcurrency?: number }; crossOriginIsolated?: boolean }
  return {
    cores: Math.max(1, Math.min(MOST_WORKERS, host.navigator?.hardwareConcurrency ?? 1)),
    // Only a page that is isolated from others may share memory with its workers.
    shared: typeof SharedArrayBuffer === "function" && host.crossOriginIsolated !== false,
    mayCompute: typeof document === "undefined",
    wideVectors: false,
    manyOffsets: true,
    // Browsers compile in haste first, and the page's thread must stay free.
    timing: false,
    compile: (bytes) => new WebAssembly.Module(bytes),
    validates: (bytes) => WebAssembly.validate(bytes),
    start: (onAnswer, onEnd) => startWorker(workerUrl, onAnswer, onEnd),
  }
}

function startWorker(
  workerUrl: string | undefined,
  onAnswer: (answer: Answer) => void,
  onEnd: (reason: string) => void,
): Thread {
  let worker: Worker | undefined
  const end = (reason: string): void => {
    worker?.terminate()
    onEnd(reason)
  }
  const failed = (reason: unknown): void => {
    const forbidden = "the page's content security policy may forbid workers from blob: (then give workerUrl)"
    end(`${String(reason)}; ${workerUrl === undefined ? forbidden : `is ${workerUrl} a script?`}`)
  }
  try {
    worker = new Worker(workerUrl ?? ownUrl(), {
      name: "trilobite",
      type: workerUrl === undefined ? "classic" : "module",
    })
    worker.onmessage = (event: MessageEvent) => onAnswer(event.data as Answer)
    worker.onmessageerror = () => end("a message could not be read")
    // An error without a message is a script that could not be loaded.
    worker.onerror = (event) => (event.message ? end(event.message) : failed("the worker's script did not load"))
  } catch (error) {
    queueMicrotask(() => failed(error))
  }
  return {
    post: (order) => worker?.postMessage(order, transfersOf(order)),
    hold: () => {},
    end: () => end("it was ended"),
  }
}
