// A graph and the Program that it becomes, as text. Loaded when a reader asks for it.

import type { CompileOptions } from "../compile/compile.ts"
import type { Graph } from "../graph/graph.ts"
import { printGraph } from "../graph/print.ts"
import { printProgram } from "../program/print.ts"

/** A graph and its Program as text, and the memory of the Program in bytes. */
export interface Inspected {
  readonly graph: string
  readonly program: string
  readonly bytes: number
}

/** Compiles a graph, and prints both. */
export async function inspected(graph: Graph, options: CompileOptions): Promise<Inspected> {
  const { compile } = await import("../compile/compile.ts")
  const program = compile(graph, options)
  return { graph: printGraph(graph), program: printProgram(program), bytes: program.arena }
}
