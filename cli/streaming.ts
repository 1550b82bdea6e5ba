// Tables larger than memory on the command line: when a file is read in pieces, and what a training needs of it. Trains nothing.

import { statSync } from "node:fs"
import { totalmem } from "node:os"
import type { PreparedPieces } from "../src/datasets.ts"
import type { StreamedBatch, Tensor } from "../src/index.ts"
import type { TrainConfig } from "./config.ts"
import { isPackaged } from "./tables.ts"

/** A file is read in pieces if it is larger than this share of the memory: its table and examples take about four times as much. */
const SHARE = 1 / 8
/** About how often larger a compressed text is once it is unpacked. */
const UNPACKED = 5

/** The bytes of memory that there are for this process. */
function memory(): number {
  const limit = process.constrainedMemory()
  return limit > 0 ? Math.min(totalmem(), limit) : totalmem()
}

/** Whether a table is to be read in pieces: if that is asked for, or if it is large and its rows may be drawn one by one. */
export function isStreamed({ stream, data, split }: TrainConfig, available: number = memory()): boolean {
  if (stream !== undefined) return stream
  if (data === undefined || isPackaged(data) || (split !== undefined && split !== "random")) return false
  const { size } = statSync(data, { throwIfNoEntry: false }) ?? { size: 0 }
  return size * (data.endsWith(".gz") ? UNPACKED : 1) > available * SHARE
}

/** True for data that is read in pieces. */
export function inPieces(data: { readonly train: unknown }): data is PreparedPieces {
  return typeof data.train === "function"
}

/** The first rows of a stream. */
export async function firstRows(stream: PreparedPieces["train"]): Promise<{ readonly x: Tensor; readonly y: Tensor }> {
  for await (const [x, y] of stream()) return { x: x as Tensor, y: y as Tensor }
  throw new Error("a part of a table has rows")
}

/** A stream whose targets are made into others. */
export function withTargets(stream: PreparedPieces["train"], change: (y: Tensor) => Tensor): PreparedPieces["train"] {
  return async function* () {
    for await (const [x, y] of stream()) yield [x, change(y as Tensor)] satisfies StreamedBatch
  }
}
