// A network and what is to be trained with it, as graphs: one that is only asked, one that is trained too. Knows no values of
// weights, no backend.

import { configError, TrilobiteError } from "../core/errors.ts"
import { formatShape, type Shape, sameShape } from "../core/shape.ts"
import type { Rows, Specs } from "../data/dataset.ts"
import type { Graph } from "../graph/graph.ts"
import { activationOf } from "../nn/activations.ts"
import { targetsOf } from "../nn/losses.ts"
import { inputShapesOf, type LayerLike, type Network, sequentialNetwork } from "../nn/network.ts"
import { optimizerWarnings } from "../nn/optimizers.ts"
import type { ParameterSpec } from "../nn/scope.ts"
import { checkPairing, targetShapeOf } from "../nn/targets.ts"
import type { Training } from "../nn/training.ts"
import type { Aligned } from "./examples.ts"
import { bindings, type Traced, traceForward } from "./forward.ts"
import { readInputColumns, type Wanted } from "./inputs.ts"
import { specsOf } from "./rows.ts"

/** The graphs of one model. */
export class Graphs {
  /** The layers of a sequential network, which may be given one after another. */
  #given: readonly LayerLike[] = []
  #network: Network | undefined
  #inputShapes: readonly Shape[] | undefined
  #compiled: Training | undefined
  #forward: Traced | undefined
  #trained: { readonly key: string; readonly traced: Traced } | undefined
  #warnings: string[] = []

  /** @param network undefined for a sequential network whose layers are added later */
  constructor(network: Network | undefined, inputShapes: readonly Shape[] | undefined) {
    this.#inputShapes = inputShapes
    if (network === undefined) return
    this.#given = network.kind === "sequential" ? network.layers : []
    this.#build(network)
  }

  /** Adds a layer at the end of a sequential network. */
  add(layer: LayerLike): void {
    const given = [...this.#given, layer]
    this.#build(sequentialNetwork(given))
    this.#given = given
  }

  /** Takes the network if its layers fit; the shapes follow as soon as the shapes of the inputs are known. */
  #build(network: Network): void {
    const known = this.#inputShapes !== undefined || network.inputs.every(({ shape }) => shape !== undefined)
    const shapes = known ? inputShapesOf(network, this.#inputShapes) : undefined
    const forward = shapes === undefined ? undefined : traceForward(network, shapes)
    this.#network = network
    this.#inputShapes = shapes
    this.#forward = forward
    this.#trained = undefined
  }

  get network(): Network {
    this.#network ??= sequentialNetwork(this.#given)
    return this.#network
  }

  /** Whether it was given as more than one layer after another. */
  get branched(): boolean {
    return this.#network?.kind === "functional"
  }

  /** The shapes of the inputs, once they are known. */
  get inputShapes(): readonly Shape[] | undefined {
    return this.#inputShapes
  }

  /** The parameters in order: for each layer its kernel, then its bias. */
  get parameters(): readonly ParameterSpec[] {
    return this.trace().parameters
  }

  /** The network as a graph; the shapes of the inputs come from the network or from data. */
  trace(data?: readonly Shape[]): Traced {
    const { network } = this
    const shapes = inputShapesOf(network, data ?? this.#inputShapes)
    this.#inputShapes?.forEach((known, i) => {
      if (sameShape(shapes[i]!, known)) return
      const what = "the examples do not have the shape with which the model was built."
      const [expected, got] = [formatShape(known), formatShape(shapes[i]!)]
      throw new TrilobiteError("E_DATA", { where: "inputs", what, expected, got })
    })
    this.#forward ??= traceForward(network, shapes)
    this.#inputShapes = shapes
    return this.#forward
  }

  /** Takes what the network shall be trained with. */
  compile(training: Training): void {
    const doubts = this.#forward === undefined ? [] : doubtsAbout(training, this.#forward)
    this.#compiled = training
    this.#trained = undefined
    this.#warnings = [...optimizerWarnings(training.optimizer), ...doubts]
  }

  /** What it was compiled with, if it was. */
  get compiled(): Training | undefined {
    return this.#compiled
  }

  get training(): Training {
    this.checkCompiled()
    return this.#compiled!
  }

  /** Throws E_CONFIG unless it is compiled. */
  checkCompiled(): void {
    if (this.#compiled !== undefined) return
    throw configError({
      where: "model",
      what: "the model is not compiled.",
      hint: 'Call model.compile({ loss: "categoricalCrossentropy", optimizer: "sgd" }) first.',
    })
  }

  takeWarnings(): string[] {
    return this.#warnings.splice(0)
  }

  wanted(): Wanted {
    return wantedOf(this.network, this.#compiled?.outputs ?? [])
  }

  targetsFor(specs: Specs): readonly Aligned[] {
    const { training } = this
    const wanted = this.wanted()
    return this.#attempt(() => {
      const { outputs } = this.#traceInputs(specs)
      const targets: Aligned[] = []
      training.outputs.forEach(({ loss }, i) => {
        if (loss === undefined) return
        const { binding } = wanted.targets[targets.length]!
        const output = outputs[i]!.shape
        targets.push({ i, binding, loss, output, shape: targetShapeOf(loss, output, specs[binding]!.shape) })
      })
      return targets
    })
  }

  askWith(specs: Specs): Traced {
    const forward = this.#attempt(() => this.#traceInputs(specs))
    return this.#trained?.traced ?? forward
  }

  /** Inputs in memory that fit the model. */
  inputs(where: string, x: unknown): Rows {
    const inputs = readInputColumns(where, this.wanted(), x)
    this.askWith(specsOf(inputs))
    return inputs
  }

  /** Traces the network for inputs with these columns. */
  #traceInputs(specs: Specs): Traced {
    return this.trace(this.wanted().inputs.map(({ binding }) => specs[binding]!.shape))
  }

  /** Does what data says about the model; if it does not fit, the model is as it was. */
  #attempt<T>(action: () => T): T {
    const before = { inputShapes: this.#inputShapes, forward: this.#forward }
    try {
      return action()
    } catch (error) {
      this.#inputShapes = before.inputShapes
      this.#forward = before.forward
      throw error
    }
  }

  /** Forgets what data has said. */
  forgetInputs(): void {
    this.#inputShapes = undefined
    this.#build(this.network)
  }

  async trainWith(targets: readonly Aligned[], weighted: boolean, coached?: boolean): Promise<Traced> {
    const shapes = this.training.outputs.map((_, i) => targets.find((t) => t.i === i)?.shape)
    return this.#traceTraining(shapes, weighted, coached)
  }

  /** The network as a graph with a training for targets of these shapes. */
  async #traceTraining(
    targetShapes: readonly (Shape | undefined)[],
    weighted = false,
    coached = false,
  ): Promise<Traced> {
    const { traceTraining } = await import("./step.ts")
    const watch = coached ? (await import("./watch.ts")).watch : undefined
    const { training } = this
    const key = JSON.stringify([targetShapes, weighted])
    if (this.#trained?.key !== key || (coached && this.#trained.traced.watched === undefined)) {
      const doubts = doubtsAbout(training, this.trace())
      for (const doubt of doubts) if (!this.#warnings.includes(doubt)) this.#warnings.push(doubt)
      const traced = traceTraining(this.network, this.#inputShapes!, training, { targetShapes, weighted, watch })
      this.#trained = { key, traced }
    }
    return this.#trained!.traced
  }

  /** The graph that was trained last, or would be with targets like the outputs; what is not compiled is only asked. */
  async graph(): Promise<Graph> {
    const { graph, outputs } = this.trace()
    const shapes = this.#compiled?.outputs.map(({ loss }, i) => {
      const shape = outputs[i]!.shape.slice(1)
      return loss === undefined ? undefined : targetsOf(loss) === "labels" ? shape.slice(0, -1) : shape
    })
    if (shapes === undefined) return graph
    return (this.#trained?.traced ?? (await this.#traceTraining(shapes))).graph
  }
}

/** What a network reads that is trained with such outputs; none: that is only asked. */
function wantedOf(network: Network, outputs: Training["outputs"]): Wanted {
  const trained = outputs.flatMap(({ loss }, i) =>
    loss === undefined ? [] : [{ loss, i, name: network.outputs[i]!.name }],
  )
  return {
    inputs: network.inputs.map(({ name }, i) => ({
      name,
      binding: bindings.input(network, i),
      below: placesOf(network, i),
    })),
    targets: trained.map(({ name, i }) => ({ name, binding: bindings.target(network, i) })),
    weights: trained.map(({ name, i }) => ({ name, binding: bindings.weight(network, i) })),
    losses: trained.map(({ loss }) => loss),
  }
}

/** How many rows the tables have in which layers look this input up, if any do: the least. */
function placesOf({ calls, layers }: Network, input: number): number | undefined {
  const tables = calls.flatMap(({ layer, inputs }) => {
    const { type, config } = layers[layer]!
    return type === "Embedding" && inputs.some(({ node }) => node === input) ? [Number(config.inputDim)] : []
  })
  return tables.length === 0 ? undefined : Math.min(...tables)
}

/** What is doubtful about losses behind the last layers. Throws E_CONFIG for a pair that cannot learn. */
function doubtsAbout(training: Training, { outputs }: Traced): string[] {
  return training.outputs.flatMap(({ loss }, i) => {
    const output = outputs[i]!
    return loss === undefined ? [] : checkPairing(loss, activationOf(output), output.shape[output.shape.length - 1]!)
  })
}
