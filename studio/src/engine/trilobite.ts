// The library as jobs use it: its workers are files of this site, which the security policy allows.

import type { ModelOptions } from "trilobite"
import workerUrl from "../../../src/worker.ts?worker&url"

/** The options of every model of the studio. */
export function engine(options: ModelOptions = {}): ModelOptions {
  return { workerUrl, ...options }
}
