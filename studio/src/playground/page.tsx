// The playground: a sentence of settings, a network, and the map of what it answers, all of it live.

import "./playground.css"
import { type Signal, signal } from "@preact/signals"
import type { JSX } from "preact"
import { useEffect, useMemo, useState } from "preact/hooks"
import { Button } from "../ui/controls.tsx"
import { count } from "../ui/format.ts"
import { useKeys } from "../ui/keys.ts"
import { said } from "../ui/said.ts"
import { CostChart, NO_POINTS } from "./chart.tsx"
import { Foot } from "./foot.tsx"
import { MapPanel } from "./map-panel.tsx"
import { Network } from "./network.tsx"
import { type Brush, dropped } from "./own-data.tsx"
import { Sentence } from "./sentence.tsx"
import type { Neuron } from "./session.ts"
import { type Settings, sameShape } from "./settings.ts"
import { shownOf } from "./shown.ts"
import { type Setting, type Speed, speeds, useSettings } from "./state.ts"
import { DataSets } from "./thumbs.tsx"
import { Token, WordList } from "./token.tsx"
import { type Training, useTraining } from "./training.ts"

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

/** The page. It is rendered once: its parts read what they show by themselves. */
export default function Playground(): JSX.Element {
  const own = useSettings()
  const training = useTraining(own)
  const small = useSmall()
  const brush: Signal<Brush> = useMemo(() => signal(1), [])
  const hover: Signal<Neuron | undefined> = useMemo(() => signal(undefined), [])
  const shown = useMemo(() => shownOf(own, training), [])
  const setting = useMemo(
    (): Setting => ({
      ...own,
      apply(change: Partial<Settings>): void {
        const now = own.now.peek()
        if (!sameShape(now, { ...now, ...change }) && (training.told.peek()?.epoch ?? 0) > 0)
          said("The network has another shape: it starts again.")
        own.apply(change)
      },
    }),
    [],
  )
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
  const begin = (how: () => void) => (): void => (shown.ready.peek() ? how() : said(NO_POINTS))
  const toggle = (): void => (training.playing.peek() ? training.pause() : begin(training.play)())
  const step = begin(training.step)
  const again = (): void => {
    training.again()
    said("From the first weights again.")
  }
  const rate = (direction: 1 | -1): void => own.apply({ rate: nextRate(own.now.peek().rate, direction) })
  useKeys({
    " ": toggle,
    s: step,
    r: again,
    "[": () => rate(-1),
    "]": () => rate(1),
    z: own.undo,
    Z: own.redo,
    k: training.keep,
  })
  return (
    <main
      id="main"
      class="play"
      tabIndex={-1}
      onDragOver={(e) => e.preventDefault()}
      onDrop={(e) => void dropped(e, own)}
    >
      <h1 class="sr">Playground</h1>
      <div class="top">
        <Sentence setting={setting} classes={shown.classes} />
        <Transport training={training} speed={own.view.speed} onToggle={toggle} onStep={step} onAgain={again} />
      </div>
      <div class="stage">
        <DataSets setting={setting} />
        <Network
          shown={shown}
          small={small}
          hover={hover}
          onPin={training.pin}
          onLayers={(layers) => setting.apply({ layers })}
          onWeight={training.setWeight}
        />
        <div class="side">
          <MapPanel setting={own} training={training} shown={shown} brush={brush} />
          <CostChart training={training} log={own.view.axis} ready={shown.ready} />
        </div>
      </div>
      <Foot setting={own} training={training} />
    </main>
  )
}

function Transport(props: {
  readonly training: Training
  readonly speed: Signal<Speed>
  readonly onToggle: () => void
  readonly onStep: () => void
  readonly onAgain: () => void
}): JSX.Element {
  const { training, speed, onToggle, onStep, onAgain } = props
  const { epoch = 0, pace = 0 } = training.told.value ?? {}
  const playing = training.playing.value
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
