// The state of the lesson on batches: where the reader stands, how one goes on from there and back. Knows no page.

import { type Keys, wholeKey, wordKey } from "../ui/url.ts"
import { IMAGES, roundsOf } from "./batches-order.ts"
import { type Station, stations } from "./batches-ring.tsx"

/** Where the reader stands. */
export interface View {
  readonly b: number
  readonly round: number
  readonly epoch: number
  readonly station: Station
}

/** The last epoch that the page goes to. */
export const LAST_EPOCH = 20

/** Batch sizes: powers of two up to 512. */
export const sizes: readonly number[] = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512]

/** The state of this page. */
export const keys: Keys<View> = {
  b: {
    initial: 128,
    write: String,
    read: (text) => sizes.find((size) => String(size) === text),
  },
  round: wholeKey(1, 1, IMAGES),
  epoch: wholeKey(1, 1, LAST_EPOCH),
  station: wordKey<Station>("batch", stations),
}

/** The next station: of this round, of the next one, or the shuffle of the next epoch; undefined after the last one. */
export function stepOn({ b, round, epoch, station }: View): View | undefined {
  const at = stations.indexOf(station)
  if (at < stations.length - 1) return { b, round, epoch, station: stations[at + 1]! }
  if (round < roundsOf(b)) return { b, round: round + 1, epoch, station: "batch" }
  return epoch < LAST_EPOCH ? { b, round: 1, epoch: epoch + 1, station: "shuffle" } : undefined
}

/** The station before; undefined before the first one. */
export function stepBack({ b, round, epoch, station }: View): View | undefined {
  const at = stations.indexOf(station)
  if (at > 1 || (at === 1 && round === 1)) return { b, round, epoch, station: stations[at - 1]! }
  if (at === 1) return { b, round: round - 1, epoch, station: "update" }
  return epoch > 1 ? { b, round: roundsOf(b), epoch: epoch - 1, station: "update" } : undefined
}
