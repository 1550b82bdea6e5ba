// placeholder
import type { Job } from "../protocol.ts"
export const backprop: Job<number, number> = async function* () {}
