// How the published package is bundled: ESM plus declarations, one file per public entry.
import { defineConfig, type UserConfig } from "tsdown"

const config: UserConfig = defineConfig({
  entry: { index: "src/index.ts", datasets: "src/datasets.ts", "cli/main": "cli/main.ts" },
  format: "esm",
  platform: "node",
  target: "es2023",
  fixedExtension: false,
  dts: { oxc: true },
  outDir: "dist",
  clean: true,
})

export default config
