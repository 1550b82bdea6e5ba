// Two spirals, one inside the other: the small data set of lessons 2 and 7. Plain numbers from a seed, the same everywhere.

import { numbersFrom } from "../random.ts"

/** Rows of two inputs, and the class of each: 0 or 1. */
export interface Spirals {
  readonly x: { readonly shape: readonly [number, 2]; readonly data: Float32Array }
  readonly y: { readonly shape: readonly [number, 1]; readonly data: Float32Array }
}

/** Numbers of the normal distribution, from even ones. */
export function normalFrom(even: () => number): () => number {
  return () => Math.sqrt(-2 * Math.log(1 - even())) * Math.cos(2 * Math.PI * even())
}

/** Points on two arms, the classes in turn, each moved a little. */
export function spirals(rows: number, noise: number, seed: number): Spirals {
  const even = numbersFrom(seed)
  const normal = normalFrom(even)
  const x = new Float32Array(2 * rows)
  const y = new Float32Array(rows)
  for (let i = 0; i < rows; i++) {
    const [arm, t] = [i % 2, even()]
    const [radius, angle] = [0.15 + 1.6 * t, 2.25 * Math.PI * t + arm * Math.PI]
    x[2 * i] = radius * Math.cos(angle) + noise * normal()
    x[2 * i + 1] = radius * Math.sin(angle) + noise * normal()
    y[i] = arm
  }
  return { x: { shape: [rows, 2], data: x }, y: { shape: [rows, 1], data: y } }
}
