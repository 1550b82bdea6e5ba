// How the published package is bundled, twice: for Node (and whatever else asks for no other), and for browsers in dist/web. ESM, and one set of
// declarations for both.
import { join } from "node:path"
import { defineConfig, type Rolldown, type UserConfig, type UserConfigFn } from "tsdown"

/**
 * The files for browsers, by the sources that they hold (paths below src); the rest is left to the bundler. What a page loads at once
 * is one file, because files compress better together. Layers are in families: a bundle keeps those of which it names a layer, the
 * others are loaded with files of models; one file would be kept whole. What is loaded together later is one file too, because a page
 * holds the names of all of them at once; but none of those may be needed by what is loaded without it.
 */
const WEB = {
  core: [
    "core/(errors|shape|tensor|random|math|math64|scalar)",
    "graph/(node|ops|compose)",
    "data/dataset",
    "nn/(?!(config|functional|update)\\.|(layers|text)/).*",
    "train/(model|workings|graphs|options|state|rate|inputs|rows|examples|forward|summary)",
    "backend/(pick|reference/reference|wasm/(wasm|platform))",
    "model",
  ],
  functional: ["nn/functional"],
  dense: ["nn/layers/(weighted|dense)"],
  images: ["nn/layers/(data-format|sliding|conv-transpose|convolution|(global-)?pooling|placing)"],
  augmentation: ["nn/layers/(augmentation|sampling)"],
  sequences: ["nn/layers/(recurrent|gru|lstm|simple-rnn|bidirectional|time-distributed|masking|embedding)"],
  attention: ["nn/layers/attention"],
  normalization: ["nn/layers/(affine|batch-normalization|normalization|normalizing)"],
  noise: ["nn/layers/(noise|activations?|activity-regularization)"],
  layers: ["nn/layers/.*"],
  program: ["program/(program|kernel|expression)", "core/fold"],
  engine: ["compile/.*", "program/(verify|races)", "graph/graph", "backend/wasm/(?!node-|browser-).*"],
  asking: ["train/(asking|parts|reader|ring|batches|feed|fit|means|divergence)"],
  training: ["autodiff/.*", "train/(fitting|fit-options|division|step|step-rows|callbacks/listeners)"],
  files: ["train/files", "formats/(formats|places|saved-model|weights-file|safetensors|model-file)"],
}

const webGroups = Object.entries(WEB).map(([name, paths]) => {
  const sources = `/src/(${paths.join("|")})\\.ts$`
  return { name, test: new RegExp(sources.replaceAll("/", "[\\\\/]")) }
})

/**
 * The files for Node: what the library needs at once, and what a first training needs besides, by the sources from which static imports
 * lead to all of it. Node loads two files in much less time than thirty, and nobody waits for what it then has too much.
 */
const NODE = {
  library: ["index"],
  training: ["train/fitting", "train/step", "compile/compile", "backend/wasm/load", "backend/wasm/node-platform"],
}

const nodeFiles = new Map<string, string>()

/** The name of the file for Node that holds a source; null leaves it to the bundler. */
function nodeFile(source: string, build: Rolldown.ChunkingContext): string | null {
  if (nodeFiles.size === 0) {
    for (const [name, starts] of Object.entries(NODE)) {
      const reached = starts.map((start) => join(import.meta.dirname, "src", `${start}.ts`))
      for (const one of reached) {
        if (nodeFiles.has(one)) continue
        nodeFiles.set(one, name)
        reached.push(...(build.getModuleInfo(one)?.importedIds ?? []))
      }
    }
  }
  return nodeFiles.get(source) ?? null
}

const shared: UserConfig = {
  format: "esm",
  // No helper of Node in what browsers load; what Node-only files import stays an import.
  platform: "neutral",
  deps: { neverBundle: [/^node:/] },
  target: "es2023",
  fixedExtension: false,
  outDir: "dist",
  dts: false,
  clean: false,
  inputOptions: { preserveEntrySignatures: "allow-extension" },
}

/** Docstrings are in the declarations. */
const comments = { jsdoc: false, annotation: true, legal: true }

const entry = {
  index: "src/index.ts",
  datasets: "src/datasets.ts",
  tune: "src/tune.ts",
  config: "cli/config.ts",
  "cli/main": "cli/main.ts",
}

const declarations: UserConfig = {
  ...shared,
  entry: { ...entry, worker: "src/worker.ts" },
  dts: { oxc: true, emitDtsOnly: true },
  clean: true,
}

// Without declarations (--no-dts) theirs would be a third build of the code, over the files of the first.
const config: UserConfigFn = defineConfig(({ dts }) => [
  ...(dts === false ? [] : [declarations]),
  {
    ...shared,
    entry,
    copy: ["src/data/sets", "cli/train.schema.json"],
    outputOptions: {
      comments,
      codeSplitting: { includeDependenciesRecursively: false, groups: [{ name: nodeFile }] },
    },
  },
  {
    ...shared,
    entry: { "web/index": "src/index.ts", "web/tune": "src/tune.ts", "web/worker": "src/worker.ts" },
    outputOptions: {
      comments,
      chunkFileNames: "web/[name]-[hash].js",
      codeSplitting: { includeDependenciesRecursively: false, groups: webGroups },
    },
  },
])

export default config
