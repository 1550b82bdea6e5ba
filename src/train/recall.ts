// Which share of each class a network finds: asked where classes are of very different sizes. Knows an executable and rows.

import type { Bound, Executable } from "../backend/backend.ts"
import type { TargetFacts, Task } from "../coach/evidence.ts"
import type { Tensor } from "../core/tensor.ts"

/** From this ratio of the largest to the smallest class on it is asked which are found. */
const UNEVEN = 10

/** Rows that are asked. */
const MOST_ROWS = 2048

/** What is asked. */
export interface RecallPlan {
  readonly executable: Executable
  readonly bound: Bound
  readonly taken: Int32Array | undefined
  readonly y: Tensor
  readonly task: Task
  /** The name under which the output is given. */
  readonly output: string
  /** Above this an output of one unit says yes. */
  readonly middle: number
  readonly classes: number
  readonly batchSize: number
}

/** Whether the classes are so uneven that a network may pass over the smallest. */
export function uneven({ classes = [] }: TargetFacts): boolean {
  const there = classes.filter((n) => n > 0)
  return there.length > 1 && Math.max(...there) >= UNEVEN * Math.min(...there)
}

/** The share of each class that is found, of some rows evenly spaced; 0 for a class without rows. */
export async function recallOf(plan: RecallPlan): Promise<readonly number[]> {
  const { executable, bound, taken, y, output, middle, classes } = plan
  const all = taken?.length ?? bound.rows
  const count = Math.min(MOST_ROWS, all)
  const order = Int32Array.from({ length: count }, (_, i) => {
    const at = Math.floor((i * all) / count)
    return taken?.[at] ?? at
  })
  const batchSize = Math.min(plan.batchSize, count)
  const rounds = Math.ceil(count / batchSize)
  await executable.run({ entry: "predict", bound, batchSize, first: 0, count: rounds, order })
  const given = bound.result(output)
  const units = given.length / bound.rows
  const width = y.shape.slice(1).reduce((a, b) => a * b, 1)
  const least = width === 1 && plan.task === "binary" ? smallest(y, order) : 0
  const [rows, found] = [new Float64Array(classes), new Float64Array(classes)]
  order.forEach((row, i) => {
    const wanted = width > 1 ? largestAt(y.data, row * width, width) : yesOrClass(y.data[row]!, plan.task, least)
    const said = units > 1 ? largestAt(given, i * units, units) : Number(given[i]! > middle)
    if (!(wanted >= 0 && wanted < classes)) return
    rows[wanted]!++
    if (said === wanted) found[wanted]!++
  })
  return Array.from(rows, (n, c) => (n === 0 ? 0 : found[c]! / n))
}

const yesOrClass = (value: number, task: Task, least: number): number =>
  task === "binary" ? Number(value > least) : value

function smallest({ data }: Tensor, order: Int32Array): number {
  let least = Number.POSITIVE_INFINITY
  for (const row of order) if (data[row]! < least) least = data[row]!
  // All of one kind: they are no's unless they are above 0.
  return Math.min(least, 0.5)
}

function largestAt(data: ArrayLike<number>, from: number, width: number): number {
  let best = from
  for (let i = from; i < from + width; i++) if (data[i]! > data[best]!) best = i
  return best - from
}
