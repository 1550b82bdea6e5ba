// A model of each row of the table of layers (test/layers.cases.ts), with weights and data: what other systems are given.
import { type dense, functional, input, type Model, type Tensor, tensor } from "../../src/index.ts"
import { LAYER_ROWS } from "../layers.cases.ts"
import { generator } from "./mutate.ts"

/** The sizes of inputs and layers. */
export const SIZES: readonly [2, 3, 4] = [2, 3, 4]

/** How many examples there are. */
export const ROWS = 3

/** The names of the rows. */
export const names: readonly string[] = LAYER_ROWS.map(({ name }) => name)

/** A model of one row, with weights that are not those that a layer begins with, and data for it. */
export function caseOf(name: string): { readonly model: Model; readonly data: Tensor[] } {
  const row = LAYER_ROWS.find((one) => one.name === name)!
  const shapes = row.inputs(...SIZES)
  const [low, high] = row.range ?? [-2, 2]
  const next = generator(7)
  const draw = (from: number, to: number): number => from + ((to - from) * next(1000)) / 1000
  const fill = (shape: readonly number[]): Tensor => {
    const n = shape.reduce((a, b) => a * b, 1)
    const values = Float32Array.from({ length: n }, () => (row.whole ? Math.round(draw(low, high)) : draw(low, high)))
    return tensor(values, [...shape])
  }
  const inputs = shapes.map((shape) => input({ shape }))
  const layer = row.layer([...SIZES]) as unknown as ReturnType<typeof dense>
  const model = functional({ inputs, outputs: layer(inputs.length === 1 ? inputs[0]! : inputs) })
  model.setWeights(
    model
      .getWeights()
      .map(({ shape }) => ({ ...fill(shape), data: fill(shape).data.map((v) => 0.3 + Math.abs(v) / 4) })),
  )
  return { model, data: shapes.map((shape) => fill([ROWS, ...shape])) }
}

/** What a model predicts, output by output. */
export async function predicted(model: Model, data: readonly Tensor[]): Promise<readonly Tensor[]> {
  const found = (await model.predict((data.length === 1 ? data[0] : data) as Tensor)) as
    | Tensor
    | { [o: string]: Tensor }
  return ArrayBuffer.isView(found.data) ? [found as Tensor] : Object.values(found as { [output: string]: Tensor })
}
