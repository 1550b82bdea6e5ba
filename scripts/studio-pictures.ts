// Draws every page of the studio at three widths into docs/studio (small JPEGs, for reference and for the README):
//   node scripts/studio-pictures.ts [/runs /playground …]
// Needs Chromium and the built studio: it builds the site anew and serves it as `trilobite studio` does.
import { spawnSync } from "node:child_process"
import { mkdirSync } from "node:fs"
import { join } from "node:path"
import { ROOT } from "../test/support/files.ts"
import { openStudio } from "../test/support/studio-pages.ts"

/** What is done on a page before its picture is taken, so that it shows something. */
const before: { readonly [path: string]: { readonly press?: string; readonly click?: string; readonly wait: number } } =
  {
    "/": { wait: 600 },
    "/lessons/costs": { wait: 400 },
    "/lessons/saturated": { click: "Train both", wait: 4000 },
    "/lessons/trilobite": { wait: 600 },
    "/lessons/mountain": { wait: 1500 },
    "/lessons/escape": { click: "Again with 100 seeds", wait: 3000 },
    "/lessons/batches": { wait: 6000 },
    "/lessons/backpropagation": { wait: 2500 },
    "/lessons/speed": { click: "Start", wait: 12_000 },
    "/lessons/intermediate": { click: "Train", wait: 20_000 },
    "/lessons/knobs": { click: "Start", wait: 25_000 },
    "/playground": { press: " ", wait: 6000 },
    "/runs": { wait: 1500 },
    "/data/mnist": { wait: 4000 },
  }

const sizes = [
  { width: 1440, height: 900, theme: "light" },
  { width: 768, height: 1024, theme: "dark" },
  { width: 390, height: 844, theme: "light" },
] as const

const folder = join(ROOT, "docs/studio")
mkdirSync(folder, { recursive: true })
const studio = await openStudio()
// Runs to look at, by the command line itself.
for (const [net, epochs] of [
  ["shallow-net", 40],
  ["intermediate-net", 20],
] as const) {
  const args = ["cli/main.ts", "train", net, "--epochs", String(epochs), "--out", join(studio.runs, net), "--quiet"]
  const { status, stderr } = spawnSync(process.execPath, args, { cwd: ROOT, encoding: "utf8" })
  if (status !== 0) throw new Error(stderr)
}
const wanted = process.argv.slice(2)
try {
  for (const [path, { press, click, wait }] of Object.entries(before)) {
    if (wanted.length > 0 && !wanted.includes(path)) continue
    const name = path === "/" ? "home" : path.slice(1).replaceAll("/", "-")
    for (const size of sizes) {
      const { page, faults } = await studio.open(path, { ...size, reducedMotion: false })
      await page.waitForTimeout(600)
      if (press !== undefined) await page.keyboard.press(press)
      if (click !== undefined) await page.getByRole("button", { name: click, exact: true }).first().click()
      await page.waitForTimeout(wait)
      await page.screenshot({ path: join(folder, `${name}-${size.width}.jpg`), type: "jpeg", quality: 62 })
      console.log(`${name}-${size.width}.jpg${faults.length > 0 ? ` FAULTS ${faults.join("; ")}` : ""}`)
      await page.close()
    }
  }
} finally {
  await studio.close()
}
