// Lesson 4: its formulas give the library's numbers, its gradients are what a nudge costs, its address comes back.

import { describe, expect, test, vi } from "vitest"

vi.stubGlobal("location", { pathname: "/", search: "" })
vi.stubGlobal("addEventListener", () => {})
vi.mock("../../studio/src/engine/trilobite.ts", () => ({ engine: (o = {}) => o }))

const { backprop } = await import("../../studio/src/engine/jobs/backprop.ts")
const { compute, costOf, drawn, farthest, flat, stepped, unflat, withBias, withWeight } = await import(
  "../../studio/src/lessons/backprop-net.ts"
)
const { everything, keys, partsOf } = await import("../../studio/src/lessons/backprop-state.ts")
const { nudge, valueAt, withValue } = await import("../../studio/src/lessons/backprop-hand.tsx")
const { stateOf, stateText } = await import("../../studio/src/ui/url.ts")

type Asked = Parameters<Parameters<Parameters<typeof backprop>[1]["onMessage"]>[0]>[0]

const questions: Omit<Asked, "id">[] = (["sigmoid", "tanh"] as const).flatMap((act) =>
  (["cross-entropy", "quadratic"] as const).flatMap((cost) =>
    [0, 1].flatMap((y) =>
      [0, 4, 7].map((seed) => ({ params: drawn(seed), x: [0.8 - 0.3 * seed, -0.4] as const, y, act, cost })),
    ),
  ),
)

test("all numbers are the library's within 1e-6, for every activation, cost and target", async () => {
  const abort = new AbortController()
  let tell: (message: Asked) => void = () => {}
  const job = backprop({}, { signal: abort.signal, onMessage: (listener) => void (tell = listener) })
  let next = 0
  setTimeout(() => tell({ id: 0, ...questions[0]! }))
  for await (const { id, numbers } of job) {
    expect(id).toBe(next)
    const { params, ...question } = questions[id]!
    const formula = compute(params, question)
    expect(farthest(formula, numbers)).toBeLessThan(1e-6)
    expect(farthest(compute(withWeight(params, 0, 1, 2, 1.7), question), numbers)).toBeGreaterThan(1e-4)
    next++
    if (next === questions.length) abort.abort()
    else tell({ id: next, ...questions[next]! })
  }
  expect(next).toBe(24)
})

test("the job leaves out what is no longer asked", async () => {
  const abort = new AbortController()
  let tell: (message: Asked) => void = () => {}
  const job = backprop({}, { signal: abort.signal, onMessage: (listener) => void (tell = listener) })
  setTimeout(() => {
    for (const id of [0, 1, 2]) tell({ id, ...questions[id]! })
  })
  const seen: number[] = []
  for await (const { id } of job) {
    seen.push(id)
    abort.abort()
  }
  expect(seen).toEqual([2])
})

describe("the formulas", () => {
  const { params, ...question } = questions[1]!
  const numbers = compute(params, question)

  test("give gradients that say what a nudge costs", () => {
    const nudge = 1e-5
    numbers.gradients.forEach((rows, l) => {
      rows.forEach((row, i) => {
        row.forEach((gradient, j) => {
          const w = params.weights[l]![i]![j]!
          const after = compute(withWeight(params, l, i, j, w + nudge), question)
          expect((after.cost - numbers.cost) / nudge).toBeCloseTo(gradient, 4)
        })
      })
    })
    numbers.delta.forEach((row, l) => {
      row.forEach((delta, j) => {
        const after = compute(withBias(params, l, j, params.biases[l]![j]! + nudge), question)
        expect((after.cost - numbers.cost) / nudge).toBeCloseTo(delta, 4)
      })
    })
  })

  test("take a step downhill", () => {
    const after = stepped(params, numbers, 0.5)
    expect(compute(after, question).cost).toBeLessThan(numbers.cost)
    expect(after.weights[0]![1]![2]).toBe(params.weights[0]![1]![2]! - 0.5 * numbers.gradients[0]![1]![2]!)
  })

  test("know the chapter's costs", () => {
    expect(costOf("quadratic", 1, 0.1192)).toBeCloseTo(0.7758, 4)
    expect(costOf("cross-entropy", 1, 0.1192)).toBeCloseTo(2.127, 3)
    expect(costOf("cross-entropy", 0, 0.1192)).toBeCloseTo(0.1269, 4)
  })

  test("draw weights by the seed", () => {
    expect(flat(drawn(3))).not.toEqual(flat(drawn(4)))
    expect(flat(drawn(3)).length).toBe(20)
    expect(unflat(flat(drawn(3)))).toEqual(drawn(3))
    expect(
      drawn(3)
        .weights.flat(2)
        .every((w) => Math.abs(w) <= 1.5),
    ).toBe(true)
  })
})

test("the address holds the whole state", () => {
  const view = {
    x: [-1.25, 0.5],
    y: 0,
    step: 3,
    sel: "e-0-1-2",
    seed: 9,
    act: "tanh",
    cost: "quadratic",
    eta: 0.25,
    w: flat(drawn(9)),
  } as const
  expect(stateOf(keys, stateText(keys, view))).toEqual(view)
  expect(stateText(keys, stateOf(keys, ""))).toBe("")
  expect(stateOf(keys, "step=9&sel=e-3-0-0&y=0.5&w=1_2&x=1&seed=-1")).toEqual(stateOf(keys, ""))
  expect(everything.length).toBe(8 + 14)
  expect(partsOf("e-0-1-2")).toEqual({ edge: true, at: [0, 1, 2] })
})

test("a nudge does to the cost what is written on the weight", () => {
  const { params, ...question } = questions[1]!
  for (const sel of everything.filter((name) => !name.startsWith("n-0"))) {
    const { foretold, real } = nudge(params, question, sel, 0.001)
    expect(Math.abs(foretold - real)).toBeLessThan(2e-6)
    expect(nudge(params, question, sel, 0).real).toBe(0)
    const moved = withValue(params, sel, 0.125)
    expect(valueAt(moved, sel)).toBe(0.125)
    expect(flat(moved).filter((v, i) => v !== flat(params)[i]).length).toBe(1)
  }
  expect(valueAt(params, "n-0-1")).toBeUndefined()
})
