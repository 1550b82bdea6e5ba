// The checker of programs finds every fault that it is there for: one planted fault for each invariant.
import { describe, expect, test } from "vitest"
import { gradients } from "../src/autodiff/grad.ts"
import { compile } from "../src/compile/compile.ts"
import { streams } from "../src/core/random.ts"
import * as compose from "../src/graph/compose.ts"
import type { Node } from "../src/graph/node.ts"
import * as ops from "../src/graph/public.ts"
import type { Instruction } from "../src/program/expression.ts"
import type { Kernel, Step } from "../src/program/kernel.ts"
import { printProgram } from "../src/program/print.ts"
import type { Buffer, Program } from "../src/program/program.ts"
import { verify } from "../src/program/verify.ts"
import { network } from "./support/networks.ts"

/** A program that may be changed. */
type Draft = { -readonly [K in keyof Program]: Program[K] } & {
  buffers: Buffer[]
  entries: { train: { steps: Step[] } }
}
type Change = { kernel: { -readonly [K in keyof Kernel]: Kernel[K] } & Record<string, unknown>; phase: number }

describe("verify finds in rows by numbers and in random numbers", () => {
  const [table, numbers] = [ops.read({ key: "table", shape: [5, 3] }), ops.input("n", [2])]
  const looked = ops.mul(ops.lookup(table, numbers), ops.random(streams.dropout, 1, [-1, 2, 3]))
  const [slope] = gradients(compose.sum(compose.square(looked)), [table]) as [Node]
  const updates = [{ variable: { key: "table", shape: [5, 3] }, value: ops.sub(table, slope) }]
  const program = (): Program => structuredClone(compile({ train: { updates, logs: [], outputs: [] } }, { rows: 4 }))
  const kernel = <K extends Kernel["kind"]>(
    p: Program,
    kind: K,
  ): { -readonly [N in keyof Kernel]: Kernel[N] } & Record<string, unknown> =>
    p.entries.train!.steps.find((s) => s.kernel.kind === kind)!.kernel as unknown as Record<string, unknown> & Kernel
  const faults: [string, RegExp, (p: Program) => void][] = [
    ["a table that is too small", /reaches element 26 of table/, (p) => void (kernel(p, "lookup").rows = 9)],
    ["places beyond the values", /reaches element \d+ of train/, (p) => void (kernel(p, "scatterAdd").places = -4)],
    [
      "tables of examples and places of none",
      /places belong to no example/,
      (p) => void Object.assign(kernel(p, "lookup"), { rows: -1, places: 2 }),
    ],
    [
      "gaps in rows",
      /gaps between elements/,
      (p) => void ((kernel(p, "lookup").table as { strides: number[] }).strides = [1, 5]),
    ],
    [
      "a number of strides for another space",
      /draws with 1 strides for \d dimensions/,
      (p) => {
        for (const { kernel: k } of p.entries.train!.steps) {
          if (k.kind !== "map") continue
          for (const i of k.body) if (i.op === "random") Object.assign(i, { strides: [1] })
        }
      },
    ],
    [
      "half a table read",
      /reads train\.\d+ while step \d+ writes it/,
      (p) => {
        for (const s of p.entries.train!.steps) Object.assign(s, { phase: 0 })
      },
    ],
  ]
  test.each(faults)("%s", (_, text, plant) => {
    const sound = program()
    expect(verify(sound)).toEqual([])
    plant(sound)
    expect(verify(sound).join("\n")).toMatch(text)
  })

  test("they print", () => {
    const text = printProgram(program())
    expect(text).toMatch(/lookup \[batch\*2, 3\] by rows: train\.\d+\(3,1\) <- table\(3,1\) by train\.\d+\(1\), rows 5/)
    expect(text).toMatch(
      /scatterAdd \[batch\*2, 3\] by outputs: train\.\d+\(3,1\) <- train\.\d+\(3,1\) by train\.\d+\(1\), rows 5/,
    )
    expect(text).toMatch(/random 3\.1\([\d,]+\)/)
  })
})

describe("verify finds", () => {
  const faults: readonly {
    readonly fault: string
    readonly text: RegExp
    plant(steps: Change[], program: Draft): void
  }[] = [
    {
      fault: "phases that go back",
      text: /step \d+: its phase is before that of the step before it/,
      plant: (steps) => void (steps[0]!.phase = 9),
    },
    {
      fault: "a read of no buffer",
      text: /reads buffer 999, which does not exist/,
      plant: (steps) => void (operandOf(steps).buffer = 999),
    },
    {
      fault: "a read before the write",
      text: /reads train\.\d+ before it is written/,
      plant: (steps) =>
        void steps.splice(
          steps.findIndex((s) => s.kernel.kind === "gather"),
          1,
        ),
    },
    {
      fault: "a write of a part after the whole was read",
      text: /writes train\.\d+, which step \d+ has read already/,
      plant: (steps) => {
        const late = steps.findLast((s) => s.kernel.kind === "matmul")!
        const target = (steps.find((s) => s.kernel.kind === "gather")!.kernel as unknown as { target: number }).target
        const outputs = late.kernel.outputs as unknown as object[]
        outputs.push({ buffer: target, offset: 0, strides: [0, 0], value: 0 })
      },
    },
    {
      fault: "a write to no buffer",
      text: /writes buffer 999, which does not exist/,
      plant: (steps) => void (outputOf(steps).buffer = 999),
    },
    {
      fault: "a write to what is the caller's",
      text: /writes runtime, which only the caller may/,
      plant: (steps, { buffers }) =>
        void Object.assign(outputOf(steps), {
          buffer: buffers.findIndex((b) => b.role === "runtime"),
          strides: [0, 0],
        }),
    },
    {
      fault: "a state changed before the guard",
      text: /changes .* before the guard/,
      plant: (_, { entries }) =>
        void Object.assign((entries.train as unknown as { guard: object }).guard, { step: 99 }),
    },
    {
      fault: "a state read after its change",
      text: /reads 0\/kernel, which step \d+ has changed already/,
      plant: (steps) =>
        void steps.push({ ...structuredClone(steps.find((s) => s.kernel.kind === "matmul")!), phase: 9 }),
    },
    {
      fault: "an instruction before its argument",
      text: /instruction \d+ uses a later one/,
      plant: (steps) => void Object.assign(argumentOf(steps), { args: [99, 0] }),
    },
    {
      fault: "a wrong number of arguments",
      text: /instruction \d+ has a wrong number of arguments/,
      plant: (steps) => void Object.assign(argumentOf(steps), { args: [0, 0, 0, 0] }),
    },
    {
      fault: "a load of nothing",
      text: /instruction \d+ loads nothing/,
      plant: (steps) => void Object.assign(instructionOf(steps, "load"), { operand: 99 }),
    },
    {
      fault: "a product in a map",
      text: /only a matrix product has a product/,
      plant: (steps) => void replaceIn(steps, "map", { op: "product" }),
    },
    {
      fault: "a fold in a product",
      text: /a matrix product cannot fold/,
      plant: (steps) => void replaceIn(steps, "matmul", { op: "fold", fold: "sum", args: [0] }),
    },
    {
      fault: "an index in a product",
      text: /a matrix product cannot index/,
      plant: (steps) => void replaceIn(steps, "matmul", { op: "index" }),
    },
    {
      fault: "an unknown fold",
      text: /instruction \d+ has a wrong number of arguments/,
      plant: (steps) => void replaceIn(steps, "map", { op: "fold", fold: "product" as "sum", args: [0] }),
    },
    { fault: "no output", text: /it has no output/, plant: (steps) => void (computing(steps).outputs = []) },
    {
      fault: "an output without a value",
      text: /an output has no value/,
      plant: (steps) => void Object.assign(outputOf(steps), { value: 99 }),
    },
    {
      fault: "strides that do not fit",
      text: /an operand of .* has 3 strides for \d dimensions/,
      plant: (steps) => void (outputOf(steps).strides = [1, 1, 1]),
    },
    {
      fault: "a reach beyond the buffer",
      text: /it reaches element \d+ of /,
      plant: (steps) => void (outputOf(steps).offset = 1e6),
    },
    {
      fault: "a factor that reaches too far",
      text: /it reaches element \d+ of /,
      plant: (steps) =>
        void Object.assign((steps.find((s) => s.kernel.kind === "matmul")!.kernel as unknown as { a: object }).a, {
          offset: 1e6,
        }),
    },
    {
      fault: "a negative offset",
      text: /it reaches element -?\d+ of /,
      plant: (steps) => void (outputOf(steps).offset = -1),
    },
    {
      fault: "shared memory",
      text: /train: train\.\d+ and train\.\d+ share memory while both are in use/,
      plant: (_, program) =>
        void (program.buffers = program.buffers.map((b) => (b.role === "temporary" ? { ...b, offset: 0 } : b))),
    },
  ]
  test.each(faults)("$fault", ({ plant, text }) => {
    const program = structuredClone(compile(network({ sizes: [5, 4, 3] }), { rows: 7 })) as unknown as Draft
    expect(verify(program)).toEqual([])
    plant(program.entries.train.steps as unknown as Change[], program)
    expect(verify(program).join("\n")).toMatch(text)
  })

  type Computing = { body: Instruction[]; operands: Place[]; outputs: (Place & { value: number })[] }
  type Place = { buffer: number; offset: number; strides: number[] }
  const computing = (steps: Change[], kind?: string): Computing =>
    steps.find((s) => (kind === undefined ? s.kernel.kind === "matmul" : s.kernel.kind === kind))!
      .kernel as unknown as Computing
  const operandOf = (steps: Change[]): Place => computing(steps).operands[0]!
  const outputOf = (steps: Change[]): Place => computing(steps).outputs[0]!
  const argumentOf = (steps: Change[]): Instruction =>
    computing(steps).body.find((i) => "args" in i && i.args.length === 2)!
  const instructionOf = (steps: Change[], op: string): Instruction => computing(steps).body.find((i) => i.op === op)!
  const replaceIn = (steps: Change[], kind: string, instruction: Instruction): void => {
    const { body } = computing(steps, kind)
    body[body.length - 1] = instruction
  }
})
