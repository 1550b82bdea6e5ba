// The table of operations that every oracle runs over (test/ops.test.ts): one row or more for each primitive of graph/ops.ts and
// each composition of graph/compose.ts. A row makes a graph from leaves whose shapes follow from three sizes.
import { streams } from "../src/core/random.ts"
import type { Shape } from "../src/core/shape.ts"
import * as compose from "../src/graph/compose.ts"
import type { Node } from "../src/graph/node.ts"
import * as ops from "../src/graph/public.ts"
import { PART_ROWS } from "./ops.parts.cases.ts"
import { SCAN_ROWS } from "./ops.scan.cases.ts"
import { WINDOW_ROWS } from "./ops.windows.cases.ts"
import {
  at,
  B,
  BITS,
  batched,
  batchRows,
  FEW,
  type Leaf,
  matrix,
  type OpRow,
  POSITIVE,
  row,
  type Sizes,
} from "./support/rows.ts"

export type { Leaf, OpRow, Sizes } from "./support/rows.ts"

const { neg, abs, floor, round, exp, expm1, sin, cos, tanh, erf, sigmoid, relu } = ops
const { add, sub, mul, div, max, min, less, lessEqual, equal } = ops
const one = { neg, abs, floor, round, exp, expm1, sin, cos, tanh, erf, sigmoid, relu }
const two = { add, sub, mul, div, max, min, less, lessEqual, equal }
const reductions = { sum: compose.sum, largest: compose.largest, smallest: compose.smallest, mean: compose.mean }
const names = <K extends string>(table: { readonly [name in K]: unknown }): K[] => Object.keys(table) as K[]

const unary = names(one).flatMap((op) => [
  row(op, batchRows, (x) => one[op](at(x, 0))),
  row(`${op} of a matrix`, matrix, (x) => one[op](at(x, 0))),
])

const binary = names(two).flatMap((op) => [
  row(
    op,
    (_, b) => [
      [B, b],
      [B, b],
    ],
    (x) => two[op](at(x, 0), at(x, 1)),
    op === "div" ? POSITIVE : {},
  ),
  row(
    `${op}, a row stretched`,
    (_, b, c) => [[B, b, c], [c]],
    (x) => two[op](at(x, 0), at(x, 1)),
    POSITIVE,
  ),
  row(
    `${op}, both stretched`,
    (a, b, c) => [
      [a, 1, c],
      [b, 1],
    ],
    (x) => two[op](at(x, 0), at(x, 1)),
    POSITIVE,
  ),
  row(
    `${op} with itself and a number`,
    matrix,
    (x) => two[op](two[op](at(x, 0), at(x, 0)), 0.5),
    op === "max" || op === "min" ? { ...FEW, slope: false } : POSITIVE,
  ),
])

const few = (["max", "min", "less", "lessEqual", "equal"] as const).map((op) =>
  row(
    `${op}, many equal`,
    (_, b) => [
      [B, b],
      [B, b],
    ],
    (x) => two[op](at(x, 0), at(x, 1)),
    FEW,
  ),
)

const folds = (["sum", "max", "min"] as const).flatMap((kind) => [
  row(
    `${kind} of a vector`,
    (a) => [[a]],
    (x) => ops.fold(kind, at(x, 0), 0),
  ),
  row(`${kind} over the batch`, batchRows, (x) => ops.fold(kind, at(x, 0), 0)),
  row(`${kind} over the batch, rank 3`, batched, (x) => ops.fold(kind, at(x, 0), 0)),
  row(`${kind} over the last axis`, batched, (x) => ops.fold(kind, at(x, 0), 2)),
  row(`${kind} over the middle axis`, batched, (x) => ops.fold(kind, at(x, 0), -2)),
  row(`${kind} over the first axis`, matrix, (x) => ops.fold(kind, at(x, 0), 0)),
  row(`${kind} over the last axis of a matrix`, matrix, (x) => ops.fold(kind, at(x, 0), 1)),
  row(`${kind} over the rows of a transposed batch`, batchRows, (x) =>
    ops.fold(kind, ops.transpose(at(x, 0), [1, 0]), 1),
  ),
  row(`${kind} over an axis, many equal`, batched, (x) => ops.fold(kind, at(x, 0), 1), FEW),
])

const flip = (transposeA: boolean, transposeB: boolean, left: Shape, right: Shape): Shape[] => {
  return [transposeA ? left.toReversed() : left, transposeB ? right.toReversed() : right]
}
const products = [false, true].flatMap((transposeA) =>
  [false, true].flatMap((transposeB) => {
    const flags = { transposeA, transposeB }
    const name = `matmul${transposeA ? ", A transposed" : ""}${transposeB ? ", B transposed" : ""}`
    const build = (x: readonly Node[]): Node => ops.matmul(at(x, 0), at(x, 1), flags)
    return [
      row(name, (a, b, c) => flip(transposeA, transposeB, [a, b], [b, c]), build),
      ...(transposeA ? [] : [row(`${name}, batch rows`, (_, b, c) => flip(false, transposeB, [B, b], [b, c]), build)]),
      ...(transposeA && !transposeB
        ? [
            row(
              `${name}, over the batch`,
              (_, b, c) => [
                [B, b],
                [B, c],
              ],
              build,
            ),
          ]
        : []),
      ...(transposeB && !transposeA
        ? [
            row(
              `${name}, batch columns`,
              (a, b) => [
                [a, b],
                [B, b],
              ],
              build,
            ),
          ]
        : []),
    ]
  }),
)

const moves = [
  row(
    "broadcast of a number",
    () => [[]],
    (x, [, b, c]) => ops.broadcastTo(at(x, 0), [B, b, c]),
  ),
  row(
    "broadcast of a column",
    (a) => [[a, 1]],
    (x, [a, b]) => ops.broadcastTo(at(x, 0), [a, b]),
  ),
  row(
    "broadcast in the middle",
    (_, b) => [[B, 1, b]],
    (x, [, b, c]) => ops.broadcastTo(at(x, 0), [B, c, b]),
  ),
  row("reshape that joins", batched, (x, [, b, c]) => ops.reshape(at(x, 0), [B, b * c])),
  row(
    "reshape that splits",
    (_, b, c) => [[B, b * c]],
    (x, [, b, c]) => ops.reshape(at(x, 0), [B, c, b]),
  ),
  row("reshape to rows of examples", batched, (x, [, b, c]) => ops.neg(ops.reshape(at(x, 0), [-b, c]))),
  row("reshape to one axis", batched, (x, [, b, c]) => ops.exp(ops.reshape(at(x, 0), [-b * c]))),
  row("reshape with sizes of 1", batched, (x, [, b, c]) => ops.reshape(at(x, 0), [B, 1, b, 1, c, 1])),
  row("reshape of a transposed matrix", matrix, (x, [, b, c]) => ops.reshape(ops.transpose(at(x, 0), [1, 0]), [b * c])),
  row("reshape of transposed examples", batched, (x, [, b, c]) =>
    ops.reshape(ops.transpose(at(x, 0), [0, 2, 1]), [B, b * c]),
  ),
  row(
    "reshape of a broadcast",
    (_, b) => [[b]],
    (x, [a, b]) => ops.reshape(ops.broadcastTo(at(x, 0), [a, b]), [a * b]),
  ),
  row(
    "reshape of an index",
    (_, b, c) => [[b * c]],
    (x, [, b, c]) => ops.mul(at(x, 0), ops.reshape(ops.indexOver([b, c]), [b * c])),
  ),
  row(
    "products of rows of examples",
    (_, b, c) => [
      [B, b, c],
      [c, 3],
    ],
    (x, [, b, c]) => ops.reshape(ops.matmul(ops.reshape(at(x, 0), [-b, c]), at(x, 1)), [B, b, 3]),
  ),
  row("transpose", matrix, (x) => ops.transpose(at(x, 0), [1, 0])),
  row("transpose of examples", batched, (x) => ops.transpose(at(x, 0), [0, 2, 1])),
  row("transpose of the batch", batched, (x) => ops.transpose(at(x, 0), [2, 0, 1])),
  row(
    "a sum of transposed matrices",
    (a) => [[a, a]],
    (x) => ops.add(at(x, 0), ops.transpose(at(x, 0), [1, 0])),
  ),
  row(
    "a product with one number as right factor",
    (a, b) => [[a, b], []],
    (x, [, b, c]) => ops.matmul(at(x, 0), ops.broadcastTo(at(x, 1), [b, c])),
  ),
  row(
    "a product with a stretched factor",
    (a, b) => [[a, b], [b]],
    (x, [, b, c]) => ops.matmul(at(x, 0), ops.transpose(ops.broadcastTo(at(x, 1), [c, b]), [1, 0])),
  ),
]

const leaves = [
  row("input", batched, (x) => at(x, 0)),
  row("variable", matrix, (x) => at(x, 0)),
  row(
    "variable that is one number",
    () => [[]],
    (x) => at(x, 0),
  ),
  row("constant", matrix, (x, [, b, c]) => ops.add(at(x, 0), ops.constant(0.25, [b, c]))),
  row("constant -0", matrix, (x) => ops.add(ops.mul(at(x, 0), -0), -0)),
  row("runtime", matrix, (x) => ops.mul(at(x, 0), ops.sub(ops.runtime("learningRate"), ops.runtime("step")))),
  row("a number of the round as a factor of a product and elsewhere", matrix, (x, [, b, c]) => {
    const share = ops.div(1, ops.runtime("rows"))
    return ops.mul(ops.matmul(at(x, 0), ops.broadcastTo(share, [c, b])), share)
  }),
  row("rows", batchRows, (x) => ops.div(at(x, 0), ops.runtime("rows"))),
  row("index", matrix, (x) => ops.mul(at(x, 0), ops.indexOver(at(x, 0).shape))),
  row("index along the first axis", matrix, (x, [, b, c]) =>
    ops.mul(at(x, 0), ops.transpose(ops.indexOver([c, b]), [1, 0])),
  ),
  row("index along the batch", batchRows, (x, [, b]) =>
    ops.mul(at(x, 0), ops.transpose(ops.indexOver([b, B]), [1, 0])),
  ),
  row("stopGradient", matrix, (x) => ops.mul(at(x, 0), ops.stopGradient(ops.exp(at(x, 0)))), { slope: false }),
  row("sqrt", batchRows, (x) => ops.sqrt(at(x, 0)), POSITIVE),
  row("log", batchRows, (x) => ops.log(at(x, 0)), POSITIVE),
  row("log1p", batchRows, (x) => ops.log1p(at(x, 0)), { range: [-0.9, 4] }),
  {
    name: "where",
    leaves: ([, b]) => [{ shape: [B, b], ...BITS }, { shape: [B, b] }, { shape: [B, b] }],
    build: (x) => ops.where(at(x, 0), at(x, 1), at(x, 2)),
  },
  {
    name: "where, stretched",
    leaves: ([a, b]) => [{ shape: [a, 1], ...BITS }, { shape: [b] }, { shape: [] }],
    build: (x) => ops.where(at(x, 0), at(x, 1), at(x, 2)),
  },
  row(
    "where of a comparison",
    (_, b) => [[B, b], [b]],
    (x) => ops.where(ops.less(at(x, 0), at(x, 1)), ops.exp(at(x, 0)), 0),
  ),
  row("softmax", batchRows, (x) => ops.softmax(at(x, 0))),
  row(
    "softmax of a vector",
    (a) => [[a]],
    (x) => ops.softmax(at(x, 0)),
  ),
  row("softmax, rank 3", batched, (x) => ops.softmax(at(x, 0))),
  row("softmax along the batch", batchRows, (x) => ops.softmax(ops.transpose(at(x, 0), [1, 0]))),
] satisfies OpRow[]

/** A row for a composition. */
function made(
  composition: keyof typeof compose,
  detail: string,
  shapes: (...sizes: Sizes) => readonly Shape[],
  build: (leaves: readonly Node[], sizes: Sizes) => Node,
  more: Omit<Leaf, "shape"> = {},
): OpRow {
  return row(`${composition}${detail}`, shapes, build, { ...more, composition })
}

const masked: OpRow[] = [
  {
    name: "maskedMean over an axis",
    composition: "maskedMean",
    leaves: ([, b, c]) => [{ shape: [B, b, c] }, { shape: [B, b, 1], ...BITS }],
    build: (x) => compose.maskedMean(at(x, 0), at(x, 1), [1]),
  },
  {
    name: "maskedMean of all, kept",
    composition: "maskedMean",
    leaves: ([, b, c]) => [{ shape: [B, b, c] }, { shape: [c], ...BITS }],
    build: (x) => compose.maskedMean(at(x, 0), at(x, 1), undefined, true),
  },
]

const compositions = [
  ...names(reductions).flatMap((f) => [
    made(f, " of all", matrix, (x) => reductions[f](at(x, 0))),
    made(f, " of the batch and all", batched, (x) => reductions[f](at(x, 0))),
    made(f, " of rows, kept", batched, (x) => reductions[f](at(x, 0), [-1], true)),
    made(f, " over two axes", batched, (x) => reductions[f](at(x, 0), [0, 2])),
  ]),
  made("count", "", batchRows, (x, [, b, c]) =>
    ops.mul(at(x, 0), ops.add(compose.count([B, c]), compose.count([b, c]))),
  ),
  made("square", "", batchRows, (x) => compose.square(at(x, 0))),
  made("logSumExp", "", batched, (x) => compose.logSumExp(at(x, 0))),
  made("logSoftmax", "", batchRows, (x) => compose.logSoftmax(at(x, 0))),
  made(
    "logSoftmax",
    " of a vector",
    (a) => [[a]],
    (x) => compose.logSoftmax(at(x, 0)),
  ),
  made("expandSoftmax", "", batchRows, (x) => compose.expandSoftmax(at(x, 0))),
  made("argmax", "", batchRows, (x) => compose.argmax(at(x, 0)), FEW),
  made("argmax", ", rank 3", batched, (x) => compose.argmax(at(x, 0))),
  made("clip", "", batchRows, (x) => compose.clip(at(x, 0), -0.75, 1.25)),
  row("padWith", batched, (x) => ops.padWith(at(x, 0), [[0, 0], [2, 1], [0, 3]])), // biome-ignore format: one line
  row("padWith of a number", matrix, (x) => ops.padWith(ops.exp(at(x, 0)), [[1, 0], [0, 2]], -0.5)), // biome-ignore format: one line
  made("softplus", "", batchRows, (x) => compose.softplus(at(x, 0)), { range: [-9, 9] }),
  made("randomNormal", "", batchRows, (x, [, b]) =>
    ops.mul(at(x, 0), compose.randomNormal(streams.dropout, 5, [B, b], 1, 0.5)),
  ),
  made("sign", "", batchRows, (x) => ops.mul(compose.sign(at(x, 0)), at(x, 0))),
  ...[0, 1, 3, -2, 0.5, -0.5, 1.7].map((p) =>
    made("pow", ` ${p}`, batchRows, (x) => compose.pow(at(x, 0), p), POSITIVE),
  ),
]

/** The table. */
export const OP_ROWS: readonly OpRow[] = [
  ...unary,
  ...binary,
  ...few,
  ...folds,
  ...products,
  ...moves,
  ...PART_ROWS,
  ...SCAN_ROWS,
  ...WINDOW_ROWS,
  ...leaves,
  ...masked,
  ...compositions,
]
