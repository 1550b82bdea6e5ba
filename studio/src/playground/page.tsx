// The playground: a sentence of settings, a network, and the map of what it answers, all of it live.

import "./playground.css"
import { computed, type Signal, signal } from "@preact/signals"
import type { JSX } from "preact"
import { useEffect, useMemo, useState } from "preact/hooks"
import { Button } from "../ui/controls.tsx"
import { count } from "../ui/format.ts"
import { useKeys } from "../ui/keys.ts"
import { said } from "../ui/said.ts"
import { CostChart, NO_POINTS } from "./chart.tsx"
import { type Data, makeData } from "./data.ts"
import { Foot } from "./foot.tsx"
import { MapPanel } from "./map-panel.tsx"
import { Network } from "./network.tsx"
import { type Brush, dropped } from "./own-data.tsx"
import { Sentence } from "./sentence.tsx"
import type { Neuron } from "./session.ts"
import { type Settings, sameShape } from "./settings.ts"
import { type Speed, speeds, useSettings } from "./state.ts"
import { DataSets } from "./thumbs.tsx"
import { Token, WordList } from "./token.tsx"
import { useTraining } from "./training.ts"

const SMALL = "(max-width: 900px)"

function useSmall(): boolean {
  const query = useMemo(() => matchMedia(SMALL), [])
  const [small, setSmall] = useState(query.matches)
  useEffect(() => {
    const listen = (): void => setSmall(query.matches)
    query.addEventListener("change", listen)
    return () => query.removeEventListener("change", listen)
  }, [])
  return small
}

/** The learning rate one step down or up the scale 1, 2, 5, 10. */
export function nextRate(rate: number, direction: 1 | -1): number {
  const all = [-5, -4, -3, -2, -1, 0]
    .flatMap((power) => [1, 2, 5].map((digit) => Number(`${digit}e${power}`)))
    .concat(10)
  const found =
    direction > 0 ? all.find((value) => value > rate * 1.0001) : all.findLast((value) => value < rate * 0.9999)
  return found ?? rate
}

/** The page. */
export default function Playground(): JSX.Element {
  const setting = useSettings()
  const training = useTraining(setting)
  const small = useSmall()
  const { now, view } = setting
  const brush: Signal<Brush> = useMemo(() => signal(1), [])
  const hover: Signal<Neuron | undefined> = useMemo(() => signal(undefined), [])
  const data = useMemo(() => computed((): Data => makeData(now.value)), [])
  const settings = now.value
  // Words follow a few times a second, drawings every frame without this page being rendered again.
  const newest = training.told.value
  const live = useMemo(() => {
    return computed(() => {
      const seen = training.event.value
      return seen !== undefined && fits(seen.settings, now.value) ? seen : undefined
    })
  }, [])
  const event = newest !== undefined && fits(newest.settings, settings) ? newest : undefined
  const [layer, unit] = view.pin.value
  const pin = useMemo((): Neuron | undefined => {
    return layer === undefined || unit === undefined ? undefined : [layer - 1, unit - 1]
  }, [layer, unit])
  useEffect(() => {
    document.title = "Playground · trilobite studio"
  }, [])
  useEffect(() => {
    // Panels and dialogs have the key first.
    const unpin = (e: KeyboardEvent): void => {
      if (e.key === "Escape" && document.querySelector(":popover-open, dialog[open]") === null) training.pin(undefined)
    }
    addEventListener("keydown", unpin)
    return () => removeEventListener("keydown", unpin)
  }, [])
  const { train, test } = data.value
  const ready = train.y.length > 1 && test.y.length > 0
  const begin = (how: () => void) => (): void => (ready ? how() : said(NO_POINTS))
  const toggle = (): void => (training.playing.peek() ? training.pause() : begin(training.play)())
  const step = begin(training.step)
  const again = (): void => {
    training.again()
    said("From the first weights again.")
  }
  const rate = (direction: 1 | -1): void => setting.apply({ rate: nextRate(now.peek().rate, direction) })
  useKeys({
    " ": toggle,
    s: step,
    r: again,
    "[": () => rate(-1),
    "]": () => rate(1),
    z: setting.undo,
    Z: setting.redo,
    k: training.keep,
  })
  const apply = (change: Partial<Settings>): void => {
    if (!sameShape(now.peek(), { ...now.peek(), ...change }) && (newest?.epoch ?? 0) > 0)
      said("The network has another shape: it starts again.")
    setting.apply(change)
  }
  return (
    <main
      id="main"
      class="play"
      tabIndex={-1}
      onDragOver={(e) => e.preventDefault()}
      onDrop={(e) => void dropped(e, setting)}
    >
      <h1 class="sr">Playground</h1>
      <div class="top">
        <Sentence setting={{ ...setting, apply }} classes={data.value.classes} />
        <Transport
          epoch={newest?.epoch ?? 0}
          pace={newest?.pace ?? 0}
          speed={view.speed}
          playing={training.playing.value}
          onToggle={toggle}
          onStep={step}
          onAgain={again}
        />
      </div>
      <div class="stage">
        <DataSets value={settings.data} onChange={(name) => apply({ data: name })} />
        <Network
          settings={settings}
          classes={data.value.classes}
          event={event}
          live={live}
          small={small}
          pin={pin}
          hover={hover}
          onPin={training.pin}
          onLayers={(layers) => apply({ layers })}
          onWeight={training.setWeight}
        />
        <div class="side">
          <MapPanel
            setting={setting}
            training={training}
            event={event}
            live={live}
            data={data.value}
            pin={pin}
            brush={brush}
          />
          <CostChart curve={training.curve.value} other={training.kept.value?.curve} log={view.axis} ready={ready} />
        </div>
      </div>
      <Foot setting={setting} training={training} />
    </main>
  )
}

/** Whether a look at a network of the one can be drawn for the other. */
const fits = (a: Settings, b: Settings): boolean =>
  a.features.join() === b.features.join() && a.layers.join() === b.layers.join() && a.data === b.data

function Transport(props: {
  readonly epoch: number
  readonly pace: number
  readonly playing: boolean
  readonly speed: Signal<Speed>
  readonly onToggle: () => void
  readonly onStep: () => void
  readonly onAgain: () => void
}): JSX.Element {
  const { epoch, pace, playing, speed, onToggle, onStep, onAgain } = props
  return (
    <div class="transport">
      <div class="epoch" data-pace={Math.round(pace)}>
        <b>{count(epoch)}</b>
        <span>{epoch === 1 ? "epoch" : "epochs"}</span>
        <Token
          name="Speed"
          spoken={`${speedWords[speed.value]}${pace > 0 ? `, ${paceText(pace)}` : ""}`}
          word={pace > 0 ? paceText(pace) : speedWords[speed.value]}
        >
          {() => (
            <>
              <WordList
                label="Speed"
                value={speed.value}
                options={[
                  { value: "slow", label: "slow", note: `${speeds.slow} epochs a second.` },
                  { value: "walk", label: "walking", note: `${speeds.walk} epochs a second.` },
                  { value: "run", label: "full speed", note: "As many as this machine can." },
                ]}
                onChange={(value) => (speed.value = value)}
              />
              <p class="dim">
                It changes no number. The points trained in a second count everything, also the drawing.
              </p>
            </>
          )}
        </Token>
      </div>
      <Button main icon={playing ? "pause" : "play"} onClick={onToggle}>
        {playing ? "Pause" : "Play"}
      </Button>
      <Button icon="step" onClick={onStep}>
        Step
      </Button>
      <Button quiet icon="again" label="Start again" onClick={onAgain} />
    </div>
  )
}

const speedWords: { readonly [S in Speed]: string } = { slow: "slow", walk: "walking", run: "full speed" }

/** Points per second in words. */
export function paceText(pace: number): string {
  if (pace >= 1e6) return `${(pace / 1e6).toFixed(1)} million points/s`
  return `${count(Number(pace.toPrecision(2)))} points/s`
}
