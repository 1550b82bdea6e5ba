// Lesson 7, hyperparameters: one knob turned, a dot for each finished run, and the valley between too little and too much.

import "./knobs.css"
import { batch, computed, type Signal, signal } from "@preact/signals"
import type { JSX } from "preact"
import { useEffect, useMemo, useRef } from "preact/hooks"
import { type Running, start } from "../engine/client.ts"
import { DATA, EPOCHS, type Knob, REST, type SweepEvent, type SweepMessage } from "../engine/jobs/sweep.ts"
import { Button, Choice, Slider } from "../ui/controls.tsx"
import { count } from "../ui/format.ts"
import { useKeys } from "../ui/keys.ts"
import { LessonPage, once } from "../ui/lesson.tsx"
import { running } from "../ui/running.tsx"
import { speak } from "../ui/said.ts"
import { Stays } from "../ui/stays.tsx"
import { type Keys, numberKey, useUrlState, wholeKey, wordKey } from "../ui/url.ts"
import { Goldilocks, OneRun, RunsTable } from "./knobs-parts.tsx"
import { endOf, knobs, LAST, resultText, snapped, summed, sweetSpot, valuesOf } from "./knobs-values.ts"

interface View {
  readonly knob: Knob
  /** The ends of the range; −1 is the knob's own. */
  readonly from: number
  readonly to: number
  readonly n: number
  readonly seeds: number
}

const OWN = -1

/** The state of this page. */
export const keys: Keys<View> = {
  knob: wordKey("eta", ["eta", "batch", "depth", "width"]),
  from: numberKey(OWN, OWN, 512),
  to: numberKey(OWN, OWN, 512),
  n: wholeKey(9, 3, 15),
  seeds: wholeKey(3, 1, 10),
}

type State = "before" | "going" | "paused" | "done"

/** The page. */
export default function Knobs(): JSX.Element {
  const { knob, from, to, n, seeds } = useUrlState(keys)
  const runs = useMemo(() => signal<readonly SweepEvent[]>([]), [])
  const state = useMemo(() => signal<State>("before"), [])
  const chosen = useMemo(() => signal<SweepEvent | undefined>(undefined), [])
  const visits = useMemo(() => signal<ReadonlySet<string>>(new Set()), [])
  const ends = useEnds(knob, from, to)
  const values = computed(() => valuesOf(knob.value, ends.low.value, ends.high.value, n.value))
  const job = useRef<Running<SweepMessage> | undefined>(undefined)
  const clear = (): void =>
    batch(() => {
      job.current?.stop()
      job.current = undefined
      running.value = undefined
      runs.value = []
      chosen.value = undefined
      state.value = "before"
    })
  const begin = (): void => {
    clear()
    state.value = "going"
    const turned = knob.peek()
    const total = values.peek().length * seeds.peek()
    const own = start("sweep", { knob: turned, values: values.peek(), seeds: seeds.peek() }, (event) => {
      const all = [...runs.peek(), event]
      batch(() => {
        runs.value = all
        running.value = { epoch: all.length * EPOCHS, costs: all.map(endOf).filter(Number.isFinite), pause }
        if (all.length === total) finish(turned, all)
      })
    })
    job.current = own
    own.done.catch(() => {
      if (job.current === own) clear()
    })
  }
  const finish = (turned: Knob, all: readonly SweepEvent[]): void => {
    state.value = "done"
    running.value = undefined
    visits.value = new Set([...visits.peek(), turned])
    speak(resultText(turned, summed(all)))
  }
  const pause = (): void => {
    if (state.peek() !== "going" && state.peek() !== "paused") return
    const paused = state.peek() === "going"
    job.current?.tell({ paused })
    state.value = paused ? "paused" : "going"
    if (paused) running.value = undefined
  }
  const main = (): void => {
    if (state.peek() === "going" || state.peek() === "paused") pause()
    else begin()
  }
  useEffect(
    () => () => {
      job.current?.stop()
      running.value = undefined
    },
    [],
  )
  useKeys({ " ": main, r: clear })
  const tasks = useMemo(
    () => [
      { text: "Turn the learning rate. Where does too little end?", done: once(() => visits.value.has("eta")) },
      {
        text: "Sweep batch size, layers and neurons too. Has each its valley?",
        done: once(() => ["batch", "depth", "width"].every((name) => visits.value.has(name))),
      },
      {
        text: "Narrow the range round a sweet spot and look again with five seeds: is it still there?",
        done: once(() => state.value === "done" && seeds.value >= 5 && from.value !== OWN && to.value !== OWN),
      },
    ],
    [],
  )
  const spec = knobs[knob.value]
  const all = summed(runs.value)
  const best = all[sweetSpot(all)]?.runs.reduce((a, b) => (endOf(b) < endOf(a) ? b : a))
  const shown = chosen.value ?? best
  const total = values.value.length * seeds.value
  return (
    <LessonPage
      part="knobs"
      title="Hyperparameters"
      lede="Too little, too much, and somewhere between them a place that is just right. Nobody knows where: try."
      figureLabel={`A sweep of ${spec.label.toLowerCase()}: the validation cost of each run`}
      tasks={tasks}
      keys={[
        [["space"], "start, pause"],
        [["r"], "again"],
        [["←", "→"], "from run to run"],
      ]}
      figure={
        <>
          <div class="row spread">
            <Choice
              label="Knob"
              value={knob}
              options={(["eta", "batch", "depth", "width"] as const).map((value) => ({
                value,
                label: knobs[value].label,
              }))}
              onChange={() => {
                clear()
                ends.reset()
              }}
            />
            <p class="dim">{progress(state.value, runs.value.length, total)}</p>
          </div>
          <Stays>
            <Goldilocks
              knob={knob.value}
              values={values.value}
              all={all}
              seeds={seeds.value}
              chosen={shown}
              onChoose={(run) => (chosen.value = run)}
              says={all.length === 0 ? "No run has finished yet." : resultText(knob.value, all)}
            />
          </Stays>
          <p class="knobs-said">{all.length === 0 ? " " : resultText(knob.value, all)}</p>
          <div class="knobs-controls">
            <div class="row">
              <Button main icon={state.value === "going" ? "pause" : "play"} onClick={main}>
                {state.value === "going" ? "Pause" : state.value === "paused" ? "Go on" : "Start"}
              </Button>
              <Button quiet icon="again" onClick={begin} disabled={state.value === "before"}>
                Again
              </Button>
            </div>
            <Ends knob={knob.value} ends={ends} onChange={clear} />
            <Slider label="Values" value={n} min={3} max={15} step={1} initial={9} onChange={clear} />
            <Slider label="Seeds" value={seeds} min={1} max={10} step={1} initial={3} onChange={clear} />
          </div>
          <OneRun knob={knob.value} run={shown} best={chosen.value === undefined} />
          <RunsTable knob={knob.value} all={all} seeds={seeds.value} />
        </>
      }
    >
      <div class="prose">
        <p>
          A hyperparameter is a number that training cannot learn: you set it before. Each dot is a whole network,
          trained here from the start for {EPOCHS} epochs, and its height is the cost on {DATA.valid} points that it has
          not seen, over its last {LAST} epochs. One seed is an anecdote; the band is ±1 standard deviation over all of
          them.
        </p>
        <p>
          <em>{spec.label}.</em> {spec.rule}
        </p>
      </div>
      <p class="dim">
        Two spirals, {DATA.train} points to train with. {restText(knob.value)}
      </p>
    </LessonPage>
  )
}

interface Range {
  readonly low: Signal<number>
  readonly high: Signal<number>
  reset(): void
}

/** The ends of the range as sliders have them: the knob's own where the address names none. */
function useEnds(knob: Signal<Knob>, from: Signal<number>, to: Signal<number>): Range {
  return useMemo(() => {
    const given = (value: number, own: number): number => (value === OWN ? own : snapped(knob.peek(), value))
    const low = signal(given(from.peek(), knobs[knob.peek()].from))
    const high = signal(given(to.peek(), knobs[knob.peek()].to))
    const reset = (): void => {
      low.value = knobs[knob.peek()].from
      high.value = knobs[knob.peek()].to
      from.value = OWN
      to.value = OWN
    }
    low.subscribe((value) => (from.value = value === knobs[knob.peek()].from ? OWN : value))
    high.subscribe((value) => (to.value = value === knobs[knob.peek()].to ? OWN : value))
    return { low, high, reset }
  }, [])
}

function Ends(props: { readonly knob: Knob; readonly ends: Range; readonly onChange: () => void }): JSX.Element {
  const { knob, ends, onChange } = props
  const { least, most, from, to, spread, format } = knobs[knob]
  const end = (label: string, value: Signal<number>, initial: number): JSX.Element => (
    <Slider
      key={`${knob} ${label}`}
      label={label}
      value={value}
      min={least}
      max={most}
      scale={spread === "whole" ? "lin" : "log"}
      step={spread === "whole" ? 1 : 0}
      initial={initial}
      tone={knob === "eta" ? "eta" : "ink"}
      format={(v) => format(snapped(knob, v))}
      onChange={onChange}
    />
  )
  return (
    <>
      {end("From", ends.low, from)}
      {end("To", ends.high, to)}
    </>
  )
}

function progress(state: State, done: number, total: number): string {
  if (state === "before") return `${count(total)} runs`
  if (state === "done") return `${count(total)} runs done`
  return `${done} of ${count(total)} runs${state === "paused" ? ", paused" : ""}`
}

function restText(knob: Knob): string {
  const rest = (["eta", "batch", "depth", "width"] as const)
    .filter((name) => name !== knob)
    .map((name) => `${knobs[name].label.toLowerCase()} ${knobs[name].format(REST[name])}`)
  return `The other knobs stay: ${rest.join(", ")}.`
}
