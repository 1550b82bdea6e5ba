// The head of a run: its state, a sentence with the result, three numbers, the spec, and the button that stops it.

import type { JSX } from "preact"
import { useState } from "preact/hooks"
import type { Run, RunState } from "../../../cli/studio/api.ts"
import { Button, LiveNumber } from "../ui/controls.tsx"
import { cost, duration } from "../ui/format.ts"
import { Icon } from "../ui/icons.tsx"
import { stopRun } from "./store.ts"
import { remaining } from "./view.ts"
import { headline, secondsOf, specText } from "./words.ts"

const chips: { readonly [state in RunState]: { readonly tone: string; readonly icon?: "tick" | "stop" | "watch" } } = {
  finished: { tone: "ok", icon: "tick" },
  running: { tone: "info" },
  stopped: { tone: "watch", icon: "stop" },
  "ended without a result": { tone: "fault", icon: "watch" },
  unreadable: { tone: "fault", icon: "watch" },
}

/** A state, with its sign. */
export function StateChip({ state }: { readonly state: RunState }): JSX.Element {
  const { tone, icon } = chips[state]
  return (
    <span class={`chip ${tone}`}>
      {icon === undefined ? <i class="live" aria-hidden="true" /> : <Icon name={icon} />}
      {state}
    </span>
  )
}

/** The head. */
export function Head({ run }: { readonly run: Run }): JSX.Element {
  const last = run.epochs.at(-1)
  const left = remaining(run)
  const seconds = secondsOf(run)
  return (
    <header class="hd">
      <div class="row state">
        <StateChip state={run.state} />
        {run.state === "running" && <Stop id={run.id} />}
      </div>
      {last !== undefined && (
        <dl class="facts">
          <Fact name="validation cost" value={last.valLoss} format={cost} />
          <Fact name="training cost" value={last.loss} format={cost} />
          {left === undefined ? (
            <Fact name={`${duration(seconds / run.epochs.length)} an epoch`} value={seconds} format={duration} />
          ) : (
            <Fact name={`left, ${duration(seconds / run.epochs.length)} an epoch`} value={left} format={duration} />
          )}
        </dl>
      )}
      <h1>{headline(run)}</h1>
      <p class="spec">{specText(run)}</p>
      {run.problem !== null && <p class="spec fault">{run.problem}</p>}
    </header>
  )
}

function Fact(props: {
  readonly name: string
  readonly value: number | undefined
  readonly format: (value: number) => string
}): JSX.Element | null {
  if (props.value === undefined) return null
  return (
    <div>
      <dt>{props.name}</dt>
      <dd>
        <LiveNumber value={props.value} format={props.format} />
      </dd>
    </div>
  )
}

/** Asks once, and says what is kept. */
function Stop({ id }: { readonly id: string }): JSX.Element {
  const [state, setState] = useState<"idle" | "asked" | "stopping">("idle")
  const [problem, setProblem] = useState<string>()
  const stop = async (): Promise<void> => {
    setState("stopping")
    const answer = await stopRun(id)
    setProblem(answer)
    if (answer !== undefined) setState("idle")
  }
  return (
    <>
      {state === "idle" && (
        <Button low icon="stop" onClick={() => setState("asked")}>
          Stop
        </Button>
      )}
      {state === "asked" && (
        <fieldset class="row ask" aria-label="Stop this run?">
          <span>Stop after this round? Weights and curves so far are kept.</span>
          <Button low main onClick={() => void stop()}>
            Stop
          </Button>
          <Button low quiet onClick={() => setState("idle")}>
            Go on
          </Button>
        </fieldset>
      )}
      {state === "stopping" && <span class="small">Stopping after this round …</span>}
      {problem !== undefined && <span class="small fault">{problem}</span>}
    </>
  )
}
