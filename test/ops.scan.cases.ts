// Rows of the table of operations (test/ops.cases.ts): loops.
import type { Shape } from "../src/core/shape.ts"
import * as compose from "../src/graph/compose.ts"
import type { Node } from "../src/graph/node.ts"
import * as ops from "../src/graph/public.ts"
import { type ScanOptions, scan, type Turn } from "../src/graph/scan.ts"
import { at, B, BITS, batched, type OpRow, row } from "./support/rows.ts"

/** All that a scan gives, as one value of shape [batch, …]. */
function all(options: ScanOptions, body: (carried: readonly Node[], items: readonly Node[]) => Turn): Node {
  const { final, every } = scan(options, body)
  const flat = (x: Node): Node => ops.reshape(x, [B, x.shape.slice(1).reduce((a, b) => a * b, 1)])
  const parts = [...final, ...every].map(flat)
  return parts.length === 1 ? parts[0]! : ops.concat(parts, 1)
}

const zeros = (...shape: number[]): Node => ops.constant(0, [B, ...shape])
const recurrent = (_: number, b: number, c: number): Shape[] => [[B, b, c], [c, c], [c]]

/** h ← tanh(x_t + h·U + bias). */
const simple =
  (u: Node, bias: Node, every: boolean) =>
  ([h]: readonly Node[], [x]: readonly Node[]): Turn => {
    const next = ops.tanh(ops.add(ops.add(at([x!], 0), ops.matmul(h!, u)), bias))
    return { next: [next], every: every ? [next] : [] }
  }

/** The cell of an LSTM over what comes in, of width 4c. */
const lstm =
  (u: Node, c: number) =>
  ([h, s]: readonly Node[], [x]: readonly Node[]): Turn => {
    const z = ops.add(x!, ops.matmul(h!, u))
    const gate = (i: number): Node => ops.slice(z, 1, i * c, (i + 1) * c)
    const state = ops.add(ops.mul(ops.sigmoid(gate(1)), s!), ops.mul(ops.sigmoid(gate(0)), ops.tanh(gate(2))))
    const next = ops.mul(ops.sigmoid(gate(3)), ops.tanh(state))
    return { next: [next, state], every: [next] }
  }

/** Rows for loops. */
export const SCAN_ROWS: readonly OpRow[] = [
  row("scan that sums", batched, (x, [, , c]) =>
    all({ initial: [zeros(c)], sequences: [at(x, 0)] }, ([s], [item]) => {
      const next = ops.add(s!, item!)
      return { next: [next], every: [next] }
    }),
  ),
  row("scan, what was carried before each turn", batched, (x, [, , c]) =>
    all({ initial: [zeros(c)], sequences: [at(x, 0)] }, ([s], [item]) => ({
      next: [ops.sub(ops.mul(s!, 0.5), item!)],
      every: [s!, item!],
    })),
  ),
  row("scan down", batched, (x, [, , c]) =>
    all({ initial: [zeros(c)], sequences: [at(x, 0)], reverse: true }, ([s], [item]) => {
      const next = ops.sin(ops.add(s!, item!))
      return { next: [next], every: [next, s!] }
    }),
  ),
  row("scan with a product", recurrent, (x, [, , c]) =>
    all({ initial: [zeros(c)], sequences: [at(x, 0)] }, simple(at(x, 1), at(x, 2), true)),
  ),
  row("scan with a product, down, its end", recurrent, (x, [, , c]) =>
    all({ initial: [zeros(c)], sequences: [at(x, 0)], reverse: true }, simple(at(x, 1), at(x, 2), false)),
  ),
  row("scan with a transposed factor", recurrent, (x, [, , c]) =>
    all({ initial: [zeros(c)], sequences: [at(x, 0)] }, ([h], [item]) => {
      const next = ops.tanh(ops.add(item!, ops.matmul(h!, at(x, 1), { transposeB: true })))
      return { next: [next], every: [ops.exp(next)] }
    }),
  ),
  row(
    "scan of an LSTM",
    (_, b, c) => [
      [B, b, 4 * c],
      [c, 4 * c],
    ],
    (x, [, , c]) => all({ initial: [zeros(c), zeros(c)], sequences: [at(x, 0)] }, lstm(at(x, 1), c)),
  ),
  row(
    "scans one after the other, the second down",
    (_, b, c) => [
      [B, b, 4 * c],
      [c, 4 * c],
      [c, c],
    ],
    (x, [, , c]) => {
      const [first] = scan({ initial: [zeros(c), zeros(c)], sequences: [at(x, 0)] }, lstm(at(x, 1), c)).every
      return all({ initial: [zeros(c)], sequences: [first!], reverse: true }, simple(at(x, 2), ops.constant(0), true))
    },
  ),
  row(
    "scan with beginnings and values from outside",
    (_, b, c) => [
      [B, b, c],
      [B, c],
      [B, c],
    ],
    (x) => {
      const factor = ops.exp(at(x, 2))
      return all({ initial: [at(x, 1)], sequences: [at(x, 0)] }, ([s], [item]) => {
        const next = ops.add(ops.mul(s!, ops.sigmoid(factor)), ops.mul(item!, factor))
        return { next: [next], every: [ops.mul(item!, item!), factor] }
      })
    },
  ),
  {
    name: "scan with a mask",
    leaves: ([, b, c]) => [{ shape: [B, b, c] }, { shape: [B, b], ...BITS }, { shape: [c, c] }],
    build: (x, [, , c]) =>
      all({ initial: [zeros(c)], sequences: [at(x, 0), at(x, 1)] }, ([h], [item, mask]) => {
        const open = ops.reshape(mask!, [B, 1])
        const next = ops.where(open, ops.tanh(ops.add(item!, ops.matmul(h!, at(x, 2)))), h!)
        return { next: [next], every: [next] }
      }),
  },
  row("scan that exchanges, keeps and forgets", batched, (x, [, , c]) =>
    all({ initial: [zeros(c), ops.constant(1, [B, c]), zeros(c)], sequences: [at(x, 0)] }, ([p, q, r], [item]) => ({
      next: [q!, ops.add(p!, item!), item!],
      every: [r!, ops.constant(2, [B, c])],
    })),
  ),
  row("scan of a reversed sequence, its values reversed", recurrent, (x, [, , c]) => {
    const { every } = scan(
      { initial: [zeros(c)], sequences: [ops.reverse(at(x, 0), 1)] },
      simple(at(x, 1), at(x, 2), true),
    )
    return ops.mul(ops.reverse(every[0]!, 1), at(x, 0))
  }),
  row("a product and a reversed value", recurrent, (x, [, b, c]) => {
    const z = ops.matmul(ops.reshape(at(x, 0), [-b, c]), at(x, 1))
    return ops.add(ops.reshape(z, [B, b, c]), ops.reverse(at(x, 0), 1))
  }),
  row("scan with folds", batched, (x, [, , c]) =>
    all({ initial: [zeros(c)], sequences: [at(x, 0)] }, ([s], [item]) => {
      const next = ops.softmax(ops.add(s!, item!))
      return { next: [next], every: [compose.sum(ops.mul(next, item!), [1], true)] }
    }),
  ),
  row(
    "scan without the batch",
    (_, b, c) => [
      [b, c],
      [c, c],
    ],
    (x, [, , c]) => {
      const initial = [ops.constant(0.5, [1, c])]
      const { final, every } = scan({ initial, sequences: [at(x, 0)] }, ([h], [item]) => {
        const next = ops.tanh(ops.add(ops.reshape(item!, [1, c]), ops.matmul(h!, at(x, 1))))
        return { next: [next], every: [next] }
      })
      return ops.add(every[0]!, final[0]!)
    },
  ),
  row(
    "scan over rows of examples",
    (_, b, c) => [
      [B, 2 * b * c],
      [c, c],
    ],
    (x, [, b, c]) => {
      const sequence = ops.reshape(at(x, 0), [-2, b, c])
      const { every } = scan({ initial: [ops.constant(0, [-2, c])], sequences: [sequence] }, ([h], [item]) => {
        const next = ops.tanh(ops.add(item!, ops.matmul(h!, at(x, 1))))
        return { next: [next], every: [next] }
      })
      return ops.reshape(every[0]!, [B, 2 * b * c])
    },
  ),
  row(
    "scan with the batch inside",
    (_, b, c) => [[B, b, c], [c]],
    (x, [, b, c]) => {
      const sequence = ops.transpose(at(x, 0), [1, 2, 0])
      const { every } = scan({ initial: [ops.constant(0, [c, B])], sequences: [sequence] }, ([h], [item]) => {
        const next = ops.sin(ops.add(item!, ops.mul(h!, ops.reshape(at(x, 1), [c, 1]))))
        return { next: [next], every: [next] }
      })
      return ops.reshape(ops.transpose(every[0]!, [2, 0, 1]), [B, b * c])
    },
  ),
  row(
    "scan with rows of a table",
    (a, b, c) => [
      [B, b, c],
      [a, c],
    ],
    (x, [a, , c]) =>
      all({ initial: [zeros(c)], sequences: [at(x, 0)] }, ([s], [item]) => {
        const number = ops.fold("max", item!, 1)
        const next = ops.add(ops.mul(s!, 0.5), ops.mul(ops.lookup(at(x, 1), ops.mul(ops.abs(number), a / 2)), item!))
        return { next: [next], every: [next] }
      }),
  ),
  row("scan with a number of turns and no sequence", batched, (x, [, b, c]) =>
    all({ initial: [ops.slice(at(x, 0), 1, 0, 1)], turns: 4 }, ([s]) => {
      const next = ops.sin(ops.add(s!, ops.slice(at(x, 0), 1, b - 1, b)))
      return { next: [next], every: [ops.reshape(next, [B, c])] }
    }),
  ),
]
