// Rows of the table of operations (test/ops.cases.ts): parts and joins of values, random numbers, rows of tables by numbers.
import { streams } from "../src/core/random.ts"
import type { Shape } from "../src/core/shape.ts"
import * as compose from "../src/graph/compose.ts"
import * as ops from "../src/graph/public.ts"
import { at, B, batched, batchRows, type Leaf, matrix, type OpRow, row } from "./support/rows.ts"

const half = (n: number): number => Math.ceil(n / 2)
const parts: OpRow[] = [
  row("slice of the last axis", batched, (x, [, , c]) => ops.neg(ops.slice(at(x, 0), -1, half(c) - 1, c))),
  row("slice of the middle axis", batched, (x, [, b]) => ops.slice(at(x, 0), 1, 0, half(b))),
  row("slice of the first axis", matrix, (x, [, b]) => ops.exp(ops.slice(at(x, 0), 0, half(b) - 1, b))),
  row("slice of a slice, moved", batched, (x, [, b, c]) =>
    ops.transpose(ops.slice(ops.slice(at(x, 0), 1, half(b) - 1, b), 2, 0, half(c)), [0, 2, 1]),
  ),
  row("slice of an inner axis before the batch", batchRows, (x, [, b]) =>
    ops.exp(ops.slice(ops.transpose(at(x, 0), [1, 0]), 0, half(b) - 1, b)),
  ),
  row("slice, seen in another shape", batched, (x, [, b, c]) =>
    ops.reshape(ops.slice(at(x, 0), 2, 0, half(c)), [B, b * half(c)]),
  ),
  row("slice of an index", matrix, (x, [, b, c]) =>
    ops.add(ops.slice(at(x, 0), 1, 0, half(c)), ops.slice(ops.indexOver([b, c]), 1, c - half(c), c)),
  ),
  row("slice of a broadcast and of a number", matrix, (x, [a, b, c]) =>
    ops.add(
      ops.slice(ops.broadcastTo(at(x, 0), [a + 1, b, c]), 0, 1, 2),
      ops.slice(ops.constant(0.5, [b + 1, c]), 0, 1, b + 1),
    ),
  ),
  row("halves of joined values, multiplied", batched, (x, [, , c]) => {
    const both = ops.concat([at(x, 0), ops.tanh(at(x, 0))], 2)
    return ops.mul(ops.slice(both, 2, 0, c), ops.slice(both, 2, c, 2 * c))
  }),
  row(
    "factors of a product that are slices",
    (a, b, c) => [
      [B, a + b],
      [b + 1, c + 2],
    ],
    (x, [a, b, c]) =>
      ops.matmul(ops.slice(at(x, 0), 1, a, a + b), ops.slice(ops.slice(at(x, 1), 0, 1, b + 1), 1, 1, c + 1)),
  ),
  row(
    "concat of the last axis",
    (_, b, c) => [
      [B, b],
      [B, c],
      [B, 1],
    ],
    (x) => ops.concat(x, -1),
  ),
  row(
    "concat of the middle axis",
    (a, b, c) => [
      [B, b, c],
      [B, a, c],
    ],
    (x) => ops.exp(ops.concat(x, 1)),
  ),
  row(
    "concat of the first axis",
    (a, b, c) => [
      [a, c],
      [b, c],
    ],
    (x) => ops.concat([at(x, 0), ops.exp(at(x, 1))], 0),
  ),
  row(
    "concat of vectors and numbers",
    (a, b) => [[a], [b], [1]],
    (x) =>
      ops.concat(
        [
          ...x,
          ops.constant(0.5, [2]),
          ops.indexOver([3]),
          ops.fold("sum", ops.broadcastTo(at(x, 0), [1, ...at(x, 0).shape]), 1),
        ],
        0,
      ),
  ),
  row(
    "concat before the batch",
    (_, b, c) => [
      [B, b],
      [B, c],
    ],
    (x) =>
      ops.concat(
        x.map((v) => ops.transpose(v, [1, 0])),
        0,
      ),
  ),
  row("concat of a value with itself, sliced across", batched, (x, [, , c]) =>
    ops.slice(ops.concat([at(x, 0), ops.relu(at(x, 0)), at(x, 0)], 2), 2, half(c), 3 * c - half(c) + 1),
  ),
  row(
    "a product of joined rows, joined",
    (a, b, c) => [
      [B, a],
      [B, b],
      [a + b, c],
    ],
    (x) => {
      const joined = ops.concat([at(x, 0), ops.sigmoid(at(x, 1))], 1)
      return ops.concat([joined, ops.relu(ops.matmul(joined, at(x, 2))), at(x, 0)], 1)
    },
  ),
  row(
    "a softmax of joined rows",
    (_, b, c) => [
      [B, b],
      [B, c],
    ],
    (x) => ops.softmax(ops.concat(x, 1)),
  ),
  row(
    "a sum over joined rows",
    (_, b, c) => [
      [B, b],
      [B, c],
    ],
    (x) => ops.fold("sum", ops.concat(x, 1), 0),
  ),
]

/** Whole numbers that name the rows of a table, two of them none. */
const numbersFor = (shape: Shape, rows: number): Leaf => ({ shape, range: [-1, rows], whole: true })
const tables: OpRow[] = [
  {
    name: "lookup of a number for each example",
    leaves: ([a, , c]) => [{ shape: [a, c] }, numbersFor([B], a)],
    build: (x) => ops.lookup(at(x, 0), at(x, 1)),
  },
  {
    name: "lookup of a sequence, used by a product",
    leaves: ([a, b, c]) => [{ shape: [a, c] }, numbersFor([B, b], a), { shape: [b * c, 3] }],
    build: (x, [, b, c]) => ops.matmul(ops.reshape(ops.lookup(ops.tanh(at(x, 0)), at(x, 1)), [B, b * c]), at(x, 2)),
  },
  {
    name: "lookup without the batch, in a transposed table",
    leaves: ([a, b, c]) => [{ shape: [c, a] }, numbersFor([b, 2], a)],
    build: (x) => ops.lookup(ops.transpose(at(x, 0), [1, 0]), at(x, 1)),
  },
  {
    name: "lookup of one number, of an index and of computed numbers",
    leaves: ([a, , c]) => [{ shape: [a, c] }, numbersFor([], a), numbersFor([B, 2], a)],
    build: (x) => {
      const [table, one, many] = [at(x, 0), at(x, 1), at(x, 2)]
      const some = ops.lookup(table, ops.add(ops.slice(many, 1, 1, 2), 1))
      return ops.add(ops.add(ops.lookup(table, one), some), compose.sum(ops.lookup(table, ops.indexOver([3])), [0]))
    },
  },
  {
    name: "lookup in the same table twice, of rows of 70",
    leaves: ([a]) => [{ shape: [a, 70] }, numbersFor([B], a), numbersFor([B], a)],
    build: (x) => ops.mul(ops.lookup(at(x, 0), at(x, 1)), ops.lookup(at(x, 0), at(x, 2))),
  },
  {
    name: "lookup in a table of each example",
    leaves: ([a, b, c]) => [{ shape: [B, a, c] }, numbersFor([B, b], a)],
    build: (x, [a, , c]) => ops.lookup(ops.reshape(at(x, 0), [-a, c]), at(x, 1)),
  },
  {
    name: "lookup in computed tables of examples, by rows and by columns, of numbers computed for two axes",
    leaves: ([a, b, c]) => [{ shape: [B, a, c] }, numbersFor([B, b, 2], a), { shape: [c], range: [0.2, 3] }],
    build: (x, [a, b, c]) => {
      const [images, places] = [at(x, 0), at(x, 1)]
      const one = ops.lookup(ops.reshape(ops.mul(images, at(x, 2)), [-a, c]), ops.add(places, 1))
      const two = ops.lookup(ops.reshape(ops.transpose(images, [0, 2, 1]), [-c, a]), places)
      return ops.matmul(ops.reshape(ops.concat([one, two], 3), [-b * 2, a + c]), ops.constant(0.5, [a + c, 2]))
    },
  },
  {
    name: "lookup in one column of each example, and in an example of one row",
    leaves: ([a, b, c]) => [{ shape: [B, a, c] }, numbersFor([B, b], a)],
    build: (x, [a, b, c]) => {
      const column = ops.lookup(ops.reshape(ops.slice(at(x, 0), 2, c - 1, c), [-a, 1]), at(x, 1))
      const whole = ops.lookup(ops.reshape(at(x, 0), [B, a * c]), at(x, 1))
      return ops.add(ops.reshape(column, [B, b]), compose.sum(whole, [-1]))
    },
  },
  {
    name: "scatterAdd into a table of each example",
    leaves: ([a, b, c]) => [{ shape: [B, b, c] }, numbersFor([B, b], a)],
    build: (x, [a, , c]) => ops.exp(ops.reshape(ops.scatterAdd(at(x, 0), at(x, 1), -a), [B, a * c])),
  },
  {
    name: "scatterAdd",
    leaves: ([a, , c]) => [{ shape: [B, c] }, numbersFor([B], a)],
    build: (x, [a]) => ops.scatterAdd(at(x, 0), at(x, 1), a),
  },
  {
    name: "scatterAdd of stretched and moved values",
    leaves: ([a, b, c]) => [{ shape: [c] }, { shape: [B, c, b] }, numbersFor([B, b], a)],
    build: (x, [a, b, c]) =>
      ops.add(
        ops.scatterAdd(ops.broadcastTo(at(x, 0), [B, b, c]), at(x, 2), a),
        ops.exp(ops.scatterAdd(ops.transpose(at(x, 1), [0, 2, 1]), at(x, 2), a)),
      ),
  },
]

const DROPOUT = streams.dropout
const draws: OpRow[] = [
  row("random of a batch", batchRows, (x, [, b]) => ops.mul(at(x, 0), ops.random(DROPOUT, 3, [B, b]))),
  row("random of a batch, rank 3, an even width", batched, (x, [, b, c]) =>
    ops.mul(ops.reshape(at(x, 0), [B, b * c]), ops.slice(ops.random(DROPOUT, 3, [B, 2 * b * c]), 1, b * c, 2 * b * c)),
  ),
  row("random of one number for each example", batched, (x) =>
    ops.mul(at(x, 0), ops.random(DROPOUT, 2 ** 32 - 1, [B, 1, 1])),
  ),
  row("random of a matrix", matrix, (x, [, b, c]) => ops.add(at(x, 0), ops.random(streams.augmentation, 0, [b, c]))),
  row(
    "random of a number and of a vector",
    (_, b) => [[b]],
    (x, [, b]) => ops.mul(ops.add(at(x, 0), ops.random(DROPOUT, 1, [])), ops.random(DROPOUT, 1, [b])),
  ),
  row("random of rows of examples, and of each example", batched, (x, [, b, c]) =>
    ops.mul(
      ops.reshape(ops.exp(ops.mul(ops.reshape(at(x, 0), [-b, c]), ops.random(DROPOUT, 1, [-b, c]))), [B, b * c]),
      ops.random(DROPOUT, 1, [B, b * c]),
    ),
  ),
  row("random, transposed", matrix, (x, [, b, c]) =>
    ops.mul(at(x, 0), ops.transpose(ops.random(DROPOUT, 1, [c, b]), [1, 0])),
  ),
  row("random, folded", batchRows, (x, [, b]) =>
    ops.mul(
      ops.fold("sum", ops.mul(at(x, 0), ops.random(DROPOUT, 1, [B, b])), 0),
      ops.fold("max", ops.random(DROPOUT, 2, [B, b]), 0),
    ),
  ),
  row("random, folded over rows and used again", batched, (x, [, b, c]) =>
    ops.softmax(ops.mul(at(x, 0), ops.random(DROPOUT, 1, [B, b, c]))),
  ),
  row("random along the batch", batchRows, (x) => ops.mul(at(x, 0), ops.reshape(ops.random(DROPOUT, 1, [B]), [B, 1]))),
  row(
    "dropout of a product",
    (_, b, c) => [
      [B, b],
      [b, c],
    ],
    (x, [, , c]) =>
      ops.where(ops.less(ops.random(DROPOUT, 0, [B, c]), 0.25), 0, ops.div(ops.matmul(at(x, 0), at(x, 1)), 0.75)),
  ),
]

/** The rows. */
export const PART_ROWS: readonly OpRow[] = [...parts, ...draws, ...tables]
