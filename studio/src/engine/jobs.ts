// The list of jobs: each is loaded when it is first wanted.

import type { SignatureOf } from "./protocol.ts"

/** The jobs with what they take and tell. */
export interface Jobs {
  readonly landscape: SignatureOf<typeof import("./jobs/landscape.ts").landscape>
  readonly play: SignatureOf<typeof import("./jobs/play.ts").play>
  readonly race: SignatureOf<typeof import("./jobs/race.ts").race>
  readonly slice: SignatureOf<typeof import("./jobs/slice.ts").slice>
  readonly round: SignatureOf<typeof import("./jobs/round.ts").round>
  readonly backprop: SignatureOf<typeof import("./jobs/backprop.ts").backprop>
  readonly speed: SignatureOf<typeof import("./jobs/speed.ts").speed>
  readonly mnist: SignatureOf<typeof import("./jobs/mnist.ts").mnist>
  readonly sweep: SignatureOf<typeof import("./jobs/sweep.ts").sweep>
}

/** The loaders of the jobs by name. */
export const jobs: { readonly [N in keyof Jobs]: () => Promise<unknown> } = {
  landscape: () => import("./jobs/landscape.ts").then((m) => m.landscape),
  play: () => import("./jobs/play.ts").then((m) => m.play),
  race: () => import("./jobs/race.ts").then((m) => m.race),
  slice: () => import("./jobs/slice.ts").then((m) => m.slice),
  round: () => import("./jobs/round.ts").then((m) => m.round),
  backprop: () => import("./jobs/backprop.ts").then((m) => m.backprop),
  speed: () => import("./jobs/speed.ts").then((m) => m.speed),
  mnist: () => import("./jobs/mnist.ts").then((m) => m.mnist),
  sweep: () => import("./jobs/sweep.ts").then((m) => m.sweep),
}
