// The state of the lesson on backpropagation: inputs, target, step, what is selected, weights. Knows no page.

import { type Key, type Keys, numberKey, wordKey } from "../ui/url.ts"
import { type Act, COUNT, type CostName, sizes } from "./backprop-net.ts"

/** A neuron n-layer-place (layer 0: the inputs), or an edge e-layer-from-to. */
export type Selected = string

/** Steps of a pass: three forwards, the cost, three backwards, the update. */
export const STEPS = [
  "the inputs",
  "forward: hidden layer 1",
  "forward: hidden layer 2",
  "forward: the output",
  "the cost",
  "backward: the output",
  "backward: hidden layer 2",
  "backward: hidden layer 1",
  "the update",
] as const

/** The name of a neuron. */
export const neuron = (layer: number, j: number): Selected => `n-${layer}-${j}`

/** The name of an edge that leaves a layer. */
export const edge = (layer: number, i: number, j: number): Selected => `e-${layer}-${i}-${j}`

/** What can be selected. */
export const everything: readonly Selected[] = sizes.flatMap((n, layer) =>
  Array.from({ length: n }, (_, i) => i).flatMap((i) => [
    neuron(layer, i),
    ...Array.from({ length: sizes[layer + 1] ?? 0 }, (_, j) => edge(layer, i, j)),
  ]),
)

/** The parts of a name. */
export function partsOf(selected: Selected): { readonly edge: boolean; readonly at: readonly number[] } {
  const [kind, ...at] = selected.split("-")
  return { edge: kind === "e", at: at.map(Number) }
}

/** The state. */
export interface View {
  readonly x: readonly number[]
  readonly y: number
  readonly step: number
  readonly sel: Selected
  readonly seed: number
  readonly act: Act
  readonly cost: CostName
  readonly eta: number
  /** All parameters in a row, or nothing where they are those of the seed. */
  readonly w: readonly number[]
}

/** Numbers in a row, with six digits. */
function rowKey(initial: readonly number[], lengths: readonly number[], most: number): Key<readonly number[]> {
  return {
    initial,
    write: (values) => values.map((v) => String(Number(v.toPrecision(6)))).join("_"),
    read: (text) => {
      const all = text === "" ? [] : text.split("_").map((part) => (part === "" ? Number.NaN : Number(part)))
      const good = lengths.includes(all.length) && all.every((v) => Number.isFinite(v) && Math.abs(v) <= most)
      return good ? all : undefined
    },
  }
}

/** The state of this page. */
export const keys: Keys<View> = {
  x: rowKey([0.8, -0.4], [2], 2),
  y: { ...numberKey(1, 0, 1), read: (text) => (text === "0" ? 0 : text === "1" ? 1 : undefined) },
  step: {
    ...numberKey(7, 0, STEPS.length - 1),
    read: (text) => (/^[0-8]$/.test(text) ? Number(text) : undefined),
  },
  sel: wordKey<Selected>(edge(2, 0, 0), everything),
  seed: { ...numberKey(4, 0, 999), read: (text) => (/^\d{1,3}$/.test(text) ? Number(text) : undefined) },
  act: wordKey<Act>("sigmoid", ["sigmoid", "tanh"]),
  cost: wordKey<CostName>("cross-entropy", ["cross-entropy", "quadratic"]),
  eta: numberKey(0.5, 0.01, 10),
  w: rowKey([], [0, COUNT], 1e6),
}
