// The list of jobs: each is loaded when it is first wanted.

import type { SignatureOf } from "./protocol.ts"

/** The jobs with what they take and tell. */
export interface Jobs {
  readonly play: SignatureOf<typeof import("./jobs/play.ts").play>
  readonly race: SignatureOf<typeof import("./jobs/race.ts").race>
}

/** The loaders of the jobs by name. */
export const jobs: { readonly [N in keyof Jobs]: () => Promise<unknown> } = {
  play: () => import("./jobs/play.ts").then((m) => m.play),
  race: () => import("./jobs/race.ts").then((m) => m.race),
}
