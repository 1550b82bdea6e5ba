// Where models are kept: files in Node; addresses, the page's own database and downloads in browsers. Knows no format.

import { joined } from "../core/bytes.ts"
import { show, TrilobiteError } from "../core/errors.ts"
import type { Beside, Files } from "./saved-model.ts"

/** The largest model that is loaded: 2 GiB. */
const LIMIT = 2_147_483_648

/** What was found at a place: the bytes, and how to get the files beside them. */
export interface Found {
  /** Where exactly they were: in a folder of checkpoints, the file of the newest that is good. */
  readonly path: string
  readonly bytes: Uint8Array
  readonly beside: Beside
}

const schemeOf = (path: unknown): string | undefined => {
  if (typeof path !== "string") return undefined
  return /^([a-z][a-z0-9+.-]+):\/\//i.exec(path)?.[1]?.toLowerCase()
}

const inNode = (): boolean => {
  const host: { process?: { getBuiltinModule?: unknown } } = globalThis
  return host.process?.getBuiltinModule !== undefined
}

/** A plain name in the same folder, and nothing else: no way out of it. */
function checkBeside(where: string, name: string): void {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are the characters to be refused
  if (/^[^/\\:\u0000-\u001f]{1,255}$/.test(name) && name !== ".." && name !== "." && !/%(2f|5c|2e)/i.test(name)) return
  throw new TrilobiteError("E_MODEL", {
    where,
    what: "the file names another that is not beside it.",
    expected: "a plain name in the same folder",
    got: show(name),
  })
}

/**
 * The bytes of the model at a place: a file, a folder of checkpoints (the newest that is not damaged; damaged ones are named in a warning), `https://…`, `indexeddb://name`, and in a page a path of the site.
 * Throws E_IO if there is nothing or it cannot be read.
 */
export async function readPlace(path: string): Promise<Found> {
  const scheme = schemeOf(path)
  const beside =
    (read: (name: string) => Promise<Uint8Array>): Beside =>
    async (name) => {
      checkBeside(path, name)
      return read(name)
    }
  if (scheme === "indexeddb") {
    const files = await stored(path, await databaseEntry(path))
    const lost = (name: string): never => {
      throw ioFault(path, `the part ${show(name)} of the model is missing.`)
    }
    return {
      path,
      bytes: files[0]![1],
      beside: beside(async (name) => files.find(([n]) => n === name)?.[1] ?? lost(name)),
    }
  }
  if (scheme === "http" || scheme === "https" || (scheme === undefined && !inNode())) {
    const folder = path.replace(/[?#].*$/, "").replace(/[^/]*$/, "")
    return {
      path,
      bytes: await fetched(path),
      beside: beside((name) => fetched(`${folder}${encodeURIComponent(name)}`)),
    }
  }
  checkScheme(path, scheme, "read")
  const { loadFile } = await import("./node-file.ts")
  const { newestIn } = await import("./node-checkpoints.ts")
  const newest = newestIn(path)
  if (newest !== undefined) return { ...newest, beside: beside(async (name) => loadFile(`${path}/${name}`)) }
  const folder = String(path).replace(/[^/\\]*$/, "")
  return { path, bytes: loadFile(path), beside: beside(async (name) => loadFile(`${folder}${name}`)) }
}

/** Puts the files of a model at a place, the one that was asked for last. Throws E_IO if it cannot. */
export async function writePlace(path: string, files: Files): Promise<void> {
  const scheme = schemeOf(path)
  if (scheme === "indexeddb") return databaseWrite(path, files)
  if (scheme === "downloads") return download(path, files)
  checkScheme(path, scheme, "written")
  const { saveFile } = await import("./node-file.ts")
  const folder = String(path).replace(/[^/\\]*$/, "")
  for (const [name, bytes] of files.slice(1)) saveFile(`${folder}${name}`, bytes)
  saveFile(path, files[0]![1])
}

function checkScheme(path: string, scheme: string | undefined, use: "read" | "written"): void {
  if (scheme === undefined) return
  const expected = use === "read" ? "a file, https://, indexeddb://" : "a file, indexeddb://, downloads://"
  throw ioFault(path, `models are not ${use} at such places.`, { expected, got: `${scheme}://` })
}

function ioFault(where: string, what: string, more: object = {}, cause?: unknown): TrilobiteError {
  return new TrilobiteError("E_IO", { where, what, ...more }, { cause })
}

/** What an address gives, up to the limit. */
async function fetched(address: string): Promise<Uint8Array> {
  let response: Response
  // Who knows files of the computer only may have meant one of them.
  const hint = "In a page a path is one of the site; read a file of the user with modelFromBytes(bytes)."
  const more = schemeOf(address) === undefined ? { hint } : {}
  try {
    response = await fetch(address)
  } catch (cause) {
    throw ioFault(address, "the address does not answer.", { got: String(cause), ...more }, cause)
  }
  if (!response.ok) throw ioFault(address, "the address gives no file.", { got: `status ${response.status}`, ...more })
  const parts: Uint8Array[] = []
  let total = 0
  try {
    const reader = response.body!.getReader()
    for (;;) {
      const { done, value } = await reader.read()
      if (done) break
      total += value.length
      if (total > LIMIT) {
        await reader.cancel()
        break
      }
      parts.push(value)
    }
  } catch (cause) {
    throw ioFault(address, "the answer broke off.", { got: String(cause) }, cause)
  }
  if (total > LIMIT) {
    throw new TrilobiteError("E_MODEL", { where: address, what: "the file is too large.", expected: `${LIMIT} bytes` })
  }
  return joined(parts)
}

const STORE = "models"

/** The page's database of models, made when it is first asked for. */
async function database(where: string): Promise<IDBDatabase> {
  const { indexedDB } = globalThis as { indexedDB?: IDBFactory }
  if (indexedDB === undefined) {
    throw ioFault(where, "there is no IndexedDB here.", { hint: "Save to a file instead." })
  }
  const request = indexedDB.open("trilobite", 1)
  request.onupgradeneeded = () => void request.result.createObjectStore(STORE)
  return settled(where, request)
}

function settled<T>(where: string, request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result)
    request.onerror = () => reject(ioFault(where, "the page's database refuses.", { got: String(request.error) }))
  })
}

const nameIn = (path: string): string => path.replace(/^[a-z]+:\/\//i, "")

async function databaseEntry(path: string): Promise<unknown> {
  const db = await database(path)
  try {
    return await settled(path, db.transaction(STORE, "readonly").objectStore(STORE).get(nameIn(path)))
  } finally {
    db.close()
  }
}

/** Files as `databaseWrite` has stored them. Throws E_IO if there are none. */
async function stored(path: string, value: unknown): Promise<Files> {
  const isFiles =
    Array.isArray(value) &&
    value.length > 0 &&
    value.every((f) => Array.isArray(f) && typeof f[0] === "string" && f[1] instanceof Uint8Array)
  if (isFiles) return value as unknown as Files
  throw ioFault(path, "there is no model of this name.", { hint: "Save one with model.save." })
}

async function databaseWrite(path: string, files: Files): Promise<void> {
  const db = await database(path)
  try {
    const transaction = db.transaction(STORE, "readwrite", { durability: "strict" })
    const done = new Promise<void>((resolve, reject) => {
      transaction.oncomplete = () => resolve()
      transaction.onabort = () =>
        reject(ioFault(path, "the model could not be stored.", { got: String(transaction.error) }))
    })
    transaction.objectStore(STORE).put(files, nameIn(path))
    await done
  } finally {
    db.close()
  }
}

/** Gives the files to the browser as downloads. */
function download(path: string, files: Files): void {
  const { document } = globalThis as { document?: Document }
  if (document === undefined) {
    throw ioFault(path, "there is no page here that could download.", { hint: "Save to a file instead." })
  }
  for (const [name, bytes] of files) {
    const url = URL.createObjectURL(new Blob([bytes as Uint8Array<ArrayBuffer>]))
    const link = document.createElement("a")
    link.href = url
    link.download = name
    link.click()
    // Some browsers fetch the bytes after the click has returned.
    setTimeout(() => URL.revokeObjectURL(url), 60_000)
  }
}
