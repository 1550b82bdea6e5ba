// Where the neurons of a network stand on a drawing: in columns, or in rows on a small screen. Knows numbers only.

/** The side of a neuron's tile. */
export const TILE = 52

/** A place of a neuron's middle. */
export interface Place {
  readonly x: number
  readonly y: number
}

/** A drawing of a network: inputs, hidden layers, outputs. */
export interface Layout {
  readonly width: number
  readonly height: number
  /** Whether layers are rows. */
  readonly rows: boolean
  readonly nodes: readonly (readonly Place[])[]
  /** Where the heads of the layers stand: their middle in columns, their left end in rows. */
  readonly heads: readonly Place[]
}

const HEAD = 30
const PITCH = 73

/** Layers as columns, so wide if that is wide enough. */
export function columns(sizes: readonly number[], room: number, tall: number): Layout {
  const hidden = sizes.length - 2
  const width = Math.max(room, 180 + hidden * 92)
  const height = Math.max(tall, HEAD + 8 + 3 * PITCH)
  const pitch = Math.min(PITCH, (height - HEAD - 8) / Math.max(6, ...sizes.slice(0, -1)))
  const [first, last] = [88, width - 42]
  const step = (last - first) / (hidden + 0.55)
  const nodes = sizes.map((n, layer) => {
    const x = layer === 0 ? first : layer === sizes.length - 1 ? last : first + layer * step
    const gap = layer === sizes.length - 1 ? Math.max(pitch, 60) : pitch
    const middle = HEAD + (height - HEAD) / 2
    return Array.from({ length: n }, (_, i) => ({ x, y: middle + (i - (n - 1) / 2) * gap }))
  })
  return { width, height, rows: false, nodes, heads: nodes.map(([node]) => ({ x: node!.x, y: 12 })) }
}

/** Layers as rows, one below the other; wider than the screen if a layer is. */
export function rows(sizes: readonly number[], room: number): Layout {
  const each = TILE + 66
  const width = Math.max(room, ...sizes.slice(0, -1).map((n) => n * (TILE + 8)))
  const nodes = sizes.map((n, layer) =>
    Array.from({ length: n }, (_, i) => ({
      x: TILE / 2 + 1 + i * (TILE + 8),
      y: layer * each + (layer === sizes.length - 1 ? 18 : 40 + TILE / 2),
    })),
  )
  return {
    width,
    height: sizes.length * each - 56,
    rows: true,
    nodes,
    heads: nodes.map((_, i) => ({ x: 0, y: i * each + 16 })),
  }
}

/** The four points of the line between two neurons. */
export function lineBetween(a: Place, b: Place, isRows: boolean, last: boolean): readonly [Place, Place, Place, Place] {
  const end = last ? 10 : TILE / 2
  if (isRows) {
    const [from, to] = [a.y + TILE / 2, b.y - end]
    const middle = (from + to) / 2
    return [
      { x: a.x, y: from },
      { x: a.x, y: middle },
      { x: b.x, y: middle },
      { x: b.x, y: to },
    ]
  }
  const [from, to] = [a.x + TILE / 2, b.x - end]
  const middle = (from + to) / 2
  return [
    { x: from, y: a.y },
    { x: middle, y: a.y },
    { x: middle, y: b.y },
    { x: to, y: b.y },
  ]
}

/** How far a place is from such a line. */
export function distanceTo([a, b, c, d]: readonly [Place, Place, Place, Place], at: Place): number {
  let least = Number.POSITIVE_INFINITY
  for (let i = 0; i <= 24; i++) {
    const t = i / 24
    const [p, q, r, s] = [(1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t * t * (1 - t), t ** 3]
    const x = p * a.x + q * b.x + r * c.x + s * d.x
    const y = p * a.y + q * b.y + r * c.y + s * d.y
    least = Math.min(least, Math.hypot(x - at.x, y - at.y))
  }
  return least
}

/** The width of a line by its weight: from half a pixel to 7. */
export const widthOf = (weight: number): number => Math.min(7, 0.5 + 1.5 * Math.abs(weight))
