// The training of lesson 5 as the page sees it: under way, paused or done, and the run before for comparison.

import { batch, computed, type ReadonlySignal, type Signal, signal } from "@preact/signals"
import { type Running, start } from "../engine/client.ts"
import type { SpeedEvent, SpeedMessage } from "../engine/jobs/speed.ts"
import { running } from "../ui/running.tsx"
import { speak } from "../ui/said.ts"
import { chapter, ratioOf, type SpeedNet } from "./speed-net.ts"

/** What a run has measured: for each epoch the speeds of its layers. */
export interface SpeedRun {
  readonly net: SpeedNet
  readonly speeds: readonly (readonly number[])[]
  readonly losses: readonly number[]
}

/** Where the training is. */
export type Phase = "new" | "starting" | "running" | "paused" | "done"

/** The training of the page. */
export interface SpeedTraining {
  readonly phase: ReadonlySignal<Phase>
  readonly run: ReadonlySignal<SpeedRun | undefined>
  readonly last: ReadonlySignal<SpeedRun | undefined>
  /** Why there are no numbers, in words. */
  readonly fault: ReadonlySignal<string | undefined>
  begin(): void
  pause(): void
  resume(): void
  /** Ends it for good. */
  end(): void
}

/** A training of the net that is wanted when it begins. */
export function speedTraining(net: () => SpeedNet): SpeedTraining {
  const phase: Signal<Phase> = signal("new")
  const run = signal<SpeedRun | undefined>(undefined)
  const last = signal<SpeedRun | undefined>(undefined)
  const fault = signal<string | undefined>(undefined)
  let job: Running<SpeedMessage> | undefined
  let frame = 0
  const pause = (): void => {
    if (phase.peek() !== "running") return
    job?.tell("pause")
    phase.value = "paused"
    running.value = undefined
  }
  const halt = (): void => {
    job?.stop()
    job = undefined
    cancelAnimationFrame(frame)
    frame = 0
    running.value = undefined
  }
  const begin = (): void => {
    halt()
    const wanted = net()
    const speeds: (readonly number[])[] = []
    const losses: number[] = []
    const show = (): void => {
      frame = 0
      run.value = { net: wanted, speeds: [...speeds], losses: [...losses] }
      if (phase.peek() !== "running") return
      running.value = { epoch: speeds.length, costs: losses, pause }
      speak(`Epoch ${speeds.length}, the last layer is ${ratioOf(speeds).toPrecision(2)} times as fast as the third.`)
    }
    batch(() => {
      const before = run.peek()
      if (before !== undefined && before.speeds.length > 1) last.value = before
      run.value = { net: wanted, speeds: [], losses: [] }
      fault.value = undefined
      phase.value = "starting"
    })
    const hear = (event: SpeedEvent): void => {
      if (event.type === "absent") fault.value = event.says
      else if (event.type === "diverged") fault.value = divergedText(event.where)
      else {
        if (phase.peek() === "starting") phase.value = "running"
        speeds.push(event.speeds)
        losses.push(event.loss)
        if (frame === 0) frame = requestAnimationFrame(show)
      }
    }
    const own = start("speed", wanted, hear)
    job = own
    const over = (): void => {
      if (job !== own) return
      phase.value = "done"
      running.value = undefined
    }
    own.done.then(over, over)
  }
  return {
    phase: computed(() => phase.value),
    run,
    last,
    fault,
    begin,
    pause,
    resume: () => {
      job?.tell("resume")
      phase.value = "running"
    },
    end: halt,
  }
}

function divergedText(where: string): string {
  return `The steps grew until the cost became infinite in ${where}. Weights this large need a learning rate below ${chapter.learningRate}, or another initializer.`
}
