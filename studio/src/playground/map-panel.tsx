// The map with its key, its read-out, and what draws points on it.

import { computed, type Signal, signal, useComputed } from "@preact/signals"
import type { JSX } from "preact"
import { useMemo } from "preact/hooks"
import type { PlayEvent } from "../engine/jobs/play.ts"
import { cost, percent } from "../ui/format.ts"
import { makeData } from "./data.ts"
import { ContourMap, kindOf, type Layer, neuronKind } from "./map.tsx"
import { outputsOf } from "./net.ts"
import { type Brush, brushed, OwnData } from "./own-data.tsx"
import type { Neuron } from "./session.ts"
import type { Shown } from "./shown.ts"
import type { Setting } from "./state.ts"
import type { Training } from "./training.ts"

/** The map and what belongs to it. */
export function MapPanel(props: {
  readonly setting: Setting
  readonly training: Training
  readonly shown: Shown
  readonly brush: Signal<Brush>
}): JSX.Element {
  const { setting, training, shown, brush } = props
  const { view } = setting
  const { live, told, net } = shown
  const read = useMemo(() => signal(""), [])
  const data = shown.data.value
  const { classes } = data
  const kept = training.kept.value
  const otherData = useMemo(() => (kept === undefined ? undefined : makeData(kept.settings)), [kept?.settings])
  const compares = useComputed(() => view.split.value > 0 && training.kept.value?.event !== undefined).value
  const knowsPinned = useComputed(() => told.value?.pinned !== undefined).value
  const pin = knowsPinned && !compares ? shown.pin.value : undefined
  const isPinned = pin !== undefined
  const layer = useMemo(() => {
    const level = classes > 2 ? 1 / classes : classes === 2 ? 0.5 : 0
    const empty = new Float32Array(10000 * outputsOf(classes)).fill(level)
    return computed((): Layer => {
      const { field = empty, pinned } = live.value ?? {}
      if (isPinned && pinned !== undefined) return { field: pinned, data, kind: neuronKind(net.value) }
      return { field, data, kind: kindOf(classes) }
    })
  }, [data, isPinned])
  const other = useMemo(
    (): Layer | undefined =>
      compares && otherData !== undefined
        ? { field: kept!.event!.field, data: otherData, kind: kindOf(otherData.classes) }
        : undefined,
    [compares, kept, otherData],
  )
  const isOwn = useComputed(() => setting.now.value.data === "own").value
  const draw = (x1: number, x2: number): void =>
    setting.apply({ own: brushed(setting.now.peek().own, x1, x2, brush.peek()) })
  const says = useMemo(
    () => computed(() => (told.value === undefined ? "The map is empty." : sentence(told.value, pin))),
    [pin],
  )
  const right = useComputed(() => {
    if (read.value !== "") return read.value
    const accuracy = told.value?.test.accuracy
    return accuracy === undefined ? "" : `${percent(accuracy, 1)} of the test points are right`
  })
  return (
    <>
      <ContourMap
        layer={layer}
        other={other}
        split={view.split}
        says={says}
        read={read}
        onBrush={isOwn && classes !== 0 ? draw : undefined}
      />
      <Key classes={classes} pinned={pin} activation={net.value.activation} />
      <p class="read" aria-hidden="true">
        {right}
      </p>
      {isOwn && <OwnData setting={setting} brush={brush} />}
    </>
  )
}

function sentence({ epoch, train, test }: PlayEvent, pin: Neuron | undefined): string {
  const shows =
    pin === undefined
      ? "What the network answers at every place"
      : `What neuron ${pin[1] + 1} of layer ${pin[0] + 1} answers at every place`
  const right = test.accuracy === undefined ? "" : `, ${percent(test.accuracy, 1)} of the test points right`
  return `${shows}, with the training and test points. Epoch ${epoch}: train cost ${cost(train.cost)}, test cost ${cost(test.cost)}${right}.`
}

function Key(props: {
  readonly classes: number
  readonly pinned: Neuron | undefined
  readonly activation: string
}): JSX.Element {
  const { classes, pinned, activation } = props
  if (pinned !== undefined) {
    const [low, high] = activation === "tanh" ? ["−1", "1"] : activation === "sigmoid" ? ["0", "1"] : ["least", "most"]
    return (
      <div class="key">
        <span>
          layer {pinned[0] + 1}, neuron {pinned[1] + 1}: {low}
        </span>
        <Bands />
        <span>{high}</span>
      </div>
    )
  }
  if (classes > 2) {
    return (
      <div class="key classes">
        {Array.from({ length: classes }, (_, k) => (
          <span key={k} class={`cm${k}`}>
            {["●", "◆", "■", "▲"][k]} class {k + 1}
          </span>
        ))}
        <span class="dim">the stronger, the surer</span>
      </div>
    )
  }
  return (
    <div class="key">
      <span>{classes === 0 ? "−1" : "surely violet"}</span>
      <Bands />
      <span>{classes === 0 ? "1" : "surely green"}</span>
    </div>
  )
}

function Bands(): JSX.Element {
  return (
    <svg viewBox="0 0 90 10" preserveAspectRatio="none" aria-hidden="true">
      {["n4", "n3", "n2", "n1", "0", "p1", "p2", "p3", "p4"].map((name, i) => (
        <rect key={name} class={`band-${name}`} x={10 * i} width="10.2" height="10" />
      ))}
    </svg>
  )
}
