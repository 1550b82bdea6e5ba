// How the studio's pages are built: static files that need no server, and no inline script or style.
import { fileURLToPath } from "node:url"
import { defineConfig, type UserConfig } from "vite"

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url))

const config: UserConfig = defineConfig({
  root: here("."),
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
