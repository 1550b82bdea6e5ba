// What the pages of the studio train, in headless Chromium as a reader does it: buttons, keys, and the numbers that appear.
import { spawn } from "node:child_process"
import { once } from "node:events"
import { join } from "node:path"
import type { Page } from "playwright-core"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { RUN_BROWSER } from "../support/chromium.ts"
import { ROOT } from "../support/files.ts"
import { openStudio, type RunningStudio } from "../support/studio-pages.ts"

const patient = { timeout: 60_000 }
const number = (text: string | null | undefined): number => Number(/[\d,.]+/.exec(text ?? "")?.[0].replaceAll(",", ""))
const button = (page: Page, name: string | RegExp): ReturnType<Page["getByRole"]> =>
  page.getByRole("button", { name, exact: typeof name === "string" }).first()

describe.skipIf(!RUN_BROWSER)("trainings of the studio in Chromium", { timeout: 120_000 }, () => {
  let studio: RunningStudio
  beforeAll(async () => {
    studio = await openStudio()
  }, 120_000)
  afterAll(() => studio?.close())

  test("lesson 2, mountain: steps go down, and the map is seen from above", async () => {
    const { page, faults } = await studio.open("/lessons/mountain")
    const before = number(/cost is\s*(\d+\.\d+)/.exec((await page.textContent("main")) ?? "")?.[1])
    for (let i = 0; i < 5; i++) await button(page, "Step").click()
    await expect.poll(async () => /After (\d+) steps/.exec((await page.textContent("main")) ?? "")?.[1]).toBe("9")
    expect(number(/cost is\s*(\d+\.\d+)/.exec((await page.textContent("main")) ?? "")?.[1])).toBeLessThan(before)
    await button(page, "From above").click()
    await expect.poll(() => page.getByRole("slider", { name: "Tilt" }).getAttribute("aria-valuenow")).toBe("90")
    expect(faults).toEqual([])
    await page.close()
  })

  test("lesson 2, escape: of 100 walks with batches of 8 some escape, with all examples none does", async () => {
    const { page, faults } = await studio.open("/lessons/escape")
    await button(page, /100 seeds/).click()
    await expect.poll(() => page.textContent("main"), patient).toMatch(/Of 100 walks .* 63 escaped/)
    await page.getByRole("radio", { name: "64" }).click()
    await button(page, /100 seeds/).click()
    await expect.poll(() => page.textContent("main"), patient).toMatch(/Of 100 walks .* (none|0) (has )?escaped/)
    expect(faults).toEqual([])
    await page.close()
  })

  test("lesson 3: an epoch runs, and every image has been used once", async () => {
    const { page, faults } = await studio.open("/lessons/batches")
    await button(page, "Run the epoch").click()
    await expect.poll(() => page.textContent("main"), patient).toMatch(/used once\s*60,000/)
    expect(await page.textContent("main")).toMatch(/used more than once\s*0/)
    expect(faults).toEqual([])
    await page.close()
  })

  test("lesson 4: a nudged weight moves the cost by what was foretold", async () => {
    const { page, faults } = await studio.open("/lessons/backpropagation")
    await expect.poll(() => page.textContent("main"), patient).toMatch(/library says the same/)
    await button(page, "+0.01").click()
    const told = async (): Promise<number[]> => {
      const text = ((await page.textContent("main")) ?? "").replaceAll("−", "-")
      const found = /the cost did[+-]0\.010([+-]\d\.\d+)([+-]\d\.\d+)/.exec(text)
      return [Number(found?.[1]), Number(found?.[2])]
    }
    await expect.poll(async () => Math.abs((await told())[0]!)).toBeGreaterThan(0)
    const [foretold, did] = (await told()) as [number, number]
    expect(Math.abs(did - foretold)).toBeLessThan(0.1 * Math.abs(foretold))
    expect(faults).toEqual([])
    await page.close()
  })

  test("lesson 5: the layer next to the output learns about ten times as fast as the third from it", async () => {
    const { page, faults } = await studio.open("/lessons/speed")
    await button(page, "Start").click()
    await expect.poll(() => button(page, /Train again|Start anew|Again/).isVisible(), patient).toBe(true)
    const ratio = async (): Promise<number> =>
      number(/learned (\d+) times as fast/.exec((await page.textContent("main")) ?? "")?.[1])
    await expect.poll(ratio, patient).toBeGreaterThan(7)
    expect(await ratio()).toBeLessThan(30)
    expect(faults).toEqual([])
    await page.close()
  })

  test("lesson 6: the net trains in the page, and answers a drawing", async () => {
    const { page, faults } = await studio.open("/lessons/intermediate?epochs=2")
    await button(page, "Train").click()
    await expect.poll(() => page.textContent("main"), patient).toMatch(/9[1-5]\.\d % of unseen digits read right/)
    const box = await page.locator("canvas.sheet").boundingBox()
    const at = (x: number, y: number): [number, number] => [box!.x + x * box!.width, box!.y + y * box!.height]
    await page.mouse.move(...at(0.5, 0.15))
    await page.mouse.down()
    for (let i = 0; i <= 20; i++) await page.mouse.move(...at(0.5, 0.15 + (0.7 * i) / 20))
    await page.mouse.up()
    await expect.poll(() => page.textContent("main"), patient).toMatch(/It says 1, with \d/)
    expect(faults).toEqual([])
    await page.close()
  })

  test("lesson 7: a sweep of the learning rate finds a valley between the ends", async () => {
    const { page, faults } = await studio.open("/lessons/knobs?seeds=1")
    await button(page, "Start").click()
    await expect
      .poll(() => page.textContent("main"), patient)
      .toMatch(/The sweet spot is a learning rate of (0\.1|0\.3|1):/)
    expect(faults).toEqual([])
    await page.close()
  })

  test("playground: plays, steps, undoes, changes the rate without starting again, and exports", async () => {
    const { page, faults } = await studio.open("/playground")
    const epochs = async (): Promise<number> => number(await page.locator(".epoch b").textContent())
    await button(page, "Step").click()
    await expect.poll(epochs, patient).toBe(1)
    // A button that has the focus keeps the space bar for itself.
    await page.evaluate(() => (document.activeElement as HTMLElement).blur())
    await page.keyboard.press(" ")
    await expect.poll(epochs, patient).toBeGreaterThan(5)
    await page.keyboard.press("]")
    await page.keyboard.press(" ")
    await expect.poll(() => button(page, /Play|Train|Go on|Start/).isVisible()).toBe(true)
    const stopped = await epochs()
    expect(stopped).toBeGreaterThan(5)
    await expect.poll(() => page.url()).toMatch(/[?&]\w+=0\.0/)
    await page.keyboard.press("z")
    await page.getByRole("button", { name: /Export as TypeScript/ }).click()
    expect(await page.locator("dialog[open] pre, dialog[open] textarea").first().textContent()).toMatch(
      /import \{[^}]*sequential[^}]*\} from "trilobite"/,
    )
    expect(faults).toEqual([])
    await page.close()
  })

  test("runs: a run is followed live, and its result is said", async () => {
    const folder = join(studio.runs, "live-net")
    const args = ["cli/main.ts", "train", "intermediate-net", "--epochs", "6", "--out", folder, "--quiet"]
    const child = spawn(process.execPath, args, { cwd: ROOT, stdio: "ignore" })
    const ended = once(child, "exit")
    const { page, faults } = await studio.open("/runs")
    await expect.poll(() => page.textContent("main"), patient).toMatch(/live-net/)
    await expect.poll(() => page.textContent("main"), patient).toMatch(/9\d\.\d % of unseen digits read right/)
    expect((await ended)[0]).toBe(0)
    expect(await page.textContent("main")).toMatch(/55,050 parameters/)
    expect(faults).toEqual([])
    await page.close()
  })

  test("data: the wall of MNIST is filtered and sorted by class", async () => {
    const { page, faults } = await studio.open("/data/mnist")
    await expect.poll(() => page.textContent("main"), patient).toMatch(/60,000 images/)
    await page.locator("main button", { hasText: "0: 5,923 images" }).click()
    await expect.poll(() => page.textContent("main"), patient).toMatch(/5,923 images/)
    await page.getByRole("radio", { name: "by class" }).click()
    expect(await page.getByRole("radio", { name: "by class" }).getAttribute("aria-checked")).toBe("true")
    expect(faults).toEqual([])
    await page.close()
  })
})
