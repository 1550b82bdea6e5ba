// How quick the studio is, in Chromium under its own server:
//   node bench/studio.ts
// Script before the first lesson, time to the first answer of a control on a processor slowed four times, frames and answers
// of the playground while a net trains. Prints JSON with the machine; nothing is asserted here.
import { cpus } from "node:os"
import { gzipSync } from "node:zlib"
import { openStudio } from "../test/support/studio-pages.ts"

const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1]!

interface Answer {
  readonly ms: number
  /** Bytes of script, gzipped. */
  readonly script: number
  readonly thread: Readonly<Record<string, number>>
}

const studio = await openStudio()
try {
  /**
   * Milliseconds from the beginning of the navigation until an arrow key has moved the first slider, and those that the page's
   * thread has worked until then (slowed, too), which a shared machine changes less.
   */
  const firstAnswer = async (slowdown: number): Promise<Answer> => {
    const { page } = await studio.open("/data/mnist", { reducedMotion: false })
    const context = page.context()
    // It has brought the session; what it would still draw is no part of the answer.
    await page.goto("about:blank")
    const other = await context.newPage()
    const session = await context.newCDPSession(other)
    await session.send("Emulation.setCPUThrottlingRate", { rate: slowdown })
    await session.send("Network.setCacheDisabled", { cacheDisabled: true })
    await session.send("Performance.enable", { timeDomain: "threadTicks" })
    const sizes: Promise<number>[] = []
    other.on("response", (response) => {
      if (response.request().resourceType() === "script") {
        sizes.push(
          response.body().then(
            (body) => gzipSync(body).length,
            () => 0,
          ),
        )
      }
    })
    // Measured within the page, by its own clock: as soon as there is a slider it gets a key, and the next frame is the answer.
    // It is told by the console, as whatever else asks the page brings scripts of its own with it.
    await other.addInitScript(() => {
      const look = (): void => {
        const slider = document.querySelector("main [role=slider]")
        if (slider === null) return void requestAnimationFrame(look)
        const before = slider.getAttribute("aria-valuetext")
        slider.dispatchEvent(new KeyboardEvent("keydown", { key: "ArrowLeft", bubbles: true }))
        const wait = (): void => {
          const now = document.querySelector("main [role=slider]")?.getAttribute("aria-valuetext")
          if (now === before) requestAnimationFrame(wait)
          else console.log(`answered ${performance.now()}`)
        }
        requestAnimationFrame(wait)
      }
      requestAnimationFrame(look)
    })
    const told = other.waitForEvent("console", (message) => message.text().startsWith("answered"))
    await other.goto(`${studio.origin}/lessons/costs`, { waitUntil: "commit" })
    const ms = Number((await told).text().split(" ")[1])
    const { metrics } = await session.send("Performance.getMetrics")
    const thread = Object.fromEntries(
      (["TaskDuration", "LayoutDuration", "RecalcStyleDuration"] as const).map((name) => [
        name,
        Math.round(1000 * metrics.find((metric) => metric.name === name)!.value),
      ]),
    )
    const script = (await Promise.all(sizes)).reduce((a, b) => a + b, 0)
    await context.close()
    return { ms, script, thread }
  }
  const first: Answer[] = []
  for (let i = 0; i < 5; i++) first.push(await firstAnswer(4))

  const { page } = await studio.open("/playground", { reducedMotion: false })
  await page.locator("h1").first().waitFor({ state: "attached" })
  await page.keyboard.press(" ")
  await page.waitForTimeout(2000)
  const frames = await page.evaluate(
    () =>
      new Promise<number[]>((resolve) => {
        const all: number[] = []
        let last = performance.now()
        const tick = (now: number): void => {
          all.push(now - last)
          last = now
          if (all.length < 300) requestAnimationFrame(tick)
          else resolve(all.slice(1))
        }
        requestAnimationFrame(tick)
      }),
  )
  // Event timing: from a key to the next frame that shows its effect.
  await page.evaluate(() => {
    const seen: number[] = []
    ;(globalThis as { seen?: number[] }).seen = seen
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) seen.push(entry.duration)
    }).observe({ type: "event", durationThreshold: 16, buffered: false } as PerformanceObserverInit)
  })
  for (let i = 0; i < 20; i++) {
    await page.keyboard.press(i % 2 === 0 ? "]" : "[")
    await page.waitForTimeout(150)
  }
  const answers = await page.evaluate(() => (globalThis as { seen?: number[] }).seen ?? [])
  const points = await page.evaluate(() => /([\d,]+) points\/s/.exec(document.body.textContent ?? "")?.[1])
  console.log(
    JSON.stringify(
      {
        machine: cpus()[0]?.model,
        cores: cpus().length,
        node: process.version,
        browser: studio.browser.version(),
        scriptBeforeFirstLessonBytesGzipped: first[0]!.script,
        firstAnswerMsSlowedFourTimes: {
          median: median(first.map(({ ms }) => ms)),
          all: first.map(({ ms }) => ms),
          thread: first.map(({ thread }) => thread),
        },
        whileTraining: {
          framesPerSecond: 1000 / (frames.reduce((a, b) => a + b, 0) / frames.length),
          frameMs: { median: median(frames), worst: Math.max(...frames) },
          answerMs: answers.length === 0 ? "all under 16" : { median: median(answers), worst: Math.max(...answers) },
          pointsPerSecondShown: points,
        },
      },
      null,
      2,
    ),
  )
} finally {
  await studio.close()
}
