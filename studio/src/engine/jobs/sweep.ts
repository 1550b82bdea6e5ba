// placeholder
import type { Job } from "../protocol.ts"
/** later */
export const sweep: Job<{ readonly a: number }, number> = async function* (p) {
  yield p.a
}
