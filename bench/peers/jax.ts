// jax-js on its WebAssembly backend: one jitted function for a round (forward, slopes, update), sums of loss and accuracy
// kept as arrays until the epoch ends. Rows are gathered in JavaScript: its own gather is much slower.

import { asFloats, asTargets, readArguments, readRows, say, shuffled, turn, versionOf } from "./common.ts"

/** An array of jax-js: passing it on gives it away, `ref` keeps it. */
interface Value {
  readonly ref: Value
  readonly shape: readonly number[]
  add(x: Value | number): Value
  sub(x: Value | number): Value
  mul(x: Value | number): Value
  sum(axis?: number): Value
  mean(axis?: number): Value
  neg(): Value
  data(): Promise<Float32Array>
  reshape(shape: number[]): Value
  astype(type: unknown): Value
}
type Weights = [Value, Value][]
interface Jax {
  init(...devices: string[]): Promise<string[]>
  defaultDevice(name: string): string
  jit<F>(f: F, options?: object): F
  valueAndGrad<W, A extends unknown[]>(
    f: (weights: W, ...rest: A) => [Value, Value],
    options: { hasAux: true },
  ): (weights: W, ...rest: A) => [[Value, Value], W]
  readonly tree: { ref<T>(tree: T): T }
  blockUntilReady<T>(tree: T): Promise<T>
  readonly numpy: {
    array(values: Float32Array): Value
    matmul(a: Value, b: Value): Value
    tanh(x: Value): Value
    equal(a: Value, b: Value): Value
    argmax(x: Value, axis: number): Value
    greater(a: Value, b: number): Value
    readonly float32: unknown
  }
  readonly nn: {
    relu(x: Value): Value
    sigmoid(x: Value): Value
    softplus(x: Value): Value
    logSoftmax(x: Value, axis?: number): Value
  }
}

const { task, epochs } = readArguments()
const name: string = "@jax-js/jax"
const jax = (await import(name)) as Jax
const { numpy: np, nn } = jax
await jax.init("wasm")
jax.defaultDevice("wasm")
const activation = { relu: nn.relu, sigmoid: nn.sigmoid, tanh: np.tanh }[task.hidden]
const outputs = task.sizes.at(-1)!

function forward(weights: Weights, x: Value): Value {
  return weights.reduce((h, [w, b], i) => {
    const z = np.matmul(h, w).add(b)
    return i < weights.length - 1 ? activation(z) : z
  }, x)
}

/** Right answers of the rows, as 0 and 1. */
function hits(z: Value, y: Value): Value {
  const right =
    outputs === 1 ? np.equal(np.greater(z, 0).astype(np.float32), y) : np.equal(np.argmax(z, 1), np.argmax(y, 1))
  return right.astype(np.float32).sum()
}

/** The mean cost of the rows, and how many are right. */
function cost(weights: Weights, x: Value, y: Value): [Value, Value] {
  const z = forward(weights, x)
  const right = hits(z.ref, y.ref)
  // Binary cross-entropy of a logit: softplus(z) - y z.
  if (outputs === 1) return [nn.softplus(z.ref).sub(y.mul(z)).mean(), right]
  return [nn.logSoftmax(z, 1).mul(y).sum(1).mean().neg(), right]
}

const slopes = jax.valueAndGrad(cost, { hasAux: true })
const round = jax.jit((weights: Weights, sums: [Value, Value], x: Value, y: Value) => {
  const rows = y.shape[0]!
  const [[loss, right], grads] = slopes(jax.tree.ref(weights), x, y)
  const next = weights.map(([w, b], i) => {
    const [dw, db] = grads[i]!
    return [w.sub(dw.mul(task.learningRate)), b.sub(db.mul(task.learningRate))]
  })
  return { next: next as Weights, sums: [sums[0].add(loss.mul(rows)), sums[1].add(right)] as [Value, Value] }
})

const inputs = task.sizes[0]!

/** These rows of a matrix. */
function gather(values: Float32Array, width: number, rows: Int32Array): Value {
  const batch = new Float32Array(rows.length * width)
  rows.forEach((row, i) => {
    batch.set(values.subarray(row * width, (row + 1) * width), i * width)
  })
  return np.array(batch).reshape([rows.length, width])
}

let weights: Weights = task.sizes.slice(1).map((units, i) => {
  const fanIn = task.sizes[i]!
  const limit = Math.sqrt(6 / (fanIn + units))
  const w = Float32Array.from({ length: fanIn * units }, () => (2 * Math.random() - 1) * limit)
  return [np.array(w).reshape([fanIn, units]), np.array(new Float32Array(units))]
})
const read = readRows(task)
const [x, y] = [asFloats(read), asTargets(task, read)]
say({ versions: { node: process.versions.node, "@jax-js/jax": versionOf(name) } })
for (let epoch = 1; epoch <= epochs; epoch++) {
  turn()
  const started = performance.now()
  const order = shuffled(task.rows)
  let sums: [Value, Value] = [np.array(new Float32Array(1)).sum(), np.array(new Float32Array(1)).sum()]
  for (let from = 0; from < task.rows; from += task.batch) {
    const rows = order.slice(from, from + task.batch)
    const result = round(weights, sums, gather(x, inputs, rows), gather(y, outputs, rows))
    weights = result.next
    sums = result.sums
    // Work that is put off makes every later round slower: each round is finished before the next.
    await jax.blockUntilReady(result)
  }
  const [loss, accuracy] = [(await sums[0].data())[0]! / task.rows, (await sums[1].data())[0]! / task.rows]
  say({ epoch, seconds: (performance.now() - started) / 1000, loss, accuracy })
}
turn()
if (task.validate) {
  const test = readRows(task, "test")
  const testX = np.array(asFloats(test)).reshape([test.rows, inputs])
  const testY = np.array(asTargets(task, test)).reshape([test.rows, outputs])
  const right = await hits(forward(weights, testX), testY).data()
  say({ validationAccuracy: right[0]! / test.rows })
}
