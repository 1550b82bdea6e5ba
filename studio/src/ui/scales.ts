// Ranges, ticks and thinning of charts. Knows numbers only.

import { linTicks } from "./plot.ts"

/** The range of an axis around some values. */
export function rangeOf(all: readonly number[], log: boolean): readonly [low: number, high: number] {
  if (all.length === 0) return [0, 1]
  const [low, high] = [all.reduce((a, b) => Math.min(a, b)), all.reduce((a, b) => Math.max(a, b))]
  if (log) return low === high ? [low / 1.5, high * 1.5] : [low / 1.06, high * 1.08]
  const margin = (high - low || Math.abs(high) || 1) * 0.06
  // What cannot be negative does not begin below zero.
  return [low >= 0 ? Math.max(0, low - margin) : low - margin, high + margin]
}

/** Round values of an axis: on a logarithmic one 1, 2 and 5 times powers of ten, or fewer of them; where they are too few, even ones. */
export function ticksOf(low: number, high: number, log: boolean): readonly number[] {
  if (!log) return linTicks(low, high)
  for (const digits of [[1, 2, 5], [1, 5], [1]]) {
    const found = powersOf(low, high, digits)
    if (found.length < 3) break
    if (found.length <= 5) return found
  }
  const tens = powersOf(low, high, [1])
  if (tens.length > 5) return tens.filter((_, i) => i % Math.ceil(tens.length / 5) === 0)
  return high / low < 8 ? linTicks(low, high) : powersOf(low, high, [1, 5])
}

function powersOf(low: number, high: number, digits: readonly number[]): readonly number[] {
  const all: number[] = []
  for (let power = Math.floor(Math.log10(low)); power <= Math.ceil(Math.log10(high)); power++) {
    for (const digit of digits) all.push(Number(`${digit}e${power}`))
  }
  return all.filter((value) => value >= low && value <= high)
}

/** Whole epochs to be named: the first, and round ones as far apart as the width allows. */
export function ticksAlong(from: number, to: number, width: number): readonly number[] {
  const most = Math.max(1, Math.floor(width / 48))
  let unit = 1
  for (let power = 1; (to - from) / unit > most; power *= 10) {
    for (const digit of [1, 2, 5]) {
      unit = digit * power
      if ((to - from) / unit <= most) break
    }
  }
  const place = (t: number): number => ((t - from) / (to - from)) * width
  const round = Array.from({ length: Math.floor(to / unit) }, (_, i) => (i + 1) * unit)
  const between = round.filter(
    (t) => place(t) >= (width > 260 ? 44 : 62) && width - place(t) >= 10 + 8 * `${to}`.length,
  )
  return [from, ...between, to]
}

/** Where validation was above training from then on: the first place of the gap; undefined if it has not come. */
export function gapFrom(
  training: readonly (number | null)[],
  validation: readonly (number | null)[],
): number | undefined {
  let from: number | undefined
  for (let i = validation.length - 1; i >= 0; i--) {
    const [a, b] = [training[i], validation[i]]
    if (a == null || b == null || b <= a) break
    from = i
  }
  return from
}

/** The height of a line at a place between its points. */
export function heightAt(points: readonly (readonly [number, number])[], place: number): number {
  const i = points.findIndex(([x]) => x >= place)
  const [a, b] = [points[i - 1], points[i]]
  if (a === undefined || b === undefined) return (b ?? points.at(-1))?.[1] ?? 0
  return a[1] + ((place - a[0]) / (b[0] - a[0] || 1)) * (b[1] - a[1])
}

/** Where a text between two places is clear of lines: above them and not lower than `wanted`, or else at the foot. */
export function clearOf(
  lines: readonly (readonly (readonly [number, number])[])[],
  [start, end]: readonly [number, number],
  [wanted, top]: readonly [number, number],
  foot: number,
): number {
  const heights = lines.flatMap((points) => {
    const inside = points.filter(([x, y]) => x >= start && x <= end && Number.isFinite(y)).map(([, y]) => y)
    return [...inside, heightAt(points, start), heightAt(points, end)].filter(Number.isFinite)
  })
  const high = Math.min(wanted, ...heights.map((y) => y - 10))
  return high >= top ? high : foot
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

/** The angle of a line at one of its points, in degrees, not steeper than 9. */
export function slopeAt(points: readonly (readonly [number, number])[], i: number): number {
  const there = (k: number): readonly [number, number] | undefined =>
    points[k] !== undefined && Number.isFinite(points[k][1]) ? points[k] : undefined
  const [a, b] = [there(i - 1) ?? there(i), there(i + 1) ?? there(i)]
  if (a === undefined || b === undefined || a[0] === b[0]) return 0
  const angle = (Math.atan2(b[1] - a[1], b[0] - a[0]) * 180) / Math.PI
  return Math.min(9, Math.max(-9, angle))
}
