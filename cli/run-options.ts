// What `trilobite train` is told, and the machine that it finds. Knows no training and no folder.

import { availableParallelism } from "node:os"
import { type ModelOptions, NUMERICS_VERSION } from "../src/index.ts"
import type { Environment } from "./run-folder.ts"
import { version } from "./version.ts"

/** The options of `trilobite train`, as they were given. */
export interface TrainOptions {
  readonly epochs?: number | "auto"
  readonly batchSize?: number | "auto"
  readonly learningRate?: number
  readonly seed?: number
  readonly threads?: number
  readonly backend?: "wasm" | "reference"
  readonly numerics?: "portable" | "fused"
  readonly wideVectors?: "on" | "off"
  readonly quiet?: true
  readonly json?: true
  /** What becomes of the training if a checkpoint cannot be written. */
  readonly onCkptError?: "stop" | "continue"
  /** False: the coach does not watch. */
  readonly coach?: boolean
  readonly out?: string
  readonly data?: string
  readonly resume?: string
  /** Whether what the coach finds is changed, and in how many further trainings at most. */
  readonly repair?: true
  readonly maxRepairs?: number
  /** One of several trainings: what all have in common is not said again, nor what only the last one needs. */
  readonly brief?: true
}

/** The options that were given, without those that were not. */
export function givenOf(options: TrainOptions): TrainOptions {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined))
}

/** The machine on which a run is computed. */
export function environment(options: {
  readonly threads?: number | undefined
  readonly backend?: string | undefined
  readonly wideVectors?: "on" | "off" | undefined
}): Environment {
  return {
    threads: options.threads ?? null,
    backend: options.backend ?? null,
    wideVectors: options.wideVectors !== "off",
    cores: availableParallelism(),
    trilobite: version(),
    numericsVersion: NUMERICS_VERSION,
    node: process.versions.node,
    v8: process.versions.v8,
    platform: `${process.platform}-${process.arch}`,
  }
}

/** What a model is told of the machine. */
export function machine({ threads, backend, wideVectors }: Environment): ModelOptions {
  return { wideVectors, ...(threads === null ? {} : { threads }), ...(backend === null ? {} : { backend }) }
}
