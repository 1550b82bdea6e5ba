// A program that trains for a moment and then does nothing: its process must end by itself. Run by test/engine.test.ts.
import { compile } from "../../src/compile/compile.ts"
import { wasm } from "./execute.ts"
import { network, train } from "./networks.ts"

const net = { sizes: [13, 7, 5] }
const graph = network(net)
const outcome = await train(wasm(3), compile(graph, { rows: 8 }), net, graph, { examples: 20, batch: 8, rounds: [3] })
console.log(`${outcome.size} results`)
