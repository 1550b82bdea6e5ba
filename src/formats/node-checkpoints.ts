// A folder of checkpoints (Node only): one file for each, named by the number of its round; which are kept, and which is the newest
// good one. Knows names and the checksum of the files, no training.

import { TrilobiteError } from "../core/errors.ts"
import { ioError } from "../core/io.ts"
import { builtin, loadFile } from "./node-file.ts"
import { readSafetensors } from "./safetensors.ts"
import { checkSeal, SEAL } from "./seal.ts"

const { mkdirSync, readdirSync, statSync, unlinkSync } = builtin("node:fs")
const { join } = builtin("node:path")

const NAME = /^checkpoint-(\d{12,})\.safetensors$/

/** The name of the checkpoint after so many rounds: the order of names is that of rounds. */
export function checkpointName(step: number): string {
  return `checkpoint-${String(step).padStart(12, "0")}.safetensors`
}

/** Makes the folder where there is none. Throws E_IO. */
export function makeFolder(folder: string): void {
  try {
    mkdirSync(folder, { recursive: true })
  } catch (error) {
    throw ioError(folder, "cannot make this folder.", error)
  }
}

/** The names of the checkpoints in a folder, the newest first; none if there is no such folder. Throws E_IO. */
export function checkpointsIn(folder: string): readonly string[] {
  return newestFirst(namesIn(folder))
}

function namesIn(folder: string): readonly string[] {
  try {
    return statSync(folder, { throwIfNoEntry: false })?.isDirectory() === true ? readdirSync(folder) : []
  } catch (error) {
    throw ioError(folder, "cannot look into this folder.", error)
  }
}

const newestFirst = (names: readonly string[]): readonly string[] =>
  names.filter((name) => NAME.test(name)).sort((a, b) => stepOf(b) - stepOf(a))

const stepOf = (name: string): number => Number(NAME.exec(name)![1])

/**
 * Deletes all but the newest checkpoints up to `name` and the best: later ones than `name` are of a training that has not
 * been gone on with. Files that a killed process has left half-written go too. What cannot be deleted stays.
 */
export function keepNewest(folder: string, name: string, count: number, best: string): void {
  const names = namesIn(folder)
  const made = newestFirst(names)
  const upTo = made.filter((other) => stepOf(other) <= stepOf(name))
  const kept = new Set([...upTo.slice(0, count), best])
  const left = names.filter((other) => /^\.trilobite-[\w-]+\.tmp$/.test(other))
  for (const other of [...made.filter((one) => !kept.has(one)), ...left]) {
    try {
      unlinkSync(join(folder, other))
    } catch {
      // The next save tries again.
    }
  }
}

/**
 * The newest good checkpoint of a folder, undefined if it holds none; damaged ones are named in a warning.
 * Throws E_MODEL if all are damaged.
 */
export function newestIn(folder: string): { readonly path: string; readonly bytes: Uint8Array } | undefined {
  const refused: TrilobiteError[] = []
  for (const name of checkpointsIn(folder)) {
    const path = join(folder, name)
    try {
      const bytes = loadFile(path)
      const { metadata } = readSafetensors(bytes, path)
      if (metadata[SEAL] === undefined)
        throw new TrilobiteError("E_MODEL", { where: path, what: "this has no checksum." })
      checkSeal(bytes, path)
      for (const { message } of refused) console.warn(`Note: ${message} Going on with ${path}.`)
      return { path, bytes }
    } catch (error) {
      if (!(error instanceof TrilobiteError)) throw error
      refused.push(error)
    }
  }
  if (refused.length === 0) return undefined
  const got = refused.map(({ message }) => message).join(" ")
  const hint = "Start the training anew."
  throw new TrilobiteError("E_MODEL", { where: folder, what: "none of the checkpoints is good.", got, hint })
}
