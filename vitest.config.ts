// How tests run: in forked Node processes (worker_threads and SharedArrayBuffer are free to use), against the sources.
import { fileURLToPath } from "node:url"
import { defineConfig, type ViteUserConfig } from "vitest/config"

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url))

const config: ViteUserConfig = defineConfig({
  resolve: {
    alias: [
      { find: /^trilobite$/, replacement: here("src/index.ts") },
      { find: /^trilobite\/datasets$/, replacement: here("src/datasets.ts") },
      { find: /^trilobite\/tune$/, replacement: here("src/tune.ts") },
    ],
  },
  test: {
    name: "node",
    environment: "node",
    include: ["test/**/*.test.ts"],
    pool: "forks",
    // By default one processor is left idle: on two that is half of the machine.
    maxWorkers: "100%",
    testTimeout: 60_000,
    hookTimeout: 120_000,
    silent: "passed-only",
  },
})

export default config
