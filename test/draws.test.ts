// Random numbers inside programs are those of core/random.ts, bit for bit: on every backend, for any threads, steps and seeds.
import { describe, expect, test } from "vitest"
import type { Run } from "../src/backend/backend.ts"
import { compile } from "../src/compile/compile.ts"
import { fillNormal, fillUniform, type Stream, streams } from "../src/core/random.ts"
import { BATCH } from "../src/core/shape.ts"
import * as compose from "../src/graph/compose.ts"
import type { Node } from "../src/graph/node.ts"
import * as ops from "../src/graph/public.ts"
import type { Program } from "../src/program/program.ts"
import { bitsOf, dataOf, MACHINES, type Machine, reference, resultsOf } from "./support/execute.ts"

const EVERYWHERE = [reference, ...MACHINES]
const { dropout, augmentation } = streams

/** A program that writes down a value for each example. */
function programOf(value: (x: Node) => Node, fuse = true): Program {
  const out = ops.add(value(ops.input("x", [1])), 0)
  return compile({ train: { updates: [], logs: [], outputs: [{ name: "out", value: out }] } }, { rows: 5, fuse })
}

/** The result of 12 rows in batches of 5 (5, 5 and 2), for each of several runs of one loaded program. */
async function resultsBy(machine: Machine, program: Program, runs: readonly Partial<Run>[]): Promise<Float32Array[]> {
  const executable = await machine.load(program)
  try {
    const bound = executable.bind(dataOf(12, { x: new Float32Array(12) }))
    const results: Float32Array[] = []
    for (const run of runs) {
      await executable.run({ entry: "train", bound, batchSize: 5, first: 0, count: 3, ...run })
      results.push(resultsOf(executable, bound).get("out") as Float32Array)
    }
    return results
  } finally {
    executable.close()
  }
}

/** What core/random.ts writes for three batches of 5, 5 and 2 rows. */
function expected(width: number, step: number, fill: (out: Float32Array, step: number) => void): Float32Array {
  const parts = [5, 5, 2].map((rows, round) => {
    const out = new Float32Array(rows * width)
    fill(out, step + round)
    return out
  })
  return Float32Array.from(parts.flatMap((part) => [...part]))
}

describe.each(EVERYWHERE)("$name", (machine) => {
  test.each([1, 2, 3, 4, 7, 8, 16, 33, 64, 1030])("uniform numbers in rows of %d", async (width) => {
    const seeds = [0, 7, 2 ** 31 + 3, 2 ** 53 - 1]
    const steps = [0, 5, 2 ** 24 + 1, 2 ** 32 - 3]
    for (const fuse of [true, false]) {
      const program = programOf((x) => ops.add(x, ops.random(dropout, 9, [BATCH, width])), fuse)
      const runs = seeds.map((seed, i) => ({ seed, runtime: { step: steps[i]! } }))
      const results = await resultsBy(machine, program, runs)
      for (const [i, seed] of seeds.entries()) {
        const wanted = expected(width, steps[i]!, (out, step) => fillUniform(out, seed, dropout, 9, step))
        expect(bitsOf(results[i]!), `seed ${seed}`).toEqual(bitsOf(wanted))
      }
    }
  })

  test("numbers of every stream and substream, of rows that are no batch, and normal ones", async () => {
    const wide = (v: Node): Node => ops.broadcastTo(ops.reshape(v, [1, 15]), [BATCH, 15])
    const cases: readonly [(x: Node) => Node, (out: Float32Array, step: number) => void][] = [
      ...(
        [
          [dropout, 0],
          [augmentation, 0],
          [dropout, 2 ** 32 - 1],
        ] as [Stream, number][]
      ).map(
        ([stream, substream]) =>
          [
            () => ops.random(stream, substream, [BATCH, 15]),
            (out: Float32Array, step: number) => fillUniform(out, 77, stream, substream, step),
          ] as [(x: Node) => Node, (out: Float32Array, step: number) => void],
      ),
      [
        () => wide(ops.random(dropout, 4, [3, 5])),
        (out, step) => {
          const row = new Float32Array(15)
          fillUniform(row, 77, dropout, 4, step)
          for (let i = 0; i < out.length; i++) out[i] = row[i % 15]!
        },
      ],
      [
        () => compose.randomNormal(dropout, 4, [BATCH, 15], 0.25, 3),
        (out, step) => fillNormal(out, 0.25, 3, 77, dropout, 4, step),
      ],
    ]
    const seen = new Set<string>()
    for (const [value, fill] of cases) {
      const [result] = await resultsBy(machine, programOf(value), [{ seed: 77, runtime: { step: 41 } }])
      expect(bitsOf(result!)).toEqual(bitsOf(expected(15, 41, fill)))
      seen.add(bitsOf(result!).join())
    }
    expect(seen.size).toBe(cases.length)
  })

  test("what uses a number twice sees it twice", async () => {
    const program = programOf((x) => {
      const drawn = ops.random(dropout, 1, [BATCH, 6])
      const stored = ops.matmul(drawn, ops.constant(1, [6, 1]))
      return ops.concat(
        [ops.add(x, drawn), ops.random(dropout, 1, [BATCH, 6]), stored, compose.sum(drawn, [1], true)],
        1,
      )
    })
    const [result] = await resultsBy(machine, program, [{ seed: 1, runtime: { step: 3 } }])
    for (let r = 0; r < 12; r++) {
      const row = result!.subarray(14 * r, 14 * r + 14)
      expect(row.slice(0, 6)).toEqual(row.slice(6, 12))
      const total = [...row.slice(0, 6)].reduce((a, b) => a + b)
      expect([row[12], row[13]]).toEqual([expect.closeTo(total, 5), expect.closeTo(total, 5)])
    }
  })

  test.each([undefined, -1, 0.5, 2 ** 53])("refuses the seed %s", async (seed) => {
    const program = programOf((x) => ops.add(x, ops.random(dropout, 0, [BATCH, 2])))
    await expect(resultsBy(machine, program, [seed === undefined ? {} : { seed }])).rejects.toThrow(/seed/)
  })
})

test("a program without random numbers needs no seed", async () => {
  const [result] = await resultsBy(
    reference,
    programOf((x) => ops.add(x, 2)),
    [{}],
  )
  expect(result).toEqual(new Float32Array(12).fill(2))
})

test("the batch comes first, and a substream is a word", () => {
  expect(() => ops.random(dropout, 0, [2, BATCH])).toThrow("the batch must be the first axis, got [2, batch]")
  expect(() => ops.random(dropout, -1, [2])).toThrow("an integer from 0 to 4294967295")
})
