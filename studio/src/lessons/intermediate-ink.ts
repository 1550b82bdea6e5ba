// From a drawing to an image as MNIST has them: scaled into 20 by 20, put into 28 by 28 by its centre of mass.

/** Pixels along an image, and along the box that the digit is scaled into. */
export const SIDE = 28
const BOX = 20

/** Ink of a drawing, from 0 to 255, row by row. */
export interface Drawing {
  readonly width: number
  readonly height: number
  readonly ink: ArrayLike<number>
}

/** The image of MNIST's kind that a drawing makes; undefined if nothing is drawn. */
export function asMnistImage({ width, height, ink }: Drawing): Uint8Array | undefined {
  let [left, right, top, bottom] = [width, -1, height, -1]
  let [mass, sumX, sumY] = [0, 0, 0]
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const value = ink[y * width + x]!
      if (value === 0) continue
      left = Math.min(left, x)
      right = Math.max(right, x)
      top = Math.min(top, y)
      bottom = Math.max(bottom, y)
      mass += value
      sumX += value * (x + 0.5)
      sumY += value * (y + 0.5)
    }
  }
  if (mass === 0) return undefined
  // Drawn pixels for one of the image.
  const pitch = Math.max(right - left + 1, bottom - top + 1) / BOX
  const table = sums(ink, width, height)
  const out = new Uint8Array(SIDE * SIDE)
  for (let y = 0; y < SIDE; y++) {
    for (let x = 0; x < SIDE; x++) {
      const from = [sumX / mass + (x - SIDE / 2) * pitch, sumY / mass + (y - SIDE / 2) * pitch] as const
      const total = area(table, width, height, from[0], from[1], from[0] + pitch, from[1] + pitch)
      out[y * SIDE + x] = Math.min(255, Math.round(total / (pitch * pitch)))
    }
  }
  return out
}

/** Sums over all pixels above and left of a corner. */
function sums(ink: ArrayLike<number>, width: number, height: number): Float64Array {
  const table = new Float64Array((width + 1) * (height + 1))
  for (let y = 0; y < height; y++) {
    let row = 0
    for (let x = 0; x < width; x++) {
      row += ink[y * width + x]!
      table[(y + 1) * (width + 1) + x + 1] = table[y * (width + 1) + x + 1]! + row
    }
  }
  return table
}

/** The sum over a rectangle whose sides may cut pixels. */
function area(
  table: Float64Array,
  width: number,
  height: number,
  x0: number,
  y0: number,
  x1: number,
  y1: number,
): number {
  const corner = (x: number, y: number): number => {
    const [cx, cy] = [Math.min(width, Math.max(0, x)), Math.min(height, Math.max(0, y))]
    const [ix, iy] = [Math.min(width - 1, Math.floor(cx)), Math.min(height - 1, Math.floor(cy))]
    const [fx, fy] = [cx - ix, cy - iy]
    const at = iy * (width + 1) + ix
    const upper = table[at]! * (1 - fx) + table[at + 1]! * fx
    const lower = table[at + width + 1]! * (1 - fx) + table[at + width + 2]! * fx
    return upper * (1 - fy) + lower * fy
  }
  return corner(x1, y1) - corner(x0, y1) - corner(x1, y0) + corner(x0, y0)
}
