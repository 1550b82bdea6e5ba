// Lesson 3: a round of training stepped through on real digits, and the wall of all images that an epoch uses once each.

import "./batches.css"
import { batch, computed, type ReadonlySignal, type Signal, signal, useSignalEffect } from "@preact/signals"
import type { JSX } from "preact"
import { useEffect, useMemo, useRef } from "preact/hooks"
import { type Running, start } from "../engine/client.ts"
import type { RoundEvent, RoundFacts, RoundMessage, RoundProgress } from "../engine/jobs/round-facts.ts"
import { Button, Slider } from "../ui/controls.tsx"
import { cost, count, duration, percent } from "../ui/format.ts"
import { useKeys } from "../ui/keys.ts"
import { Formula, LessonPage, once, still, useWalk } from "../ui/lesson.tsx"
import { maths } from "../ui/maths.tsx"
import { axis, linePath } from "../ui/plot.ts"
import { running } from "../ui/running.tsx"
import { speak } from "../ui/said.ts"
import { useWidth } from "../ui/size.ts"
import { Stays } from "../ui/stays.tsx"
import { type State, useUrlState } from "../ui/url.ts"
import { BatchGrid, Digit, Wall } from "./batches-canvas.tsx"
import { audit, IMAGES, orderOf, placesOf, roundsOf, tally } from "./batches-order.ts"
import { Ring } from "./batches-ring.tsx"
import { keys, LAST_EPOCH, stepBack, stepOn, type View } from "./batches-state.ts"
import { StationPanel } from "./batches-station.tsx"

/** Milliseconds at a station while walking, and of an epoch while it runs. */
const AT_STATION = 1100
const EPOCH_MS = 4800

interface Training {
  readonly facts: Signal<RoundFacts | undefined>
  readonly progress: Signal<RoundProgress | undefined>
  /** The costs of the epoch that runs, by the rounds that were done. */
  readonly curve: Signal<readonly (readonly [round: number, cost: number])[]>
  /** Rounds done on the way to where the reader wants to be; undefined when there. */
  readonly seeking: Signal<{ readonly epoch: number; readonly done: number } | undefined>
  readonly absent: Signal<string>
  /** Whether an epoch runs. */
  readonly on: Signal<boolean>
  readonly finished: Signal<number>
  run(): void
  pause(): void
}

const viewOf = (state: State<View>): View => ({
  b: state.b.value,
  round: Math.min(state.round.value, roundsOf(state.b.value)),
  epoch: state.epoch.value,
  station: state.station.value,
})

function show(state: State<View>, to: View | undefined): void {
  if (to === undefined) return
  batch(() => {
    state.b.value = to.b
    state.round.value = to.round
    state.epoch.value = to.epoch
    state.station.value = to.station
  })
}

/** The job of this page: asked for every round that is looked at, and for the run of an epoch. */
function useTraining(state: State<View>): Training {
  const own = useMemo(() => {
    const job: { current?: Running<RoundMessage>; frame: number; newest?: RoundProgress } = { frame: 0 }
    let costs: (readonly [round: number, cost: number])[] = []
    const made: Training = {
      facts: signal(undefined),
      progress: signal(undefined),
      curve: signal([]),
      seeking: signal(undefined),
      absent: signal(""),
      on: signal(false),
      finished: signal(0),
      run() {
        const { b, round, epoch } = viewOf(state)
        const rounds = roundsOf(b)
        const from = round >= rounds ? 1 : round
        const pieces = Math.min(rounds, still() ? 19 : 160)
        batch(() => {
          made.on.value = true
          made.progress.value = undefined
          show(state, { b, round: from, epoch, station: "update" })
        })
        made.curve.value = costs = []
        job.current?.tell({ type: "run", batch: b, epoch, round: from, pieces, pause: EPOCH_MS / pieces })
      },
      pause() {
        if (!made.on.value) return
        made.on.value = false
        running.value = undefined
        job.current?.tell({ type: "pause" })
      },
    }
    const drawn = (): void => {
      job.frame = 0
      const { newest } = job
      if (newest === undefined || !made.on.peek()) return
      batch(() => {
        made.progress.value = newest
        state.round.value = newest.done
        made.curve.value = [...costs]
        running.value = { epoch: newest.epoch, costs: costs.map(([, c]) => c), pause: made.pause }
      })
      speak(`Epoch ${newest.epoch}, round ${newest.done}, cost ${cost(newest.cost)}.`)
    }
    const hear = (event: RoundEvent): void => {
      if (event.type === "round") {
        made.facts.value = event
        made.seeking.value = undefined
      } else if (event.type === "seeking") made.seeking.value = event
      else if (event.type === "absent") made.absent.value = event.message
      else if (event.type === "progress") {
        made.seeking.value = undefined
        job.newest = event
        costs.push([event.done, event.cost])
        job.frame ||= requestAnimationFrame(drawn)
      } else {
        cancelAnimationFrame(job.frame)
        drawn()
        running.value = undefined
        batch(() => {
          made.on.value = false
          made.finished.value++
        })
      }
    }
    return { made, job, hear }
  }, [])
  useEffect(() => {
    const { made, job, hear } = own
    job.current = start("round", {}, hear)
    let frame = 0
    // The newest place, once in a frame; not while an epoch runs by itself.
    const stop = computed(
      () => [state.b.value, state.epoch.value, state.round.value, made.on.value] as const,
    ).subscribe(([b, epoch, round, on]) => {
      cancelAnimationFrame(frame)
      if (on) return
      frame = requestAnimationFrame(() => {
        const known = made.facts.peek()
        if (known?.batch === b && known.epoch === epoch && known.round === round) return
        job.current?.tell({ type: "look", batch: b, epoch, round })
      })
    })
    return () => {
      stop()
      cancelAnimationFrame(frame)
      cancelAnimationFrame(job.frame)
      running.value = undefined
      job.current?.stop()
    }
  }, [])
  return own.made
}

/** The page. */
export default function Batches(): JSX.Element {
  const state = useUrlState(keys)
  const training = useTraining(state)
  const view = useMemo(() => computed(() => viewOf(state)), [])
  const order = useMemo(() => computed(() => orderOf(state.epoch.value)), [])
  const walking = useMemo(() => signal(false), [])
  const chosen = useMemo(() => signal(0), [])
  const layer = useMemo(() => signal(2), [])
  const steps = useMemo(() => signal(0), [])
  const { b, round, epoch, station } = view.value
  const rounds = roundsOf(b)
  const on = training.on.value

  const rest = (): void => {
    walking.value = false
    training.pause()
  }
  const step = (): void => {
    rest()
    steps.value++
    show(state, stepOn(view.peek()))
  }
  const back = (): void => {
    rest()
    show(state, stepBack(view.peek()))
  }
  const waited = useRef(0)
  useWalk(walking, (ms) => {
    if (training.seeking.peek() !== undefined) return
    waited.current += ms
    if (waited.current < AT_STATION) return
    waited.current = 0
    steps.value++
    const next = stepOn(view.peek())
    show(state, next)
    if (next === undefined) walking.value = false
  })
  const walk = (): void => {
    const go = !walking.peek()
    rest()
    waited.current = AT_STATION
    walking.value = go
  }
  const run = (): void => {
    const go = !training.on.peek()
    rest()
    if (go) training.run()
  }
  const again = (): void => {
    rest()
    show(state, { b: 128, round: 1, epoch: 1, station: "batch" })
    training.progress.value = undefined
  }
  // After its last round an epoch stands still for a moment; then the next one begins with its own order.
  useSignalEffect(() => {
    if (training.finished.value === 0) return
    const { epoch: done, b: size } = view.peek()
    const timer = setTimeout(() => {
      if (training.on.peek() || view.peek().round !== roundsOf(size) || view.peek().epoch !== done) return
      if (done < LAST_EPOCH) show(state, { b: size, round: 1, epoch: done + 1, station: "shuffle" })
    }, 1600)
    return () => clearTimeout(timer)
  })
  useKeys({ " ": walk, s: step, ArrowRight: step, ArrowLeft: back, e: run, r: again })

  const tasks = useMemo(
    () => [
      {
        text: "Step once round the ring and watch one batch go from pixels to new weights.",
        done: once(() => steps.value >= 5 && state.station.value === "update"),
      },
      {
        text: "Run the epoch. How many images does its last round hold?",
        done: once(() => training.finished.value > 0),
      },
      {
        text: "Go to round 1 of epoch 2: does it begin with the same images?",
        done: once(() => state.epoch.value >= 2 && training.facts.value?.epoch === state.epoch.value),
      },
      {
        text: "Halve the batch. What becomes of the number of rounds?",
        done: once(() => state.b.value === 64),
      },
    ],
    [],
  )
  return (
    <LessonPage
      part="batches"
      title="Batches and epochs"
      lede="Sixty thousand images are too many to look at before every step, so the net looks at a handful."
      figureLabel="Six stations of a round, the digits of its batch, and a wall of all images of the epoch"
      tasks={tasks}
      keys={[
        [["space"], "walk"],
        [["s", "→"], "next station"],
        [["←"], "back"],
        [["e"], "run the epoch"],
        [["r"], "start again"],
      ]}
      figure={
        <div class="fig-in bt-fig">
          <div class="fig-in bt-top">
            <Stays>
              <Ring
                station={station}
                round={round}
                rounds={rounds}
                epoch={epoch}
                choose={(to) => {
                  rest()
                  steps.value++
                  state.station.value = to
                }}
              />
            </Stays>
            <Panel view={view.value} training={training} order={order.value} chosen={chosen} layer={layer} />
          </div>
          <Low state={state} view={view.value} training={training} order={order} chosen={chosen} rest={rest} />
          <div class="controls">
            <div class="row">
              <Button main icon={walking.value ? "pause" : "play"} onClick={walk}>
                {walking.value ? "Pause" : "Walk"}
              </Button>
              <Button icon="step" onClick={step}>
                Step
              </Button>
              <Button icon={on ? "pause" : "runs"} onClick={run}>
                {on ? "Pause" : "Run the epoch"}
              </Button>
              <Button quiet icon="again" label="Start again" onClick={again} />
            </div>
            <Slider
              label={`Round of epoch ${epoch}`}
              value={state.round}
              min={1}
              max={rounds}
              step={1}
              initial={1}
              format={(v) => `${count(v)} of ${count(rounds)}`}
              onChange={rest}
            />
          </div>
        </div>
      }
    >
      <div class="prose">
        <p>
          A <em>round</em> takes the next {b === 1 ? "image" : `${count(b)} images`}, sees how wrong the net is there,
          and moves every weight a little. An <em>epoch</em> is over when each image has had its turn once. Then the
          images are shuffled, and it begins anew.
        </p>
        <p>
          On the wall each image is one pixel. Dark ones have been used in this epoch; those of this round glow. The
          order is the library's own, and so are all the numbers.
        </p>
      </div>
      <Formula
        label="Rounds of an epoch"
        rows={[
          ["", maths`n = ⌈images / batch size⌉`],
          [
            "now",
            <>
              ⌈{count(IMAGES)} / {count(b)}⌉ = {count(rounds)}
              {IMAGES % b !== 0 && <span class="dim">, the last of {IMAGES % b}</span>}
            </>,
          ],
        ]}
      />
    </LessonPage>
  )
}

/** What the station says; while it is being computed the picture before, paler. */
function Panel(props: {
  readonly view: View
  readonly training: Training
  readonly order: Int32Array
  readonly chosen: Signal<number>
  readonly layer: Signal<number>
}): JSX.Element {
  const { view, training, order, chosen, layer } = props
  const facts = training.facts.value
  if (training.absent.value !== "") return <p class="message">{training.absent.value}</p>
  if (training.on.value || (facts === undefined && training.seeking.value === undefined)) {
    const now = training.progress.value
    return (
      <section class="bt-panel" aria-label="The epoch runs">
        <h2>
          {training.on.value ? `Epoch ${view.epoch}: all six stations, ${count(roundsOf(view.b))} times` : "One moment"}
        </h2>
        {now === undefined ? (
          <p class="bt-say">
            {training.on.value ? "The first rounds are being trained." : "Reading the images of MNIST."}
          </p>
        ) : (
          <Numbers now={now} curve={training.curve.value} rounds={roundsOf(view.b)} />
        )}
      </section>
    )
  }
  const stale =
    facts === undefined || facts.batch !== view.b || facts.round !== view.round || facts.epoch !== view.epoch
  const way = training.seeking.value
  return (
    <div>
      {stale && way !== undefined && (
        <p class="dim" role="status">
          Training the rounds before this one: epoch {way.epoch}, {count(way.done)} done
        </p>
      )}
      <div class={stale ? "bt-stale" : ""} aria-busy={stale}>
        {facts && (
          <StationPanel
            station={view.station}
            facts={facts}
            order={facts.epoch === view.epoch ? order : orderOf(facts.epoch)}
            chosen={chosen}
            layer={layer}
          />
        )}
      </div>
    </div>
  )
}

/** The live numbers of an epoch that runs. */
function Numbers(props: {
  readonly now: RoundProgress
  readonly curve: readonly (readonly [round: number, cost: number])[]
  readonly rounds: number
}): JSX.Element {
  const { now, curve, rounds } = props
  const [box, measured] = useWidth(0)
  const width = Math.min(560, measured || 520)
  const x = axis(0, rounds, 0, width - 64)
  const y = axis(0, curve[0]?.[1] ?? 1, 84, 8)
  return (
    <>
      <dl class="bt-live">
        <div>
          <dt>rounds</dt>
          <dd>{count(now.done)}</dd>
        </div>
        <div>
          <dt>cost</dt>
          <dd>{cost(now.cost)}</dd>
        </div>
        <div>
          <dt>right</dt>
          <dd>{percent(now.accuracy, 1)}</dd>
        </div>
      </dl>
      <div ref={box}>
        <svg
          viewBox={`0 0 ${width} 92`}
          width={width}
          height="92"
          role="img"
          aria-label={`The cost has come to ${cost(now.cost)}`}
        >
          <path d={`M0 84H${width - 64}`} class="grid" />
          <path d={linePath(curve.map(([at, c]) => [x(at), y(c)] as const))} class="ln" />
          <text x={x(now.done) + 8} y={y(now.cost) + 4} class="b t-ink halo">
            {cost(now.cost)}
          </text>
        </svg>
      </div>
      <p class="bt-say">
        Cost and share of right answers over the newest rounds. The training itself has taken {duration(now.seconds)} so
        far. The rest is a pause between the rounds, so that you can watch.
      </p>
    </>
  )
}

/** The wall; beside it its audit, the batch size, and the batch lifted out. */
function Low(props: {
  readonly state: State<View>
  readonly view: View
  readonly training: Training
  readonly order: ReadonlySignal<Int32Array>
  readonly chosen: Signal<number>
  readonly rest: () => void
}): JSX.Element {
  const { state, view, training, order, chosen, rest } = props
  const [from, to] = placesOf(view.round, view.b)
  const used = view.station === "shuffle" ? from : to
  const seen = useMemo(() => tally(audit(order.value, used)), [order.value, used])
  const says = `A wall of ${count(IMAGES)} images: ${count(seen.once)} have been used once in epoch ${view.epoch}, ${count(seen.never)} not yet, ${count(seen.more)} more than once.`
  return (
    <div class="bt-low">
      <Wall order={order.value} from={from} to={used} says={says} />
      <div class="bt-side">
        <table class="bt-audit">
          <caption>Audit of epoch {view.epoch}</caption>
          <tbody>
            <tr>
              <td>used once</td>
              <td>{count(seen.once)}</td>
            </tr>
            <tr>
              <td>not yet used</td>
              <td>{count(seen.never)}</td>
            </tr>
            <tr>
              <td>used more than once</td>
              <td>{count(seen.more)}</td>
            </tr>
          </tbody>
        </table>
        <BatchSize state={state} rest={rest} />
        <Lifted view={view} training={training} chosen={chosen} />
      </div>
    </div>
  )
}

/** The batch at readable size, or its chosen image where the station shows the batch. */
function Lifted(props: {
  readonly view: View
  readonly training: Training
  readonly chosen: Signal<number>
}): JSX.Element {
  const { view, training, chosen } = props
  const facts = training.facts.value
  if (view.round === roundsOf(view.b) && (training.on.value || training.finished.value > 0) && view.station !== "batch")
    return (
      <p class="bt-say">
        The last round lifts out <b class="ember">{count(IMAGES - (view.round - 1) * view.b)}</b>. Every image was used
        exactly once.
      </p>
    )
  if (facts === undefined || training.on.value) return <p class="dim">The images of this round glow on the wall.</p>
  const stale = facts.round !== view.round || facts.epoch !== view.epoch || facts.batch !== view.b
  const at = Math.min(chosen.value, facts.images.length - 1)
  return (
    <div class={stale ? "bt-stale" : ""}>
      <p class="dim bt-lift">
        <b class="ember">{count(facts.images.length)}</b> lifted out
        {view.station === "batch" && <>, chosen: image {count(facts.images[at]! + 1)}</>}
      </p>
      {view.station === "batch" ? (
        <Digit pixels={facts.pixels} at={at} size={168} says={`a ${facts.labels[at]}`} />
      ) : (
        <BatchGrid facts={facts} chosen={chosen} height={188} />
      )}
    </div>
  )
}

/** The batch size, in powers of two. */
function BatchSize({ state, rest }: { readonly state: State<View>; readonly rest: () => void }): JSX.Element {
  const power = useMemo(() => signal(Math.log2(state.b.peek())), [])
  useSignalEffect(() => {
    power.value = Math.log2(state.b.value)
  })
  return (
    <Slider
      label="Batch size"
      value={power}
      min={0}
      max={9}
      step={1}
      initial={7}
      format={(v) => String(2 ** v)}
      onChange={(v) => {
        rest()
        // Another batch size is another training: it begins with its first round.
        show(state, { ...viewOf(state), b: 2 ** v, round: 1, epoch: 1 })
      }}
    />
  )
}
