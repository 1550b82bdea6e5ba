// A mountain as plates of paper, one for each contour, seen in perspective: where things stand on the screen, and the drawing.

import { cssOf, mixed, rgbOf } from "./colour.ts"
import { type Grid, gridOf, type Ring, rings } from "./rings.ts"
import { token } from "./theme.ts"

/** A place: both parameters. */
export type Point = readonly [p1: number, p2: number]

/** The cost of two parameters. */
export type Cost = (p1: number, p2: number) => number

/** Ground, cut into plates once and drawn from many sides. */
export interface Relief {
  readonly f: Cost
  readonly reach: number
  readonly least: number
  readonly most: number
  readonly plates: readonly (readonly Ring[])[]
  readonly grid: Grid
}

/** How it is looked at: degrees, and the size of the picture. */
export interface View {
  readonly turn: number
  readonly tilt: number
  readonly width: number
  readonly height: number
}

const SIZE = 61
/** How many plates. */
export const PLATES = 40
/** The height of the highest ground, in half widths of the map. */
const HIGH = 0.86
/** How far the eye is, in half widths. */
const EYE = 5.2

/** Cuts the ground into plates. */
export function relief(f: Cost, reach: number, plates: number = PLATES, size: number = SIZE): Relief {
  const grid = gridOf(f, reach, size)
  const least = grid.values.reduce((a, b) => Math.min(a, b))
  const most = grid.values.reduce((a, b) => Math.max(a, b))
  const levels = Array.from({ length: plates }, (_, k) => least + (k * (most - least)) / plates)
  return { f, reach, least, most, plates: levels.map((level) => rings(grid, level)), grid }
}

/** From the ground to the screen, and back. */
export interface Lens {
  /** The screen place of a point at a share of the height, from 0 to 1 (and beyond). */
  place(u: number, v: number, share: number): readonly [x: number, y: number]
  /** The point at that share of the height which is seen at a screen place. */
  back(x: number, y: number, share: number): readonly [u: number, v: number]
}

/** The scale at which the map fits however it is turned, and the height of its middle on the screen. */
function fitted(
  width: number,
  height: number,
  s: number,
  c: number,
): { readonly size: number; readonly middle: number } {
  const round = 1.36
  const ups = [-round, round].flatMap((y) =>
    [0, HIGH].map((w) => ((y * s + (w - HIGH / 2) * c) * EYE) / (EYE + y * c - w * s * c)),
  )
  const [low, high] = [Math.min(...ups), Math.max(...ups)]
  const size = Math.min(width / (2 * 1.66), (height - 24) / (high - low))
  return { size, middle: height / 2 + ((high + low) / 2) * size }
}

/** The lens of a view; u and v go from −1 to 1. */
export function lens({ turn, tilt, width, height }: View): Lens {
  const [sin, cos] = [Math.sin((turn * Math.PI) / 180), Math.cos((turn * Math.PI) / 180)]
  const [s, c] = [Math.sin((tilt * Math.PI) / 180), Math.cos((tilt * Math.PI) / 180)]
  const { size, middle } = fitted(width, height, s, c)
  // From right above the map is exact: no point is nearer than another.
  const near = s * c
  return {
    place: (u, v, share) => {
      const [x, y, w] = [u * cos - v * sin, u * sin + v * cos, share * HIGH]
      const scale = (EYE / (EYE + y * c - w * near)) * size
      return [width / 2 + x * scale, middle - (y * s + (w - HIGH / 2) * c) * scale]
    },
    back: (px, py, share) => {
      const w = share * HIGH
      const [X, Y] = [(px - width / 2) / size, (py - middle) / size]
      const y = -(EYE * (w - HIGH / 2) * c + Y * (EYE - w * near)) / (Y * c + EYE * s)
      const x = (X * (EYE + y * c - w * near)) / EYE
      return [x * cos + y * sin, -x * sin + y * cos]
    },
  }
}

/** The share of the height at a place; what lies beyond the map is cut off at its greatest height. */
export function shareAt({ f, least, most }: Relief, [p1, p2]: Point): number {
  return Math.min(1.04, (f(p1, p2) - least) / (most - least || 1))
}

/** The screen place of a point of the ground. */
export function onScreen(ground: Relief, through: Lens, p: Point): readonly [x: number, y: number] {
  return through.place(p[0] / ground.reach, p[1] / ground.reach, shareAt(ground, p))
}

/** The point of the ground that is seen at a screen place: the highest plate there. */
export function underPointer(ground: Relief, through: Lens, x: number, y: number): Point {
  const { reach } = ground
  const within = (t: number): number => Math.min(reach, Math.max(-reach, t * reach))
  for (let share = 1; share > 0; share -= 0.01) {
    const [u, v] = through.back(x, y, share)
    if (Math.abs(u) <= 1 && Math.abs(v) <= 1 && shareAt(ground, [u * reach, v * reach]) >= share)
      return [within(u), within(v)]
  }
  const [u, v] = through.back(x, y, 0)
  return [within(u), within(v)]
}

/** The colours of a drawing, read once for each theme. */
export interface Inks {
  readonly fills: readonly string[]
  readonly line: string
  readonly index: string
  readonly label: string
  readonly ember: string
  readonly fill: string
  readonly ring: string
  readonly font: string
}

const between = (a: string, b: string, share: number): string => cssOf(mixed(rgbOf(a), rgbOf(b), share))

/** Reads the colours of the present theme. */
export function inks(plates: number = PLATES): Inks {
  const dark = token("paper") < "#8"
  const [low, high] = dark ? [token("paper-sunk"), "#3f3830"] : ["#e6d9c3", token("paper-raised")]
  return {
    fills: Array.from({ length: plates }, (_, k) => between(low, high, k / (plates - 1))),
    line: between(token("rule"), token("rule-strong"), dark ? 0.34 : 0.3),
    index: between(token("rule"), token("rule-strong"), 0.85),
    label: token("ink-2"),
    ember: token("ember"),
    fill: token("ember-fill"),
    ring: token("paper-raised"),
    font: token("sans"),
  }
}

interface Piece {
  readonly from: readonly [number, number]
  readonly to: readonly [number, number]
}

/** The path cut where it goes from plate to plate. */
function pieces(ground: Relief, through: Lens, path: readonly Point[]): ReadonlyMap<number, readonly Piece[]> {
  const { plates } = ground
  const by = new Map<number, Piece[]>()
  for (let i = 1; i < path.length; i++) {
    const [a, b] = [path[i - 1]!, path[i]!]
    const cuts = Math.max(1, Math.min(60, Math.ceil((30 * Math.hypot(b[0] - a[0], b[1] - a[1])) / ground.reach)))
    let from = { at: onScreen(ground, through, a), share: shareAt(ground, a) }
    for (let k = 1; k <= cuts; k++) {
      const p: Point = [a[0] + ((b[0] - a[0]) * k) / cuts, a[1] + ((b[1] - a[1]) * k) / cuts]
      const to = { at: onScreen(ground, through, p), share: shareAt(ground, p) }
      // A plate later than its own: the edge of the next one would cover half of the line.
      const plate = Math.floor(Math.max(from.share, to.share) * plates.length) + 1
      const drawn = Math.max(0, Math.min(plates.length - 1, plate))
      if (!by.has(drawn)) by.set(drawn, [])
      by.get(drawn)!.push({ from: from.at, to: to.at })
      from = to
    }
  }
  return by
}

/** Draws the mountain with the path on it. Hidden pieces of the path stay faintly visible. */
export function drawRelief(
  to: CanvasRenderingContext2D,
  ground: Relief,
  view: View,
  ink: Inks,
  path: readonly Point[],
): void {
  const { plates, grid } = ground
  const through = lens(view)
  const unit = 2 / (grid.size - 1)
  to.clearRect(0, 0, view.width, view.height)
  to.lineJoin = "round"
  to.lineCap = "round"
  const along = pieces(ground, through, path)
  plates.forEach((lines, k) => {
    to.beginPath()
    for (const ring of lines) {
      for (let i = 0; i < ring.length; i += 2) {
        const [x, y] = through.place(ring[i]! * unit - 1, ring[i + 1]! * unit - 1, k / plates.length)
        if (i === 0) to.moveTo(x, y)
        else to.lineTo(x, y)
      }
      to.closePath()
    }
    to.fillStyle = ink.fills[k]!
    to.fill("evenodd")
    to.strokeStyle = k % 5 === 0 ? ink.index : ink.line
    to.lineWidth = k % 5 === 0 ? 1.1 : 0.8
    to.stroke()
    stroke(to, along.get(k) ?? [], ink.ember, 2.6)
  })
  to.globalAlpha = 0.28
  for (const all of along.values()) stroke(to, all, ink.ember, 1.6)
  to.globalAlpha = 1
  footprints(to, ground, through, ink, path)
}

function stroke(to: CanvasRenderingContext2D, all: readonly Piece[], colour: string, width: number): void {
  if (all.length === 0) return
  to.beginPath()
  for (const { from, to: end } of all) {
    to.moveTo(from[0], from[1])
    to.lineTo(end[0], end[1])
  }
  to.strokeStyle = colour
  to.lineWidth = width
  to.stroke()
}

function footprints(
  to: CanvasRenderingContext2D,
  ground: Relief,
  through: Lens,
  ink: Inks,
  path: readonly Point[],
): void {
  to.lineWidth = 1.3
  path.forEach((p, i) => {
    const [x, y] = onScreen(ground, through, p)
    to.beginPath()
    to.arc(x, y, i === 0 ? 4.5 : 3.4, 0, 2 * Math.PI)
    to.fillStyle = i === 0 ? ink.ring : ink.fill
    to.strokeStyle = i === 0 ? ink.ember : ink.ring
    to.fill()
    to.stroke()
  })
}
