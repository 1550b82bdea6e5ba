// Trainings of one process that take turns: what is compared is less than a second apart, while the host changes its speed by the minute.

import { setTimeout } from "node:timers/promises"
import type { Callback, Model } from "../src/index.ts"

/** What a training gives back. */
export type Ended = Awaited<ReturnType<Model["fit"]>>

/** Lets trainings of one process go on epoch by epoch in turns, and keeps the seconds of each epoch. */
export function inTurns(seconds: {
  readonly [name: string]: number[]
}): (name: string, fit: (callbacks: readonly Callback[]) => Promise<Ended>) => Promise<Ended> {
  const names = Object.keys(seconds)
  const waiting = new Map<string, () => void>()
  let turn = names[0]!
  let since = 0
  const come = async (name: string): Promise<void> => {
    if (turn !== name) await new Promise<void>((resolve) => waiting.set(name, resolve))
    since = performance.now()
  }
  const pass = async (name: string): Promise<void> => {
    await setTimeout(50) // for what is read ahead
    turn = names[(names.indexOf(name) + 1) % names.length]!
    waiting.get(turn)?.()
  }
  return async (name, fit) => {
    await come(name)
    const onEpochEnd = async (): Promise<void> => {
      seconds[name]!.push((performance.now() - since) / 1000)
      await pass(name)
      await come(name)
    }
    const ended = await fit([{ onEpochEnd }])
    await pass(name)
    return ended
  }
}
