// What a row of the table of operations is, and how rows are made (test/ops.cases.ts).
import { BATCH, type Shape } from "../../src/core/shape.ts"
import type * as compose from "../../src/graph/compose.ts"
import type { Node } from "../../src/graph/node.ts"

/** Three sizes that the shapes of a row are made of. */
export type Sizes = readonly [number, number, number]

/** A leaf of a row: an input if its shape begins with the batch, else a variable. */
export interface Leaf {
  readonly shape: Shape
  /** Values lie between these, all different from each other, from 0 and from whole numbers. By default −2 and 2. */
  readonly range?: readonly [number, number]
  /** Values are whole numbers of the range, many of them equal. No slope is asked for. */
  readonly whole?: boolean
}

/** One row of the table. */
export interface OpRow {
  readonly name: string
  leaves(sizes: Sizes): readonly Leaf[]
  build(leaves: readonly Node[], sizes: Sizes): Node
  /** The composition that the row is there for. */
  readonly composition?: keyof typeof compose
  /** False if the slope is not that of the value: nothing flows through stopGradient. */
  readonly slope?: false
}

export const B: number = BATCH
export const POSITIVE = { range: [0.2, 3] } as const
export const BITS = { range: [0, 1], whole: true } as const
export const FEW = { range: [-2, 2], whole: true } as const

/** A row of leaves of the same kind. */
export function row(
  name: string,
  shapes: (...sizes: Sizes) => readonly Shape[],
  build: (leaves: readonly Node[], sizes: Sizes) => Node,
  more: Omit<Leaf, "shape"> & Pick<OpRow, "composition" | "slope"> = {},
): OpRow {
  const { composition, slope, ...leaf } = more
  const leaves: OpRow["leaves"] = (sizes) => shapes(...sizes).map((shape) => ({ shape, ...leaf }))
  return { name, leaves, build, ...(composition && { composition }), ...(slope === false && { slope }) }
}

export const matrix = (_: number, b: number, c: number): Shape[] => [[b, c]]
export const batched = (_: number, b: number, c: number): Shape[] => [[B, b, c]]
export const batchRows = (_: number, b: number): Shape[] => [[B, b]]
export const at = (leaves: readonly Node[], i: number): Node => leaves[i]!
