// The table of a model: its layers with the shapes they give and their parameters, weights and biases apart.
// Knows traced layers, no engine.

import { type Shape, size } from "../core/shape.ts"
import type { LayerTrace } from "../nn/network.ts"
import type { ParameterSpec } from "../nn/scope.ts"

/** What a summary is of. */
export interface Summarized {
  readonly name: string
  readonly layers: readonly LayerTrace[]
  readonly parameters: readonly ParameterSpec[]
  /** Whether the layers are not simply one after another. */
  readonly branched: boolean
}

/** The summary as text of at most 80 columns; `versus` is a model with which it is compared. */
export function summaryText({ name, layers, parameters, branched }: Summarized, versus?: Summarized): string {
  const widths = branched ? [23, 17, 17, 18] : [30, 22, 24]
  const titles = ["Layer (type)", "Output shape", branched ? "Param #" : "Param # = n_w + n_b", "Connected to"]
  const rows = layers.map((layer) => {
    const own = parameters.filter((p) => p.layer === layer.name)
    const biases = countOf(own.filter((p) => p.name === "bias"))
    const rest = countOf(own) - biases
    const split = biases === 0 || branched ? "" : ` = ${number(rest)} + ${number(biases)}`
    const count = `${number(countOf(own))}${split}`
    return [`${layer.name} (${layer.type})`, shapeText(layer.outputShape), count, layer.inputs.join(", ")]
  })
  const line = (left: string, fill: string, join: string, right: string): string =>
    `${left}${widths.map((n) => fill.repeat(n)).join(join)}${right}`
  const row = (cells: readonly string[]): string =>
    `│${widths.map((n, i) => ` ${cellText(cells[i]!, n - 2)} `).join("│")}│`
  const total = countOf(parameters)
  const trainable = countOf(parameters.filter((p) => p.trainable))
  const biases = countOf(parameters.filter((p) => p.name === "bias"))
  const part = (count: number): string => `${number(count)} (${bytes(4 * count)})`
  return [
    `Model: ${JSON.stringify(name)}`,
    line("┌", "─", "┬", "┐"),
    row(titles),
    line("├", "─", "┼", "┤"),
    ...rows.map(row),
    line("└", "─", "┴", "┘"),
    ` Total params: ${part(total)}`,
    ` Trainable params: ${part(trainable)} · Non-trainable params: ${part(total - trainable)}`,
    ` Weights: ${number(total - biases)} · Biases: ${number(biases)}`,
    ...(versus === undefined ? [] : [` Versus ${JSON.stringify(versus.name)}: ${difference(total, layers, versus)}`]),
  ].join("\n")
}

/** `+4,160 parameters (+16.25 KB), +1 layer`. */
function difference(total: number, layers: readonly LayerTrace[], versus: Summarized): string {
  const signed = (n: number, text: (n: number) => string): string => `${n < 0 ? "−" : "+"}${text(Math.abs(n))}`
  const more = total - countOf(versus.parameters)
  const deeper = layers.length - versus.layers.length
  const plural = (n: number): string => (Math.abs(n) === 1 ? "" : "s")
  const size = `${signed(more, number)} parameter${plural(more)} (${signed(4 * more, bytes)})`
  return `${size}, ${signed(deeper, number)} layer${plural(deeper)}`
}

function bytes(n: number): string {
  if (n < 1024) return `${n} B`
  return n < 1048576 ? `${(n / 1024).toFixed(2)} KB` : `${(n / 1048576).toFixed(2)} MB`
}

function cellText(text: string, width: number): string {
  return text.length > width ? `${text.slice(0, width - 1)}…` : text.padEnd(width)
}

/** A shape as summaries print it: `(batch, 64)`. */
export function shapeText(shape: Shape): string {
  return `(${shape.map((n) => (n < 0 ? (n === -1 ? "batch" : `batch·${-n}`) : String(n))).join(", ")})`
}

/** A whole number with commas, whatever the machine's language. */
export function number(n: number): string {
  return String(n).replace(/\B(?=(\d{3})+$)/g, ",")
}

/** How many numbers parameters have together. */
export function countOf(parameters: readonly { readonly variable: { readonly shape: Shape } }[]): number {
  return parameters.reduce((sum, p) => sum + size(p.variable.shape), 0)
}
