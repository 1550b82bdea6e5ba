// A graph as stable text: one line per node, numbered in the order of use. Knows nothing but nodes.

import { formatShape } from "../core/shape.ts"
import { type Entry, type Graph, rootsOf } from "./graph.ts"
import { type Node, topological } from "./node.ts"

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
  for (const node of topological(rootsOf(entry))) {
    const id = numbers.size
    numbers.set(node, id)
    const inputs = node.inputs.map((input) => ` %${numbers.get(input)}`).join("")
    lines.push(`  %${id} = ${node.op}${attributesText(node)}${inputs} : ${formatShape(node.shape)}`)
  }
  const at = (node: Node): string => `%${numbers.get(node)}`
  for (const { variable, value } of entry.updates) lines.push(`  ${variable.key} <- ${at(value)}`)
  for (const { name, value } of entry.logs)
    lines.push(`  log ${name}${name === entry.guard ? " (finite)" : ""} = ${at(value)}`)
  for (const { name, value } of entry.outputs) lines.push(`  output ${name} = ${at(value)}`)
  return `${lines.join("\n")}\n`
}

function attributesText(node: Node): string {
  const parts = Object.entries(node.attributes).flatMap(([key, value]: [string, unknown]) => {
    if (value === false) return []
    if (value === true) return [key]
    if (key === "variable") return [(node as Node<"variable">).attributes.variable.key]
    return [Array.isArray(value) ? `${key}=[${value.join(",")}]` : `${key}=${String(value)}`]
  })
  return parts.length === 0 ? "" : `(${parts.join(" ")})`
}
