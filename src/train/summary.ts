// The table of a model: its layers with the shapes they give and their parameters, weights and biases apart.
// Knows traced layers, no engine.

import type { Shape } from "../core/shape.ts"
import { size } from "../core/shape.ts"
import type { LayerTrace } from "../nn/network.ts"
import type { ParameterSpec } from "../nn/scope.ts"

const columns = [30, 22, 24] as const

/** The summary as text of at most 80 columns. */
export function summaryText(name: string, layers: readonly LayerTrace[], parameters: readonly ParameterSpec[]): string {
  const rows = layers.map((layer) => {
    const own = parameters.filter((p) => p.layer === layer.name)
    const biases = countOf(own.filter((p) => p.name === "bias"))
    const rest = countOf(own) - biases
    const split = biases === 0 ? "" : ` = ${number(rest)} + ${number(biases)}`
    return [`${layer.name} (${layer.type})`, shapeText(layer.outputShape), `${number(countOf(own))}${split}`]
  })
  const line = (left: string, fill: string, join: string, right: string): string =>
    `${left}${columns.map((n) => fill.repeat(n)).join(join)}${right}`
  const row = (cells: readonly string[]): string =>
    `│${cells.map((cell, i) => ` ${cellText(cell, columns[i]! - 2)} `).join("│")}│`
  const total = countOf(parameters)
  const trainable = countOf(parameters.filter((p) => p.trainable))
  const biases = countOf(parameters.filter((p) => p.name === "bias"))
  return [
    `Model: ${JSON.stringify(name)}`,
    line("┌", "─", "┬", "┐"),
    row(["Layer (type)", "Output shape", "Param # = n_w + n_b"]),
    line("├", "─", "┼", "┤"),
    ...rows.map(row),
    line("└", "─", "┴", "┘"),
    ` Total params: ${number(total)} (${bytes(4 * total)})`,
    ` Trainable params: ${number(trainable)} · Non-trainable params: ${number(total - trainable)}`,
    ` Weights: ${number(total - biases)} · Biases: ${number(biases)}`,
  ].join("\n")
}

function countOf(parameters: readonly ParameterSpec[]): number {
  return parameters.reduce((sum, p) => sum + size(p.variable.shape), 0)
}

function shapeText(shape: Shape): string {
  return `(${shape.map((n) => (n < 0 ? "batch" : String(n))).join(", ")})`
}

/** A whole number with commas, whatever the machine's language. */
function number(n: number): string {
  return String(n).replace(/\B(?=(\d{3})+$)/g, ",")
}

function bytes(n: number): string {
  if (n < 1024) return `${n} B`
  return n < 1048576 ? `${(n / 1024).toFixed(2)} KB` : `${(n / 1048576).toFixed(2)} MB`
}

function cellText(text: string, width: number): string {
  return text.length > width ? `${text.slice(0, width - 1)}…` : text.padEnd(width)
}
