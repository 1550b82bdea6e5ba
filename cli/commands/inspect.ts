// `trilobite inspect`: what the compiler makes of a network.

import { type Command, Option } from "commander"
import { buildNet, type NetName, netNames, nets, netsHelp } from "../nets.ts"
import { printLine } from "../output.ts"
import { readName } from "../values.ts"

const parts = ["graph", "program"] as const
type Part = (typeof parts)[number]

/** Adds the command. */
export function addInspect(program: Command): void {
  const what = new Option("--what <part>", "print one part only: graph or program").argParser((text) =>
    readName("--what", "part", text, parts),
  )
  program
    .command("inspect")
    .summary("print the graph and the Program of a network")
    .description("Prints the graph of a network's training, and the Program that it is compiled to.")
    .argument("<net>", netNames.join(" or "), (text) => readName("inspect", "network", text, netNames))
    .addOption(what)
    .addHelpText("after", `\n${netsHelp()}\n\nExample:\n  $ trilobite inspect shallow-net --what program`)
    .action(async (net: NetName, options: { readonly what?: Part }) => {
      const { batchSize } = nets[net]
      const texts: { readonly [part in Part]: string } = await buildNet(net).inspect({ batchSize })
      const wanted = options.what === undefined ? parts : [options.what]
      printLine(wanted.map((part) => texts[part].trimEnd()).join("\n\n"))
    })
}
