// Finds this repository's own files for the tests that read them. Knows nothing of what is in them.
import { existsSync, readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"

/** The repository's root folder, with a slash at the end. */
export const ROOT: string = fileURLToPath(new URL("../../", import.meta.url))

/** The .ts files below some folders of the repository: path from the root (with /) -> text, sorted by path. */
export function readSources(...folders: string[]): Map<string, string> {
  const paths = folders
    .filter((folder) => existsSync(ROOT + folder))
    .flatMap((folder) =>
      readdirSync(ROOT + folder, { recursive: true, encoding: "utf8" }).map((name) => join(folder, name)),
    )
  const sources = paths.map((path) => path.replaceAll("\\", "/")).filter((path) => path.endsWith(".ts"))
  return new Map(sources.sort().map((path) => [path, readFileSync(ROOT + path, "utf8")]))
}
