// Networks in the functional form: what lies between values that layers have given. Knows no layer by name.

import { configError, show } from "../core/errors.ts"
import { formatShape } from "../core/shape.ts"
import { type From, freeName, type Network, nameLayers } from "./network.ts"
import { isSymbolic, type SymbolicCall, type SymbolicTensor } from "./symbolic.ts"

/** Values by name, in the order in which they were given. */
export type Named<T> = readonly { readonly name: string | undefined; readonly value: T }[]

/**
 * The network between values of the functional form. Throws E_CONFIG if an output depends on an input that is not
 * named, an input is no input, or two things have the same name.
 */
export function functionalNetwork(inputs: Named<SymbolicTensor>, outputs: Named<SymbolicTensor>): Network {
  for (const [where, values] of [["inputs", inputs] as const, ["outputs", outputs] as const]) {
    if (values.length === 0) throw configError({ where, what: "there is none.", expected: "at least one" })
  }
  const nodes = new Map<SymbolicTensor | SymbolicCall, number>()
  const names = new Set<string>()
  for (const [i, { name, value }] of inputs.entries()) {
    const where = `inputs[${i}]`
    if (!isSymbolic(value)) throw notSymbolic(where, value)
    if (value.call !== undefined) {
      throw configError({ where, what: "this is what a layer gives, not an input.", hint: "Give what input() gave." })
    }
    if (nodes.has(value)) throw configError({ where, what: "this input is in the list twice." })
    const known = name ?? value.name
    if (known !== undefined && names.has(known)) {
      throw configError({ where, what: `another input has the name ${show(known)}.` })
    }
    if (known !== undefined) names.add(known)
    nodes.set(value, i)
  }
  const named = inputs.map(({ name, value }) => ({
    name: name ?? value.name ?? freeName("input", names),
    shape: value.shape.slice(1),
  }))
  const sizes = new Set(inputs.flatMap(({ value }) => value.batchSize ?? []))
  if (sizes.size > 1) {
    const what = "the inputs have batches of different sizes."
    throw configError({ where: "inputs", what, expected: "one batchSize", got: [...sizes].join(", ") })
  }
  const [batchSize] = sizes
  const order: SymbolicCall[] = []
  for (const [i, { value }] of outputs.entries()) {
    if (!isSymbolic(value)) throw notSymbolic(`outputs[${i}]`, value)
    visit(value, nodes, order)
  }
  order.forEach((call, i) => void nodes.set(call, inputs.length + i))
  const from = ({ call, output }: SymbolicTensor, self: SymbolicTensor): From =>
    call === undefined ? { node: nodes.get(self)!, output: 0 } : { node: nodes.get(call)!, output }
  const layers = [...new Set(order.map((call) => call.layer))]
  const namedLayers = nameLayers(layers)
  const layerOf = (call: SymbolicCall): number => layers.indexOf(call.layer)
  const taken = new Set<string>()
  const outputNames = outputs.map(({ name, value }, i) => {
    const usual = value.call === undefined ? named[nodes.get(value)!]!.name : namedLayers[layerOf(value.call)]!.name
    const wanted = name ?? usual
    if (name !== undefined && taken.has(name)) {
      throw configError({ where: `outputs[${i}]`, what: `another output has the name ${show(name)}.` })
    }
    if (!taken.has(wanted)) {
      taken.add(wanted)
      return wanted
    }
    return freeName(wanted, taken)
  })
  return {
    kind: "functional",
    batchSize,
    inputs: named,
    layers: namedLayers,
    calls: order.map((call) => ({ layer: layerOf(call), inputs: call.inputs.map((value) => from(value, value)) })),
    outputs: outputs.map(({ value }, i) => ({ name: outputNames[i]!, from: from(value, value) })),
  }
}

/** Lists the calls below a value, each after those that it needs. */
function visit(value: SymbolicTensor, inputs: ReadonlyMap<unknown, number>, order: SymbolicCall[]): void {
  const done = new Set<SymbolicCall>(order)
  const stack: { call: SymbolicCall; next: number }[] = []
  const enter = (tensor: SymbolicTensor): void => {
    if (tensor.call === undefined) {
      if (inputs.has(tensor)) return
      const what = `the outputs depend on the input ${tensor.name ?? formatShape(tensor.shape)}, which is not listed.`
      throw configError({ where: "functional", what, hint: "Give every input in inputs." })
    }
    if (done.has(tensor.call)) return
    done.add(tensor.call)
    stack.push({ call: tensor.call, next: 0 })
  }
  enter(value)
  while (stack.length > 0) {
    const top = stack[stack.length - 1]!
    const next = top.call.inputs[top.next++]
    if (next !== undefined) enter(next)
    else {
      order.push(top.call)
      stack.pop()
    }
  }
}

function notSymbolic(where: string, got: unknown): Error {
  const expected = "what input({ shape }) or a layer has given"
  return configError({ where, what: "this is no value of a network.", expected, got: show(got) })
}
