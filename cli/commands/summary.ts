// `trilobite summary`: the table of a network's layers.

import type { Command } from "commander"
import { buildNet, type NetName, netNames, netsHelp } from "../nets.ts"
import { printLine } from "../output.ts"
import { readName } from "../values.ts"

/** Adds the command. */
export function addSummary(program: Command): void {
  program
    .command("summary")
    .summary("print the layers and parameters of a network")
    .description("Prints the layers of a network with their shapes and parameters.")
    .argument("<net>", netNames.join(" or "), (text) => readName("summary", "network", text, netNames))
    .addHelpText("after", `\n${netsHelp()}\n\nExample:\n  $ trilobite summary intermediate-net`)
    .action((net: NetName) => {
      buildNet(net).summary({ printFn: printLine })
    })
}
