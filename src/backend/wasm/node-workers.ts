// Worker threads of Node. Knows what a worker is sent, not what it computes.

import { availableParallelism } from "node:os"
import { Worker } from "node:worker_threads"
import type { Platform, Thread } from "./pool.ts"
import { type Answer, obey } from "./worker.ts"

const source = `
const { parentPort } = require("node:worker_threads")
;(${obey.toString()})({
  on: (listener) => parentPort.on("message", listener),
  post: (answer) => parentPort.postMessage(answer),
})`

/** Node's worker threads. */
export const platform: Platform = {
  cores: availableParallelism(),
  start: (onAnswer, onEnd): Thread => {
    const worker = new Worker(source, { eval: true, name: "trilobite", execArgv: [] })
    worker.on("message", (answer: Answer) => onAnswer(answer))
    worker.on("error", (error) => onEnd(String(error)))
    worker.on("exit", (code) => onEnd(`the thread ended with code ${code}`))
    worker.unref()
    return {
      post: (order) => worker.postMessage(order),
      hold: (on) => (on ? worker.ref() : worker.unref()),
    }
  },
}
