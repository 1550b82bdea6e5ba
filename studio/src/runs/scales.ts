// Ranges, ticks and thinning of the charts of a run. Knows numbers only.

/** The range of an axis around some values. */
export function rangeOf(all: readonly number[], log: boolean): readonly [low: number, high: number] {
  if (all.length === 0) return [0, 1]
  const [low, high] = [all.reduce((a, b) => Math.min(a, b)), all.reduce((a, b) => Math.max(a, b))]
  if (log) return low === high ? [low / 1.5, high * 1.5] : [low / 1.06, high * 1.08]
  const margin = (high - low || Math.abs(high) || 1) * 0.06
  // What cannot be negative does not begin below zero.
  return [low >= 0 ? Math.max(0, low - margin) : low - margin, high + margin]
}

/** Whole epochs to be named: the first, and round ones as far apart as the width allows. */
export function ticksAlong(from: number, to: number, width: number): readonly number[] {
  const most = Math.max(1, Math.floor(width / 64))
  let unit = 1
  for (let power = 1; (to - from) / unit > most; power *= 10) {
    for (const digit of [1, 2, 5]) {
      unit = digit * power
      if ((to - from) / unit <= most) break
    }
  }
  const round = Array.from({ length: Math.floor(to / unit) }, (_, i) => (i + 1) * unit)
  return [from, ...round.filter((t) => t >= from + Math.max(unit * 0.7, (70 / width) * (to - from)) && t <= to)]
}

/** Points with no more than two in a column of a pixel: the least and the greatest, in order. Short lines stay as they are. */
export function thinned(
  points: readonly (readonly [number, number])[],
  most = 2000,
): readonly (readonly [number, number])[] {
  if (points.length <= most) return points
  const kept: (readonly [number, number])[] = []
  for (let i = 0; i < points.length; ) {
    const column = Math.round(points[i]![0])
    let [low, high, j] = [i, i, i]
    for (; j < points.length && Math.round(points[j]![0]) === column; j++) {
      if (points[j]![1] < points[low]![1]) low = j
      if (points[j]![1] > points[high]![1]) high = j
    }
    for (const k of low === high ? [low] : [Math.min(low, high), Math.max(low, high)]) kept.push(points[k]!)
    i = j
  }
  return kept
}

/** The angle of a line at one of its points, in degrees, not steeper than 30. */
export function slopeAt(points: readonly (readonly [number, number])[], i: number): number {
  const there = (k: number): readonly [number, number] | undefined =>
    points[k] !== undefined && Number.isFinite(points[k][1]) ? points[k] : undefined
  const [a, b] = [there(i - 1) ?? there(i), there(i + 1) ?? there(i)]
  if (a === undefined || b === undefined || a[0] === b[0]) return 0
  const angle = (Math.atan2(b[1] - a[1], b[0] - a[0]) * 180) / Math.PI
  return Math.min(30, Math.max(-30, angle))
}
