// What a station of a round says, with the numbers of the library for this very batch.

import type { Signal } from "@preact/signals"
import type { ComponentChildren, JSX } from "preact"
import { crossEntropyCost } from "trilobite"
import { type LayerRound, RATE, type RoundFacts } from "../engine/jobs/round-facts.ts"
import { Choice, LiveNumber } from "../ui/controls.tsx"
import { cost, count, percent, plain } from "../ui/format.ts"
import { etaTerm, maths } from "../ui/maths.tsx"
import { axis } from "../ui/plot.ts"
import { useWidth } from "../ui/size.ts"
import { BatchGrid, Digit } from "./batches-canvas.tsx"
import { placesOf, SEED } from "./batches-order.ts"
import type { Station } from "./batches-ring.tsx"

/** A weight's place in words. */
const layers = ["hidden layer 1", "hidden layer 2", "output layer"] as const

interface Props {
  readonly facts: RoundFacts
  readonly order: Int32Array
  readonly chosen: Signal<number>
  readonly layer: Signal<number>
}

/** The panel of a station. */
export function StationPanel({ station, ...props }: Props & { readonly station: Station }): JSX.Element {
  const Panel = panels[station]
  return <Panel {...props} />
}

const panels: { readonly [S in Station]: (props: Props) => JSX.Element } = {
  shuffle: Shuffle,
  batch: Batch,
  forward: Forward,
  cost: Cost,
  backward: Backward,
  update: Update,
}

function Panel(props: { readonly title: string; readonly children: ComponentChildren }): JSX.Element {
  return (
    <section class="bt-panel" aria-label={props.title}>
      <h2>{props.title}</h2>
      {props.children}
    </section>
  )
}

const chosenOf = ({ facts, chosen }: Props): number => Math.min(chosen.value, facts.images.length - 1)

/** The chosen image with its name. */
function Chosen(props: Props & { readonly size: number }): JSX.Element {
  const { facts, size } = props
  const i = chosenOf(props)
  const name = `image ${count(facts.images[i]! + 1)}`
  return (
    <div class="bt-chosen">
      <Digit pixels={facts.pixels} at={i} size={size} says={`${name}, a ${facts.labels[i]}`} />
      <p class="dim">
        {name}, a <b>{facts.labels[i]}</b>
      </p>
    </div>
  )
}

function Shuffle(props: Props): JSX.Element {
  const { facts, order } = props
  const [from] = placesOf(facts.round, facts.batch)
  const shown = Math.min(8, facts.images.length)
  return (
    <Panel title={`Shuffle: the order of epoch ${facts.epoch}`}>
      <p class="bt-say">
        Seed {SEED} and epoch {facts.epoch} give one order of the {count(order.length)} images. Every image has one
        place in it, so none can come twice. Round {count(facts.round)} takes up the order at place {count(from + 1)}.
      </p>
      <ol class="bt-order">
        {Array.from({ length: shown }, (_, i) => (
          <li key={i}>
            <span class="dim">place {count(from + i + 1)}</span>
            <Digit pixels={facts.pixels} at={i} size={42} says={`a ${facts.labels[i]}`} />
            <b>{count(order[from + i]! + 1)}</b>
          </li>
        ))}
      </ol>
      <p class="dim">Below each place: the number of its image in the files.</p>
    </Panel>
  )
}

function Batch({ facts, chosen }: Props): JSX.Element {
  const many = facts.images.length
  return (
    <Panel title={`Batch: ${many === 1 ? "one image" : `${many} images`}${many < facts.batch ? ", what is left" : ""}`}>
      <BatchGrid facts={facts} chosen={chosen} height={244} labels />
      <p class="dim bt-foot">
        {facts.batch > 256 ? "Choose" : "The small number is the label. Choose"} an image to follow it round the ring.
      </p>
    </Panel>
  )
}

function Forward(props: Props): JSX.Element {
  const { facts } = props
  const i = chosenOf(props)
  const outputs = facts.outputs.subarray(i * 10, i * 10 + 10)
  const best = outputs.indexOf(Math.max(...outputs))
  const label = facts.labels[i]!
  return (
    <Panel title={`Forward: the net says ${best}${best === label ? "" : `, it is a ${label}`}`}>
      <div class="bt-two">
        <Chosen {...props} size={140} />
        <ul class="bt-bars" aria-label="The ten outputs">
          {[...outputs].map((a, digit) => (
            <li key={digit} class={digit === label ? "wanted" : ""}>
              <span>{digit}</span>
              <span class="bt-track">
                <span style={{ width: `${100 * a}%` }} />
              </span>
              <LiveNumber value={a} format={(v) => percent(v, 1)} width={6} />
            </li>
          ))}
        </ul>
      </div>
    </Panel>
  )
}

function Cost(props: Props): JSX.Element {
  const { facts, chosen } = props
  const at = chosenOf(props)
  const [box, measured] = useWidth(0)
  const width = Math.min(560, measured || 520)
  const costs = [...facts.labels].map((label, i) => crossEntropyCost(1, facts.outputs[i * 10 + label]!))
  const most = Math.max(3, ...costs.filter(Number.isFinite)) * 1.02
  const x = axis(0, most, 8, width - 10)
  const right = facts.outputs[at * 10 + facts.labels[at]!]!
  // Dots of nearly the same cost are stacked.
  const stacks = new Map<number, number>()
  const size = costs.length > 200 ? 2.2 : 3.6
  const dots = costs.map((c) => {
    const bin = Math.round(x(c) / (2.3 * size))
    const height = stacks.get(bin) ?? 0
    stacks.set(bin, height + 1)
    return { cx: bin * 2.3 * size, height }
  })
  const tallest = Math.max(...stacks.values())
  const rise = Math.min(2.3 * size, 92 / tallest)
  return (
    <Panel title={`Cost: ${cost(facts.cost)} for the batch`}>
      <div class="bt-formula">
        <span>
          {maths`C = −ln a_${facts.labels[at]!} = −ln ${Number(plain(right, 4))} =`} <b>{cost(costs[at]!)}</b>
        </span>
        <span class="dim">for image {count(facts.images[at]! + 1)}</span>
        <span>
          mean of {facts.images.length} = <b>{cost(facts.cost)}</b>
        </span>
        <span class="dim">the cost of the batch</span>
      </div>
      <div ref={box}>
        <svg
          viewBox={`0 0 ${width} 146`}
          width={width}
          height="146"
          role="img"
          aria-label={costText(costs, facts.cost)}
        >
          <path d={`M8 118H${width - 10}`} class="axis" />
          {dots.map(({ cx, height }, i) => (
            // biome-ignore lint/a11y/noStaticElementInteractions: the grid of the batch does the same by keyboard
            <circle
              key={i}
              cx={cx}
              cy={112 - height * rise}
              r={size}
              class={i === at ? "bt-dot at" : "bt-dot"}
              onClick={() => (chosen.value = i)}
            />
          ))}
          <path d={`M${x(facts.cost)} 8V126`} class="ln thin dash" />
          <text x={x(facts.cost) + 6} y="16" class="b t-ink halo">
            mean {cost(facts.cost)}
          </text>
          {[0, 1, 2, 3, 4, 6, 8]
            .filter((t) => t < most && (most < 5 || t % 2 === 0))
            .map((t) => (
              <text key={t} x={x(t)} y="140" text-anchor={t === 0 ? "start" : "middle"} class="t-12 t-3">
                {t === 0 ? "cost 0" : t}
              </text>
            ))}
        </svg>
      </div>
    </Panel>
  )
}

function costText(costs: readonly number[], mean: number): string {
  const worst = costs.reduce((a, b) => Math.max(a, b))
  return `A dot for each image along its cost. The mean is ${cost(mean)}, the worst ${cost(worst)}.`
}

function Backward({ facts }: Props): JSX.Element {
  const most = Math.max(...facts.layers.map(({ gradient }) => gradient)) || 1
  return (
    <Panel title="Backward: how loudly each layer hears of it">
      <p class="bt-say">
        The length of the gradient of the batch's cost, layer by layer from the output back: what the update took from
        the weights, divided by {maths`${etaTerm}`}.
      </p>
      <ul class="bt-layers">
        {[2, 1, 0].map((i) => (
          <li key={i}>
            <span>
              {layers[i]}
              <small class="dim">{count(facts.layers[i]!.weights)} parameters</small>
            </span>
            <span class={`bt-track layer-${i + 1}`}>
              <span style={{ width: `${(100 * facts.layers[i]!.gradient) / most}%` }} />
            </span>
            <LiveNumber value={facts.layers[i]!.gradient} format={cost} width={7} />
          </li>
        ))}
      </ul>
    </Panel>
  )
}

function weightName(layer: number, { largest }: LayerRound): string {
  const from = layer === 0 ? `pixel ${count(largest.from + 1)}` : `neuron ${largest.from + 1} of hidden layer ${layer}`
  return `from ${from} to ${layer === 2 ? `output ${largest.to}` : `neuron ${largest.to + 1}`}`
}

function Update({ facts, layer }: Props): JSX.Element {
  const own = facts.layers[layer.value]!
  const { before, gradient, after } = own.largest
  const better = facts.costAfter <= facts.cost
  return (
    <Panel title="Update: every weight takes its step">
      <Choice label="Layer" value={layer} options={layers.map((label, value) => ({ value, label }))} />
      <p class="bt-say">The weight of this layer that moves the farthest, {weightName(layer.value, own)}:</p>
      <div class="bt-step">
        <span>{maths`w`}</span>
        <span>−</span>
        <span class="ember">{maths`η`}</span>
        <span>·</span>
        <span class="ember">{maths`∂C/∂w`}</span>
        <span>=</span>
        <span>{maths`w′`}</span>
        <LiveNumber value={before} format={(v) => plain(v, 5)} />
        <span>−</span>
        <span class="ember">{RATE}</span>
        <span>·</span>
        <LiveNumber class="ember" value={gradient} format={(v) => (v < 0 ? `(${plain(v, 5)})` : plain(v, 5))} />
        <span>=</span>
        <LiveNumber value={after} format={(v) => plain(v, 5)} />
      </div>
      <p class="bt-say">
        With all 55,050 parameters moved, the cost of the same batch goes from <b>{cost(facts.cost)}</b> to{" "}
        <b>{cost(facts.costAfter)}</b>
        {better ? "." : ": this step was too long for this batch."}
      </p>
    </Panel>
  )
}
