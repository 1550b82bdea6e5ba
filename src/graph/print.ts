// A graph as stable text: one line per node, numbered in the order of use. Knows nothing but nodes.

import { formatShape } from "../core/shape.ts"
import { type Entry, type Graph, rootsOf } from "./graph.ts"
import { type Edge, isOp, type Node, topological } from "./node.ts"
import { bodyOf } from "./scan.ts"

/**
 * The graph as text, the same for the same graph.
 * Each line: number, operation with its attributes, inputs by number, shape.
 */
export function printGraph(graph: Graph): string {
  return Object.entries(graph)
    .map(([name, entry]) => `${name}:\n${printEntry(entry)}`)
    .join("\n")
}

function printEntry(entry: Entry): string {
  const numbers = new Map<Node, number>()
  const lines: string[] = []
  const at = (node: Node): string => `%${numbers.get(node)}`
  const roots = topological(rootsOf(entry))
  const print = (node: Node, indent: string): void => {
    if (numbers.has(node)) return
    if (isOp(node, "scan")) for (const inside of bodyOf(node, roots)) print(inside, `${indent}    `)
    numbers.set(node, numbers.size)
    const inputs = node.inputs.map((input) => ` ${at(input)}`).join("")
    const shape = isOp(node, "scan") ? "" : ` : ${formatShape(node.shape)}`
    lines.push(`${indent}${at(node)} = ${node.op}${attributesText(node, at)}${inputs}${shape}`)
  }
  for (const node of roots) print(node, "  ")
  for (const { variable, value } of entry.updates) lines.push(`  ${variable.key} <- ${at(value)}`)
  for (const { name, value } of entry.logs)
    lines.push(`  log ${name}${name === entry.guard ? " (finite)" : ""} = ${at(value)}`)
  for (const { name, value } of entry.outputs) lines.push(`  output ${name} = ${at(value)}`)
  return `${lines.join("\n")}\n`
}

/** Places before, between and after. */
function edgeText({ before, after, between }: Edge): string {
  return `${before}+${between}+${after}`
}

function attributesText(node: Node, at: (node: Node) => string): string {
  if (isOp(node, "every")) return `(${at(node.attributes.value)})`
  if (isOp(node, "scan")) {
    const { turns, reverse, ...lists } = node.attributes
    const texts = Object.entries(lists).map(([key, nodes]) => `${key}=[${nodes.map(at).join(",")}]`)
    return `(${turns} turns${reverse ? " down" : ""} ${texts.join(" ")})`
  }
  const parts = Object.entries(node.attributes).flatMap(([key, value]: [string, unknown]) => {
    if (value === false) return []
    if (value === true) return [key]
    if (key === "variable") return [(node as Node<"variable">).attributes.variable.key]
    if (key === "edges") return [`edges=[${(value as readonly Edge[]).map(edgeText).join(",")}]`]
    return [Array.isArray(value) ? `${key}=[${value.join(",")}]` : `${key}=${String(value)}`]
  })
  return parts.length === 0 ? "" : `(${parts.join(" ")})`
}
