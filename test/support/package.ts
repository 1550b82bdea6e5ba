// The package as npm would publish it, unpacked into node_modules of a folder, and bundles of it for browsers.
import { execFileSync } from "node:child_process"
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { gzipSync } from "node:zlib"
import { build } from "vite"
import { ROOT } from "./files.ts"

/** A folder with the packed package in its node_modules. */
export interface Installed {
  readonly folder: string
  remove(): void
}

/** Builds, packs and unpacks. */
export function installPackage(): Installed {
  const folder = mkdtempSync(join(tmpdir(), "trilobite-package-"))
  const made = join(folder, "made")
  const target = join(folder, "node_modules/trilobite")
  mkdirSync(made)
  mkdirSync(target, { recursive: true })
  const bundler = join(ROOT, "node_modules/tsdown/dist/run.mjs")
  execFileSync(process.execPath, [bundler, "--out-dir", join(made, "dist")], { cwd: ROOT, stdio: "pipe" })
  for (const file of ["package.json", "README.md", "LICENSE"]) cpSync(join(ROOT, file), join(made, file))
  const pack = ["pack", "--ignore-scripts", "--silent", "--pack-destination", folder]
  execFileSync("npm", pack, { cwd: made, stdio: "pipe", shell: process.platform === "win32" })
  const packed = readdirSync(folder).find((name) => name.endsWith(".tgz"))!
  execFileSync("tar", ["-xzf", packed, "-C", target, "--strip-components=1"], { cwd: folder })
  return { folder, remove: () => rmSync(folder, { recursive: true, force: true }) }
}

/** A Vite build of an app of one script, in `dist` of the folder; what Vite has said. */
export async function bundleWithVite(folder: string, script: string): Promise<readonly string[]> {
  const said: string[] = []
  writeFileSync(join(folder, "index.html"), '<!doctype html><script type="module" src="/main.js"></script>')
  writeFileSync(join(folder, "main.js"), script)
  const say = (text: string): void => void said.push(text)
  await build({
    root: folder,
    configFile: false,
    logLevel: "warn",
    customLogger: {
      ...{ info: () => {}, warn: say, warnOnce: say, error: say, clearScreen: () => {} },
      ...{ hasErrorLogged: () => false, hasWarned: false },
    },
  })
  return said
}

/** Bytes after gzip of the scripts of a Vite build, without what only Node loads. */
export interface Sizes {
  /** What a page loads at once. */
  readonly core: number
  /** What it has loaded besides: what `loaded` names. */
  readonly training: number
  /** What is loaded when a training is watched or examined. */
  readonly coach: number
  /** All formats of files together, of which a page loads those that it reads and writes. */
  readonly files: number
  /** What is loaded for other uses. */
  readonly others: number
}

/** These sizes; `loaded` are the names of the scripts that the page has asked for while it trained. */
export function bundleSizes(folder: string, loaded: ReadonlySet<string>): Sizes {
  const page = readFileSync(join(folder, "dist/index.html"), "utf8")
  const assets = join(folder, "dist/assets")
  const sizes = { core: 0, training: 0, coach: 0, files: 0, others: 0 }
  const rest = (name: string) => {
    if (/^(coach|coaching|examine|watch|network-facts)-/.test(name)) return "coach"
    return /^(files|read-model|keras|tfjs|onnx|typescript)/.test(name) ? "files" : "others"
  }
  for (const name of readdirSync(assets)) {
    if (!name.endsWith(".js") || name.startsWith("node-")) continue
    const bytes = gzipSync(readFileSync(join(assets, name)), { level: 9 }).length
    sizes[page.includes(name) ? "core" : loaded.has(name) ? "training" : rest(name)] += bytes
  }
  return sizes
}
