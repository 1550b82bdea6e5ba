// Rows of the table of operations (test/ops.cases.ts): windows, padding, convolutions and products over several axes.
import type { Shape } from "../src/core/shape.ts"
import * as ops from "../src/graph/public.ts"
import { at, B, batched, matrix, type OpRow, row } from "./support/rows.ts"

const none = { before: 0, after: 0, between: 0 }
const images = (a: number, b: number, c: number): Shape[] => [[B, a + 3, b + 2, c]]
const withKernel =
  (size: readonly [number, number]) =>
  (a: number, b: number, c: number): Shape[] => [
    [B, a + 4, b + 3, c],
    [...size, c, b + 1],
  ]

const moves: OpRow[] = [
  row("windows that touch", images, (x) => ops.neg(ops.windows(at(x, 0), 1, { size: 2, stride: 2, dilation: 1 }))),
  row("windows that share places", images, (x) =>
    ops.exp(ops.windows(at(x, 0), 1, { size: 3, stride: 1, dilation: 1 })),
  ),
  row("windows with steps and gaps", images, (x) =>
    ops.neg(
      ops.windows(ops.windows(at(x, 0), 1, { size: 2, stride: 3, dilation: 2 }), 3, {
        size: 2,
        stride: 1,
        dilation: 2,
      }),
    ),
  ),
  row("windows of a matrix, folded", matrix, (x, [, b]) =>
    ops.fold("max", ops.windows(at(x, 0), 0, { size: Math.min(b, 2), stride: 1, dilation: 1 }), 1),
  ),
  row("windows of a number and of an index", matrix, (x, [, b, c]) =>
    ops.add(
      ops.windows(at(x, 0), 1, { size: 1, stride: 1, dilation: 1 }),
      ops.windows(ops.add(ops.indexOver([b, c]), ops.constant(1, [b, c])), 1, { size: 1, stride: 1, dilation: 1 }),
    ),
  ),
  row("reverse of the last axis", batched, (x) => ops.exp(ops.reverse(at(x, 0), -1))),
  row("reverse of the middle axis", batched, (x) => ops.add(ops.reverse(at(x, 0), 1), at(x, 0))),
  row("reverse of all axes, transposed", matrix, (x) =>
    ops.transpose(ops.reverse(ops.reverse(at(x, 0), 0), 1), [1, 0]),
  ),
  row("reverse of an index", matrix, (x, [, b, c]) =>
    ops.add(ops.add(at(x, 0), ops.reverse(ops.indexOver([b, c]), 1)), ops.reverse(ops.indexOver([b, c]), 0)),
  ),
  row("reverse, folded", batched, (x) => ops.fold("sum", ops.reverse(at(x, 0), 2), 1)),
  row("pad around", images, (x) =>
    ops.exp(ops.pad(at(x, 0), [none, { before: 1, after: 2, between: 0 }, { before: 0, after: 1, between: 0 }, none])),
  ),
  row("pad with a number", images, (x) =>
    ops.pad(at(x, 0), [none, { before: 1, after: 2, between: 1 }, none, none], -1.5),
  ),
  row("pad between", images, (x) =>
    ops.neg(ops.pad(at(x, 0), [none, { before: 1, after: 0, between: 2 }, { before: 0, after: 0, between: 1 }, none])),
  ),
  row("pad of a computed value, used twice", batched, (x) => {
    const y = ops.tanh(at(x, 0))
    const total = ops.reshape(ops.fold("sum", y, 2), [B, y.shape[1]!, 1])
    return ops.add(ops.pad(y, [none, none, { before: 2, after: 1, between: 0 }]), total)
  }),
]

const convolutions: OpRow[] = (
  [
    ["convolution", [2, 3], [1, 1], [1, 1]],
    ["convolution of 1 by 1", [1, 1], [1, 1], [1, 1]],
    ["convolution with steps", [3, 2], [2, 3], [1, 1]],
    ["convolution with gaps", [2, 2], [1, 1], [2, 3]],
    ["convolution with steps and gaps", [2, 2], [2, 1], [2, 2]],
  ] as const
).map(([name, size, strides, dilations]) =>
  row(name, withKernel(size), (x) => ops.convolution(at(x, 0), at(x, 1), { strides, dilations, groups: 1 })),
)

const more: OpRow[] = [
  row(
    "convolution over one axis, padded, with what follows",
    (a, b, c) => [[B, a + 1, c], [3, c, b], [b]],
    (x) => {
      const padded = ops.pad(at(x, 0), [none, { before: 1, after: 1, between: 0 }, none])
      const y = ops.convolution(padded, at(x, 1), { strides: [1], dilations: [1], groups: 1 })
      return ops.relu(ops.add(y, at(x, 2)))
    },
  ),
  ...([1, 2] as const).flatMap((step) =>
    (
      [
        ["each channel by itself", 1, 1],
        ["each channel by itself, twice", 1, 2],
        ["in groups", 2, 3],
      ] as const
    ).map(([name, channels, filters]) =>
      row(
        `convolution, ${name}, step ${step}`,
        (a, b) => [
          [B, a + 2, 4, channels * (b + 1)],
          [3, 2, channels, filters * (b + 1)],
        ],
        (x, [, b]) => ops.convolution(at(x, 0), at(x, 1), { strides: [step, step], dilations: [1, 1], groups: b + 1 }),
      ),
    ),
  ),
  row(
    "convolution of a convolution",
    (a, b, c) => [
      [B, a + 4, 5, 1],
      [3, 3, 1, b],
      [2, 2, b, c],
    ],
    (x) => {
      const options = { strides: [1, 1], dilations: [1, 1], groups: 1 }
      return ops.convolution(ops.tanh(ops.convolution(at(x, 0), at(x, 1), options)), at(x, 2), options)
    },
  ),
  row(
    "product with an outer batch",
    (a, b, c) => [
      [B, a, b],
      [B, b, c],
    ],
    (x) => ops.product(at(x, 0), at(x, 1), { outer: 1, inner: 1 }),
  ),
  row(
    "product with outer axes, B transposed, as attention has it",
    (a, b, c) => [
      [B, a, b, c],
      [B, a + 1, b, c],
    ],
    (x) => {
      const heads = (y: number): ReturnType<typeof ops.transpose> => ops.transpose(at(x, y), [0, 2, 1, 3])
      return ops.product(heads(0), ops.transpose(heads(1), [0, 1, 3, 2]), { outer: 2, inner: 1 })
    },
  ),
  row(
    "product with an outer axis before the batch",
    (a, b, c) => [
      [B, a, b],
      [a, b, c],
    ],
    (x) => ops.product(ops.transpose(at(x, 0), [1, 0, 2]), at(x, 1), { outer: 1, inner: 1 }),
  ),
  row(
    "product over two axes into two, the batch among the columns",
    (a, b, c) => [
      [c, 2, a, b],
      [B, a, b, 3],
    ],
    (x) => ops.product(at(x, 0), ops.transpose(at(x, 1), [1, 2, 0, 3]), { outer: 0, inner: 2 }),
  ),
  row(
    "product of columns that lie apart",
    (a, b, c) => [
      [B, a],
      [b, a, c],
    ],
    (x) => ops.product(at(x, 0), ops.transpose(at(x, 1), [1, 2, 0]), { outer: 0, inner: 1 }),
  ),
  row(
    "product without rows, without columns, with nothing to sum",
    (a, b) => [[a], [a], [B, b]],
    (x, [, b]) => {
      const dot = ops.product(at(x, 0), at(x, 1), { outer: 0, inner: 1 })
      const outer = ops.product(at(x, 2), ops.constant(0.5, [b + 1]), { outer: 0, inner: 0 })
      return ops.add(outer, dot)
    },
  ),
]

export const WINDOW_ROWS: readonly OpRow[] = [...moves, ...convolutions, ...more]
