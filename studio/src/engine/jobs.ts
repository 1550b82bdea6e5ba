// The list of jobs: each is loaded when it is first wanted.

import type { SignatureOf } from "./protocol.ts"

/** The jobs with what they take and tell. */
export interface Jobs {
  readonly race: SignatureOf<typeof import("./jobs/race.ts").race>
  readonly speed: SignatureOf<typeof import("./jobs/speed.ts").speed>
  readonly mnist: SignatureOf<typeof import("./jobs/mnist.ts").mnist>
}

/** The loaders of the jobs by name. */
export const jobs: { readonly [N in keyof Jobs]: () => Promise<unknown> } = {
  race: () => import("./jobs/race.ts").then((m) => m.race),
  speed: () => import("./jobs/speed.ts").then((m) => m.speed),
  mnist: () => import("./jobs/mnist.ts").then((m) => m.mnist),
}
