// Every ```ts block of README.md and of the @example tags under src runs as a module, and its `// =>` values hold.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { afterAll, describe, expect, test } from "vitest"
import { docstringExamples, type Example, markdownExamples, withAssertions } from "./support/examples.ts"
import { ROOT, readSources } from "./support/files.ts"

const FOLDER = `${ROOT}.cache/docs-examples/${process.pid}/`
const name = ({ file, line }: Example): string => `${file}:${line}`

/** Writes an example as a module of its own and imports it. */
async function run(example: Example): Promise<void> {
  const path = `${FOLDER}${name(example).replace(/[^\w]/g, "_")}.ts`
  mkdirSync(FOLDER, { recursive: true })
  // One line of prefix, so that a stack trace's line number is the line within the block's fence.
  writeFileSync(path, `import { check } from "${ROOT}test/support/check.ts"\n${withAssertions(example)}\nexport {}\n`)
  await import(path)
}

afterAll(() => rmSync(FOLDER, { recursive: true, force: true }))

const readme = markdownExamples("README.md", readFileSync(`${ROOT}README.md`, "utf8"))
const docstrings = [...readSources("src")].flatMap(([file, source]) => docstringExamples(file, source))

describe("examples", () => {
  for (const example of [...readme.filter(({ info }) => info !== "ts no-run"), ...docstrings]) {
    test(name(example), async () => {
      expect(example.info, "words after ```ts").toBe("ts")
      await run(example)
    })
  }
})

describe("the example runner", () => {
  const fence = "```"
  let count = 0
  const planted = (code: string): Example => ({
    file: "planted",
    line: ++count,
    info: "ts",
    code,
  })

  test("finds blocks and their lines", () => {
    const doc = [
      "const a = 1",
      "/**",
      " * One.",
      " * @example",
      ` * ${fence}ts`,
      " * f(1)",
      " *   .g()",
      ` * ${fence}`,
      " */",
    ]
    expect(docstringExamples("a.ts", doc.join("\n"))).toEqual([
      { file: "a.ts", line: 5, info: "ts", code: "f(1)\n  .g()\n" },
    ])
    const page = ["# T", `${fence}sh`, "ls", fence, `${fence}ts no-run`, "x", fence].join("\n")
    expect(markdownExamples("p.md", page)).toEqual([{ file: "p.md", line: 5, info: "ts no-run", code: "x\n" }])
  })

  test.each([
    "1 + 1 // => 2",
    "const y: number = 3 // => 3",
    "console.log([1, 2].map((x) => x * 2)) // => [2, 4]",
    "new Float32Array([1, 2]) // => [1, 2]",
    "[1, 2]\n  .map((x) => x + 1) // => [2, 3]",
    "0.77649 // ~> 0.776",
    "({ loss: [0.1234, 2], name: 'x' }) // ~> { loss: [0.12, 2], name: 'x' }",
    "1.26e-5 // ~> 1.3e-5",
    "await Promise.resolve(null) // => null",
  ])("passes %j", async (code) => {
    await run(planted(code))
  })

  test.each([
    "1 + 1 // => 3",
    "const y = 3 // => 4",
    "console.log(1) // => 2",
    "[1, 2] // => [1]",
    "({ a: 1, b: 2 }) // => { a: 1 }",
    "0.7771 // ~> 0.776",
    "[0.1, 0.2] // ~> [0.1]",
    "if (true) {} // => 1",
    "throw new Error('no')",
    "expect(1)",
  ])("fails %j", async (code) => {
    await expect(run(planted(code))).rejects.toThrow()
  })
})
