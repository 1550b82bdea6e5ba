// Lesson 3: its orders are those of fit, its rounds give fit's weights, its gradients are the library's, its address comes back.

import type { RowSource } from "trilobite"
import { crossEntropyCost } from "trilobite"
import { mnist } from "trilobite/datasets"
import { beforeAll, describe, expect, test, vi } from "vitest"
import type { Digits } from "../../studio/src/engine/digits.ts"

vi.stubGlobal("location", { pathname: "/", search: "" })
vi.stubGlobal("addEventListener", () => {})
vi.mock("../../studio/src/engine/trilobite.ts", () => ({ engine: (o = {}) => o }))
// A thousand images instead of all.
vi.mock("../../studio/src/engine/digits.ts", () => ({ digits: async () => few }))

const { intermediateNet, round, rowsAt, Walker } = await import("../../studio/src/engine/jobs/round.ts")
const { RATE } = await import("../../studio/src/engine/jobs/round-facts.ts")
const { audit, IMAGES, orderOf, placesOf, roundsOf, tally } = await import("../../studio/src/lessons/batches-order.ts")

const { keys, stepBack, stepOn } = await import("../../studio/src/lessons/batches-state.ts")
const { stateOf, stateText } = await import("../../studio/src/ui/url.ts")

const ROWS = 1000
let few: Digits

beforeAll(async () => {
  const { train } = await mnist()
  few = {
    pixels: (train.images.data as Uint8Array).slice(0, ROWS * 784),
    labels: (train.labels.data as Uint8Array).slice(0, ROWS),
  }
})

/** The rows that fit asks for, epoch by epoch, of a data set with nothing in its images. */
async function asked(rows: number, batchSize: number, epochs: number): Promise<number[]> {
  const seen: number[] = []
  const source: RowSource = {
    rows,
    x: { dtype: "unorm8", shape: [784] },
    y: { dtype: "float32", shape: [10] },
    read(wanted, { y }) {
      for (const row of wanted) seen.push(row)
      const targets = new DataView(y!.buffer, y!.byteOffset, y!.byteLength)
      for (let i = 0; i < wanted.length; i++) targets.setFloat32(i * 40, 1, true)
    },
  }
  await intermediateNet().fit(source, { batchSize, epochs, verbose: 0 })
  return seen
}

describe("orders", () => {
  test("are the rows that fit asks for, also in the second epoch", async () => {
    const seen = await asked(IMAGES, 512, 2)
    expect(seen.length).toBe(2 * IMAGES)
    expect(seen.slice(0, IMAGES)).toEqual([...orderOf(1)])
    expect(seen.slice(IMAGES)).toEqual([...orderOf(2)])
    expect([...orderOf(1)]).not.toEqual([...orderOf(2)])
  })

  test("hold each image once, and 469 batches of which the last has 96", () => {
    expect(roundsOf(128)).toBe(469)
    const [from, to] = placesOf(469, 128)
    expect(to - from).toBe(96)
    expect(tally(audit(orderOf(3), IMAGES))).toEqual({ never: 0, once: IMAGES, more: 0 })
    expect(tally(audit(orderOf(3), 12_800))).toEqual({ never: IMAGES - 12_800, once: 12_800, more: 0 })
    expect(tally(Uint8Array.of(0, 1, 2, 2))).toEqual({ never: 1, once: 1, more: 2 })
  })

  test("have as many rounds as are needed for every batch size", () => {
    for (const b of [1, 2, 4, 8, 16, 32, 64, 128, 256, 512]) {
      const [, to] = placesOf(roundsOf(b), b)
      expect(to).toBe(IMAGES)
      expect(placesOf(roundsOf(b), b)[0]).toBeLessThan(IMAGES)
    }
  })
})

describe("the walker", () => {
  const weightsOf = (model: ReturnType<typeof intermediateNet>) => model.getWeights().map(({ data }) => [...data])

  test("stands where fit would stand, bit for bit, forwards and backwards", async () => {
    const { x, y } = rowsAt(
      few,
      Int32Array.from({ length: ROWS }, (_, i) => i),
    )
    const reference = intermediateNet()
    await reference.fit(x, y, { batchSize: 128, epochs: 1, verbose: 0 })
    await reference.fit(x, y, { batchSize: 128, initialEpoch: 1, epochs: 2, stepsPerEpoch: 5, verbose: 0 })
    const walker = new Walker(few)
    const go = async () => true
    await walker.seek({ batch: 128, epoch: 2, round: 6 }, go)
    expect(weightsOf(walker.model)).toEqual(weightsOf(reference))
    await walker.round()
    await walker.seek({ batch: 128, epoch: 1, round: 3 }, go)
    expect(weightsOf(walker.model)).not.toEqual(weightsOf(reference))
    await walker.seek({ batch: 128, epoch: 2, round: 6 }, go)
    expect(weightsOf(walker.model)).toEqual(weightsOf(reference))
  })

  test("says of a round what the library says of it", async () => {
    const walker = new Walker(few)
    await walker.seek({ batch: 128, epoch: 1, round: 8 }, async () => true)
    const before = walker.model.getWeights()
    const facts = await walker.round()
    const after = walker.model.getWeights()
    const order = orderOf(1, ROWS)
    expect([...facts.images]).toEqual([...order.subarray(7 * 128)])
    expect(facts.images.length).toBe(ROWS - 7 * 128)
    const costs = [...facts.labels].map((label, i) => crossEntropyCost(1, facts.outputs[i * 10 + label]!))
    expect(costs.reduce((a, b) => a + b) / costs.length).toBeCloseTo(facts.cost, 5)
    expect(facts.costAfter).toBeLessThan(facts.cost)
    facts.layers.forEach(({ largest, gradient }, i) => {
      const wide = before[2 * i]!.shape[1]!
      const at = largest.from * wide + largest.to
      expect(largest.before).toBe(before[2 * i]!.data[at])
      expect(largest.after).toBe(after[2 * i]!.data[at])
      expect(largest.before - RATE * largest.gradient).toBeCloseTo(largest.after, 7)
      expect(gradient).toBeGreaterThanOrEqual(Math.abs(largest.gradient))
    })
  })

  test("has the gradient of the output layer: the mean of (ŷ − y) times what comes in", async () => {
    const walker = new Walker(few)
    await walker.seek({ batch: 16, epoch: 1, round: 2 }, async () => true)
    const { x } = rowsAt(few, orderOf(1, ROWS).subarray(16, 32))
    const [, second] = await walker.model.activations(x)
    const facts = await walker.round()
    const { from, to, gradient } = facts.layers[2]!.largest
    let sum = 0
    for (let i = 0; i < 16; i++) {
      const wanted = facts.labels[i] === to ? 1 : 0
      sum += (facts.outputs[i * 10 + to]! - wanted) * second!.values.data[i * 64 + from]!
    }
    expect(sum / 16).toBeCloseTo(gradient, 5)
  })
})

describe("the job", () => {
  test("answers looks and runs an epoch", async () => {
    const abort = new AbortController()
    let tell: (message: Parameters<Parameters<Parameters<typeof round>[1]["onMessage"]>[0]>[0]) => void = () => {}
    const events: string[] = []
    const job = round({}, { signal: abort.signal, onMessage: (listener) => void (tell = listener) })
    const place = { batch: 128, epoch: 1 } as const
    let lastDone = 0
    setTimeout(() => tell({ type: "look", ...place, round: 4 }))
    for await (const event of job) {
      events.push(event.type)
      if (event.type === "round") {
        expect(event.round).toBe(4)
        tell({ type: "run", ...place, round: 4, pieces: 4, pause: 0 })
      }
      if (event.type === "progress") {
        expect(event.done).toBeGreaterThan(lastDone)
        lastDone = event.done
      }
      if (event.type === "epochDone") abort.abort()
    }
    expect(lastDone).toBe(8)
    expect(events.filter((type) => type === "progress").length).toBe(3)
    expect(events).toContain("seeking")
  })
})

describe("the address and the steps", () => {
  test("the address holds the whole state, and only what is possible", () => {
    const view = { b: 64, round: 17, epoch: 3, station: "cost" } as const
    expect(stateOf(keys, stateText(keys, view))).toEqual(view)
    expect(stateText(keys, stateOf(keys, ""))).toBe("")
    expect(stateOf(keys, "b=100&round=1.5&epoch=0&station=nowhere")).toEqual(stateOf(keys, ""))
  })

  test("a step goes round the ring, to the next round and to the shuffle of the next epoch; a step back undoes it", () => {
    const last = { b: 128, round: 469, epoch: 1, station: "update" } as const
    expect(stepOn(last)).toEqual({ b: 128, round: 1, epoch: 2, station: "shuffle" })
    expect(stepOn({ ...last, round: 2 })).toEqual({ b: 128, round: 3, epoch: 1, station: "batch" })
    expect(stepOn({ ...last, epoch: 20 })).toBeUndefined()
    let view: Parameters<typeof stepOn>[0] = { b: 512, round: 1, epoch: 1, station: "shuffle" }
    for (let i = 0; i < 700; i++) {
      const next = stepOn(view)!
      expect(stepBack(next)).toEqual(view)
      view = next
    }
    expect(view.epoch).toBe(2)
    expect(stepBack({ b: 1, round: 1, epoch: 1, station: "shuffle" })).toBeUndefined()
  })
})
