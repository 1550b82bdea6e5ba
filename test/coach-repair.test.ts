// The automatic repair on trainings that are made up: what it changes next, what it keeps, where it ends.
import { describe, expect, it } from "vitest"
import type { Evidence } from "../src/coach/evidence.ts"
import type { Change, Edit } from "../src/coach/finding.ts"
import { isBetter, type Repairer, repair } from "../src/coach/repair.ts"
import { changed, course, healthy } from "./coach.cases.ts"

/** A training that is made up: its cost falls to what its learning rate and its neurons allow. */
interface Setup {
  readonly rate: number
  readonly scale?: "raw" | "standard"
  readonly output?: string
  readonly epochs?: number
}

const LINE = 12
const known = ({ rate, scale = "standard", output = "softmax", epochs = 20 }: Setup): Evidence =>
  changed(healthy, {
    training: { learningRate: rate, epochs },
    network: { output: { activation: output } },
    ...(scale === "raw" ? { data: { means: [500, 500, 500, 500], least: 300, greatest: 700 } } : {}),
  })

/** Best at 0.1: each power of ten away from it leaves more of the cost; far above it there are no numbers. */
function ending(setup: Setup): Evidence {
  const away = Math.abs(Math.log10(setup.rate) + 1)
  const from = known(setup)
  const bad = setup.scale === "raw" || setup.output === "relu"
  if (setup.rate > 50) return changed(from, { diverged: { epoch: 0, round: 3 }, ended: "aborted" })
  const end = bad ? 1.09 : Math.min(1.09, 0.05 + 0.35 * away)
  const losses = Array.from({ length: LINE }, (_, i) => (i < 8 ? 1.0986 + ((end - 1.0986) * i) / 8 : end))
  return changed(from, { epochs: course(losses, { share: setup.rate * 0.1, agree: 0.3 }), ended: "completed" })
}

const change = (setup: Setup, { edit }: Change): Setup | undefined => {
  if (edit.kind === "learningRate") return { ...setup, rate: edit.to }
  if (edit.kind === "inputs") return { ...setup, scale: "standard" }
  if (edit.kind === "output") return { ...setup, output: edit.activation }
  return undefined
}

const run = async (setup: Setup, more: Partial<Repairer<Setup>> = {}, most?: number) => {
  const trained: Setup[] = []
  const result = await repair<Setup>(
    setup,
    ending(setup),
    {
      change,
      train: async (own) => {
        trained.push(own)
        return ending(own)
      },
      ...more,
    },
    most,
  )
  return { ...result, trained }
}

describe("repair", () => {
  it("goes on by powers of ten where the first does not suffice", async () => {
    const { setup, trained, attempts } = await run({ rate: 100 })
    expect(trained.map(({ rate }) => rate)).toContain(0.1)
    expect(setup.rate).toBe(0.1)
    expect(attempts.every(({ proposals }) => proposals.length === 1)).toBe(true)
  })

  it("changes nothing where all is well", async () => {
    const { setup, attempts } = await run({ rate: 0.1 })
    expect(setup).toEqual({ rate: 0.1 })
    expect(attempts).toEqual([])
  })

  it("mends all that is wrong before the first step at once if it can be examined, else one by one", async () => {
    const ill: Setup = { rate: 0.1, scale: "raw", output: "relu" }
    const examined = await run(ill, { examine: async (own) => known(own) })
    expect(examined.attempts.length).toBe(1)
    expect(examined.attempts[0]!.proposals.map(({ finding }) => finding!.code)).toEqual(["F02", "F12"])
    expect(examined.setup).toMatchObject({ scale: "standard", output: "softmax" })
    const single = await run(ill)
    expect(single.attempts.map(({ kept }) => kept)).toEqual([true, true])
    expect(single.setup).toEqual(examined.setup)
  })

  it("undoes what does not help, tries no change twice, and gives the first setup back if nothing helps", async () => {
    const worse = async (own: Setup): Promise<Evidence> => {
      const bad = course([1.2, 1.3, 1.4, 1.5], { share: 1e-5, agree: 0.5 })
      return changed(known(own), { epochs: bad, ended: "completed" })
    }
    const { setup, attempts } = await run({ rate: 0.01 }, { train: worse })
    expect(setup).toEqual({ rate: 0.01 })
    expect(attempts.some(({ kept }) => kept)).toBe(false)
    const edits = attempts.flatMap(({ proposals }) =>
      proposals.map((own) => JSON.stringify(own.change.edit satisfies Edit)),
    )
    expect(new Set(edits).size).toBe(edits.length)
  })

  it("takes the training that mends what was proven, unless the other finds more", async () => {
    const ending =
      (loss: number) =>
      async (own: Setup): Promise<Evidence> =>
        changed(known(own), { epochs: course([1.09, 0.9, 0.7, loss]), ended: "completed" })
    const of = async (first: number, then: number) =>
      repair<Setup>(
        { rate: 0.1, scale: "raw" },
        await ending(first)({ rate: 0.1, scale: "raw" }),
        { change, train: ending(then) },
        1,
      )
    expect((await of(0.6, 0.605)).setup.scale).toBe("standard")
    expect((await of(0.6, 0.7)).setup.scale).toBe("raw")
    // What comes next is changed from the mended one in any case.
    expect((await of(0.6, 0.7)).attempts[0]!.kept).toBe(true)
  })

  it("tries nothing more of anything with what overfits", async () => {
    const valid = [1, 0.8, 0.6, 0.5, 0.55, 0.62, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95]
    const losses = valid.map((_, i) => 1 * 0.6 ** i)
    const evidence = (stops: boolean): Evidence =>
      changed(known({ rate: 0.1, epochs: 12 }), {
        training: { earlyStopping: stops },
        validation: changed(healthy.data!, { rows: 200 }),
        epochs: course(losses, { valid }),
        ended: "completed",
      })
    const stops: boolean[] = []
    const { attempts } = await repair<boolean>(false, evidence(false), {
      change: (_, { edit }) => (edit.kind === "earlyStopping" ? true : edit.kind === "units" ? false : undefined),
      train: async (stop) => {
        stops.push(stop)
        return evidence(stop)
      },
    })
    expect(stops).toEqual([true])
    expect(attempts.map(({ kept }) => kept)).toEqual([true])
  })

  it("trains as often as it may, and tells of each training", async () => {
    const told: boolean[] = []
    const { attempts } = await run({ rate: 100 }, { onAttempt: ({ kept }) => told.push(kept) }, 1)
    expect(attempts.length).toBe(1)
    expect(told).toEqual(attempts.map(({ kept }) => kept))
  })

  it("compares costs where they are of one kind, and what is learnt where they are not", () => {
    const at = (loss: number, more: object = {}): Evidence =>
      changed(known({ rate: 0.1 }), { epochs: course([1, loss]), ended: "completed", ...more })
    expect(isBetter(at(0.5), at(0.6))).toBe(true)
    expect(isBetter(at(0.599), at(0.6))).toBe(false)
    expect(isBetter(at(0.6), at(0.5))).toBe(false)
    expect(isBetter(at(0.6), at(Number.NaN))).toBe(true)
    expect(isBetter(at(0.6, { diverged: { epoch: 1, round: 0 } }), at(0.9))).toBe(false)
    // Squares of a third of the size are no better if less is learnt.
    const squares = { network: { output: { loss: "meanSquaredError" } }, data: { targets: { baseline: 0.2 } } }
    expect(isBetter(at(0.15, squares), at(0.6))).toBe(false)
    expect(isBetter(at(0.05, squares), at(0.6))).toBe(true)
    // With weights of classes a higher cost may find more of the rare ones.
    const found = (loss: number, recall: readonly number[], classWeights: boolean): Evidence =>
      changed(at(loss), { training: { classWeights }, epochs: course([1, loss], { each: { recall } }) })
    expect(isBetter(found(0.7, [0.8, 0.9], true), found(0.6, [1, 0.2], false))).toBe(true)
    expect(isBetter(found(0.5, [1, 0.2], true), found(0.6, [0.8, 0.9], true))).toBe(false)
  })
})
