// How the published package is bundled: ESM plus declarations, one file per public entry.
import { defineConfig, type UserConfig } from "tsdown"

const config: UserConfig = defineConfig({
  entry: { index: "src/index.ts", datasets: "src/datasets.ts", worker: "src/worker.ts", "cli/main": "cli/main.ts" },
  format: "esm",
  // No helper of Node in what browsers load; what Node-only files import stays an import.
  platform: "neutral",
  deps: { neverBundle: [/^node:/] },
  target: "es2023",
  fixedExtension: false,
  dts: { oxc: true },
  outDir: "dist",
  clean: true,
})

export default config
