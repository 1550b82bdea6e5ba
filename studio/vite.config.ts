// How the studio's pages are built: static files that need no server, and no inline script or style.
import { fileURLToPath } from "node:url"
import { defineConfig, type Plugin, type UserConfig } from "vite"
import { lessons } from "./src/lessons/list.ts"

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url))

/** A page of its own for every address, so that a host of plain files can serve the studio without knowing of routes. */
const addresses: Plugin = {
  name: "addresses",
  enforce: "post",
  generateBundle(_, bundle) {
    const page = bundle["index.html"]
    if (page?.type !== "asset") throw new Error("the build has made no index.html")
    const parts = lessons.flatMap((lesson) => lesson.parts.map(({ name }) => `lessons/${name}`))
    for (const path of [...parts, "playground", "runs", "data/mnist"]) {
      this.emitFile({ type: "asset", fileName: `${path}/index.html`, source: page.source })
    }
  },
}

const config: UserConfig = defineConfig({
  root: here("."),
  plugins: [addresses],
  resolve: { alias: [{ find: /^trilobite$/, replacement: here("../src/index.ts") }] },
  build: {
    outDir: here("../dist/studio"),
    emptyOutDir: true,
    target: "es2023",
    assetsInlineLimit: 0,
    // What it adds puts nothing into the page that the security policy would stop, but it is not needed either.
    modulePreload: { polyfill: false },
  },
  worker: { format: "es" },
  server: {
    headers: { "cross-origin-opener-policy": "same-origin", "cross-origin-embedder-policy": "require-corp" },
  },
})

export default config
