// Closed lines round everything that is at least as high as a level: contours of a grid of heights. Knows numbers only.

/** A closed line: x and y in turn, in steps of the grid. */
export type Ring = Float32Array

/** Heights on a square grid, row after row. */
export interface Grid {
  readonly size: number
  readonly values: Float64Array
}

/** The heights of a function on a square from −reach to reach. */
export function gridOf(f: (p1: number, p2: number) => number, reach: number, size: number): Grid {
  const values = new Float64Array(size * size)
  const at = (i: number): number => -reach + (2 * reach * i) / (size - 1)
  for (let j = 0; j < size; j++) for (let i = 0; i < size; i++) values[j * size + i] = f(at(i), at(j))
  return { size, values }
}

/** The sides of a cell: top, right, bottom, left. */
type Side = 0 | 1 | 2 | 3
const [T, R, B, L] = [0, 1, 2, 3] as const

/** From side to side with the high ground always on the same hand, by which corners are high (top left 1, then clockwise 2, 4, 8). */
const CASES: readonly (readonly (readonly [Side, Side])[])[] = [
  [],
  [[L, T]],
  [[T, R]],
  [[L, R]],
  [[R, B]],
  [
    [L, T],
    [R, B],
  ],
  [[T, B]],
  [[L, B]],
  [[B, L]],
  [[B, T]],
  [
    [T, R],
    [B, L],
  ],
  [[B, R]],
  [[R, L]],
  [[R, T]],
  [[T, L]],
  [],
]
/** Cells whose high corners are opposite ones and whose middle is high too. */
const JOINED: { readonly [corners: number]: readonly (readonly [Side, Side])[] } = {
  5: [
    [R, T],
    [L, B],
  ],
  10: [
    [T, L],
    [B, R],
  ],
}

/** The closed lines round all ground that is at least `level` high; the edge of the grid closes them. */
export function rings(grid: Grid, level: number): Ring[] {
  const { size, values } = grid
  const width = size + 2
  // A border of the lowest ground makes every line a closed one.
  const height = (i: number, j: number): number =>
    i < 0 || j < 0 || i >= size || j >= size ? -Infinity : values[j * size + i]!
  const next = new Map<number, number>()
  const place = new Map<number, readonly [number, number]>()
  const cross = (i: number, j: number, di: number, dj: number): readonly [number, number] => {
    const [a, b] = [height(i, j), height(i + di, j + dj)]
    const share = a === -Infinity ? 1 : b === -Infinity ? 0 : (level - a) / (b - a)
    return [i + di * share, j + dj * share]
  }
  const side = (i: number, j: number, which: Side): number => {
    const [ei, ej, down] =
      which === T ? [i, j, 0] : which === B ? [i, j + 1, 0] : which === L ? [i, j, 1] : [i + 1, j, 1]
    const id = 2 * ((ej + 1) * width + ei + 1) + down
    if (!place.has(id)) place.set(id, cross(ei, ej, down === 0 ? 1 : 0, down))
    return id
  }
  for (let j = -1; j < size; j++) {
    for (let i = -1; i < size; i++) {
      const [a, b, c, d] = [height(i, j), height(i + 1, j), height(i + 1, j + 1), height(i, j + 1)]
      const high = (a >= level ? 1 : 0) + (b >= level ? 2 : 0) + (c >= level ? 4 : 0) + (d >= level ? 8 : 0)
      const joined = (high === 5 || high === 10) && (a + b + c + d) / 4 >= level
      for (const [from, to] of joined ? JOINED[high]! : CASES[high]!) next.set(side(i, j, from), side(i, j, to))
    }
  }
  return followed(next, place)
}

function followed(next: Map<number, number>, place: ReadonlyMap<number, readonly [number, number]>): Ring[] {
  const all: Ring[] = []
  for (const first of next.keys()) {
    const points: number[] = []
    for (let at: number | undefined = first; at !== undefined && next.has(at); ) {
      const [x, y] = place.get(at)!
      points.push(x, y)
      const after: number = next.get(at)!
      next.delete(at)
      at = after
    }
    if (points.length >= 6) all.push(Float32Array.from(points))
  }
  return all
}
