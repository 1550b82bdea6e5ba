// Lessons on small screens, in headless Chromium: the drawing stays in 45 % of the height while the text scrolls, hides nothing that
// has the focus, and does not fill a screen that is low.
import type { Page } from "playwright-core"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { RUN_BROWSER } from "../support/chromium.ts"
import { openStudio, PAGES, type RunningStudio, violations } from "../support/studio-pages.ts"

const lessons = PAGES.filter((path) => path.startsWith("/lessons/"))

/** Where an element stands on the screen. */
const boxOf = (page: Page, selector: string): Promise<{ readonly top: number; readonly bottom: number }> =>
  page
    .locator(selector)
    .first()
    .evaluate((element) => {
      const { top, bottom } = element.getBoundingClientRect()
      return { top, bottom }
    })

const scrolledTo = async (page: Page, selector: string): Promise<void> => {
  await page
    .locator(selector)
    .first()
    .evaluate((element) => element.scrollIntoView())
  await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))))
}

/** Of all that the tab key comes to, what lies beneath the drawing or the tabs when it has the focus. */
const hidden = (page: Page): Promise<string[]> =>
  page.evaluate(async () => {
    const stays = document.querySelector(".stays")!
    const tabs = document.querySelector(".tabs")!
    const all = [...document.querySelectorAll<HTMLElement>("main :is(a, button, input, summary, [tabindex='0'])")]
    const faults: string[] = []
    // As somebody goes on, and as somebody comes back.
    for (const element of [...all, ...all.toReversed()]) {
      if (stays.contains(element) || element.tabIndex < 0 || element.closest("[popover]") !== null) continue
      element.focus()
      if (document.activeElement !== element) continue
      await new Promise(requestAnimationFrame)
      const box = element.getBoundingClientRect()
      const drawing = stays.getBoundingClientRect()
      const beneath = Math.min(box.bottom, drawing.bottom) - Math.max(box.top, drawing.top)
      const low = Math.min(innerHeight, tabs.getBoundingClientRect().top || innerHeight)
      if (beneath > 1 || box.bottom > low + 1 || box.top < -1) {
        faults.push(`${element.outerHTML.slice(0, 90)}: ${box.top} to ${box.bottom}, drawing to ${drawing.bottom}`)
      }
    }
    return faults
  })

describe.skipIf(!RUN_BROWSER)("lessons on small screens", { timeout: 60_000 }, () => {
  let studio: RunningStudio
  beforeAll(async () => {
    studio = await openStudio()
  }, 120_000)
  afterAll(() => studio?.close())

  test.each(lessons)("%s: the drawing stays, and hides nothing", async (path) => {
    const { page, faults } = await studio.open(path, { width: 390, height: 844 })
    await page.locator(".try").waitFor()
    const standsAt = async (): Promise<number> => {
      await scrolledTo(page, ".try")
      return (await boxOf(page, ".stays")).bottom
    }
    for (const [width, height, theme] of [
      [390, 844, "light"],
      [360, 640, "dark"],
      [768, 1024, "light"],
    ] as const) {
      await page.setViewportSize({ width, height })
      await page.emulateMedia({ colorScheme: theme })
      // What is left of it is all of it, or 45 % of the height; what a figure needs is known once it has been drawn at this size.
      const tooFar = async (): Promise<number> => {
        await scrolledTo(page, ".bar")
        const { top, bottom } = await boxOf(page, ".stays")
        expect(top).toBeGreaterThanOrEqual((await boxOf(page, ".bar")).bottom)
        return (await standsAt()) - Math.min(0.45 * height, bottom - top)
      }
      await expect.poll(tooFar, { timeout: 15_000 }).toBeCloseTo(0, 0)
      expect(await standsAt()).toBeGreaterThan(0.24 * height)
      expect((await boxOf(page, ".try")).top).toBeGreaterThanOrEqual((await standsAt()) - 1)
      expect(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth)).toBe(true)
      if (height > 640) continue
      // Digits that arrive meanwhile move what is below them.
      await expect.poll(() => hidden(page), { timeout: 15_000 }).toEqual([])
      expect(await violations(page)).toEqual([])
    }
    // On its side a phone has room for nothing else: everything scrolls.
    await page.setViewportSize({ width: 844, height: 390 })
    await expect.poll(standsAt).toBeLessThan(0)
    expect(faults).toEqual([])
    await page.close()
  })
})
