// How numbers are distributed: their range, moments, and how many lie where. Knows nothing of where they come from.

/** The distribution of some numbers; those that are not finite are only counted. */
export interface Histogram {
  readonly min: number
  readonly max: number
  readonly mean: number
  /** The root of the mean square distance from the mean. */
  readonly std: number
  /** The upper ends of the intervals, equally wide from min to max; each holds its upper end. One if min is max. */
  readonly limits: readonly number[]
  readonly counts: readonly number[]
  readonly notFinite: number
}

/** The distribution in so many intervals; all numbers are NaN, and nothing is counted, if no value is finite. */
export function histogramOf(values: ArrayLike<number>, bins: number): Histogram {
  let [min, max, sum, finite] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0, 0]
  const each = (work: (value: number) => void): void => {
    for (let i = 0; i < values.length; i++) if (Number.isFinite(values[i])) work(values[i]!)
  }
  each((value) => {
    min = Math.min(min, value)
    max = Math.max(max, value)
    sum += value
    finite++
  })
  const notFinite = values.length - finite
  if (finite === 0) return { min: NaN, max: NaN, mean: NaN, std: NaN, limits: [], counts: [], notFinite }
  const mean = sum / finite
  const count = min === max ? 1 : bins
  const width = (max - min) / count
  const limits = Array.from({ length: count }, (_, i) => (i === count - 1 ? max : min + width * (i + 1)))
  const counts = limits.map(() => 0)
  let squares = 0
  each((value) => {
    squares += (value - mean) * (value - mean)
    // Division may miss the interval by one where values lie on its end.
    let place = width === 0 ? 0 : Math.min(count - 1, Math.max(0, Math.ceil((value - min) / width) - 1))
    while (place > 0 && value <= limits[place - 1]!) place--
    while (value > limits[place]!) place++
    counts[place]!++
  })
  return { min, max, mean, std: Math.sqrt(squares / finite), limits, counts, notFinite }
}
