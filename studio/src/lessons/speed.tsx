// Lesson 5, speed of learning (fig. 8.8): how far each layer moves in an epoch, trained live in the worker.

import "./speed.css"
import { computed, type Signal } from "@preact/signals"
import type { JSX } from "preact"
import { useEffect, useMemo } from "preact/hooks"
import { smoothed } from "../../../src/train/callbacks/learning-speed.ts"
import { Chart, type Line } from "../ui/chart.tsx"
import { Button, Choice, LiveNumber, Slider } from "../ui/controls.tsx"
import { trimmed } from "../ui/format.ts"
import { useKeys } from "../ui/keys.ts"
import { Formula, LessonPage, once } from "../ui/lesson.tsx"
import { maths } from "../ui/maths.tsx"
import { Stays } from "../ui/stays.tsx"
import { useUrlState } from "../ui/url.ts"
import { SpeedBars } from "./speed-bars.tsx"
import {
  activations,
  chapter,
  fanOf,
  initializers,
  keys,
  layerNames,
  layerTone,
  ratioOf,
  speedText,
} from "./speed-net.ts"
import { type SpeedRun, speedTraining } from "./speed-run.ts"

const names = {
  glorotUniform: "glorotUniform (the chapter’s)",
  lecunNormal: "lecunNormal",
  orthogonal: "orthogonal",
  heNormal: "heNormal",
  randomNormal: "randomNormal, σ 1",
} as const

/** The page. */
export default function Speed(): JSX.Element {
  const { act, init, L, seed } = useUrlState(keys)
  const training = useMemo(
    () =>
      speedTraining(() => ({
        activation: act.peek(),
        initializer: init.peek(),
        layers: L.peek(),
        seed: seed.peek(),
      })),
    [],
  )
  const { phase, run, last, fault } = training
  useEffect(() => () => training.end(), [])
  // A change of the net begins again at once, if there is something to begin again.
  const changed = (): void => {
    if (phase.peek() !== "new") training.begin()
  }
  const toggle = (): void => {
    if (phase.peek() === "running") training.pause()
    else if (phase.peek() === "paused") training.resume()
    else if (phase.peek() !== "starting") training.begin()
  }
  const more = (by: number) => (): void => {
    const next = Math.min(8, Math.max(1, L.peek() + by))
    if (next === L.peek()) return
    L.value = next
    changed()
  }
  useKeys({ " ": toggle, r: training.begin, "+": more(1), "-": more(-1) })
  const speeds = computed(() => run.value?.speeds ?? [])
  const tasks = useMemo(() => tasksFor(run), [])
  const word = { new: "Start", starting: "Starting", running: "Pause", paused: "Go on", done: "Train again" }[
    phase.value
  ]
  return (
    <LessonPage
      part="speed"
      title="Speed of learning"
      lede="The error is known at the output. The farther back a layer stands, the less of it arrives."
      figureLabel="How fast the layers of a deep net learn, epoch by epoch, and the net as bars"
      tasks={tasks}
      keys={[
        [["space"], "start, pause"],
        [["r"], "again"],
        [["+", "-"], "layers"],
      ]}
      figure={
        <>
          <div class="row spread">
            <Choice
              label="Activation"
              value={act}
              options={activations.map((value) => ({ value, label: value }))}
              onChange={changed}
            />
            <Choice
              label="Weights at the start"
              value={init}
              options={initializers.map((value) => ({ value, label: names[value] }))}
              onChange={changed}
            />
          </div>
          <Figure run={run.value} last={last.value} layers={L.value} fault={fault.value} waiting={phase.value} />
          <div class="speed-controls">
            <div class="row">
              <Button main icon={phase.value === "running" ? "pause" : "play"} onClick={toggle}>
                {word}
              </Button>
              <Button icon="again" onClick={training.begin}>
                Again
              </Button>
            </div>
            <Slider
              label="Hidden layers"
              value={L}
              min={1}
              max={8}
              step={1}
              initial={keys.L.initial}
              onChange={changed}
            />
            <Slider label="Seed" value={seed} min={1} max={20} step={1} initial={1} onChange={changed} />
          </div>
        </>
      }
    >
      <Prose speeds={speeds.value} layers={run.value?.net.layers ?? L.value} act={act} />
    </LessonPage>
  )
}

function tasksFor(run: ReturnType<typeof speedTraining>["run"]): Parameters<typeof LessonPage>[0]["tasks"] {
  const seen = (epochs: number, fits: (net: SpeedRun["net"]) => boolean) =>
    once(() => run.value !== undefined && run.value.speeds.length >= epochs && fits(run.value.net))
  return [
    {
      text: "Press Start and watch the layers fan out. Which one hardly moves?",
      done: seen(40, ({ activation }) => activation === "sigmoid"),
    },
    { text: "Switch to relu: what becomes of the fan?", done: seen(40, ({ activation }) => activation === "relu") },
    {
      text: "Back to sigmoid, with the larger weights of heNormal. When do the first layers wake up?",
      done: seen(120, ({ activation, initializer }) => activation === "sigmoid" && initializer === "heNormal"),
    },
    {
      text: "Stack eight layers of sigmoid neurons.",
      done: seen(40, (n) => n.layers === 8 && n.activation === "sigmoid"),
    },
  ]
}

function Prose(props: {
  readonly speeds: readonly (readonly number[])[]
  readonly layers: number
  readonly act: Signal<string>
}): JSX.Element {
  const { speeds, layers } = props
  const ratio = ratioOf(speeds)
  const now = speeds.at(-1)
  const other = layers >= 3 ? "the third from it" : "the first"
  return (
    <>
      <div class="prose">
        <p>
          Here {layers + 1} layers of {chapter.units} neurons learn {chapter.rows.toLocaleString("en-GB")} digits of
          MNIST, one image at a time. After every epoch we measure how far the weights of a layer have moved.
        </p>
        <p>
          {Number.isFinite(ratio) ? (
            <>
              Over {speeds.length} {speeds.length === 1 ? "epoch" : "epochs"} the layer next to the output has learned{" "}
              <LiveNumber value={ratio} format={(v) => v.toPrecision(v >= 100 ? 3 : 2)} width={2} /> times as fast as{" "}
              {other}
              {layers >= 3 && (
                <>
                  ; between the fastest and the slowest it is{" "}
                  <LiveNumber
                    value={fanOf(speeds)}
                    format={(v) => (v >= 100 ? v.toFixed(0) : v.toPrecision(2))}
                    width={3}
                  />{" "}
                  times
                </>
              )}
              .
            </>
          ) : (
            <>Start it: in about five seconds you will see how much faster the layer next to the output learns.</>
          )}{" "}
          A sigmoid passes on at most a quarter of the gradient at each layer, so what reaches the first layers is
          multiplied away. This is the vanishing gradient.
        </p>
      </div>
      <Formula
        label="The speed of a layer"
        rows={[
          ["speed", [maths`v = ‖W before the epoch −`, " ", maths`W after it‖`]],
          [
            now === undefined ? "last layer" : `epoch ${speeds.length}`,
            now === undefined ? (
              <span class="dim">not measured yet</span>
            ) : (
              <>
                <LiveNumber value={now.at(-1)!} format={speedText} width={7} />{" "}
                <span class="dim">in hidden {layers - 1}, not smoothed</span>
              </>
            ),
          ],
        ]}
      />
    </>
  )
}

/** The lines of a run: for each layer the smoothed one, with the raw one behind. */
function linesOf({ net, speeds }: SpeedRun, length: number, before: boolean): Line[] {
  const padded = (values: readonly number[]): (number | null)[] => Array.from({ length }, (_, k) => values[k] ?? null)
  return layerNames(net.layers).map((name, i): Line => {
    const raw = speeds.map((epoch) => epoch[i]!)
    const tone = layerTone(i, net.layers)
    const label = name.replace("_", " ")
    const values = padded(smoothed(raw, chapter.sigma))
    if (before) return { label: `${label}, the run before`, values, tone, width: 1.6, dash: true, faint: true }
    return { label, values, tone, raw: padded(raw) }
  })
}

function Figure(props: {
  readonly run: SpeedRun | undefined
  readonly last: SpeedRun | undefined
  readonly layers: number
  readonly fault: string | undefined
  readonly waiting: string
}): JSX.Element {
  const { run, last, layers, fault, waiting } = props
  const drawn = useMemo(() => {
    const length = Math.max(run?.speeds.length ?? 0, last?.speeds.length ?? 0)
    const of = (one: SpeedRun | undefined, before: boolean): Line[] =>
      one === undefined ? [] : linesOf(one, length, before)
    return { x: Array.from({ length }, (_, k) => k + 1), lines: [...of(last, true), ...of(run, false)] }
  }, [run, last])
  const smooth = drawn.lines.filter((line) => !line.faint)
  const now = smooth.flatMap(({ values }) => values[(run?.speeds.length ?? 0) - 1] ?? [])
  const all = smooth.flatMap(({ values }) => values.filter((v): v is number => v !== null && v > 0))
  const [slowest, fastest] = [all.reduce((a, b) => Math.min(a, b), 1), all.reduce((a, b) => Math.max(a, b), 0)]
  const empty =
    waiting === "starting"
      ? "The first epoch will appear here in a moment."
      : "Press Start: the layers will appear here."
  return (
    <div class="fig-in speed">
      <div class="fig-in">
        <Stays>
          <Chart
            title="How far the weights of a layer move in an epoch"
            says={saysOf(run)}
            x={drawn.x}
            lines={drawn.lines}
            log
            format={speedText}
            tick={(v) => trimmed(speedText(v))}
            height={innerWidth > 900 ? 440 : Math.max(200, Math.min(300, 0.45 * innerHeight - 60))}
            most={chapter.epochs}
            ends="line"
            room={112}
            empty={fault === undefined ? empty : ""}
          />
        </Stays>
        {fault !== undefined && (
          <p class="message fault" role="alert">
            {fault}
          </p>
        )}
        <p class="dim small">
          Smoothed with a Gaussian of σ = {chapter.sigma} epochs, the raw lines faint behind.
          {last !== undefined && " Dashed: the run before."}
        </p>
      </div>
      <SpeedBars layers={run?.net.layers ?? layers} now={now} slowest={slowest} fastest={fastest} />
    </div>
  )
}

function saysOf(run: SpeedRun | undefined): string {
  if (run === undefined || run.speeds.length === 0) return "No epoch has been trained yet."
  const fan = fanOf(run.speeds).toPrecision(2)
  return `Speed of ${run.net.layers} layers of ${run.net.activation} neurons over ${run.speeds.length} epochs, on a logarithmic axis: the fastest is ${fan} times as fast as the slowest.`
}
