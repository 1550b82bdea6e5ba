// Lesson 6, the intermediate net (ex. 8.1 to 8.3, figs. 8.9 and 8.10): its code, its training, its mistakes, and a pad.

import "./intermediate.css"
import { effect, signal } from "@preact/signals"
import type { JSX } from "preact"
import { useEffect, useMemo } from "preact/hooks"
import { Button } from "../ui/controls.tsx"
import { cost, count, duration, percent } from "../ui/format.ts"
import { useKeys } from "../ui/keys.ts"
import { LessonPage, once } from "../ui/lesson.tsx"
import { MixUps } from "../ui/mix-ups.tsx"
import { running } from "../ui/running.tsx"
import { speak } from "../ui/said.ts"
import { Stays } from "../ui/stays.tsx"
import { useUrlState } from "../ui/url.ts"
import { Code, valuesOf } from "./intermediate-code.tsx"
import { Curves } from "./intermediate-curves.tsx"
import { barOf, type Screen } from "./intermediate-lines.ts"
import { Gallery } from "./intermediate-mistakes.tsx"
import { keys, type NetSettings, shallow } from "./intermediate-net.ts"
import { type Asked, Pad } from "./intermediate-pad.tsx"
import { NetRun, type Phase, secondsLeft, type Watched } from "./intermediate-run.ts"

export { keys } from "./intermediate-net.ts"

const TITLE = "The intermediate net"
const IMAGES = 60_000

/** Columns of the progress lines: as many as the block holds. */
function columnsNow(): number {
  const block = innerWidth > 900 ? Math.min(innerWidth, 1520) - 600 : innerWidth - 64
  return Math.max(40, Math.floor(block / 7.25))
}

/** The page. */
export default function Intermediate(): JSX.Element {
  const state = useUrlState(keys)
  const own = useMemo(() => new NetRun(true), [])
  const other = useMemo(() => new NetRun(false), [])
  const log = useMemo(() => signal(true), [])
  const asked = useMemo(() => signal<Asked | undefined>(undefined), [])
  const drawn = useMemo(() => signal(0), [])
  const make = (): void => {
    own.make(valuesOf(state), columnsNow())
    if (asked.peek() !== undefined) own.tell({ type: "ask", pixels: asked.peek()!.pixels })
  }
  useEffect(() => {
    make()
    const stops = [
      // Whatever stands on the pad is asked about, and again whenever the net has learned.
      effect(() => {
        void own.watched.value?.epochs.length
        if (asked.value !== undefined) own.tell({ type: "ask", pixels: asked.value.pixels })
      }),
      effect(() => {
        if (own.image.value !== undefined) {
          const { index, label, pixels } = own.image.value
          asked.value = { pixels, test: { index, label } }
        }
      }),
      effect(() => announce(own.phase.value, own.watched.value, pause)),
    ]
    return () => {
      for (const stop of stops) stop()
      own.end()
      other.end()
      running.value = undefined
    }
  }, [])
  const pause = (): void => own.pause()
  const again = (): void => {
    make()
    own.train(state.epochs.peek())
  }
  const toggle = (): void => {
    const phase = own.phase.peek()
    if (phase === "running") own.pause()
    else if (phase === "paused") own.resume()
    else if (phase === "failed") again()
    else if (phase !== "loading") {
      if ((own.watched.peek()?.epochs.length ?? 0) >= state.epochs.peek()) again()
      else own.train(state.epochs.peek())
    }
  }
  const changed = (what: keyof NetSettings): void => {
    // The rate holds from the next round on, more epochs can follow; anything else is another net.
    if (what === "eta") own.tell({ type: "rate", value: state.eta.peek() })
    if (what === "eta" || what === "epochs") return
    const goes = own.phase.peek() === "running" || own.phase.peek() === "loading"
    if (goes) again()
    else make()
  }
  const beside = (): void => {
    other.make(shallow(state.epochs.peek()), 80)
    other.train(state.epochs.peek())
  }
  const pick = (index: number): void => own.tell({ type: "image", index })
  useKeys({ " ": toggle, r: again })
  const tasks = useMemo(() => {
    const epochs = (): number => own.watched.value?.epochs.length ?? 0
    const settings = (): NetSettings | undefined => own.watched.value?.settings
    return [
      {
        text: "Train it, then draw a 4 and watch the bars argue between 4 and 9.",
        done: once(() => epochs() > 0 && drawn.value > 5),
      },
      { text: "Train the shallow net beside it.", done: once(() => (other.watched.value?.epochs.length ?? 0) > 2) },
      {
        text: "Put Adam in the place of SGD. Is it sooner there?",
        done: once(() => settings()?.opt === "adam" && epochs() > 2),
      },
      {
        text: "Show one of its mistakes on the pad: would you have known?",
        done: once(() => asked.value?.test !== undefined && epochs() > 0),
      },
    ]
  }, [])
  return (
    <LessonPage
      part="intermediate"
      title={TITLE}
      lede="Two hidden layers, sixty thousand digits, and the whole program in front of you."
      figureLabel="The training of the net, its mistakes, and a pad to draw on"
      tasks={tasks}
      keys={[
        [["space"], "train, pause"],
        [["r"], "start again"],
      ]}
      figure={
        <>
          <Outcome run={own.watched.value} phase={own.phase.value} loaded={own.loaded.value} fault={own.fault.value} />
          <div class="row">
            <Button main icon={own.phase.value === "running" ? "pause" : "play"} onClick={toggle}>
              {wordOf(own.phase.value, (own.watched.value?.epochs.length ?? 0) >= state.epochs.value)}
            </Button>
            <Button icon="again" onClick={again}>
              Start again
            </Button>
            <Button quiet onClick={beside} disabled={own.phase.value === "failed"}>
              Shallow net beside it
            </Button>
          </div>
          <Stays>
            <Curves
              run={own.watched.value}
              other={other.watched.value}
              log={log}
              empty={
                own.phase.value === "failed"
                  ? "There is nothing to draw."
                  : "Press Train: the first rounds will appear within a second."
              }
            />
          </Stays>
          <Beside run={own.watched.value} other={other.watched.value} phase={other.phase.value} />
          <Lines screen={own.screen.value} />
          <div class="ask">
            <section class="part">
              <header>
                <h2>Ask it</h2>
              </header>
              <Pad
                asked={asked}
                answer={own.answer}
                trained={own.watched.value !== undefined}
                pick={pick}
                drawn={drawn}
              />
            </section>
            <div class="ask-two">
              <MixUps confusion={own.mistakes.value?.confusion} />
              <Gallery mistakes={own.mistakes.value} pick={pick} />
            </div>
          </div>
        </>
      }
    >
      <div class="prose">
        <p>
          This is the chapter’s net as you would write it. Press Train, and it learns here, in this page, on all of
          MNIST. Everything underlined is yours to change.
        </p>
      </div>
      <Code state={state} changed={changed} />
    </LessonPage>
  )
}

function wordOf(phase: Phase, complete: boolean): string {
  if (phase === "done") return complete ? "Train anew" : "Train on"
  return { new: "Train", loading: "Loading", running: "Pause", paused: "Go on", failed: "Try again" }[phase]
}

/** Tells the bar, the title and screen readers how far the training is. */
function announce(phase: Phase, run: Watched | undefined, pause: () => void): void {
  const last = run?.epochs.at(-1)
  const goes = phase === "running" && run !== undefined
  running.value = goes ? { epoch: run.epochs.length + 1, costs: costsOf(run), pause } : undefined
  document.title =
    goes && last !== undefined
      ? `${percent(last.valAccuracy, 1)}, epoch ${run.epochs.length}`
      : `${TITLE} · trilobite studio`
  if (goes && last !== undefined) {
    speak(
      `Epoch ${run.epochs.length}, validation cost ${cost(last.valLoss)}, accuracy ${percent(last.valAccuracy, 1)}.`,
    )
  }
}

/** What the small curve of the bar shows: the epochs, or before the second the rounds. */
const costsOf = ({ epochs, costs }: Watched): readonly number[] =>
  epochs.length > 1 ? epochs.map((e) => e.valLoss) : costs

/** The result in a sentence, the time that is left and the pace. */
function Outcome(props: {
  readonly run: Watched | undefined
  readonly phase: Phase
  readonly loaded: number
  readonly fault: string | undefined
}): JSX.Element {
  const { run, phase, loaded, fault } = props
  if (fault !== undefined) {
    return (
      <p class="message fault" role="alert">
        {fault}
      </p>
    )
  }
  const last = run?.epochs.at(-1)
  const headline =
    phase === "loading"
      ? `Loading MNIST: ${percent(loaded, 0)}`
      : last === undefined
        ? run === undefined
          ? "It has learned nothing yet"
          : `Epoch 1 of ${run.settings.epochs}`
        : phase === "done"
          ? `${percent(last.valAccuracy, 1)} of unseen digits read right`
          : `Epoch ${run!.epochs.length} of ${run!.settings.epochs}: ${percent(last.valAccuracy, 1)} so far`
  return (
    <div class="outcome">
      <p class="headline">{headline}</p>
      <p class="dim small">
        {run === undefined ? "60,000 images to learn from, 10,000 to be judged by" : paceOf(run, phase)}
      </p>
    </div>
  )
}

function paceOf(run: Watched, phase: Phase): string {
  const seconds = run.epochs.map((e) => e.seconds)
  const last = seconds.at(-1)
  if (last === undefined) return `round ${run.at.round} of ${run.rounds}`
  const pace = `${duration(last)} an epoch, ${((1e6 * last) / IMAGES).toPrecision(2)} µs an image`
  if (phase === "done") return `${pace}; ${duration(seconds.reduce((a, b) => a + b, 0))} of training in all`
  return `${pace}, about ${duration(secondsLeft(run))} left`
}

/** What the shallow net has come to. */
function Beside(props: {
  readonly run: Watched | undefined
  readonly other: Watched | undefined
  readonly phase: Phase
}): JSX.Element | null {
  const { run, other, phase } = props
  const last = other?.epochs.at(-1)
  if (last === undefined || other === undefined) return null
  const same = run !== undefined && run.settings.loss === other.settings.loss
  return (
    <p class="small">
      <em class="that">Shallow net</em> (64 sigmoid neurons, quadratic cost, SGD 0.01)
      {phase === "done" ? " after" : ", so far"} {count(other.epochs.length)} epochs: {percent(last.valAccuracy, 1)},
      cost {cost(last.valLoss)}.{!same && " Its cost is another one, so only the accuracies can be compared."}
    </p>
  )
}

/** The newest progress lines, as a terminal shows them. */
function Lines({ screen }: { readonly screen: Screen }): JSX.Element {
  const lines = screen.filter((line, i) => line !== "" || i < screen.length - 1).slice(-5)
  return (
    <div class="progress-lines" role="log" aria-live="off" aria-label="Progress lines">
      {lines.length === 0 ? (
        <span class="dim">The progress lines will appear here.</span>
      ) : (
        lines.map((line, i) => {
          const [before, bar, after] = barOf(line)
          return (
            <div key={i}>
              {before}
              <b>{bar}</b>
              {after}
            </div>
          )
        })
      )}
    </div>
  )
}
