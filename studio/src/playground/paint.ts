// How answers become pictures: bands of colour, contours, marks of points. Knows canvases and numbers, no page.

import { cssOf, mixed, pixelOf, rgbOf } from "../ui/colour.ts"
import { token } from "../ui/theme.ts"
import { type Points, RANGE } from "./data.ts"

/** The borders of the nine bands, from −1 to 1; 0 is the line of one half. */
export const borders = [-0.96, -0.8, -0.5, -0.15, 0.15, 0.5, 0.8, 0.96] as const

/** The band of a value from −1 to 1: from 0 to 8. */
export function bandOf(value: number): number {
  let band = 0
  while (band < borders.length && value >= borders[band]!) band++
  return band
}

/** The colours of the present theme, ready for pixels. */
export interface Palette {
  /** The nine bands. */
  readonly bands: Uint32Array
  /** For several classes: five bands of certainty each. */
  readonly classBands: readonly Uint32Array[]
  readonly classes: readonly string[]
  readonly pos: string
  readonly neg: string
  readonly ink: string
  readonly raised: string
  readonly paper: string
  /** Where nothing is known yet. */
  readonly empty: number
  /** The colour of a number to be learnt. */
  number(value: number): string
}

const hues = ["layer-1", "layer-4", "layer-6", "layer-3"]
const certainties = [0.1, 0.24, 0.38, 0.52, 0.64]

/** Reads the tokens: call it when the theme changes, not when something is drawn. */
export function palette(): Palette {
  const bands = ["n4", "n3", "n2", "n1", "0", "p1", "p2", "p3", "p4"].map((name) => rgbOf(token(`band-${name}`)))
  const [pos, neg, level] = [rgbOf(token("pos")), rgbOf(token("neg")), bands[4]!]
  return {
    bands: Uint32Array.from(bands, pixelOf),
    classBands: hues.map((hue) =>
      Uint32Array.from(certainties, (share) => pixelOf(mixed(level, rgbOf(token(hue)), share))),
    ),
    classes: hues.map((hue) => token(hue)),
    pos: token("pos"),
    neg: token("neg"),
    ink: token("ink"),
    raised: token("paper-raised"),
    paper: token("paper"),
    empty: pixelOf(rgbOf(token("paper-raised"))),
    number: (value) => cssOf(mixed(level, value < 0 ? neg : pos, 0.3 + 0.7 * Math.min(1, Math.abs(value)))),
  }
}

interface Places {
  readonly low: Int32Array
  readonly share: Float32Array
}
const known = new Map<string, Places>()

/** For each pixel the grid's place before it, and how far it is towards the next. */
function placesOf(n: number, size: number): Places {
  const key = `${n} ${size}`
  const found = known.get(key)
  if (found !== undefined) return found
  const [low, share] = [new Int32Array(size), new Float32Array(size)]
  for (let i = 0; i < size; i++) {
    const at = Math.min(n - 1.0001, Math.max(0, ((i + 0.5) * n) / size - 0.5))
    low[i] = Math.floor(at)
    share[i] = at - low[i]!
  }
  const places = { low, share }
  known.set(key, places)
  return places
}

const FINE = 512
/** The band of each of 512 values from −1 to 1. */
const bandTable: Uint8Array = Uint8Array.from({ length: FINE }, (_, i) => bandOf(((i + 0.5) * 2) / FINE - 1))

/** Writes the bands of an n × n grid of values from −1 to 1 into pixels, size × size. */
export function bandPixels(field: Float32Array, n: number, size: number, { bands }: Palette, into: Uint32Array): void {
  const { low, share } = placesOf(n, size)
  const row = new Float32Array(n)
  for (let y = 0, k = 0; y < size; y++) {
    // The grid's row at this height once, then along it: one interpolation a pixel instead of three.
    const [top, fy] = [low[y]! * n, share[y]!]
    for (let i = 0; i < n; i++) {
      const above = field[top + i]!
      row[i] = (above + (field[top + n + i]! - above) * fy + 1) * (FINE / 2)
    }
    for (let x = 0; x < size; x++) {
      const i = low[x]!
      const a = row[i]!
      const place = (a + (row[i + 1]! - a) * share[x]!) | 0
      into[k++] = bands[bandTable[place < 0 ? 0 : place >= FINE ? FINE - 1 : place]!]!
    }
  }
}

/** Takes the corners off a square of pixels: what lies beyond a circle of so many pixels at each is seen through. */
export function roundCorners(words: Uint32Array, side: number, radius: number): void {
  for (let y = 0; y < radius; y++) {
    for (let x = 0; x < radius; x++) {
      const inside = 0.5 + radius - Math.hypot(radius - x - 0.5, radius - y - 0.5)
      if (inside >= 1) continue
      const alpha = inside <= 0 ? 0 : Math.round(255 * inside) << 24
      for (const row of [y, side - 1 - y]) {
        for (const at of [row * side + x, row * side + side - 1 - x]) words[at] = (words[at]! & 0xffffff) | alpha
      }
    }
  }
}

/** How certain a share is, from 0 for guessing to 1, if there are so many classes. */
export const certainty = (share: number, classes: number): number => (share - 1 / classes) / (1 - 1 / classes)

/** Writes the surest class of each place into pixels, the surer the stronger. */
export function classPixels(
  field: Float32Array,
  n: number,
  classes: number,
  size: number,
  { classBands }: Palette,
  into: Uint32Array,
): void {
  const { low, share } = placesOf(n, size)
  for (let y = 0, k = 0; y < size; y++) {
    for (let x = 0; x < size; x++) {
      const at = (low[y]! * n + low[x]!) * classes
      const [fx, fy] = [share[x]!, share[y]!]
      let [best, of] = [-1, 0]
      for (let c = 0; c < classes; c++) {
        const a = field[at + c]! + (field[at + classes + c]! - field[at + c]!) * fx
        const below = at + n * classes + c
        const b = field[below]! + (field[below + classes]! - field[below]!) * fx
        const v = a + (b - a) * fy
        if (v > best) [best, of] = [v, c]
      }
      into[k++] = classBands[of]![Math.max(0, bandOf(certainty(best, classes)) - 4)]!
    }
  }
}

/** The contours of some levels through an n × n grid (marching squares): pieces x, y, x, y, … in units of the grid from 0 to 1. */
export function contours(field: ArrayLike<number>, n: number, levels: readonly number[]): number[] {
  const pieces: number[] = []
  for (let row = 0; row < n - 1; row++) {
    for (let c = 0; c < n - 1; c++) {
      const k = row * n + c
      const [p, q, r, s] = [field[k]!, field[k + 1]!, field[k + n + 1]!, field[k + n]!]
      const low = Math.min(p, q, r, s)
      const high = Math.max(p, q, r, s)
      for (let i = 0; i < levels.length; i++) {
        const level = levels[i]!
        // Most cells are not crossed: nothing is made for them.
        if (level < low || level >= high) continue
        const [a, b, d, e] = [p - level, q - level, r - level, s - level]
        const kind = (a > 0 ? 8 : 0) | (b > 0 ? 4 : 0) | (d > 0 ? 2 : 0) | (e > 0 ? 1 : 0)
        for (const side of sides[kind]!) {
          const [x, y] =
            side === 0
              ? [a / (a - b), 0]
              : side === 1
                ? [1, b / (b - d)]
                : side === 2
                  ? [e / (e - d), 1]
                  : [0, a / (a - e)]
          pieces.push((c + x + 0.5) / n, (row + y + 0.5) / n)
        }
      }
    }
  }
  return pieces
}

/** Which sides of a cell a contour joins, by which of its corners are above: 0 top, 1 right, 2 bottom, 3 left. */
const sides: readonly (readonly number[])[] = [
  [],
  [3, 2],
  [2, 1],
  [3, 1],
  [0, 1],
  [3, 0, 2, 1],
  [0, 2],
  [3, 0],
  [3, 0],
  [0, 2],
  [3, 2, 0, 1],
  [0, 1],
  [3, 1],
  [2, 1],
  [3, 2],
  [],
]

/** Draws pieces of contours, `size` pixels wide. */
export function strokePieces(ctx: CanvasRenderingContext2D, pieces: readonly number[], size: number): void {
  ctx.beginPath()
  for (let i = 0; i < pieces.length; i += 4) {
    ctx.moveTo(pieces[i]! * size, pieces[i + 1]! * size)
    ctx.lineTo(pieces[i + 2]! * size, pieces[i + 3]! * size)
  }
  ctx.stroke()
}

/** A mark around a place: disc, diamond, square or triangle. */
export function markPath(ctx: CanvasRenderingContext2D, mark: number, x: number, y: number, r: number): void {
  ctx.beginPath()
  if (mark === 0) ctx.arc(x, y, r, 0, 2 * Math.PI)
  else if (mark === 1) {
    const d = r * 1.3
    ctx.moveTo(x, y - d)
    ctx.lineTo(x + d, y)
    ctx.lineTo(x, y + d)
    ctx.lineTo(x - d, y)
  } else if (mark === 2) ctx.rect(x - r * 0.9, y - r * 0.9, r * 1.8, r * 1.8)
  else {
    ctx.moveTo(x, y - r * 1.25)
    ctx.lineTo(x + r * 1.2, y + r * 0.85)
    ctx.lineTo(x - r * 1.2, y + r * 0.85)
  }
  ctx.closePath()
}

/** The mark and the colour of a point. */
export function pointLook(y: number, classes: number, p: Palette): readonly [mark: number, colour: string] {
  if (classes === 0) return [y < 0 ? 1 : 0, p.number(y)]
  if (classes > 2) return [y, p.classes[y]!]
  return y === 1 ? [0, p.pos] : [1, p.neg]
}

/** Draws points on a map of so many pixels: those that train solid with a ring, those that test pale. */
export function drawPoints(
  ctx: CanvasRenderingContext2D,
  { x, y }: Points,
  classes: number,
  test: boolean,
  size: number,
  p: Palette,
): void {
  const r = (size / 400) * (y.length > 500 ? 2.6 : 3.6)
  for (let i = 0; i < y.length; i++) {
    const [mark, colour] = pointLook(y[i]!, classes, p)
    const at = (v: number): number => ((v + RANGE) / (2 * RANGE)) * size
    markPath(ctx, mark, at(x[2 * i]!), at(-x[2 * i + 1]!), test ? r * 1.1 : r)
    ctx.fillStyle = colour
    ctx.strokeStyle = test ? colour : p.raised
    ctx.lineWidth = (test ? 1.2 : 1.3) * (size / 400)
    ctx.globalAlpha = test ? 0.35 : 1
    ctx.fill()
    ctx.globalAlpha = 1
    ctx.stroke()
  }
}

/** The values of a grid as signed shares from −1 to 1, by what made them. */
export function signedField(field: Float32Array, kind: "share" | "signed" | "open"): Float32Array {
  if (kind === "share") return field.map((v) => 2 * v - 1)
  if (kind === "signed") return field
  let most = 1e-6
  for (const v of field) most = Math.max(most, Math.abs(v))
  return field.map((v) => v / most)
}
