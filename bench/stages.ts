// One process of first-use.ts: the stages between `fit` and the first round of (a), each timed once, cold.
// Prints one line of JSON with milliseconds. Takes portable or fused.

import { generate } from "../src/backend/wasm/generate.ts"
import { platform } from "../src/backend/wasm/node-platform.ts"
import { tune } from "../src/backend/wasm/tune.ts"
import { programOf } from "./program.ts"
import { workloads } from "./workloads.ts"

const numerics = process.argv[2] === "fused" ? "fused" : "portable"
const marks: number[] = [performance.now()]
const mark = <T>(value: T): T => {
  marks.push(performance.now())
  return value
}
const program = mark(programOf(workloads[0]!, numerics))
const { tile, wide } = mark(tune(platform, numerics, true))
const { bytes } = mark(generate(program, "train", { tile, threads: 2, shared: true }))
mark(platform.compile(bytes, { wide, relaxed: numerics === "fused" }))
const [compile, tuning, generation, machineCode] = marks.slice(1).map((time, i) => time - marks[i]!)
console.log(JSON.stringify({ compile, tuning, generation, machineCode, bytes: bytes.length }))
