// `trilobite studio`: its options and its help, the browser, and Ctrl-C. Knows no HTTP.

import { spawn } from "node:child_process"
import { resolve } from "node:path"
import { fileURLToPath } from "node:url"
import { type Command, Option } from "commander"
import { watchInterrupts } from "../interrupt.ts"
import { printLine } from "../output.ts"
import { readPath, readWhole } from "../values.ts"

/** The port if none is named and it is free. */
const PORT = 4321

const HELP = `
It prints the address that lets one browser in, once, and opens it. Only this
machine is served. Ctrl-C ends it at once; runs in training go on.

Examples:
  $ trilobite studio
  $ trilobite studio --runs /tmp/experiments --port 8000 --no-open`

/** Adds the command. */
export function addStudio(program: Command): void {
  const port = new Option("--port <n>", `port to listen at (default: ${PORT}, or the next free one)`)
  const runs = new Option("--runs <folder>", "folder whose runs are shown").default("runs")
  program
    .command("studio")
    .summary("show runs, lessons and the playground in a browser")
    .description("Shows runs, lessons and the playground in a browser.")
    .addOption(port.argParser((text) => readWhole("--port", text, `--port ${PORT}`, { least: 0, most: 65_535 })))
    .addOption(runs.argParser((text) => readPath("--runs", text)))
    .option("--no-open", "print the address only")
    .addHelpText("after", HELP)
    .action(async (options: { readonly port?: number; readonly runs: string; readonly open: boolean }) => {
      process.exitCode = await show(options)
    })
}

/** Serves until it is interrupted; answers with the exit code. */
async function show(options: {
  readonly port?: number
  readonly runs: string
  readonly open: boolean
}): Promise<number> {
  // Only here: the other commands have no use for HTTP.
  const { startStudio } = await import("../studio/server.ts")
  const studio = await startStudio({
    port: options.port ?? PORT,
    search: options.port === undefined,
    runs: resolve(options.runs),
    // Beside the command line in the package: dist/cli/main.js, dist/studio.
    site: fileURLToPath(new URL("../studio/", import.meta.url)),
  })
  const interrupt = watchInterrupts(() => {})
  printLine(studio.url)
  if (options.open) openBrowser(studio.url)
  if (!interrupt.signal.aborted) {
    await new Promise((ended) => interrupt.signal.addEventListener("abort", ended, { once: true }))
  }
  await studio.close()
  interrupt.close()
  return interrupt.exitCode ?? 0
}

/** Opens an address in the user's browser; where that is not possible the printed one must do. */
function openBrowser(url: string): void {
  const commands: { readonly [platform: string]: readonly [string, ...string[]] } = {
    darwin: ["open", url],
    win32: ["cmd", "/c", "start", '""', url],
  }
  const [command, ...args] = commands[process.platform] ?? ["xdg-open", url]
  const child = spawn(command, args, { detached: true, stdio: "ignore", windowsVerbatimArguments: true })
  child.on("error", () => {})
  child.unref()
}
