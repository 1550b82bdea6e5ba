// `trilobite cost`: the two cost functions of the chapter.

import type { Command } from "commander"
import { crossEntropyCost, quadraticCost } from "../../src/index.ts"
import { printLine } from "../output.ts"
import { readName, readNumber, usageError } from "../values.ts"

const costs = { quadratic: quadraticCost, "cross-entropy": crossEntropyCost }
type CostName = keyof typeof costs
const names: readonly CostName[] = ["quadratic", "cross-entropy"]

const HELP = `
quadratic:      C = 1/n sum (y - yHat)^2
cross-entropy:  C = -1/n sum (y ln a + (1 - y) ln(1 - a))

Several pairs give a line for each, and their mean C. Ten digits are shown.

Examples:
  $ trilobite cost quadratic 1 0.9997
  $ trilobite cost cross-entropy 1 0.9  0 0.1192`

/** Adds the command. */
export function addCost(program: Command): void {
  const number = (text: string, earlier: number[] | undefined): number[] => [
    ...(earlier ?? []),
    readNumber("cost", text, "trilobite cost quadratic 1 0.9997"),
  ]
  program
    .command("cost")
    .summary("print the cost of an output: quadratic or cross-entropy")
    .description("Prints what outputs cost when y is wanted.")
    .argument("<function>", names.join(" or "), (text) => readName("cost", "function", text, names))
    .argument("<numbers...>", "the wanted y and the output (yHat, a), once or several times", number)
    .addHelpText("after", HELP)
    .action((name: CostName, numbers: readonly number[]) => {
      if (numbers.length % 2 !== 0) {
        const hint = `For example: trilobite cost ${name} 1 0.9997.`
        const got = `${numbers.length} number${numbers.length === 1 ? "" : "s"}`
        throw usageError({ where: "cost", what: "numbers come in pairs: y, then the output.", got, hint })
      }
      const y = numbers.filter((_, i) => i % 2 === 0)
      const output = numbers.filter((_, i) => i % 2 === 1)
      const lines = y.map((value, i) => [value, output[i]!, costs[name](value, output[i]!)] as const)
      if (lines.length === 1) return printLine(digits(lines[0]![2]))
      for (const [wanted, given, cost] of lines) printLine(`${wanted} ${given} ${digits(cost)}`)
      printLine(`mean ${digits(costs[name](y, output))}`)
    })
}

/** Ten digits: what is beyond is the rounding of the binary numbers. */
function digits(value: number): string {
  return String(Number(value.toPrecision(10)))
}
