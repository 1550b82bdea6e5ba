// Where the values of a parameter are: in the host's memory, or in an engine that works on them. Several models may share
// them. Knows no engine and no model.

import type { Variable } from "../graph/node.ts"

/** What holds values of parameters under keys of its own. */
export interface Holder {
  read(key: string): Float32Array
  write(key: string, values: Float32Array): void
}

/** The values of one parameter. Models that share it have the same cell. */
export interface Cell {
  readonly shape: Variable["shape"]
  /** The values while nobody holds them. */
  host: Float32Array
  /** Who has the newest values, and under which key. */
  held: { readonly holder: Holder; readonly key: string } | undefined
}

/** The values now, row-major; a copy. */
export function valuesOf(cell: Cell): Float32Array {
  return cell.held === undefined ? cell.host.slice() : cell.held.holder.read(cell.held.key)
}

/** Sets the values, wherever they are. */
export function setValues(cell: Cell, values: Float32Array): void {
  if (cell.held === undefined) cell.host = values.slice()
  else cell.held.holder.write(cell.held.key, values)
}

/** The holder has the newest values from now on; it is given them if it had not. */
export function takeOver(cell: Cell, holder: Holder, key: string): void {
  if (cell.held?.holder === holder) return
  lend(cell, holder, key)
  cell.held = { holder, key }
}

/** The holder is given the values, which stay where they are. */
export function lend(cell: Cell, holder: Holder, key: string): void {
  if (cell.held?.holder !== holder) holder.write(key, cell.held === undefined ? cell.host : valuesOf(cell))
}

/** The values are in the host's memory again, because the holder ends. */
export function giveBack(cell: Cell, holder: Holder): void {
  if (cell.held?.holder !== holder) return
  cell.host = valuesOf(cell)
  cell.held = undefined
}
