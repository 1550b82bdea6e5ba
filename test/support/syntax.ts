// Walks over parsed TypeScript for the tests that read the sources. Knows syntax only, no rule of this repository.
import { parseAst } from "vitest/node"

/** A syntax tree node: its type, its place in the text, and whatever fields that type has. */
export type SyntaxNode = { type: string; start: number; end: number; [field: string]: unknown }

/** Whether a value found inside a syntax tree is itself a node. */
export function isNode(value: unknown): value is SyntaxNode {
  return typeof value === "object" && value !== null && typeof (value as SyntaxNode).type === "string"
}

/** Parses TypeScript; throws a SyntaxError that names the file. */
export function parse(file: string, text: string): SyntaxNode {
  try {
    return parseAst(text, { lang: "ts", sourceType: "module" }, file) as unknown as SyntaxNode
  } catch (error) {
    throw new SyntaxError(`${file}: ${String(error)}`)
  }
}

/** Calls `visit` on a node and everything below it, parents first. */
export function walk(node: SyntaxNode, visit: (node: SyntaxNode) => void): void {
  visit(node)
  for (const value of Object.values(node)) {
    for (const child of Array.isArray(value) ? value : [value]) if (isNode(child)) walk(child, visit)
  }
}

/** The line number, from 1, of an offset in a text. */
export function lineAt(text: string, offset: number): number {
  return text.slice(0, offset).split("\n").length
}
