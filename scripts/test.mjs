// `npm test`: formatting and lint, types, then every test; the last line is "N passed, N failed".
// Lint and types count as one test each. Arguments go to vitest (`npm test -- test/docs.test.ts`).
import { spawnSync } from "node:child_process"
import { mkdirSync, readFileSync, rmSync } from "node:fs"

/** Full names ("suite test") of tests that may be skipped when CI is set; each with a comment that says why. */
const ALLOWED_SKIPS = new Set([
  // Machines that let nobody trace a process: crash.test.ts tries the same with a disk that fails.
  "C2 a kill in a system call leaves the last checkpoint that was acknowledged, or a newer one, whole",
  // Machines where nobody may mount a small disk: crash.test.ts plants the same errors.
  "C4 a small disk full to 64 levels: all of the new file or the old one, no other, and how much is missing",
  "C4 a small disk a training goes on from what was saved before the disk was full",
  "C4 a small disk a disk that may only be read",
])

const REPORT = ".cache/vitest.json"

/** Runs one of node_modules/.bin (npm puts it on PATH) and says whether it succeeded. */
function run(title, command, args) {
  console.log(`\n> ${title}: ${[command, ...args].join(" ")}`)
  const { status, error } = spawnSync(command, args, { stdio: "inherit", shell: process.platform === "win32" })
  if (error) console.error(String(error))
  return status === 0
}

const failures = []
let passed = 0
const check = (title, ok) => (ok ? passed++ : failures.push(title))

check("lint (npm run lint; npm run format repairs)", run("lint", "biome", ["check", "--error-on-warnings", "."]))
check("types (npm run typecheck)", run("types", "tsc", []))

mkdirSync(".cache", { recursive: true })
rmSync(REPORT, { force: true })
const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${REPORT}`]
const ok = run("tests", "vitest", ["run", ...reporters, ...process.argv.slice(2)])
const before = failures.length
try {
  for (const file of JSON.parse(readFileSync(REPORT, "utf8")).testResults) {
    const broken = file.assertionResults.some((test) => test.status === "failed")
    if (file.status === "failed" && !broken) failures.push(`${file.name}: ${file.message || "could not run"}`)
    for (const test of file.assertionResults) {
      if (test.status === "passed") passed++
      else if (test.status === "failed") failures.push(test.fullName)
      else if (process.env.CI && !ALLOWED_SKIPS.has(test.fullName)) failures.push(`skipped: ${test.fullName}`)
      else console.log(`skipped: ${test.fullName}`)
    }
  }
} catch (error) {
  console.error(`no test report: ${error}`)
}
if (!ok && failures.length === before) failures.push("vitest reported an error outside the tests")

for (const failure of failures) console.log(`FAILED ${failure}`)
console.log(`\n${passed} passed, ${failures.length} failed`)
process.exitCode = failures.length > 0 ? 1 : 0
