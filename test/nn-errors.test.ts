// What goes wrong in descriptions of networks: the code, the words that help, and nothing but typed errors.
import { describe, expect, test } from "vitest"
import { type ErrorCode, TrilobiteError } from "../src/core/errors.ts"
import { type Tensor, type TensorLike, tensor } from "../src/core/tensor.ts"
import { add, input } from "../src/graph/ops.ts"
import * as api from "../src/index.ts"
import type { ActivationName } from "../src/nn/activations.ts"
import * as config from "../src/nn/config.ts"
import * as initializers from "../src/nn/initializers.ts"
import { layer } from "../src/nn/layer.ts"
import { activation } from "../src/nn/layers/activation.ts"
import { dense } from "../src/nn/layers/dense.ts"
import { flatten } from "../src/nn/layers/flatten.ts"
import { rescaling } from "../src/nn/layers/rescaling.ts"
import { reshape } from "../src/nn/layers/reshape.ts"
import * as losses from "../src/nn/losses.ts"
import { readMetric, readMetrics } from "../src/nn/metrics.ts"
import { inputShapesOf, sequentialNetwork, traceNetwork } from "../src/nn/network.ts"
import { sgd } from "../src/nn/optimizer-functions.ts"
import { optimizerWarnings, readOptimizer } from "../src/nn/optimizers.ts"
import { checkPairing, checkTargets } from "../src/nn/targets.ts"
import * as toConfig from "../src/nn/to-config.ts"

/** The error that an action throws; fails if it throws none, or one that is not ours. */
function errorOf(action: () => unknown): TrilobiteError {
  try {
    action()
  } catch (error) {
    if (error instanceof TrilobiteError) return error
    throw error
  }
  throw new Error("nothing was thrown")
}

function expectError(action: () => unknown, code: ErrorCode, ...words: string[]): void {
  const error = errorOf(action)
  expect(error.code, error.message).toBe(code)
  for (const word of words) expect(error.message).toContain(word)
}

/** Options that the type checker would refuse. */
const any = (options: object): never => options as never
const traced = (layers: Parameters<typeof sequentialNetwork>[0], shape: number[]): (() => unknown) => {
  return () => traceNetwork(sequentialNetwork(layers), [input("x", shape)])
}

describe("layers", () => {
  test.each([0, -1, 1.5, "64", null, true, Number.NaN, Infinity, [64]])("units %j are refused", (units) => {
    const error = errorOf(() => dense(any({ units, name: "hidden_2" })))
    expect(error).toMatchObject({ code: "E_CONFIG", layer: 'Dense "hidden_2"', where: "units" })
    expect(error.expected).toBe("a whole number of at least 1")
    expect(error.got).toBeDefined()
  })

  test.each<[string, () => unknown, ...string[]]>([
    ["no units", () => dense(any({})), "units", "must be given"],
    ["no options", () => (dense as unknown as () => unknown)(), "units, Dense: this option must be given."],
    ["options that are none", () => dense(5 as never), "options", "an object", "5"],
    ["a misspelt option", () => dense(any({ unitz: 3 })), 'unknown option "unitz"', 'Did you mean "units"?'],
    ["a Python option", () => dense(any({ units: 3, use_bias: true })), 'Did you mean "useBias"?'],
    ["an unknown activation", () => dense(any({ units: 3, activation: "rleu" })), '"rleu"', 'Did you mean "relu"?'],
    ["a method as activation", () => dense(any({ units: 3, activation: "toString" })), "unknown activation"],
    ["a constructor as activation", () => dense(any({ units: 3, activation: "constructor" })), "unknown activation"],
    [
      "a function that gives no value as activation",
      traced([dense({ units: 3, activation: any(() => 0) })], [4]),
      'Dense "dense"',
      "does not give a value",
    ],
    [
      "a layer that gives its state too, in a sequence",
      traced([api.lstm({ units: 3, returnState: true }), dense({ units: 1 })], [4, 2]),
      'LSTM "lstm"',
      "3 values",
      "functional form",
    ],
    [
      "a squareplus without a gradient at 0",
      () => dense({ units: 3, activation: { type: "squareplus", b: 0 } }),
      "above 0",
    ],
    ["half an activation", () => dense(any({ units: 3, activation: { type: "threshold" } })), "activation.threshold"],
    ["a word for useBias", () => dense(any({ units: 3, useBias: "yes" })), "true or false", '"yes"'],
    [
      "an unknown initializer",
      () => dense(any({ units: 3, kernelInitializer: "glorot" })),
      "kernelInitializer",
      '"glorot"',
    ],
    [
      "a wrong option of an initializer",
      () => dense(any({ units: 3, kernelInitializer: { type: "constant", value: "1" } })),
      "kernelInitializer.value, Dense",
      "a finite number",
    ],
    ["a name that is no text", () => dense(any({ units: 3, name: 7 })), "name, Dense", "7"],
    ["an empty name", () => dense({ units: 3, name: "" }), "name"],
    ["a name with a slash", () => dense({ units: 3, name: "a/b" }), "without /"],
    ["a name with an escape", () => dense({ units: 3, name: "\u001b[2J" }), "control characters"],
    ["a shape with the batch", () => dense({ units: 3, inputShape: [-1, 4] }), "inputShape"],
    ["a shape that is a number", () => dense(any({ units: 3, inputShape: 784 })), "inputShape", "784"],
    ["an infinite scale", () => rescaling({ scale: Infinity }), "scale, Rescaling", "Infinity"],
    ["two open sizes", () => reshape({ targetShape: [-1, -1] }), "targetShape"],
    ["a size of 0", () => reshape({ targetShape: [0, 4] }), "targetShape"],
    ["an activation without a name", () => activation(any({})), "must be given"],
    ["an option of a layer without any", () => flatten(any({ axis: 1 })), 'unknown option "axis"'],
  ])("%s", (_, action, ...words) => {
    expectError(action, "E_CONFIG", ...words)
  })
})

describe("networks", () => {
  test.each<[string, () => unknown, ...string[]]>([
    ["no layers", () => sequentialNetwork([]), "at least one layer"],
    [
      "the same name twice",
      () => sequentialNetwork([dense({ units: 1, name: "a" }), flatten({ name: "a" })]),
      'Flatten "a"',
    ],
    ["no layer", () => sequentialNetwork([flatten(), dense as never]), "layers[1]", "Call the function"],
    ["no shape", () => inputShapesOf(sequentialNetwork([dense({ units: 1 })])), 'Dense "dense"', "inputShape: [784]"],
    [
      "2^31 units",
      traced([dense({ units: 2147483648 })], [4]),
      'Dense "dense"',
      "4294967296 bytes",
      "34359738368 bytes",
    ],
    [
      "65536 x 65536",
      traced([dense({ units: 65536 }), dense({ units: 65536, name: "wide" })], [1]),
      'Dense "wide"',
      "kernel",
    ],
    ["units beyond all sizes", traced([dense({ units: Number.MAX_SAFE_INTEGER })], [1e6]), "do not fit into memory"],
    ["Dense on single numbers", traced([dense({ units: 2 })], []), "[batch]", "shape [1]"],
    [
      "Reshape to another size",
      traced([reshape({ targetShape: [3, 3], name: "square" })], [8]),
      'Reshape "square"',
      "8 elements",
    ],
    ["Reshape with a fraction", traced([reshape({ targetShape: [3, -1] })], [8]), "[8]", "[3, -1]"],
    [
      "a later inputShape that is wrong",
      traced([dense({ units: 3 }), dense({ units: 1, inputShape: [4] })], [2]),
      "[batch, 4]",
      "[batch, 3]",
    ],
  ])("%s", (_, action, ...words) => {
    expectError(action, "E_CONFIG", ...words)
  })

  test("errors of operations name the layer", () => {
    const wrong = layer("Wrong", {}, (_, x) => add(x, input("other", [3])))
    const error = errorOf(traced([wrong({ name: "w" })], [2]))
    expect(error).toMatchObject({ code: "E_CONFIG", layer: 'Wrong "w"', where: undefined })
    expect(error.message).toBe('Wrong "w": the shapes [batch, 2] and [batch, 3] do not fit each other.')
  })

  test("data of another shape are refused, with a hint where the numbers would fit", () => {
    const network = sequentialNetwork([dense({ units: 10, inputShape: [784] })])
    expectError(() => inputShapesOf(network, [[783]]), "E_DATA", 'Dense "dense"', "[batch, 784]", "[batch, 783]")
    expectError(() => inputShapesOf(network, [[28, 28]]), "E_DATA", "flatten({ inputShape: [28, 28] })")
  })
})

describe("optimizers, initializers, metrics", () => {
  test.each([-0.1, Number.NaN, Infinity, -Infinity, "0.1", null])("learning rate %j is refused", (learningRate) => {
    expectError(() => sgd(any({ learningRate })), "E_CONFIG", "sgd.learningRate", "a finite number of at least 0")
  })
  test.each([1, -0.1, 1.5, Number.NaN, "0.9"])("momentum %j is refused", (momentum) => {
    expectError(() => sgd(any({ momentum })), "E_CONFIG", "sgd.momentum", "below 1")
  })
  test("a learning rate of 0 is a warning", () => {
    expect(optimizerWarnings(sgd({ learningRate: 0 }))).toHaveLength(1)
    expect(optimizerWarnings(sgd())).toEqual([])
  })
  test.each<[string, () => unknown, ...string[]]>([
    ["an unknown optimizer", () => readOptimizer("sdg"), 'Did you mean "sgd"?'],
    ["a method as optimizer", () => readOptimizer("constructor"), "unknown optimizer"],
    ["an optimizer without a type", () => readOptimizer({ learningRate: 1 }), "optimizer", "sgd"],
    ["no optimizer", () => readOptimizer(undefined), "this is no optimizer"],
    ["a misspelt option", () => sgd(any({ learningrate: 1 })), 'Did you mean "learningRate"?'],
    [
      "an option named __proto__",
      () => readOptimizer(JSON.parse('{"type":"sgd","__proto__":{"momentum":1}}')),
      "__proto__",
    ],
    ["a negative deviation", () => initializers.randomNormal({ stddev: -1 }), "randomNormal.stddev"],
    [
      "a method as initializer",
      () => initializers.initialValues(any(["toString"])[0]!, [1], { seed: 0, index: 0 }),
      "toString",
    ],
    ["an unknown loss", () => losses.readLoss("meanSquareError"), 'Did you mean "meanSquaredError"?'],
    ["a loss of another kind", () => losses.readLoss({ type: "meanSquaredError", fromLogits: true }), "fromLogits"],
    ["a method as loss", () => losses.readLoss("__proto__"), "unknown loss"],
    ["an unknown metric", () => readMetric("accurcy"), 'Did you mean "accuracy"?'],
    ["metrics that are no list", () => readMetrics("accuracy" as never), "a list", '"accuracy"'],
    ["a metric twice", () => readMetrics(["accuracy", "mse", "accuracy"]), "metrics[2]", "accuracy"],
  ])("%s", (_, action, ...words) => {
    expectError(action, "E_CONFIG", ...words)
  })
})

describe("targets", () => {
  const out10 = [-1, 10]
  const bce = api.binaryCrossentropy()
  const cce = api.categoricalCrossentropy()
  const scce = api.sparseCategoricalCrossentropy()
  const mse = api.meanSquaredError()
  const hot = (...rows: number[][]): Tensor => tensor(rows)
  const ints = (...labels: number[]): Tensor => tensor(new Int32Array(labels))

  test.each<[string, losses.Loss, number[], TensorLike, ...string[]]>([
    [
      "labels with a one-hot loss",
      cce,
      out10,
      ints(3, 4),
      "sparseCategoricalCrossentropy",
      "toCategorical(labels, 10)",
    ],
    ["labels [n, 1] with a one-hot loss", cce, out10, tensor([[3], [4]]), "sparseCategoricalCrossentropy"],
    ["one-hot with labels' loss", scce, [-1, 3], hot([0, 1, 0]), "categoricalCrossentropy"],
    ["a label of -1", scce, out10, ints(3, -1), "targets[1]", "from 0 to 9", "-1"],
    ["a label = classes", scce, out10, ints(3, 4, 10), "targets[2]", "begin at 0"],
    ["a label of 3.5", scce, out10, tensor([3.5]), "targets[0]", "3.5"],
    ["a label of 1e9", scce, out10, tensor([1e9]), "targets[0]", "1000000000"],
    ["a label NaN", scce, out10, tensor([[1], [Number.NaN]]), "targets[1][0]", "finite"],
    ["one-hot all zero", cce, [-1, 3], hot([0, 1, 0], [0, 0, 0]), "targets[1]", "got 0"],
    ["one-hot with two ones", cce, [-1, 3], hot([0, 1, 1]), "targets[0]", "got 2"],
    ["a sum off by 0.002", cce, [-1, 2], hot([0.5, 0.502]), "sum of 1"],
    ["a negative probability", cce, [-1, 3], hot([-0.5, 1, 0.5]), "targets[0][0]", "-0.5"],
    ["a probability NaN", cce, [-1, 2], hot([1, 0], [Number.NaN, 0]), "targets[1][0]", "finite"],
    [
      "one-hot of the wrong width",
      cce,
      out10,
      hot([0, 1, 0, 0, 0, 0, 0, 0, 0]),
      "[batch, 10]",
      "[batch, 9]",
      "9 units",
    ],
    ["a binary target of 2", bce, [-1, 1], tensor([0, 2]), "targets[1]", "from 0 to 1"],
    ["a binary target of -1", bce, [-1, 1], tensor([-1, 1]), "Make the two classes 0 and 1."],
    ["binary targets of the wrong width", bce, [-1, 1], hot([0, 1]), "[batch, 1]", "[batch, 2]"],
    ["a regression target NaN", mse, [-1, 1], tensor([1, Number.NaN]), "targets[1]"],
    [
      "a regression target Infinity",
      mse,
      [-1, 2],
      tensor([
        [1, 2],
        [3, -Infinity],
      ]),
      "targets[1][1]",
    ],
    ["regression targets of the wrong width", mse, [-1, 1], tensor([[1, 2]]), "[batch, 2]", "2 units"],
    ["regression targets of the wrong rank", mse, [-1, 2, 2], tensor([[1, 2]]), "[batch, 2, 2]"],
  ])("%s", (_, loss, shape, targets, ...words) => {
    expectError(() => checkTargets(loss, shape, tensor(targets)), "E_DATA", "targets", ...words)
  })

  test.each<[string, losses.Loss, number[], TensorLike]>([
    ["labels", scce, out10, ints(0, 9)],
    ["labels [n, 1]", scce, out10, tensor([[0], [9]])],
    ["labels of bytes", scce, out10, tensor(new Uint8Array([0, 9]))],
    [
      "labels of steps",
      scce,
      [-1, 2, 3],
      tensor([
        [0, 2],
        [1, 1],
      ]),
    ],
    ["one-hot", cce, [-1, 3], hot([0, 1, 0], [1, 0, 0])],
    ["soft labels within 1e-3", cce, [-1, 2], hot([0.5, 0.5005])],
    ["binary [n]", bce, [-1, 1], tensor([0, 1, 0.5])],
    ["binary [n, k]", bce, [-1, 2], tensor([[0, 1]])],
    ["regression [n]", mse, [-1, 1], tensor([-7, 1e30])],
    ["no rows", mse, [-1, 1], { data: new Float32Array(0), shape: [0, 1] }],
  ])("%s are accepted", (_, loss, shape, targets) => {
    checkTargets(loss, shape, tensor(targets))
  })

  test("targets that do not fit the output are refused when tracing, too", () => {
    expectError(() => losses.traceLoss(cce, input("y", [9]), input("x", [10])), "E_DATA", "[batch, 10]", "[batch, 9]")
  })
})

describe("pairs of loss and last activation", () => {
  const ce = api.categoricalCrossentropy()
  const logits = api.categoricalCrossentropy({ fromLogits: true })
  const binary = api.binaryCrossentropy()
  test.each<[losses.Loss, ActivationName, number, string | undefined]>([
    [ce, "softmax", 10, undefined],
    [api.sparseCategoricalCrossentropy(), "softmax", 10, undefined],
    [binary, "sigmoid", 1, undefined],
    [logits, "linear", 10, undefined],
    [api.binaryCrossentropy({ fromLogits: true }), "linear", 1, undefined],
    [api.meanSquaredError(), "linear", 1, undefined],
    [api.meanSquaredError(), "sigmoid", 1, undefined],
    [api.meanAbsoluteError(), "linear", 1, undefined],
    [api.meanSquaredError(), "softmax", 10, "learns slowly"],
    [ce, "linear", 10, "fromLogits: true"],
    [binary, "linear", 1, "sigmoid"],
    [ce, "sigmoid", 10, "expects the output of softmax"],
    [binary, "relu", 1, "expects the output of sigmoid"],
    [binary, "softmax", 2, "expects the output of sigmoid"],
    [logits, "softmax", 10, "expects a linear output"],
  ])("%j behind %s of %d: %s", (loss, last, units, warning) => {
    const found = checkPairing(loss, last, units)
    expect(found).toHaveLength(warning === undefined ? 0 : 1)
    if (warning !== undefined) expect(found[0]).toContain(warning)
  })
  test.each<[losses.Loss, ActivationName]>([
    [binary, "softmax"],
    [ce, "softmax"],
    [api.meanSquaredError(), "softmax"],
    [ce, "sigmoid"],
    [logits, "linear"],
  ])("%j behind %s of one unit cannot learn", (loss, last) => {
    expectError(() => checkPairing(loss, last, 1), "E_CONFIG", "sigmoid")
  })
})

describe("JSON", () => {
  const one = (changes: object): object => ({
    kind: "sequential",
    layers: [{ type: "Dense", name: "d", config: { units: 1 }, ...changes }],
  })
  test.each<[string, unknown, ...string[]]>([
    ["null", null, "an object"],
    ["a list", [], "an object"],
    ["another kind", { kind: "graph", layers: [] }, "model.kind", '"graph"'],
    ["no layers", { kind: "sequential" }, "model.layers"],
    ["an empty list", { kind: "sequential", layers: [] }, "at least one layer"],
    ["an unknown key", { kind: "sequential", layers: [], extra: 1 }, '"extra"'],
    ["a layer that is none", { kind: "sequential", layers: [5] }, "model.layers[0]"],
    ["an unknown type", one({ type: "Dens" }), "model.layers[0].type", 'Did you mean "Dense"?'],
    ["constructor", one({ type: "constructor" }), '"constructor"'],
    ["__proto__", one({ type: "__proto__" }), '"__proto__"'],
    ["toString", one({ type: "toString" }), '"toString"'],
    ["an unknown option", one({ config: { units: 1, unit: 2 } }), '"unit"', "Dense"],
    ["a prototype", one({ config: JSON.parse('{"units":1,"__proto__":{}}') }), "__proto__"],
    ["a name within the options", one({ config: { units: 1, name: "e" } }), '"name"'],
    ["a wrong value", one({ config: { units: "1" } }), "units", 'Dense "d"'],
    ["a missing option", one({ config: {} }), "units"],
    ["a wrong shape", one({ inputShape: ["4"] }), "inputShape"],
    ["a name with a path", one({ name: "../../x" }), "name"],
  ])("%s is refused", (_, json, ...words) => {
    expectError(() => config.networkFromConfig(json), "E_MODEL", ...words)
  })
  test("losses, optimizers and metrics survive it, and are refused when wrong", () => {
    const again = (json: unknown): unknown => JSON.parse(JSON.stringify(json))
    const loss = api.binaryCrossentropy({ fromLogits: true })
    expect(config.lossFromConfig(again(toConfig.lossToConfig(loss)))).toEqual(loss)
    const optimizer = sgd({ momentum: 0.9, nesterov: true })
    expect(config.optimizerFromConfig(again(toConfig.optimizerToConfig(optimizer)))).toEqual(optimizer)
    const metric = readMetric("mse")
    expect(config.metricFromConfig(again(toConfig.metricToConfig(metric)))).toEqual(metric)
    expectError(() => config.lossFromConfig({ type: "constructor" }), "E_MODEL", "unknown loss")
    expectError(() => config.optimizerFromConfig({ type: "sgd", momentum: 1 }), "E_MODEL", "momentum")
    expectError(() => config.metricFromConfig({ name: "", spec: { type: "accuracy" } }), "E_MODEL", "name")
    expectError(() => config.metricFromConfig({ name: "a", spec: { type: "acuracy" } }), "E_MODEL", "accuracy")
  })
})
