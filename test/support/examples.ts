// Finds the ```ts blocks of Markdown and docstrings and turns their `// =>` lines into assertions. Runs nothing itself.
import { isNode, parse, type SyntaxNode } from "./syntax.ts"

/** One block of example code: where its fence stands (line from 1), the words after ```ts, and the code. */
export type Example = { file: string; line: number; info: string; code: string }

/** The ts blocks of a Markdown text. */
export function markdownExamples(file: string, source: string): Example[] {
  const found: Example[] = []
  let open: { fence: string; example: Example } | undefined
  for (const [index, line] of source.split("\n").entries()) {
    const [, indent = "", fence, info = ""] = /^(\s*)(`{3,})(.*)$/.exec(line) ?? []
    if (open && fence === open.fence && info.trim() === "") {
      if (/^ts\b/.test(open.example.info)) found.push(open.example)
      open = undefined
    } else if (open) open.example.code += `${line.startsWith(indent) ? line.slice(indent.length) : line}\n`
    else if (fence) open = { fence, example: { file, line: index + 1, info: info.trim(), code: "" } }
  }
  if (open) throw new SyntaxError(`${file}:${open.example.line}: this code block is never closed`)
  return found
}

/** The ts blocks that follow an @example tag in the docstrings of a source file. */
export function docstringExamples(file: string, source: string): Example[] {
  return [...source.matchAll(/^[ \t]*\/\*\*[\s\S]*?\*\//gm)].flatMap((comment) => {
    // The text before @example becomes empty lines, so that line numbers stay right.
    const doc = comment[0].replace(/^[ \t]*(\/\*\*|\*\/|\*) ?/gm, "").replace(/\*\/$/, "")
    const start = doc.search(/^@example\b/m)
    if (start < 0) return []
    const above = source.slice(0, comment.index).replace(/[^\n]/g, "")
    return markdownExamples(file, above + doc.slice(0, start).replace(/[^\n]/g, "") + doc.slice(start))
  })
}

/** The expression whose value a statement shows: `f(x)`, the argument of `console.log(f(x))`, or `y` of `const y = f(x)`. */
function shown(statement: SyntaxNode): { node: SyntaxNode; declares: boolean } | undefined {
  if (statement.type === "ExpressionStatement" && isNode(statement.expression)) {
    const call = statement.expression
    const { callee, arguments: args } = call as { callee?: unknown; arguments?: unknown[] }
    const isLog = isNode(callee) && isNode(callee.object) && callee.object.name === "console"
    const first = args?.[0]
    return { node: isLog && args?.length === 1 && isNode(first) ? first : call, declares: false }
  }
  if (statement.type !== "VariableDeclaration") return undefined
  const [first, second] = statement.declarations as SyntaxNode[]
  return first && !second && isNode(first.id) ? { node: first.id, declares: true } : undefined
}

/**
 * Rewrites `expression // => value` and `expression // ~> 0.776` to calls `check(actual, expected, line)`, line by line
 * in place; `~>` compares numbers to the digits that are shown. The expected value is written as a literal.
 */
export function withAssertions(example: Example): string {
  const { file, code, line } = example
  const at = (offset: number): string => `${file}:${line + code.slice(0, offset).split("\n").length}`
  const statements = parse(`${file}:${line}`, code).body as SyntaxNode[]
  let output = ""
  let from = 0
  for (const mark of code.matchAll(/\/\/ ([=~])> (.*)$/gm)) {
    const lineStart = code.lastIndexOf("\n", mark.index) + 1
    const statement = statements.findLast(({ end }) => end <= mark.index)
    const value = statement && statement.end > lineStart ? shown(statement) : undefined
    if (!statement || !value) throw new SyntaxError(`${at(mark.index)}: no expression stands before "${mark[0]}"`)
    const actual = code.slice(value.node.start, value.declares ? nameEnd(value.node) : value.node.end)
    const expected = mark[1] === "~" ? approximate(mark[2] ?? "") : mark[2]
    const call = `check((${actual}), (${expected}), ${JSON.stringify(at(mark.index))})`
    output += code.slice(from, value.declares ? statement.end : statement.start) + (value.declares ? `; ${call}` : call)
    from = mark.index
  }
  return output + code.slice(from)
}

/** Where a declared name ends: before its type annotation, if it has one. */
function nameEnd(id: SyntaxNode): number {
  return isNode(id.typeAnnotation) ? id.typeAnnotation.start : id.end
}

/** Every number of a literal as `{ $about: value, within: half a unit of its last digit }`. */
function approximate(literal: string): string {
  return literal.replace(/-?\d+(?:\.(\d+))?(?:e([+-]?\d+))?/gi, (number, digits: string | undefined, exponent) => {
    const unit = 10 ** (Number(exponent ?? 0) - (digits?.length ?? 0))
    return `{ $about: ${number}, within: ${0.5 * unit * (1 + 1e-9)} }`
  })
}

/** What two values are compared by: typed arrays become arrays, other objects plain records of what they enumerate. */
export function plain(value: unknown): unknown {
  if (ArrayBuffer.isView(value) && !(value instanceof DataView)) return Array.from(value as Float32Array)
  if (Array.isArray(value)) return value.map(plain)
  if (typeof value !== "object" || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, plain(item)]))
}

/** The expected value, with each `$about` replaced by the actual number if that is near enough. */
export function settle(actual: unknown, expected: unknown): unknown {
  if (typeof expected !== "object" || expected === null) return expected
  if ("$about" in expected) {
    const { $about, within } = expected as unknown as { $about: number; within: number }
    return typeof actual === "number" && Math.abs(actual - $about) <= within ? actual : `${$about} ± ${within}`
  }
  const inside = (key: string): unknown => (actual as Record<string, unknown> | null | undefined)?.[key]
  if (Array.isArray(expected)) return expected.map((item, index) => settle(inside(String(index)), item))
  return Object.fromEntries(Object.entries(expected).map(([key, item]) => [key, settle(inside(key), item)]))
}
