// Every page of the studio in headless Chromium, under the server's own security policy: nothing is complained of, nothing
// is cut off, the accessibility checks pass, the keyboard suffices, in both themes and at five widths.
import { gzipSync } from "node:zlib"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { RUN_BROWSER } from "../support/chromium.ts"
import { openStudio, PAGES, type RunningStudio, violations } from "../support/studio-pages.ts"

describe.skipIf(!RUN_BROWSER)("the studio in Chromium", () => {
  let studio: RunningStudio
  beforeAll(async () => {
    studio = await openStudio()
  }, 120_000)
  afterAll(() => studio?.close())

  describe.each(PAGES)("%s", (path) => {
    test.each(["light", "dark"] as const)("%s: no fault, one heading, and axe finds nothing", async (theme) => {
      const { page, faults } = await studio.open(path, { theme })
      await page.waitForTimeout(400)
      expect(await page.locator("h1").count()).toBe(1)
      expect(await page.locator("main").count()).toBe(1)
      expect(await page.title()).toMatch(/trilobite/)
      expect(await page.evaluate(() => crossOriginIsolated)).toBe(true)
      expect(await violations(page)).toEqual([])
      expect(faults).toEqual([])
      await page.close()
    })

    test("fits from 360 to 1,920 pixels", async () => {
      const { page, faults } = await studio.open(path, { width: 360, height: 780 })
      for (const width of [360, 768, 1024, 1440, 1920]) {
        await page.setViewportSize({ width, height: 900 })
        await page.waitForTimeout(120)
        expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(width)
      }
      expect(faults).toEqual([])
      await page.close()
    })

    test("everything that can be dragged answers to the arrow keys, and can be reached", async () => {
      const { page, faults } = await studio.open(path)
      const sliders = page.locator("main [role=slider]:visible")
      for (let i = 0; i < Math.min(12, await sliders.count()); i++) {
        const slider = sliders.nth(i)
        expect(await slider.getAttribute("tabindex")).toBe("0")
        expect(await slider.getAttribute("aria-valuetext")).not.toBeNull()
        const name = await slider.getAttribute("aria-label")
        const before = await slider.getAttribute("aria-valuetext")
        await slider.focus()
        await page.keyboard.press("ArrowLeft")
        if ((await slider.getAttribute("aria-valuetext")) === before) await page.keyboard.press("ArrowRight")
        await page.waitForTimeout(50)
        expect({ name, text: await slider.getAttribute("aria-valuetext") }).not.toEqual({ name, text: before })
      }
      expect(faults).toEqual([])
      await page.close()
    })
  })

  test("a page that is not there says so", async () => {
    const { page } = await studio.open("/lessons/none")
    expect(await page.textContent("main")).toMatch(/no such page/)
    await page.close()
  })

  test("before the first lesson shows at most 120 kB of script are loaded", async () => {
    const context = await studio.browser.newContext()
    const { page } = await studio.open("/")
    const cookies = await page.context().cookies()
    await context.addCookies(cookies)
    const other = await context.newPage()
    const sizes: Promise<number>[] = []
    other.on("response", (response) => {
      if (response.request().resourceType() !== "script") return
      sizes.push(response.body().then((body) => gzipSync(body).length))
    })
    await other.goto(`${studio.origin}/lessons/costs`)
    await other.waitForSelector("h1")
    const total = (await Promise.all(sizes)).reduce((a, b) => a + b, 0)
    console.log(`script before the first lesson: ${total} bytes gzipped`)
    expect(total).toBeGreaterThan(10_000)
    expect(total).toBeLessThan(120_000)
    await context.close()
    await page.close()
  })

  test("lesson 1: dragging changes both costs, and the numbers are the library's", async () => {
    const { page, faults } = await studio.open("/lessons/costs?yhat=0.9")
    await expect.poll(() => page.textContent(".answers tr.now")).toContain("0.1054")
    await page.click("text=1, 0.1192")
    await expect.poll(() => page.url()).toContain("yhat=0.1192")
    const live = await page.locator(".formula .live").allTextContents()
    expect(live.join(" ")).toContain("0.7758")
    expect(live.join(" ")).toContain("2.127")
    expect(faults).toEqual([])
    await page.close()
  })

  test("lesson 1, saturated: two neurons trained in the page pass one half in rounds 17 and 138", async () => {
    const { page, faults } = await studio.open("/lessons/saturated")
    await page.getByRole("button", { name: "Train both" }).click()
    const race = page.locator(".race svg.plate")
    await expect.poll(() => race.getAttribute("aria-label"), { timeout: 30_000 }).toMatch(/After 160 rounds/)
    expect(await race.getAttribute("aria-label")).toMatch(/quadratic .* round 138, cross-entropy .* round 17/)
    expect(faults).toEqual([])
    await page.close()
  })

  test("lesson 2: keys walk, step and start again; the address opens at exactly this step", async () => {
    const { page, faults } = await studio.open("/lessons/trilobite?n=0")
    await page.locator("h1").click()
    for (let i = 0; i < 6; i++) await page.keyboard.press("s")
    await expect.poll(() => page.url()).toContain("n=6")
    const animal = page.getByRole("slider", { name: /trilobite/ })
    const there = await animal.getAttribute("aria-valuetext")
    const other = await studio.open(new URL(page.url()).pathname + new URL(page.url()).search)
    expect(await other.page.getByRole("slider", { name: /trilobite/ }).getAttribute("aria-valuetext")).toBe(there)
    await page.keyboard.press(" ")
    await expect.poll(() => page.getByRole("button", { name: "Walk" }).count(), { timeout: 30_000 }).toBe(1)
    await page.keyboard.press("r")
    await expect.poll(() => page.url()).toContain("n=0")
    expect(faults).toEqual([])
    await other.page.close()
    await page.close()
  })

  test("playground: a word opens its setting, arrows choose, the axis is switched, and the address holds all of it", async () => {
    const { page, faults } = await studio.open("/playground?reg=none")
    const word = page.getByRole("button", { name: /^Regularization: / })
    expect(await word.getAttribute("aria-label")).toBe("Regularization: free weights")
    await word.click()
    const panel = page.getByRole("dialog", { name: "Regularization", exact: true })
    await panel.getByRole("radio", { name: /^none/ }).focus()
    await page.keyboard.press("ArrowDown")
    await expect.poll(() => panel.getByRole("radio", { name: /^L1/ }).getAttribute("aria-checked")).toBe("true")
    await expect.poll(() => new URL(page.url()).searchParams.get("reg")).toBe("l1")
    await page.keyboard.press("Escape")
    const axis = page.getByRole("button", { name: "log axis" })
    expect(await axis.getAttribute("aria-pressed")).toBe("true")
    await axis.click()
    await expect.poll(() => axis.getAttribute("aria-pressed")).toBe("false")
    await expect.poll(() => new URL(page.url()).searchParams.get("axis")).toBe("linear")
    expect(faults).toEqual([])
    await page.close()
  })

  test("Go to, the theme and the lessons answer to their keys", async () => {
    const { page, faults } = await studio.open("/lessons/costs")
    await page.locator("h1").click()
    await page.keyboard.press("/")
    await page.keyboard.type("playground")
    await page.keyboard.press("Enter")
    await expect.poll(() => new URL(page.url()).pathname).toBe("/playground")
    await page.locator("h1").waitFor({ state: "attached" })
    await page.keyboard.press("t")
    expect(await page.evaluate(() => document.documentElement.dataset.theme)).toBe("dark")
    await page.keyboard.press("2")
    await expect.poll(() => new URL(page.url()).pathname).toBe("/lessons/trilobite")
    expect(faults).toEqual([])
    await page.close()
  })
})
