// How quick the studio is, in Chromium under its own server:
//   node bench/studio.ts [--runs 3]
// Script before the first lesson, time to the first answer of a control on a processor slowed four times; then frames and
// answers while a net trains: of the playground, and of the lessons on the intermediate net (its learning rate), on the speed
// of learning (along its chart) and on hyperparameters (from run to run). Prints JSON with the machine; nothing is asserted here.
import { cpus, loadavg } from "node:os"
import { parseArgs } from "node:util"
import { gzipSync } from "node:zlib"
import type { Page } from "playwright-core"
import { openStudio } from "../test/support/studio-pages.ts"

const { values: given } = parseArgs({ options: { runs: { type: "string", default: "3" } } })

const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1]!

interface Answer {
  readonly ms: number
  /** Bytes of script, gzipped. */
  readonly script: number
  readonly thread: Readonly<Record<string, number>>
}

/** A page in which a net trains. */
interface Training {
  readonly path: string
  /** Begins the training, waits until it goes on, and goes to what the keys are for. */
  begin(page: Page): Promise<void>
  /** Two keys that answer each other. */
  readonly keys: readonly [string, string]
}

const says = (page: Page, what: RegExp): Promise<unknown> =>
  page.waitForFunction((text) => new RegExp(text).test(document.querySelector("main")!.textContent ?? ""), what.source)

const trainings = {
  playground: {
    path: "/playground",
    keys: ["]", "["],
    begin: async (page) => {
      await page.keyboard.press(" ")
      await page.waitForTimeout(2000)
    },
  },
  intermediate: {
    path: "/lessons/intermediate?epochs=100",
    keys: ["ArrowRight", "ArrowLeft"],
    begin: async (page) => {
      await page.keyboard.press(" ")
      await says(page, /Epoch [2-9] of/)
      await page.locator(".token.ember").click()
    },
  },
  speed: {
    path: "/lessons/speed",
    keys: ["ArrowRight", "ArrowLeft"],
    begin: async (page) => {
      await page.keyboard.press(" ")
      await says(page, /Over [2-9]\d epochs/)
      await page.locator(".chart-box [role=slider]").first().focus()
    },
  },
  knobs: {
    path: "/lessons/knobs?seeds=10&n=15",
    keys: ["ArrowRight", "ArrowLeft"],
    begin: async (page) => {
      await page.keyboard.press(" ")
      await says(page, /[3-9] of \d+ runs/)
      await page.locator("figure [role=slider]").first().focus()
    },
  },
} as const satisfies Readonly<Record<string, Training>>

/** Milliseconds of 300 frames, one after the other. */
const framesOf = (page: Page): Promise<number[]> =>
  page.evaluate(
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

/** The milliseconds from each of twenty keys to the next frame that shows its effect, as the browser tells them: those above 16. */
async function answersOf(page: Page, keys: readonly [string, string]): Promise<number[]> {
  await page.evaluate(() => {
    const seen: number[] = []
    ;(globalThis as { seen?: number[] }).seen = seen
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) seen.push(entry.duration)
    }).observe({ type: "event", durationThreshold: 16, buffered: false } as PerformanceObserverInit)
  })
  for (let i = 0; i < 20; i++) {
    await page.keyboard.press(keys[i % 2]!)
    await page.waitForTimeout(150)
  }
  return page.evaluate(() => (globalThis as { seen?: number[] }).seen ?? [])
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

  const whileTraining: Record<string, unknown> = {}
  for (const [name, training] of Object.entries<Training>(trainings)) {
    const runs: { readonly frames: number[]; readonly answers: number[]; readonly points: string | undefined }[] = []
    for (let i = 0; i < Number(given.runs); i++) {
      const { page } = await studio.open(training.path, { reducedMotion: false })
      await page.locator("h1").first().waitFor({ state: "attached" })
      await training.begin(page)
      const [frames, answers] = [await framesOf(page), await answersOf(page, training.keys)]
      const points = await page.evaluate(() => /([\d,]+) points\/s/.exec(document.body.textContent ?? "")?.[1])
      runs.push({ frames, answers, points })
      await page.context().close()
    }
    const frames = runs.flatMap((run) => run.frames)
    whileTraining[name] = {
      framesPerSecond: 1000 / (frames.reduce((a, b) => a + b, 0) / frames.length),
      frameMs: { median: median(frames), worst: Math.max(...frames) },
      answerMs: {
        median: median(runs.flatMap(({ answers }) => answers)) ?? "all under 16",
        worstOfEachRun: runs.map(({ answers }) => Math.max(16, ...answers)),
      },
      pointsPerSecondShown: runs.at(-1)?.points,
    }
  }
  console.log(
    JSON.stringify(
      {
        machine: cpus()[0]?.model,
        cores: cpus().length,
        load: loadavg(),
        node: process.version,
        browser: studio.browser.version(),
        scriptBeforeFirstLessonBytesGzipped: first[0]!.script,
        firstAnswerMsSlowedFourTimes: {
          median: median(first.map(({ ms }) => ms)),
          all: first.map(({ ms }) => ms),
          thread: first.map(({ thread }) => thread),
        },
        whileTraining,
      },
      null,
      2,
    ),
  )
} finally {
  await studio.close()
}
