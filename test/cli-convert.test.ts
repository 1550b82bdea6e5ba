// `trilobite convert`: formats by the endings of names, what it prints, and its exit codes.
import { copyFileSync, existsSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { describe, expect, test } from "vitest"
import { dense, loadModel, sequential, softmax } from "../src/index.ts"
import { useCli } from "./support/cli.ts"

const cli = useCli()
const golden = new URL("./golden/keras/", import.meta.url).pathname
const at = (name: string): string => join(cli.folder, name)

describe("convert", () => {
  test("goes round through all formats that are read", async () => {
    const model = sequential([dense({ units: 3, activation: "tanh", inputShape: [2] }), dense({ units: 1 })])
    await model.save(at("a.safetensors"))
    const chain = ["a.safetensors", "b.keras", "c.json", "d.safetensors"]
    for (const [i, from] of chain.slice(0, -1).entries()) {
      const { code, out, err } = await cli.run("convert", from, chain[i + 1]!)
      expect({ code, err }).toEqual({ code: 0, err: "" })
      expect(out).toBe(`${from} -> ${chain[i + 1]}: 13 parameters\n`)
    }
    expect(existsSync(at("c.weights.bin"))).toBe(true)
    const x = [[0.5, -1]]
    expect((await (await loadModel(at("d.safetensors"))).predict(x)).data).toEqual((await model.predict(x)).data)
    const { code, out } = await cli.run("convert", "b.keras", "predict.ts", "--json")
    expect(code).toBe(0)
    expect(JSON.parse(out)).toEqual({ from: "b.keras", to: "predict.ts", parameters: 13 })
    expect(readFileSync(at("predict.ts"), "utf8")).toContain("export function predict(")
    expect((await cli.run("convert", "b.keras", "m.onnx")).code).toBe(0)
    expect((await cli.run("convert", "b.keras", "m.weights.h5")).code).toBe(0)
  })

  test("reads Keras's legacy files", async () => {
    copyFileSync(join(golden, "chain.h5"), at("chain.h5"))
    expect(await cli.run("convert", "chain.h5", "chain.safetensors")).toMatchObject({ code: 0, err: "" })
  })

  test("says what cannot be, and writes nothing", async () => {
    await sequential([softmax({ inputShape: [2, 3], axis: 1 })]).save(at("odd.safetensors"))
    writeFileSync(at("page.keras"), "<!doctype html>")
    const cases: readonly (readonly [args: string[], code: number, message: RegExp])[] = [
      [["odd.safetensors", "odd.json"], 5, /layer softmax \(Softmax\).*last axis only/],
      [["odd.safetensors", "odd.h5"], 2, /no format that is written.*\.safetensors, \.keras/],
      [["odd.safetensors", "odd"], 2, /no format that is written/],
      [["odd.safetensors", "page.keras"], 2, /a file already.*--force/],
      [["page.keras", "x.onnx"], 5, /no Keras 3 file.*web page/],
      [["missing.keras", "x.onnx"], 6, /ENOENT/],
      [["odd.safetensors", "no/such/x.onnx"], 6, /no folder no\/such/],
      [["odd.safetensors"], 2, /missing required argument 'to'/],
    ]
    for (const [args, code, message] of cases) {
      const { code: got, out, err } = await cli.run("convert", ...args)
      expect({ args, got, out }).toEqual({ args, got: code, out: "" })
      expect(err).toMatch(message)
    }
    expect(existsSync(at("odd.json"))).toBe(false)
    expect((await cli.run("convert", "odd.safetensors", "page.keras", "--force")).code).toBe(0)
  })
})
