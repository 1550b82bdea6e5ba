// What every walk down a cost is moved by: its three buttons, and the learning rate.

import type { ReadonlySignal, Signal } from "@preact/signals"
import type { JSX } from "preact"
import { Button, Slider } from "./controls.tsx"
import { rate } from "./format.ts"
import { maths } from "./maths.tsx"

/** Walk or Pause, Step, Start again. */
export function WalkButtons(props: {
  readonly walking: ReadonlySignal<boolean>
  readonly onWalk: () => void
  readonly onStep: () => void
  readonly onAgain: () => void
}): JSX.Element {
  const walking = props.walking.value
  return (
    <div class="row">
      <Button main icon={walking ? "pause" : "play"} onClick={props.onWalk}>
        {walking ? "Pause" : "Walk"}
      </Button>
      <Button icon="step" onClick={props.onStep}>
        Step
      </Button>
      <Button quiet icon="again" onClick={props.onAgain}>
        Start again
      </Button>
    </div>
  )
}

/** The learning rate, on a logarithmic scale from creeping to leaping. */
export function EtaSlider(props: {
  readonly value: Signal<number>
  readonly min: number
  readonly max: number
  readonly initial: number
  readonly onChange?: (value: number) => void
}): JSX.Element {
  return (
    <Slider
      label="Learning rate"
      symbol={maths`η`}
      scale="log"
      tone="eta"
      zones={["creeps", "walks", "leaps"]}
      format={rate}
      {...props}
    />
  )
}
