// The pages for readers with other eyes and hands, in headless Chromium: forced colours, no motion, and the accessibility
// checks after everything has been used, not only on load.
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { RUN_BROWSER } from "../support/chromium.ts"
import { openStudio, PAGES, type RunningStudio, violations } from "../support/studio-pages.ts"

/** What nobody can see where colours are forced: drawings, sliders and chosen things in the colour of the ground. */
function unseen(): string[] {
  const probe = document.createElement("div")
  probe.style.color = "Canvas"
  document.body.append(probe)
  const ground = getComputedStyle(probe).color
  probe.remove()
  const all = (what: string): Element[] =>
    [...document.querySelectorAll(what)].filter((e) => e.checkVisibility() && e.getBoundingClientRect().width > 0)
  const clear = (colour: string): boolean => colour === ground || colour === "rgba(0, 0, 0, 0)"
  const blank = (element: Element, part?: string): boolean => {
    const { backgroundColor, borderTopStyle, borderTopWidth, outlineStyle } = getComputedStyle(element, part)
    const bordered = borderTopStyle !== "none" && borderTopWidth !== "0px"
    return clear(backgroundColor) && !bordered && outlineStyle === "none"
  }
  const found = [
    ...all("main svg .ln, main svg .ember-ln, main svg .axis").filter((e) => getComputedStyle(e).stroke === ground),
    ...all("main svg text").filter((e) => getComputedStyle(e).fill === ground),
    ...all("main .slider .track").filter((e) => blank(e, "::before")),
    ...all("main .slider .thumb, main [aria-pressed=true], main [aria-checked=true]").filter((e) => blank(e)),
  ]
  return found.map((element) => element.outerHTML.slice(0, 120))
}

describe.skipIf(!RUN_BROWSER)("access", () => {
  let studio: RunningStudio
  beforeAll(async () => {
    studio = await openStudio()
  }, 120_000)
  afterAll(() => studio?.close())

  describe.each(PAGES)("%s", (path) => {
    test.each(["light", "dark"] as const)(
      "%s, forced colours: lines, sliders and choices are to be seen",
      async (theme) => {
        const { page, faults } = await studio.open(path, { theme })
        await page.emulateMedia({ forcedColors: "active", colorScheme: theme })
        await page.waitForTimeout(200)
        expect(await page.evaluate(() => matchMedia("(forced-colors: active)").matches)).toBe(true)
        expect(await page.evaluate(unseen)).toEqual([])
        expect(faults).toEqual([])
        await page.close()
      },
    )

    test("without motion nothing moves by itself", async () => {
      const { page } = await studio.open(path, { reducedMotion: true })
      await page.waitForTimeout(1500)
      const moving = await page.evaluate(
        () =>
          document.getAnimations().filter((a) => a.playState === "running" && a.effect?.getTiming().duration !== 0)
            .length,
      )
      expect(moving).toBe(0)
      // What is computed or loaded may still arrive; then the picture stands still.
      let before = await page.screenshot()
      const stands = async (): Promise<boolean> => {
        await page.waitForTimeout(700)
        const [last, now] = [before, await page.screenshot()]
        before = now
        return now.equals(last)
      }
      await expect.poll(stands, { timeout: 6000, interval: 10 }).toBe(true)
      await page.close()
    })

    test("axe finds nothing after every button has been pressed", async () => {
      const { page, faults } = await studio.open(path)
      const buttons = page.locator("main button:visible:enabled")
      for (let i = 0; i < Math.min(30, await buttons.count()); i++) {
        // What was pressed may have taken the place of what follows, or lie over it.
        await buttons
          .nth(i)
          .click({ timeout: 500 })
          .catch(() => {})
        if (!page.url().includes(path)) await page.goBack()
      }
      await page.keyboard.press("Escape")
      for (const details of await page.locator("main details:not([open]) > summary:visible").all()) {
        await details.click({ timeout: 500 }).catch(() => {})
      }
      await page.waitForTimeout(500)
      expect(await violations(page)).toEqual([])
      expect(faults).toEqual([])
      await page.close()
    })
  })
})
