// The last decision of a search: its best trials once more, from other initial weights. Knows no process and no command line.

import { type Decision, type Rung, type Seen, standOn, type Trial } from "../src/tune.ts"

/** What a trial comes to with a seed; undefined if it was interrupted. */
export type Again = (
  trial: Trial,
  seed: number,
) => Promise<{ readonly cost: number; readonly parameters: number } | undefined>

/** How many trials are compared, and how much worse than the best they may be: small tables differ by a third from seed to seed. */
const MOST = 3
const NEAR = 1.5

/** The trials between which one seed does not decide: the best, and those that are not much worse. */
export function finalists(trials: readonly Trial[]): readonly Trial[] {
  const done = trials.filter(({ state, value }) => state === "complete" && value !== undefined)
  const sorted = [...done].sort((a, b) => a.value! - b.value!)
  const distinct = sorted.filter(({ values }, i) => {
    return sorted.findIndex((other) => JSON.stringify(other.values) === JSON.stringify(values)) === i
  })
  const limit = (distinct[0]?.value ?? 0) + (NEAR - 1) * Math.abs(distinct[0]?.value ?? 0)
  return distinct.filter(({ value }) => value! <= limit).slice(0, MOST)
}

/**
 * Trains each of them with further seeds, `seeds` in all with that of the trial: the net with the fewest parameters wins unless a larger one
 * is better by more than the noise over the seeds. Undefined if it was interrupted, or if there is nothing to choose from.
 */
export async function decideLast(
  trials: readonly Trial[],
  seeds: number,
  again: Again,
): Promise<{ readonly trial: Trial; readonly decision: Decision<readonly Rung[]> } | undefined> {
  if (trials.length < 2 || seeds < 2) return undefined
  const runs = trials.flatMap((trial) => Array.from({ length: seeds - 1 }, (_, i) => ({ trial, seed: i + 1 })))
  const found = await Promise.all(runs.map(async ({ trial, seed }) => ({ trial, got: await again(trial, seed) })))
  if (found.some(({ got }) => got === undefined)) return undefined
  const seen = new Map(
    trials.map((trial): [number, Seen & { readonly parameters: number }] => {
      const own = found.flatMap(({ trial: { number }, got }) => (number === trial.number ? [got!] : []))
      const costs = [trial.value!, ...own.map(({ cost }) => cost)]
      const mean = costs.reduce((sum, cost) => sum + cost, 0) / costs.length
      const squares = costs.reduce((sum, cost) => sum + (cost - mean) * (cost - mean), 0)
      const error = Math.sqrt(squares / (costs.length * (costs.length - 1)))
      const rest = { pruned: false, costs: [], parameters: own[0]!.parameters }
      return [trial.number, { cost: mean, error: Number.isFinite(error) ? error : 0, ...rest }]
    }),
  )
  // Of nets of one size the one that costs least.
  const numbers = [...seen.keys()].sort((i, j) => {
    const [a, b] = [seen.get(i)!, seen.get(j)!]
    return a.parameters - b.parameters || a.cost - b.cost
  })
  const start = numbers.reduce((a, b) => (seen.get(b)!.cost < seen.get(a)!.cost ? b : a))
  const standing = standOn({ knob: "trial", values: numbers, start, rule: "smaller" }, (n) => seen.get(n as number))
  const decision = standing.next === undefined ? standing.decision : undefined
  return decision && { trial: trials.find(({ number }) => number === decision.value)!, decision }
}
