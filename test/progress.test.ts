// The progress of a training, character by character, on terminals and pipes of several widths.
import { describe, expect, test } from "vitest"
import type { FitEvent } from "../src/train/events.ts"
import { logNumber, type Output, progressWriter, secondsText, type Verbosity } from "../src/train/progress.ts"

const logs = { loss: 0.47441, accuracy: 0.86372 }
const all = { ...logs, valLoss: 0.2686, valAccuracy: 0.9234 }
const begin: FitEvent = { type: "trainBegin", epochs: 20, initialEpoch: 0, rounds: 469, rows: 60_000, batchSize: 128 }
const events: readonly FitEvent[] = [
  begin,
  { type: "epochBegin", epoch: 0 },
  { type: "progress", epoch: 0, round: 100, logs, seconds: 2 },
  { type: "progress", epoch: 0, round: 469, logs, seconds: 9.4 },
  { type: "epochEnd", tables: {}, epoch: 0, logs: all, seconds: 0.2 },
  { type: "trainEnd", reason: "completed", logs: all, seconds: 0.2 },
]

/** What is written for these events. */
function written(to: Omit<Output, "write">, verbosity: Verbosity, of: readonly FitEvent[] = events): string {
  let text = ""
  const write = progressWriter({ ...to, write: (part) => (text += part) }, verbosity)
  for (const event of of) write(event)
  return text
}

const clear = "\r\x1b[2K"
const ended80 =
  "469/469 [====================] - 0s - 0.43 ms/round, 3.3 µs/sample\n" +
  "    loss: 0.4744 - accuracy: 0.8637 - valLoss: 0.2686 - valAccuracy: 0.9234\n"
const ended120 =
  "469/469 [==============================] - 0s - 0.43 ms/round, 3.3 µs/sample\n" +
  "    loss: 0.4744 - accuracy: 0.8637 - valLoss: 0.2686 - valAccuracy: 0.9234\n"
const ended180 =
  "469/469 [==============================] - 0s - 0.43 ms/round, 3.3 µs/sample - loss: 0.4744 - accuracy: 0.8637 - " +
  "valLoss: 0.2686 - valAccuracy: 0.9234\n"
const live80 =
  `${clear}100/469 [====>...............] - ETA: 7s - loss: 0.4744 - accuracy: 0.8637` +
  `${clear}469/469 [====================] - ETA: 0s - loss: 0.4744 - accuracy: 0.8637${clear}`
const live120 =
  `${clear}100/469 [======>.......................] - ETA: 7s - loss: 0.4744 - accuracy: 0.8637` +
  `${clear}469/469 [==============================] - ETA: 0s - loss: 0.4744 - accuracy: 0.8637${clear}`
const live40 =
  `${clear}100/469 [==>.......] - ETA: 7s${clear}469/469 [==========] - ETA: 0s${clear}` +
  "469/469 [==========] - 0s - 0.43 ms/round, 3.3 µs/sample\n" +
  "    loss: 0.4744 - accuracy: 0.8637\n    valLoss: 0.2686\n    valAccuracy: 0.9234\n"

describe("progress", () => {
  test.each([
    ["a pipe", {}, 1, ended80],
    ["a pipe, a line for each epoch", {}, 2, ended80],
    ["a terminal of 80 columns", { isTTY: true, columns: 80 }, 1, live80 + ended80],
    ["a terminal of 80 columns, a line for each epoch", { isTTY: true, columns: 80 }, 2, ended80],
    ["a terminal of 120 columns", { isTTY: true, columns: 120 }, 1, live120 + ended120],
    ["a terminal of 180 columns", { isTTY: true, columns: 180 }, 1, live120 + ended180],
    ["a terminal that does not know its width", { isTTY: true, columns: 0 }, 1, live80 + ended80],
    ["a terminal of 40 columns", { isTTY: true, columns: 40 }, 1, live40],
  ] as const)("%s", (_, output, verbosity, text) => {
    expect(written(output, verbosity)).toBe(`Epoch 1/20\n${text}`)
  })

  test("nothing when silent", () => {
    expect(written({ isTTY: true, columns: 80 }, 0)).toBe("")
  })

  test("a training that is stopped leaves its line behind, and the next text begins on a new one", () => {
    const stopped: readonly FitEvent[] = [
      ...events.slice(0, 3),
      { type: "trainEnd", reason: "aborted", logs: {}, seconds: 2 },
    ]
    const line = `${clear}100/469 [====>...............] - ETA: 7s - loss: 0.4744 - accuracy: 0.8637\n`
    expect(written({ isTTY: true, columns: 80 }, 1, stopped)).toBe(`Epoch 1/20\n${line}`)
  })

  test("no terminal, no cursor movement; no line beyond the width", () => {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are the characters that must not come
    expect(written({ columns: 120 }, 1)).not.toMatch(/[\r\u001b]/)
    for (const columns of [60, 80, 100, 120, 150, 168, 169, 200]) {
      const lines = written({ isTTY: true, columns }, 1).replaceAll(clear, "\n").split("\n")
      expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(columns)
    }
  })

  test("lines break at the same place whatever the numbers are", () => {
    for (const columns of [80, 120, 150, 168, 169]) {
      const heights = [0.01, 0.4, 9.9, 75, 3000].map((seconds, i) => {
        const end: FitEvent = {
          type: "epochEnd",
          tables: {},
          epoch: 0,
          logs: { ...all, valLoss: 10 ** -i / 3 },
          seconds,
        }
        return written({ isTTY: true, columns }, 1, [begin, end]).split("\n").length
      })
      expect(new Set(heights).size, `${columns} columns`).toBe(1)
    }
  })
})

test.each([
  [0, "0.0000"],
  [0.47441, "0.4744"],
  [12.5, "12.5000"],
  [0.00012345, "1.2345e-4"],
  [Number.NaN, "NaN"],
])("the number %s is shown as %s", (value, text) => expect(logNumber(value)).toBe(text))

test.each([
  [0.4, "0s"],
  [59.4, "59s"],
  [59.6, "1m 0s"],
  [185, "3m 5s"],
])("%s seconds are shown as %s", (value, text) => expect(secondsText(value)).toBe(text))
