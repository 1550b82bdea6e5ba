// The words of the playground's sentence: what its settings are called and what each does.

import type { ComponentChildren, JSX } from "preact"
import { maths } from "../ui/maths.tsx"
import type { FeatureName, OptimizerName, Settings } from "./settings.ts"

/** The features as they are written. */
export const featureWords: { readonly [F in FeatureName]: JSX.Element } = {
  x1: maths`x₁`,
  x2: maths`x₂`,
  x1sq: maths`x₁²`,
  x2sq: maths`x₂²`,
  x1x2: maths`x₁x₂`,
  sin1: maths`sin x₁`,
  sin2: maths`sin x₂`,
}

/** The features as they are spoken. */
export const featureSpoken: { readonly [F in FeatureName]: string } = {
  x1: "x 1",
  x2: "x 2",
  x1sq: "x 1 squared",
  x2sq: "x 2 squared",
  x1x2: "x 1 times x 2",
  sin1: "sine of x 1",
  sin2: "sine of x 2",
}

/** The features as plain text. */
export const featureText: { readonly [F in FeatureName]: string } = {
  x1: "x₁",
  x2: "x₂",
  x1sq: "x₁²",
  x2sq: "x₂²",
  x1x2: "x₁x₂",
  sin1: "sin x₁",
  sin2: "sin x₂",
}

/** A list in words: "a, b and c". */
export function listed(words: readonly ComponentChildren[]): ComponentChildren {
  return words.map((word, i) => (
    <>
      {i === 0 ? "" : i === words.length - 1 ? " and " : ", "}
      {word}
    </>
  ))
}

/** How much noise there is, in words. */
export const noiseWord = (noise: number): string =>
  noise === 0 ? "no noise" : noise <= 15 ? "a little noise" : noise <= 30 ? "some noise" : "much noise"

/** How strong a regularizer is, in words. */
export const strengthWord = (strength: number): string =>
  strength <= 0.0003 ? "a touch of " : strength <= 0.003 ? "some " : "much "

/** What each activation does. */
export const activationNotes: { readonly [A in Settings["activation"]]: string } = {
  tanh: "From −1 to 1, level at both ends.",
  relu: "Nothing below 0, straight above.",
  sigmoid: "From 0 to 1, level at both ends.",
  linear: "Straight: however deep, one line.",
  leakyRelu: "As relu, but a little slope below 0.",
  elu: "As relu, bent softly towards −1.",
  gelu: "A relu with a rounded corner.",
  silu: "z times its sigmoid.",
  softplus: "A smooth relu that is never 0.",
}
/** What an activation is called. */
export const activationWord = (name: string): string => (name === "leakyRelu" ? "leaky relu" : name)

/** What each optimizer is called and does. */
export const optimizerWords: { readonly [O in OptimizerName]: readonly [word: string, note: string] } = {
  sgd: ["plain descent", "Each step down the slope of one batch (SGD)."],
  momentum: ["momentum", "Keeps 0.9 of the last step: rolls through dents."],
  rmsprop: ["RMSprop", "Each weight has steps of its own size."],
  adam: ["Adam", "Momentum and steps of each weight's own size."],
}

/** The stop rule in words. */
export const stopWord = ({ stop, epochs }: Settings): string =>
  stop === "never"
    ? "until I stop it"
    : stop === "settled"
      ? "until the test cost stops falling"
      : `for ${epochs} epochs`
