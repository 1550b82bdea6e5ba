// How the published package is bundled: ESM plus declarations, one file per public entry.
import { defineConfig, type UserConfig } from "tsdown"

/**
 * The files of the package, by the sources that they hold (paths below src); the rest is left to the bundler. What a page loads at once
 * is one file, because files compress better together. Layers are in families: a bundle keeps those of which it names a layer, the
 * others are loaded with files of models; one file would be kept whole, and one for each layer takes Node long to import. What is
 * loaded together later is one file too, because a page holds the names of all of them at once; but none of those may be needed by what
 * is loaded without it.
 */
const FILES = {
  core: [
    "core/(errors|shape|tensor|random|math|math64|scalar)",
    "graph/(node|ops|compose)",
    "data/dataset",
    "nn/(?!(config|functional|update)\\.|(layers|text)/).*",
    "train/(model|workings|graphs|options|state|rate|inputs|rows|examples|forward|summary)",
  ],
  dense: ["nn/layers/(weighted|dense)"],
  images: ["nn/layers/(data-format|sliding|conv-transpose|convolution|(global-)?pooling|placing)"],
  augmentation: ["nn/layers/(augmentation|sampling)"],
  sequences: ["nn/layers/(recurrent|gru|lstm|simple-rnn|bidirectional|time-distributed|masking|embedding)"],
  attention: ["nn/layers/attention"],
  normalization: ["nn/layers/(affine|batch-normalization|normalization|normalizing)"],
  noise: ["nn/layers/(noise|activations?|activity-regularization)"],
  layers: ["nn/layers/.*"],
  program: ["program/(program|kernel|expression)", "core/fold"],
  compiler: ["compile/.*", "program/(verify|races)", "graph/graph"],
  asking: ["train/(asking|parts|reader|ring|batches|feed|fit|means|divergence)"],
  training: ["autodiff/.*", "train/(fitting|fit-options|division|step|step-rows|callbacks/listeners)"],
  files: ["train/files", "formats/(formats|places|saved-model|weights-file|safetensors|model-file)"],
}

const groups = Object.entries(FILES).map(([name, paths]) => {
  const sources = `/src/(${paths.join("|")})\\.ts$`
  return { name, test: new RegExp(sources.replaceAll("/", "[\\\\/]")) }
})

const shared: UserConfig = {
  entry: {
    index: "src/index.ts",
    datasets: "src/datasets.ts",
    tune: "src/tune.ts",
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
    outputOptions: { codeSplitting: { includeDependenciesRecursively: false, groups } },
  }),
]

export default config
