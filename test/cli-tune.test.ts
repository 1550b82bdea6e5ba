// `trilobite tune`: a search as a process, what it leaves, how it is stopped and goes on, and what it refuses.
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { beforeAll, describe, expect, test } from "vitest"
import { finished, useCli } from "./support/cli.ts"

const cli = useCli()
const at = (...path: string[]): string => join(cli.folder, ...path)
const json = (...path: string[]): Record<string, unknown> => JSON.parse(readFileSync(at(...path), "utf8"))
const lines = (text: string): Record<string, unknown>[] =>
  text
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line))

beforeAll(() => {
  const rows = Array.from(
    { length: 60 },
    (_, i) => `${(i * 37) % 101},${(i * 53) % 89},${(i * 37) % 101 > 50 ? "big" : "small"}`,
  )
  writeFileSync(at("sizes.csv"), `a,b,size\n${rows.join("\n")}\n`)
})

const search = ["tune", "sizes.csv", "--target", "size", "--epochs", "4"]

describe("trilobite tune", () => {
  test("a search: trials, decisions, curves, a net, and a config that train takes", async () => {
    const { code, out, err } = await cli.run(...search, "--trials", "9", "--seeds", "2", "--out", "t")
    expect({ code, err }).toEqual({ code: 0, err: "" })
    expect(out).toMatch(/^Searching {4}learningRate, units, dropout, depth, batchSize; adam, relu, at most 4 epochs/)
    expect(out).toMatch(/learningRate \S+: no neighbour is better by more than the noise \(/)
    expect(out).toMatch(/each knob alone explains: \w+ \d+ %/)
    expect(out).toMatch(/Trained {6}epoch \d+: validation cost \d\.\d{4}, validation accuracy \d\.\d{4}/)
    const entries = [
      "best.json",
      "decisions.jsonl",
      "learningRate.svg",
      "model.safetensors",
      "result.json",
      "study.jsonl",
      "tune.json",
    ]
    expect(readdirSync(at("t"))).toEqual(expect.arrayContaining(entries))
    const curve = readFileSync(at("t", "learningRate.svg"), "utf8")
    expect(curve).toMatch(/sweet spot: 0?\.?\d/)
    // A bar of the error over the two seeds, at least.
    expect(curve).toMatch(/<path d="M[\d.]+ [\d.]+V[\d.]+m-4 0h8/)
    const result = json("t", "result.json") as { trials: number; config: object; final: { accuracy: number } }
    expect(result.trials).toBe(9)
    expect(json("t", "best.json")).toEqual(result.config)
    const trained = await cli.run(
      "train",
      "--config",
      at("t", "best.json"),
      "--epochs",
      "2",
      "--quiet",
      "--out",
      "trained",
    )
    expect({ code: trained.code, err: trained.err }).toEqual({ code: 0, err: "" })
    expect((await cli.run("predict", at("t", "model.safetensors"), "sizes.csv")).code).toBe(0)
  })

  test("the best trials are trained with further seeds before the last one is chosen", async () => {
    const flags = ["--epochs", "4", "--trials", "8", "--parallel", "1", "--out", "seeds"]
    const { code, out, err } = await cli.run("tune", "iris", ...flags)
    expect({ code, err }).toEqual({ code: 0, err: "" })
    const [, compared, winner] = out.match(
      /\nThe best ([23]) once more, from other initial weights:\n {7}trial (\d): the smallest [^\n]* ± /,
    )!
    const decisions = lines(readFileSync(at("seeds", "decisions.jsonl"), "utf8"))
    const last = decisions.at(-1)!
    expect([last.knob, last.value, (last.evidence as unknown[]).length]).toEqual([
      "trial",
      Number(winner),
      Number(compared),
    ])
    const { best, config } = json("seeds", "result.json") as { best: number; config: Record<string, unknown> }
    const row = out.split("\n").find((line) => new RegExp(`^ +${best}  `).test(line))!
    expect(row.trim().split(/ +/)[1]).toBe(String(config.learningRate))
    expect(best).toBe(Number(winner))
  })

  test("Ctrl-C keeps what is done, and --resume goes on to the trials that are wanted", async () => {
    const child = cli.start([
      ...search,
      "--trials",
      "6",
      "--parallel",
      "1",
      "--sampler",
      "random",
      "--json",
      "--out",
      "stopped",
    ])
    child.stdout.once("data", () => child.kill("SIGINT"))
    const { code, out } = await finished(child)
    expect(code).toBe(130)
    const { result } = lines(out).at(-1) as { result: { ended: string; resume: string } }
    expect(result).toEqual({ ended: "aborted", resume: "trilobite tune --resume stopped" })
    const before = lines(out).slice(0, -1)
    expect(existsSync(at("stopped", "model.safetensors"))).toBe(false)
    const again = await cli.run("tune", "--resume", "stopped", "--trials", "6", "--json")
    expect({ code: again.code, err: again.err }).toEqual({ code: 0, err: "" })
    const after = lines(again.out).slice(0, -1)
    // None of those that were finished is trained again, and none is missing.
    const numbers = (some: Record<string, unknown>[]): unknown[] =>
      some.filter(({ state }) => state === "complete" || state === "pruned").map(({ trial }) => trial)
    expect(numbers(before).length).toBeGreaterThanOrEqual(1)
    expect(numbers(before).length + numbers(after).length).toBe(6)
    expect(numbers(before).filter((trial) => numbers(after).includes(trial))).toEqual([])
    expect((lines(again.out).at(-1) as { result: { final: object } }).result.final).not.toBeNull()
  })

  test("--range-test: a table and a picture, a decision with its evidence, and the command that trains so", async () => {
    const { code, out, err } = await cli.run("tune", "sizes.csv", "--target", "size", "--range-test", "--out", "range")
    expect({ code, err }).toEqual({ code: 0, err: "" })
    expect(out).toMatch(/^rate {6}cost\n1\.0e-6 +\d/)
    expect(out).toMatch(/\n1\.0e-\d +0\.\d+ +=+ {2}suggested\n/)
    for (const line of out.split("\n")) expect(line.length).toBeLessThanOrEqual(80)
    const { suggestion, rates } = json("range", "range-test.json") as { suggestion: number; rates: number[] }
    expect(out).toContain(`\nTo train     trilobite train sizes.csv --target size --learning-rate ${suggestion}\n`)
    expect(readFileSync(at("range", "range-test.svg"), "utf8")).toContain(`suggested: ${suggestion}`)
    const decisions = lines(readFileSync(at("range", "decisions.jsonl"), "utf8"))
    expect(decisions).toMatchObject([{ knob: "learningRate", value: suggestion, evidence: { steps: rates.length } }])
    expect(out.replace(/\s+/g, " ")).toContain(decisions[0]!.text)
    const again = await cli.run("tune", "sizes.csv", "--target", "size", "--range-test", "--json", "--out", "range 2")
    const [told, ended] = lines(again.out)
    expect([told!.decision, (ended!.result as { rates: number[] }).rates]).toEqual([decisions[0], rates])
  })

  test.each([
    [["tune", "iris", "--range-test", "--trials", "3"], 2, /'--range-test' cannot be used with option '--trials <n>'/],
    [["tune", "iris", "--range-test", "--learning-rate", "3"], 2, /cannot be used with option '--lr, --learning-rate/],
    [["tune"], 2, /missing required argument 'data'/],
    [["tune", "irris"], 2, /unknown data set "irris"/],
    [["tune", "iris", "--budget", "3"], 2, /--budget: this is no time.*--budget 3m/],
    [["tune", "iris", "--sampler", "tep"], 2, /unknown sampler "tep"/],
    [["tune", "--resume", "nowhere"], 2, /this is no search/],
    [["tune", "sizes.csv"], 2, /--target: which column/],
    [["tune", "none.csv", "--target", "a"], 6, /none\.csv/],
  ] as const)("%j is refused", async (args, code, message) => {
    const { code: is, err } = await cli.run(...args)
    expect([is, err.replace(/\s+/g, " ")]).toEqual([code, expect.stringMatching(message)])
  })
})
