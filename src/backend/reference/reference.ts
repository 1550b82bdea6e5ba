// The reference backend: an interpreter of Programs in plain TypeScript, imported when the first program is loaded.

import type { Backend } from "../backend.ts"
import type { Precision } from "./arithmetic.ts"

/**
 * The reference backend. Its precision is float32 unless a check of gradients asks for float64.
 */
export function referenceBackend(precision?: Precision): Backend {
  return {
    name: "reference",
    unavailable: () => undefined,
    load: async (program) => {
      const [{ ReferenceExecutable }, { single }] = await Promise.all([
        import("./executable.ts"),
        import("./arithmetic.ts"),
      ])
      return new ReferenceExecutable(program, precision ?? single)
    },
  }
}
