// How the published package is bundled: ESM plus declarations, one file per public entry.
import { defineConfig, type UserConfig } from "tsdown"

/** What a page loads at once: one file instead of ten, because files compress better together. */
const CORE =
  /src[\\/]((core[\\/](errors|shape|tensor|random|math|math64|scalar)|graph[\\/](node|ops|compose))\.ts|nn[\\/](?!(config|functional|update)\.ts|(layers|text)[\\/]))/

/** Each file of layers is a file: a bundle keeps those whose layers it names, and all others are loaded with files of models. */
const LAYER = /src[\\/]nn[\\/]layers[\\/]/
const layerFile = (path: string): string => `layers/${/([^\\/]+)\.ts$/.exec(path)![1]}`

const shared: UserConfig = {
  entry: {
    index: "src/index.ts",
    datasets: "src/datasets.ts",
    worker: "src/worker.ts",
    config: "cli/config.ts",
    "cli/main": "cli/main.ts",
  },
  format: "esm",
  // No helper of Node in what browsers load; what Node-only files import stays an import.
  platform: "neutral",
  deps: { neverBundle: [/^node:/] },
  target: "es2023",
  fixedExtension: false,
  outDir: "dist",
}

const config: UserConfig[] = [
  defineConfig({ ...shared, dts: { oxc: true, emitDtsOnly: true }, clean: true }),
  defineConfig({
    ...shared,
    dts: false,
    clean: false,
    copy: ["src/data/sets", "cli/train.schema.json"],
    inputOptions: { preserveEntrySignatures: "allow-extension" },
    outputOptions: {
      codeSplitting: {
        includeDependenciesRecursively: false,
        groups: [
          { name: "core", test: CORE },
          { name: layerFile, test: LAYER },
        ],
      },
    },
  }),
]

export default config
