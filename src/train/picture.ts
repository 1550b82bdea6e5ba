// A picture of a network as SVG: a box for every input and layer, an arrow for every value that one takes of another.
// Knows networks and their traces, no engine.

import type { LayerTrace, Network } from "../nn/network.ts"
import { escaped } from "./plot.ts"
import { number, shapeText } from "./summary.ts"

/** Sizes in pixels. */
const BOX = { width: 184, height: 54, across: 40, down: 38, margin: 16 } as const

interface Box {
  readonly title: string
  readonly lines: readonly string[]
  readonly from: readonly number[]
  /** The longest way from an input. */
  depth: number
  x: number
  y: number
}

/**
 * The picture: inputs at the top, each layer below everything that it needs, with its type, the shape that it gives and the
 * number of its parameters. Colours follow the text colour of the page that shows it.
 */
export function pictureOf(network: Network, traces: readonly LayerTrace[], title: string): string {
  const boxes = boxesOf(network, traces)
  const rows = placed(boxes)
  const widest = Math.max(...rows.map((row) => row.length))
  const bulges = boxes.some((box) => box.from.some((f) => boxes[f]!.depth < box.depth - 1))
  const side = bulges ? 2 * BOX.across : 0
  const width = 2 * BOX.margin + widest * BOX.width + (widest - 1) * BOX.across + 2 * side
  const height = 2 * BOX.margin + rows.length * BOX.height + (rows.length - 1) * BOX.down
  for (const row of rows) {
    const taken = row.length * BOX.width + (row.length - 1) * BOX.across
    row.forEach((box, i) => {
      box.x = (width - taken) / 2 + i * (BOX.width + BOX.across)
      box.y = BOX.margin + box.depth * (BOX.height + BOX.down)
    })
  }
  const arrows = boxes.flatMap((box) => box.from.map((f) => arrow(boxes[f]!, box, rows)))
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" font-family="system-ui, sans-serif" font-size="12" text-anchor="middle" fill="currentColor">`,
    `<title>${escaped(title)}</title>`,
    '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto"><path d="M0 0L8 4L0 8z"/></marker></defs>',
    ...arrows,
    ...boxes.map(drawn),
    "</svg>",
  ].join("\n")
}

function boxesOf({ inputs, layers, calls, outputs }: Network, traces: readonly LayerTrace[]): Box[] {
  const numberOf = (node: number): number =>
    node < inputs.length ? node : inputs.length + calls[node - inputs.length]!.layer
  const place = { depth: 0, x: 0, y: 0 }
  const given = new Set(outputs.map(({ from }) => numberOf(from.node)))
  const boxes: Box[] = inputs.map(({ name, shape }): Box => {
    return {
      title: name,
      lines: [shape === undefined ? "input" : `input ${shapeText([-1, ...shape])}`],
      from: [],
      ...place,
    }
  })
  for (const [i, layer] of layers.entries()) {
    const own = traces.find(({ name }) => name === layer.name)!
    const from = calls.flatMap((call) => (call.layer === i ? call.inputs.map(({ node }) => numberOf(node)) : []))
    const output = given.has(inputs.length + i) ? " · output" : ""
    const count = `${number(own.parameters)} parameters`
    const lines = [
      `${layer.type} ${shapeText(own.outputShape)}`,
      `${count}${layer.trainable ? "" : ", frozen"}${output}`,
    ]
    boxes.push({ title: layer.name, lines, from: [...new Set(from)], ...place })
  }
  return boxes
}

/** The boxes by their depth. A layer that takes its own values stays where its first use puts it. */
function placed(boxes: readonly Box[]): Box[][] {
  for (let changed = true, left = boxes.length; changed && left > 0; left--) {
    changed = false
    boxes.forEach((box, i) => {
      const depth = Math.max(0, ...box.from.filter((f) => f < i).map((f) => boxes[f]!.depth + 1))
      changed ||= depth !== box.depth
      box.depth = depth
    })
  }
  const rows: Box[][] = []
  for (const box of boxes) {
    rows[box.depth] ??= []
    rows[box.depth]!.push(box)
  }
  return rows
}

function arrow(from: Box, to: Box, rows: readonly (readonly Box[])[]): string {
  const start = { x: from.x + BOX.width / 2, y: from.y + BOX.height }
  const end = { x: to.x + BOX.width / 2, y: to.y - 1 }
  const line = 'fill="none" stroke="currentColor" stroke-opacity="0.6" marker-end="url(#tip)"'
  if (to.depth === from.depth + 1) {
    const middle = (start.y + end.y) / 2
    return `<path d="M${start.x} ${start.y}C${start.x} ${middle} ${end.x} ${middle} ${end.x} ${end.y}" ${line}/>`
  }
  // Past the boxes between: out of the right side and in at the right side.
  const [out, into] = [from.x + BOX.width, to.x + BOX.width]
  const between = rows.slice(Math.min(from.depth, to.depth), Math.max(from.depth, to.depth) + 1).flat()
  const far = Math.max(...between.map((box) => box.x + BOX.width)) + BOX.across
  const [top, bottom] = [from.y + BOX.height / 2, to.y + BOX.height / 2]
  return `<path d="M${out} ${top}C${far} ${top} ${far} ${bottom} ${into + 1} ${bottom}" ${line}/>`
}

function drawn({ title, lines, x, y }: Box): string {
  const rows = lines.map((text, i) => {
    return `<text x="${x + BOX.width / 2}" y="${y + 34 + 14 * i}" font-size="11" fill-opacity="0.75">${escaped(short(text, 34))}</text>`
  })
  return [
    `<rect x="${x}" y="${y}" width="${BOX.width}" height="${BOX.height}" rx="6" fill="currentColor" fill-opacity="0.05" stroke="currentColor" stroke-opacity="0.5"/>`,
    `<text x="${x + BOX.width / 2}" y="${y + 18}" font-weight="600">${escaped(short(title, 26))}</text>`,
    ...rows,
  ].join("")
}

function short(text: string, most: number): string {
  return text.length > most ? `${text.slice(0, most - 1)}…` : text
}
