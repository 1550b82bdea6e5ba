// Places on plates: scales, paths and ticks for figures drawn as SVG. Knows numbers only.

/** From a value to a place on a plate, and back. */
export interface Axis {
  (value: number): number
  readonly back: (place: number) => number
}

/** A linear axis. */
export function axis(from: number, to: number, start: number, end: number): Axis {
  const scale = (end - start) / (to - from)
  return Object.assign((value: number) => start + (value - from) * scale, {
    back: (place: number) => from + (place - start) / scale,
  })
}

/** A logarithmic axis. */
export function logAxis(from: number, to: number, start: number, end: number): Axis {
  const inner = axis(Math.log(from), Math.log(to), start, end)
  return Object.assign((value: number) => inner(Math.log(value)), {
    back: (place: number) => Math.exp(inner.back(place)),
  })
}

/** A line through points; what is not finite is a gap. */
export function linePath(points: Iterable<readonly [number, number]>): string {
  let path = ""
  let drawing = false
  for (const [x, y] of points) {
    if (!Number.isFinite(x) || !Number.isFinite(y)) {
      drawing = false
      continue
    }
    path += `${drawing ? "L" : "M"}${x.toFixed(1)} ${y.toFixed(1)}`
    drawing = true
  }
  return path
}

/** A curve of a function between two values. */
export function curve(
  f: (x: number) => number,
  from: number,
  to: number,
  x: (value: number) => number,
  y: (value: number) => number,
  pieces = 240,
): string {
  const points = Array.from({ length: pieces + 1 }, (_, i): readonly [number, number] => {
    const value = from + (i * (to - from)) / pieces
    return [x(value), y(f(value))]
  })
  return linePath(points)
}

/** Three to five round values of a linear axis. */
export function linTicks(from: number, to: number): number[] {
  const raw = (to - from) / 4
  if (!(raw > 0)) return [from]
  const power = 10 ** Math.floor(Math.log10(raw))
  const unit = [1, 2, 5, 10].map((digit) => digit * power).find((step) => step >= raw)!
  const all: number[] = []
  for (let k = Math.ceil(from / unit); k * unit <= to + 1e-9 * unit; k++) all.push(Number((k * unit).toPrecision(12)))
  return all
}

/** Heights of labels pushed apart to a distance, in the order in which they were given. */
export function apart(heights: readonly number[], distance: number): number[] {
  const order = heights.map((_, i) => i).sort((a, b) => heights[a]! - heights[b]!)
  const placed = [...heights]
  for (let pass = 0; pass < 60; pass++) {
    for (let k = 1; k < order.length; k++) {
      const [a, b] = [order[k - 1]!, order[k]!]
      const missing = distance - (placed[b]! - placed[a]!)
      if (missing <= 0) continue
      placed[a]! -= missing / 2
      placed[b]! += missing / 2
    }
  }
  return placed
}

/** The place of a pointer on a plate whose viewBox begins at 0. */
export function pointerOn(event: PointerEvent, svg: SVGSVGElement): readonly [number, number] {
  const box = svg.getBoundingClientRect()
  const view = svg.viewBox.baseVal
  return [
    view.x + ((event.clientX - box.left) / box.width) * view.width,
    view.y + ((event.clientY - box.top) / box.height) * view.height,
  ]
}
