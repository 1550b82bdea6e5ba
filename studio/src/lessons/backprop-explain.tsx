// What a neuron or an edge computes: its formula, and the same formula with its own numbers.

import type { ComponentChildren, JSX } from "preact"
import { cost, plain } from "../ui/format.ts"
import { etaTerm, maths, term } from "../ui/maths.tsx"
import { gradientText, neuronName } from "./backprop-figure.tsx"
import { type Numbers, type Params, type Question, sizes, slope, sumOf } from "./backprop-net.ts"
import { partsOf, type Selected } from "./backprop-state.ts"

interface Props {
  readonly sel: Selected
  readonly params: Params
  readonly numbers: Numbers
  readonly question: Question
  readonly rate: number
}

type Line = readonly [symbols: ComponentChildren, numbers: ComponentChildren]

/** A number inside a product: negative ones in brackets. */
const factor = (value: number, text: string = plain(value)): string => (value < 0 ? `(${text})` : text)
const grad = (value: number): JSX.Element => <span class="ember">{factor(value, cost(value))}</span>

/** The gradient of a weight, and the error that goes backwards, in formulas. */
export const dCdw: JSX.Element = term("ember")`∂C/∂w`
export const delta: JSX.Element = term("ember")`δ`

/** The panel of what is selected. */
export function Explain(props: Props): JSX.Element {
  const { sel } = props
  const { edge, at } = partsOf(sel)
  const [title, lines] = edge
    ? ofEdge(props, at)
    : at[0] === 0
      ? ofInput(props, at[1]!)
      : ofNeuron(props, at[0]!, at[1]!)
  return (
    <section class="bp-explain" aria-label="The formula of what is selected" aria-live="polite">
      <h2>{title}</h2>
      {lines.map(([symbols, numbers], i) => (
        <div key={i}>
          <p class="bp-symbols">{symbols}</p>
          <p class="bp-numbers">{numbers}</p>
        </div>
      ))}
    </section>
  )
}

function ofEdge({ params, numbers, rate }: Props, at: readonly number[]): readonly [string, readonly Line[]] {
  const [l, i, j] = at as [number, number, number]
  const [w, a, d] = [params.weights[l]![i]![j]!, numbers.a[l]![i]!, numbers.delta[l]![j]!]
  const g = numbers.gradients[l]![i]![j]!
  return [
    `The weight from ${neuronName(l, i)} to ${neuronName(l + 1, j)}`,
    [
      [
        maths`${dCdw} = ${delta} · a`,
        <>
          {grad(d)} × {factor(a, plain(a, 3))} = <span class="ember">{gradientText(g)}</span>
        </>,
      ],
      [
        maths`w ← w − ${etaTerm} · ${dCdw}`,
        <>
          {plain(w, 3)} − <span class="ember">{rate}</span> × {grad(g)} = {plain(w - rate * g, 4)}
        </>,
      ],
    ],
  ]
}

function ofInput({ numbers }: Props, j: number): readonly [string, readonly Line[]] {
  return [
    `Input ${j + 1}`,
    [
      [
        j === 0 ? maths`a = x₁` : maths`a = x₂`,
        <>{plain(numbers.a[0]![j]!)}: the net is given it. Nothing here learns.</>,
      ],
    ],
  ]
}

function ofNeuron(props: Props, layer: number, j: number): readonly [string, readonly Line[]] {
  const { params, numbers, question, rate } = props
  const l = layer - 1
  const z = sumOf(params, numbers.a, l, j)
  const a = numbers.a[layer]![j]!
  const b = params.biases[l]![j]!
  const d = numbers.delta[l]![j]!
  const last = layer === sizes.length - 1
  const act = last ? "sigmoid" : question.act
  const terms = params.weights[l]!.map((row, i) => `${factor(row[j]!)} × ${factor(numbers.a[l]![i]!)}`).join(" + ")
  return [
    last ? "The output" : `Neuron ${j + 1} of hidden layer ${layer}`,
    [
      [
        act === "sigmoid" ? maths`a = σ(z), z = ∑ w · a + b` : maths`a = tanh(z), z = ∑ w · a + b`,
        <>
          {terms} + {factor(b)} = {plain(z, 3)}, so <i>a</i> = {plain(a, 4)}
        </>,
      ],
      last ? outputDelta(props, a, d) : hiddenDelta(props, layer, j, a, d),
      [
        maths`b ← b − ${etaTerm} · ${delta}`,
        <>
          {plain(b, 3)} − <span class="ember">{rate}</span> × {grad(d)} = {plain(b - rate * d, 4)}
        </>,
      ],
    ],
  ]
}

function outputDelta({ question }: Props, a: number, d: number): Line {
  const { y, cost: name } = question
  if (name === "cross-entropy")
    return [
      maths`${delta} = a − y`,
      <>
        {plain(a, 4)} − {y} = <span class="ember">{gradientText(d)}</span>
      </>,
    ]
  return [
    maths`${delta} = 2 (a − y) · σ′(z)`,
    <>
      2 × ({plain(a, 4)} − {y}) × {plain(slope("sigmoid", a), 4)} = <span class="ember">{gradientText(d)}</span>
    </>,
  ]
}

function hiddenDelta({ params, numbers, question }: Props, layer: number, j: number, a: number, d: number): Line {
  const out = params.weights[layer]![j]!
  return [
    question.act === "sigmoid"
      ? maths`${delta} = (∑ w · ${delta}) · σ′(z)`
      : maths`${delta} = (∑ w · ${delta}) · tanh′(z)`,
    <>
      (
      {out.map((w, k) => (
        <span key={k}>
          {k > 0 && " + "}
          {factor(w)} × {grad(numbers.delta[layer]![k]!)}
        </span>
      ))}
      ) × {plain(slope(question.act, a), 4)} = <span class="ember">{gradientText(d)}</span>
    </>,
  ]
}
