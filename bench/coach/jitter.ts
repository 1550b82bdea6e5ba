// One setup becomes many: every knob is moved a little, by a seed. A case and its control are moved alike, so that they differ in the
// fault alone.

import { integers } from "../../src/core/order.ts"
import { streams } from "../../src/core/random.ts"
import { type Case, controlOf, setupOf } from "./cases.ts"
import type { Setup } from "./setup.ts"

/** A number of the name, for seeds (FNV-1a). */
export function hash(name: string): number {
  let h = 0x811c9dc5
  for (let i = 0; i < name.length; i++) h = Math.imul(h ^ name.charCodeAt(i), 0x01000193)
  return h >>> 0
}

/** How the knobs are moved: factors. */
interface Moves {
  readonly rate: number
  readonly units: number
  readonly rows: number
  readonly batch: number
  readonly epochs: number
  readonly seed: number
}

/** Learning rate x 2^(-0.5 to 0.5), width x 0.75, 1 or 1.5, rows and epochs +-20 %, batch x 0.5, 1 or 2. */
function movesOf(seed: number): Moves {
  const draw = integers(seed, streams.augmentation, 100, 0)
  const even = (): number => draw(1 << 16) / 65_535
  return {
    rate: 2 ** (even() - 0.5),
    units: [0.75, 1, 1.5][draw(3)]!,
    rows: 0.8 + 0.4 * even(),
    batch: [0.5, 1, 2][draw(3)]!,
    epochs: 0.8 + 0.4 * even(),
    seed: draw(1 << 20),
  }
}

function moved(setup: Setup, base: Setup, moves: Moves): Setup {
  const whole = (value: number): number => Math.max(1, Math.round(value))
  // A batch that is the fault (one row, all rows) stays what it is.
  const [most, fixed] = [Math.round(setup.sample.rows * moves.rows), setup.batchSize !== base.batchSize]
  const all = setup.batchSize >= setup.sample.rows
  return {
    ...setup,
    sample: { ...setup.sample, rows: most, seed: moves.seed },
    learningRate: setup.learningRate * moves.rate,
    batchSize: all ? most : fixed ? setup.batchSize : whole(setup.batchSize * moves.batch),
    epochs: whole(setup.epochs * moves.epochs),
    hidden: setup.hidden.map((layer) => ({ ...layer, units: whole(layer.units * moves.units) })),
    seed: moves.seed + 1,
  }
}

/** A case and its control, moved alike. Seed 0: as they are written, but for the seed of rows and weights. */
export function jittered(one: Case, seed: number): { readonly setup: Setup; readonly control: Setup } {
  const base = controlOf(one)
  const moves = movesOf(seed)
  const still: Moves = { rate: 1, units: 1, rows: 1, batch: 1, epochs: 1, seed: moves.seed }
  const now = seed === 0 ? still : moves
  return { setup: moved(setupOf(one), base, now), control: moved(base, base, now) }
}

/** The seed of the n-th trial of a case in a run of the benchmark with this seed. */
export const trialSeed = (run: number, id: string, n: number): number =>
  1 + ((hash(`${run}/${id}/${n}`) >>> 1) % 0xfffffff)
