// A whole graph: for each entry (train, evaluate, predict) what a round updates, writes down and gives out. Knows no device.

import { type Node, topological, type Variable } from "./node.ts"

/** A variable and the value that it has after the round. */
export interface Update {
  readonly variable: Variable
  readonly value: Node
}

/** What one kind of round does: one batch of rows comes in as `input` nodes. */
export interface Entry {
  /** New values of variables: all are computed from the values at the start of the round. */
  readonly updates: readonly Update[]
  /** Numbers written down for every round: loss, metrics. Shape [], or [k], which is written as `name[0]`, `name[1]`, … */
  readonly logs: readonly { readonly name: string; readonly value: Node }[]
  /** Values with one row per example, written to the caller's memory. Shape [batch, ...]. */
  readonly outputs: readonly { readonly name: string; readonly value: Node }[]
  /** The log that must be finite, or the run stops before this round's updates. */
  readonly guard?: string
}

/** A model as the compiler sees it: entries by name over common variables. */
export type Graph = { readonly [entry: string]: Entry }

/** The values that an entry must compute, in a fixed order. */
export function rootsOf(entry: Entry): Node[] {
  return [...entry.updates, ...entry.logs, ...entry.outputs].map((part) => part.value)
}

/** Every variable that the graph reads or writes, in the order of first use. */
export function variablesOf(graph: Graph): Variable[] {
  const byKey = new Map<string, Variable>()
  for (const entry of Object.values(graph)) {
    for (const node of topological(rootsOf(entry))) {
      if (node.op === "variable") {
        const { variable } = (node as Node<"variable">).attributes
        byKey.set(variable.key, variable)
      }
    }
    for (const { variable } of entry.updates) byKey.set(variable.key, variable)
  }
  return [...byKey.values()]
}
