// The coach's rules, as the benchmark asks for them: a new coach for every training.

import { existsSync } from "node:fs"
import { join } from "node:path"
import type { Advisor } from "../../src/coach/finding.ts"

/** Makes coaches; undefined while this checkout has no rules: then only the anchors are asked. */
export async function newCoach(): Promise<(() => Advisor) | undefined> {
  const path = join(import.meta.dirname, "../../src/coach/coach.ts")
  if (!existsSync(path)) return undefined
  const { Coach } = (await import(path)) as { readonly Coach: new () => Advisor }
  return () => new Coach()
}
