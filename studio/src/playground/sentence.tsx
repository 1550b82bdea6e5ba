// The settings as a sentence: each underlined word opens what it can be.

import type { ReadonlySignal } from "@preact/signals"
import type { JSX } from "preact"
import type { Setting } from "./state.ts"
import { ActivationToken, CostToken, DataToken, FeatureToken, NoiseToken, type Part } from "./tokens-data.tsx"
import { BatchToken, OptimizerToken, PenaltyToken, RateToken, StopToken } from "./tokens-learning.tsx"

/** The sentence. */
export function Sentence(props: { readonly setting: Setting; readonly classes: ReadonlySignal<number> }): JSX.Element {
  const { setting } = props
  const [s, classes] = [setting.now.value, props.classes.value]
  const { apply } = setting
  const of: Part["of"] = (name) => ({ value: s[name], onChange: (value) => apply({ [name]: value }) })
  const part: Part = { s, apply, of }
  const numbers = classes === 0
  return (
    <p class="sentence">
      {numbers ? "Fit " : "Separate "}
      <DataToken {...part} /> with <NoiseToken {...part} /> from <FeatureToken {...part} after="," /> through{" "}
      <ActivationToken {...part} /> neurons, judged by <CostToken {...part} classes={classes} after="." /> Learn with{" "}
      <OptimizerToken {...part} /> at rate <RateToken {...part} after="," /> <BatchToken {...part} /> at a time, with{" "}
      <PenaltyToken {...part} after="," /> <StopToken {...part} after="." />
    </p>
  )
}
