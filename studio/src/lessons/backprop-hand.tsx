// The reader's hand on one weight or bias: a slider, a field to type in, nudges, and what the cost did beside what was written.

import { computed, type ReadonlySignal, type Signal, signal, useSignalEffect } from "@preact/signals"
import type { JSX } from "preact"
import { useMemo } from "preact/hooks"
import { Button, Slider } from "../ui/controls.tsx"
import { signed } from "../ui/format.ts"
import { maths } from "../ui/maths.tsx"
import type { State } from "../ui/url.ts"
import { gradientText } from "./backprop-figure.tsx"
import { compute, flat, type Params, type Question, withBias, withWeight } from "./backprop-net.ts"
import { partsOf, type Selected, type View } from "./backprop-state.ts"

/** The value of what is selected: of a weight, or of the bias of a neuron; undefined for an input. */
export function valueAt(params: Params, sel: Selected): number | undefined {
  const { edge, at } = partsOf(sel)
  if (edge) return params.weights[at[0]!]![at[1]!]![at[2]!]!
  return at[0] === 0 ? undefined : params.biases[at[0]! - 1]![at[1]!]!
}

/** The parameters with another value of what is selected. */
export function withValue(params: Params, sel: Selected, value: number): Params {
  const { edge, at } = partsOf(sel)
  if (edge) return withWeight(params, at[0]!, at[1]!, at[2]!, value)
  return at[0] === 0 ? params : withBias(params, at[0]! - 1, at[1]!, value)
}

/** What a change of what is selected does to the cost: as its gradient foretells, and in truth. */
export function nudge(from: Params, question: Question, sel: Selected, by: number): { foretold: number; real: number } {
  const { edge, at } = partsOf(sel)
  const before = compute(from, question)
  const gradient = edge ? before.gradients[at[0]!]![at[1]!]![at[2]!]! : (before.delta[at[0]! - 1]?.[at[1]!] ?? 0)
  const after = compute(withValue(from, sel, (valueAt(from, sel) ?? 0) + by), question)
  return { foretold: gradient * by, real: after.cost - before.cost }
}

const MOST = 4

/** The controls of what is selected. */
export function Hand(props: {
  readonly state: State<View>
  readonly params: ReadonlySignal<Params>
  readonly question: ReadonlySignal<Question>
  /** How far it has been moved since it was selected. */
  readonly nudged: Signal<number>
}): JSX.Element {
  const { state, params, question, nudged } = props
  // Measured from here: where it stood when it was selected, or when anything else was changed.
  const from = useMemo(() => signal(params.peek()), [])
  const own = useMemo(() => signal(valueAt(params.peek(), state.sel.peek()) ?? 0), [])
  const base = useMemo(() => computed(() => [state.sel.value, question.value] as const), [])
  useSignalEffect(() => {
    void base.value
    from.value = params.peek()
  })
  useSignalEffect(() => {
    const { sel } = state
    const value = valueAt(params.value, sel.value) ?? 0
    own.value = value
    const same = flat(withValue(from.peek(), sel.peek(), value)).every((v, i) => v === flat(params.peek())[i])
    if (!same) from.value = params.peek()
    nudged.value = value - (valueAt(from.peek(), sel.peek()) ?? value)
  })
  const set = (value: number): void => {
    const limited = Math.max(-MOST, Math.min(MOST, Number(value.toFixed(6))))
    state.w.value = flat(withValue(params.peek(), state.sel.peek(), limited))
  }
  const value = valueAt(params.value, state.sel.value)
  if (value === undefined) return <p class="dim">Move the inputs with the sliders below.</p>
  const what = partsOf(state.sel.value).edge ? "Weight" : "Bias"
  const by = Number((value - (valueAt(from.value, state.sel.value) ?? value)).toFixed(9))
  const { foretold, real } = nudge(from.value, question.value, state.sel.value, by)
  return (
    <section class="bp-hand" aria-label={`Change the ${what.toLowerCase()}`}>
      <Slider
        label={what}
        symbol={what === "Weight" ? maths`w` : maths`b`}
        value={own}
        min={-MOST}
        max={MOST}
        step={0.01}
        format={(v) => signed(v, 3)}
        onChange={set}
      />
      <div class="bp-type">
        <input
          type="number"
          step="0.01"
          min={-MOST}
          max={MOST}
          aria-label={`${what}, typed`}
          value={String(Number(value.toFixed(4)))}
          onChange={(event) => {
            const typed = event.currentTarget.valueAsNumber
            if (Number.isFinite(typed)) set(typed)
          }}
        />
        {[-0.1, -0.01, 0.01, 0.1].map((step) => (
          <Button key={step} low onClick={() => set(value + step)}>
            {signed(step, Math.abs(step) < 0.1 ? 2 : 1)}
          </Button>
        ))}
      </div>
      <div class="bp-nudge">
        <span>moved by</span>
        <span>foretold</span>
        <span>the cost did</span>
        <span />
        <b>{by === 0 ? "0" : signed(by, 3)}</b>
        <b class="ember">{gradientText(foretold)}</b>
        <b>{gradientText(real)}</b>
        {by === 0 ? (
          <span />
        ) : (
          <button type="button" class="link" onClick={() => (from.value = params.peek())}>
            from here
          </button>
        )}
      </div>
    </section>
  )
}
