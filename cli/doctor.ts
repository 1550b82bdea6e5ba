// What is wrong with a training: one that a run folder tells of, or one that is not begun. Knows no command-line syntax.

import { existsSync, statSync } from "node:fs"
import { join } from "node:path"
import { type Evidence, TrilobiteError } from "../src/index.ts"
import { diagnosisText, labelled } from "./coach.ts"
import type { TrainConfig } from "./config.ts"
import { readConfigFile } from "./config-file.ts"
import { isNetName } from "./nets.ts"
import { printJson, printLine, warningText } from "./output.ts"
import { diagnosed, evidenceOf, type Fields, findRun } from "./report/read.ts"
import { files } from "./run-folder.ts"
import type { TrainOptions } from "./run-options.ts"
import { complete, givenSettings } from "./settings.ts"
import { buildModel, examineRows } from "./table-net.ts"
import { rowsFor } from "./table-rows.ts"
import { count, isSetName } from "./tables.ts"
import { examineNet } from "./training.ts"

/** What was looked at, and what was seen. */
interface Checkup {
  readonly of: string
  readonly evidence: Evidence
  readonly refused?: TrilobiteError | undefined
  readonly warnings?: readonly string[]
}

/** How the findings are told. */
export interface DoctorOptions extends TrainOptions {
  readonly runs: string
}

/** Looks at a run, a config, a table or a network of the chapter, and says what is wrong. */
export async function doctor(named: string, given: TrainConfig, options: DoctorOptions): Promise<void> {
  const { of, evidence, refused, warnings = [] } = await checkup(named, given, options)
  const diagnosis = await diagnosed(of, evidence)
  if (options.json) {
    const { code, where, message } = refused ?? {}
    printJson({ of, ...diagnosis, warnings, ...(refused === undefined ? {} : { refused: { code, where, message } }) })
    return
  }
  printLine(labelled("Looked at", of))
  if (refused !== undefined) printLine(labelled("Refused", refused.message))
  const alone = refused !== undefined && diagnosis.headline === undefined && diagnosis.tips.length === 0
  if (!alone) printLine(await diagnosisText(diagnosis))
  for (const warning of warnings) printLine(warningText(warning))
}

async function checkup(named: string, given: TrainConfig, options: DoctorOptions): Promise<Checkup> {
  if (isSetName(named)) return { of: `${named}, not begun`, ...(await examineTable({ ...given, data: named })) }
  if (isNetName(named)) return { of: `${named} on MNIST, not begun`, evidence: await examineNet(named, options) }
  const folder = [named, join(options.runs, named)].find((path) => existsSync(join(path, files.config)))
  if (folder !== undefined) return ofRun(folder, options)
  if (existsSync(named) && statSync(named).isDirectory()) findRun(options.runs, named)
  const isConfig = /\.([cm]?[jt]s|json)$/.test(named)
  const config = isConfig ? { ...(await readConfigFile(named)), ...given } : { ...given, data: named }
  return { of: `${named}, not begun`, ...(await examineTable(config)) }
}

/** A run by what the coach has seen of it; if it did not watch, its training is looked at as if it were not begun. */
async function ofRun(folder: string, options: DoctorOptions): Promise<Checkup> {
  const evidence = evidenceOf(folder)
  if (evidence !== undefined) return { of: `${folder}, ${count(evidence.epochs.length, "epoch")}`, evidence }
  const { config } = findRun(options.runs, folder)
  const of = `${folder}, before its first step: the coach did not watch it`
  if (isNetName(String(config.net)))
    return { of, evidence: await examineNet(config.net as "shallow-net", trainOptions(config)) }
  return { of, ...(await examineTable(Object.fromEntries(givenSettings(config)))) }
}

/** The options of a network's run as they were given. */
function trainOptions(config: Fields): TrainOptions {
  const names = ["epochs", "batchSize", "learningRate", "seed", "data"] as const
  const known = names.flatMap((name) =>
    config[name] === undefined || config[name] === null ? [] : [[name, config[name]]],
  )
  return Object.fromEntries(known) as TrainOptions
}

/** What can be said of a training on a table before its first step. */
interface TableCheckup {
  readonly evidence: Evidence
  /** Why the table cannot be trained on as it is; it was looked at with missing cells filled. */
  readonly refused: TrilobiteError | undefined
  readonly warnings: readonly string[]
}

/** Looks at a training on a table that is not begun. */
async function examineTable(given: TrainConfig): Promise<TableCheckup> {
  const settings = complete(given)
  let refused: TrilobiteError | undefined
  const { data } = await rowsFor(settings).catch(async (error: unknown) => {
    if (!(error instanceof TrilobiteError) || error.code !== "E_DATA" || given.missing !== undefined) throw error
    refused = error
    return await rowsFor({ ...settings, missing: "mean" }).catch(() => {
      throw error
    })
  })
  const evidence = await examineRows(data, settings, buildModel(data, settings, { seed: settings.seed }))
  return { evidence, refused, warnings: data.warnings.map(({ message }) => message) }
}
