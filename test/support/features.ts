// What there is of each group of Keras's names: read from the library's own tables and exports.

import * as library from "../../src/index.ts"
import { activationAliases, activationNames } from "../../src/nn/activations.ts"
import { layerTypes } from "../../src/nn/config.ts"
import { constraints } from "../../src/nn/constraints.ts"
import { initializerNames } from "../../src/nn/initializers.ts"
import { losses } from "../../src/nn/losses.ts"
import { metrics } from "../../src/nn/metrics.ts"
import { optimizers } from "../../src/nn/optimizers.ts"
import { regularizers } from "../../src/nn/regularizers.ts"
import { schedules } from "../../src/nn/schedules.ts"

/** The groups of names, in the order of FEATURES.md. */
export const groups = [
  "layers",
  "activations",
  "initializers",
  "regularizers",
  "constraints",
  "losses",
  "metrics",
  "optimizers",
  "schedules",
  "callbacks",
] as const

/** A group of names. */
export type Group = (typeof groups)[number]

/** The callbacks of ours. `History` is what fit gives. */
const callbacks = [
  ["backupAndRestore", undefined],
  ["csvLogger", "csvLogger"],
  ["earlyStopping", "earlyStopping"],
  ["history", "model.history"],
  ["lambdaCallback", "lambdaCallback"],
  ["learningRateScheduler", "learningRateScheduler"],
  ["modelCheckpoint", "modelCheckpoint"],
  ["progbarLogger", "progressBar"],
  ["reduceLROnPlateau", "reduceLROnPlateau"],
  ["tensorBoard", "tensorBoard"],
  ["terminateOnNaN", "terminateOnNaN"],
  ["jsonLinesLogger", "jsonLinesLogger"],
  ["learningSpeed", "learningSpeed"],
  ["saturation", "saturation"],
  ["weightHistory", "weightHistory"],
] as const

const tables: { readonly [G in Exclude<Group, "layers" | "callbacks">]: readonly string[] } = {
  activations: [...activationNames, ...Object.keys(activationAliases)],
  initializers: initializerNames,
  regularizers: Object.keys(regularizers),
  constraints: Object.keys(constraints),
  losses: Object.keys(losses),
  metrics: Object.keys(metrics),
  optimizers: Object.keys(optimizers),
  schedules: Object.keys(schedules),
}

/** The names of a group in lower case without marks, and how each is called here. */
export function availableNames(group: Group): ReadonlyMap<string, string> {
  const plain = (name: string): string => name.replaceAll("_", "").toLowerCase()
  if (group === "layers") {
    const factories = Object.entries(library).flatMap(([name, value]) =>
      typeof value === "function" && "create" in value && "type" in value
        ? [[plain(String(value.type)), name] as const]
        : [],
    )
    const known = new Set(Object.keys(layerTypes).map(plain))
    const beside = ["textVectorization"].filter((name) => Object.hasOwn(library, name))
    return new Map([
      ...factories.filter(([type]) => known.has(type)),
      ...beside.map((name) => [plain(name), name] as const),
    ])
  }
  if (group === "callbacks") {
    const there = callbacks.flatMap(([name, ours]) => (ours === undefined ? [] : [[plain(name), ours] as const]))
    for (const [, ours] of there) {
      if (ours !== "model.history" && !Object.hasOwn(library, ours)) throw new Error(`${ours} is not exported`)
    }
    return new Map(there)
  }
  return new Map(tables[group].map((name) => [plain(name), name]))
}
