// Nothing is lost, by the cases of section 5 of the rules of reliability: C2 (a kill in every system call of a save), C4 (full and read-only
// disks), C5 (damage), C6 (two processes), C7 (signals). C1, C3 and the errors of single calls: crash.test.ts.
import { spawn, spawnSync } from "node:child_process"
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest"
import { watchInterrupts } from "../cli/interrupt.ts"
import { checkpointName, checkpointsIn } from "../src/formats/node-checkpoints.ts"
import { saveFile } from "../src/formats/node-file.ts"
import {
  checkpoints,
  dense,
  loadModel,
  type Model,
  modelFromBytes,
  sequential,
  sgd,
  TrilobiteError,
} from "../src/index.ts"
import { useScript } from "./support/bundle.ts"
import { node } from "./support/cli.ts"

const root = mkdtempSync(join(tmpdir(), "trilobite-reliable-"))
afterAll(() => rmSync(root, { recursive: true, force: true }))
const script = useScript(new URL("reliability.run.ts", import.meta.url))
const runs = (command: string, ...args: string[]): boolean => spawnSync(command, args, { stdio: "ignore" }).status === 0

/** The error that something throws. */
function refusal(action: () => unknown): TrilobiteError {
  try {
    action()
  } catch (error) {
    expect(error).toBeInstanceOf(TrilobiteError)
    return error as TrilobiteError
  }
  throw new Error("nothing was refused")
}

/** Does something for each of many, two at a time. */
async function twoAtATime<T>(all: readonly T[], action: (one: T) => Promise<void>): Promise<void> {
  const left = [...all]
  const worker = async (): Promise<void> => {
    for (let one = left.shift(); one !== undefined; one = left.shift()) await action(one)
  }
  await Promise.all([worker(), worker()])
}

// strace stops the process as it enters a call. Where it may not trace, the same is tried by a disk that fails (crash.test.ts).
describe.skipIf(!runs("strace", "-o", join(root, "probe"), "true"))("C2 a kill in a system call", () => {
  const SAVES = 3
  const start = (folder: string, ...flags: string[]): Promise<{ out: string; signal: string | null }> =>
    new Promise((resolve) => {
      const child = spawn("strace", ["-qq", ...flags, node, script, "save", folder, `${SAVES}`], {
        stdio: ["ignore", "pipe", "ignore"],
      })
      let out = ""
      child.stdout.on("data", (chunk) => (out += chunk))
      child.on("close", (_, signal) => resolve({ out, signal }))
    })

  test("leaves the last checkpoint that was acknowledged, or a newer one, whole", { timeout: 300_000 }, async () => {
    const names = "mkdir,openat,write,fsync,close,rename,unlink"
    const [log, whole] = [join(root, "calls"), join(root, "c2")]
    expect((await start(whole, "-e", `trace=${names}`, "-o", log)).out).toContain(`saved ${SAVES}`)
    // The calls of saving: from the one that first names the folder to the word that all is done.
    const calls = readFileSync(log, "utf8").split("\n")
    const first = calls.findIndex((line) => line.startsWith("mkdir(") && line.includes(whole))
    const saved = (n: number): number => calls.findIndex((line) => line.includes(`"saved ${n}\\n"`))
    const done = calls.findIndex((line) => line.includes('"done\\n"'))
    const counts = new Map<string, number>()
    const points: { call: string; count: number; line: number }[] = []
    for (const [line, text] of calls.entries()) {
      const call = text.slice(0, text.indexOf("("))
      if (!names.split(",").includes(call)) continue
      const count = (counts.get(call) ?? 0) + 1
      counts.set(call, count)
      // The first save, and the last with what it deletes.
      if (line >= first && line < done && (line <= saved(1) || line > saved(SAVES - 1)))
        points.push({ call, count, line })
    }
    const kinds = new Set(points.map(({ call }) => call))
    expect([...kinds].sort()).toEqual(names.split(",").sort())
    expect(points.length).toBeGreaterThan(20)

    let killed = 0
    await twoAtATime(points, async ({ call, count, line }) => {
      const folder = join(root, `c2-${line}`)
      const { out, signal } = await start(folder, "-e", `inject=${call}:signal=KILL:when=${count}`, "-e", `trace=${call}`, "-o", "/dev/null") // biome-ignore format: one row
      if (signal === "SIGKILL" || !out.includes(`saved ${SAVES}`)) killed++
      const acknowledged = Math.max(0, ...[...out.matchAll(/saved (\d+)/g)].map(([, n]) => Number(n)))
      const made = checkpointsIn(folder)
      const steps = made.map((name) => Number(/\d+/.exec(name)))
      const about = `${call} ${count}: ${steps}, acknowledged ${acknowledged}`
      expect(Math.max(0, ...steps), about).toBeGreaterThanOrEqual(acknowledged)
      for (const [i, name] of made.entries()) {
        const bytes = readFileSync(join(folder, name))
        expect(bytes.length === 20_000 && bytes.every((byte) => byte === steps[i]), about).toBe(true)
      }
      // Neither the newest nor the best is deleted, and a newer one is there before an older one goes.
      const due = [1, acknowledged].filter((n) => n >= 1 && n <= acknowledged)
      expect(steps, about).toEqual(expect.arrayContaining(due))
    })
    expect(killed).toBe(points.length)
  })
})

const canMount =
  process.platform === "linux" &&
  (() => {
    const disk = join(root, "probe-disk")
    mkdirSync(disk)
    return runs("mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", disk) && runs("umount", disk)
  })()

describe.skipIf(!canMount)("C4 a small disk", () => {
  const disk = join(root, "disk")
  beforeAll(() => {
    mkdirSync(disk)
    expect(runs("mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", disk)).toBe(true)
  })
  afterAll(() => void runs("umount", disk))

  test("full to 64 levels: all of the new file or the old one, no other, and how much is missing", () => {
    const path = join(disk, "model.safetensors")
    const [before, after] = [new Uint8Array(50_000).fill(1), new Uint8Array(60_000).fill(2)]
    let refused = 0
    for (let level = 0; level < 64; level++) {
      rmSync(join(disk, "rest"), { force: true })
      saveFile(path, before)
      writeFileSync(
        join(disk, "rest"),
        new Uint8Array(4096 * (level - 16) > 0 ? Math.min(4096 * (level - 16), 204_800) : 0),
      )
      let error: TrilobiteError | undefined
      try {
        saveFile(path, after)
      } catch (caught) {
        error = caught as TrilobiteError
      }
      const now = readFileSync(path)
      expect(now.equals(error === undefined ? after : before), `level ${level}`).toBe(true)
      expect(readdirSync(disk).sort()).toEqual(["model.safetensors", "rest"])
      if (error === undefined) continue
      refused++
      expect(error).toMatchObject({ code: "E_IO", exitCode: 6, where: path })
      expect(error.message).toMatch(/ENOSPC.*60000 bytes are needed, \d+ are free/)
    }
    expect(refused).toBeGreaterThan(5)
    expect(refused).toBeLessThan(60)
  })

  test("a training goes on from what was saved before the disk was full", async () => {
    const folder = join(disk, "checkpoints")
    rmSync(join(disk, "rest"), { force: true })
    const filled = { onEpochEnd: (epoch: number) => void (epoch === 2 && fill()) }
    const fill = (): void => {
      // What is left is taken, to the last page.
      for (const size of [65_536, 4096]) {
        for (let i = 0; i < 64; i++) {
          try {
            writeFileSync(join(disk, `rest-${size}-${i}`), new Uint8Array(size))
          } catch {
            break
          }
        }
      }
    }
    const error = await train(4, { callbacks: [filled, checkpoints({ folder })] }).catch((e: unknown) => e)
    expect(error).toMatchObject({ code: "E_IO", exitCode: 6, message: expect.stringContaining("ENOSPC") })
    expect(readdirSync(folder)).toHaveLength(2)
    for (const name of readdirSync(disk)) if (name.startsWith("rest")) rmSync(join(disk, name))
    const again = await train(4, { callbacks: [checkpoints({ folder })], resume: folder })
    expect(weightsOf(again)).toEqual(weightsOf(await train(4)))
  })

  test("a disk that may only be read", () => {
    const path = join(disk, "model.safetensors")
    saveFile(path, Uint8Array.of(1))
    expect(runs("mount", "-o", "remount,ro", disk)).toBe(true)
    const error = refusal(() => saveFile(path, Uint8Array.of(2)))
    expect(runs("mount", "-o", "remount,rw", disk)).toBe(true)
    expect(error).toMatchObject({ code: "E_IO", exitCode: 6, where: path })
    expect(error.message).toContain("EROFS")
    expect([...readFileSync(path)]).toEqual([1])
  })
})

describe.skipIf(process.platform === "win32")("C4 a folder that may only be read", () => {
  test("is named, and what is in it stays", async () => {
    const folder = join(root, "locked")
    mkdirSync(folder)
    const path = join(folder, "model.safetensors")
    writeFileSync(path, "before")
    chmodSync(root, 0o755)
    chmodSync(folder, 0o555)
    // Root may write anywhere: as nobody it may not.
    const asRoot = process.geteuid!() === 0
    if (asRoot) process.seteuid!(65_534)
    const [replaced, made, trained] = await Promise.all([
      Promise.resolve(refusal(() => saveFile(path, Uint8Array.of(1)))),
      Promise.resolve(refusal(() => saveFile(join(folder, "new"), Uint8Array.of(1)))),
      train(1, { callbacks: [checkpoints({ folder: join(folder, "checkpoints") })] }).catch((e: unknown) => e),
    ]).finally(() => asRoot && process.seteuid!(0))
    for (const error of [replaced, made, trained]) {
      expect(error).toMatchObject({ code: "E_IO", exitCode: 6, message: expect.stringContaining("EACCES") })
      expect((error as TrilobiteError).where).toContain(folder)
    }
    expect(readdirSync(folder)).toEqual(["model.safetensors"])
    expect(readFileSync(path, "utf8")).toBe("before")
  })
})

const x = Array.from({ length: 12 }, (_, i) => Array.from({ length: 40 }, (_, j) => ((i * 7 + j * 3) % 11) / 11))
const y = x.map(([a, b]) => [a! - b!])
const weightsOf = (model: Model): number[][] => model.getWeights().map(({ data }) => [...data])

async function train(epochs: number, more: object = {}): Promise<Model> {
  const layers = [dense({ units: 60, activation: "tanh", inputShape: [40] }), dense({ units: 1 })]
  const model = sequential(layers, { seed: 2, backend: "reference" })
  model.compile({ loss: "mse", optimizer: sgd({ learningRate: 0.05, momentum: 0.9 }) })
  await model.fit(x, y, { epochs, batchSize: 4, verbose: 0, ...more })
  return model
}

describe("C5 damage", () => {
  const folder = join(root, "damage")
  const file = (name: string): string => join(folder, name)
  let [older, newer] = ["", ""]
  let early: Uint8Array
  let late: Uint8Array
  beforeAll(async () => {
    await train(4, { callbacks: [checkpoints({ folder, saveFreq: 1 })] })
    ;[newer, older] = checkpointsIn(folder) as [string, string]
    ;[early, late] = [older, newer].map((name) => new Uint8Array(readFileSync(file(name)))) as [Uint8Array, Uint8Array]
    expect(late.length).toBeGreaterThan(16_384)
  })

  const block = 4096
  const rows: readonly (readonly [what: string, change: (late: Uint8Array, at: number) => Uint8Array])[] = [
    ["a block of zeros", (bytes, at) => bytes.fill(0, at, at + block)],
    ["a block of ones", (bytes, at) => bytes.fill(255, at, at + block)],
    [
      "a block of the checkpoint before: weights of one step, optimizer of another",
      (bytes, at) => {
        bytes.set(early.subarray(at, Math.min(at + block, early.length)), at)
        return bytes
      },
    ],
    [
      "two blocks changed places",
      (bytes, at) => {
        const other = (at + 2 * block) % (bytes.length - block)
        const held = bytes.slice(at, at + block)
        bytes.copyWithin(at, other, other + block)
        bytes.set(held.subarray(0, Math.min(block, bytes.length - other)), other)
        return bytes
      },
    ],
    ["an end that is missing", (bytes, at) => bytes.slice(0, at)],
    ["a piece that is missing", (bytes, at) => Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 8)])],
    ["a piece too much", (bytes, at) => Buffer.concat([bytes.subarray(0, at), new Uint8Array(8), bytes.subarray(at)])],
  ]
  test.each(rows)("%s: refused, at every block", async (_, change) => {
    for (let at = 0; at + block <= late.length; at += block) {
      const bad = change(late.slice(), at)
      if (Buffer.from(bad).equals(Buffer.from(late))) continue
      await expect(modelFromBytes(new Uint8Array(bad), "bad"), `byte ${at}`).rejects.toMatchObject({
        code: "E_MODEL",
        exitCode: 5,
      })
    }
  })

  // Every bit of a small file: resume.test.ts.
  test("2,000 flipped bits of a file in a folder: none is taken, the checkpoint before it is named and used", async () => {
    const warn = vi.spyOn(console, "warn").mockImplementation(() => {})
    const { checkSeal } = await import("../src/formats/seal.ts")
    const { readSafetensors } = await import("../src/formats/safetensors.ts")
    let state = 7
    for (let i = 0; i < 2000; i++) {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
      const bit = state % (late.length * 8)
      late[bit >> 3]! ^= 1 << (bit & 7)
      const refused = ((): boolean => {
        try {
          readSafetensors(late, "bad")
          checkSeal(late, "bad")
          return false
        } catch (error) {
          return error instanceof TrilobiteError && error.code === "E_MODEL"
        }
      })()
      if (i % 500 === 0) {
        writeFileSync(file(newer), late)
        warn.mockClear()
        const model = await loadModel(folder)
        expect(await model.toBytes()).toEqual(await (await loadModel(file(older))).toBytes())
        expect(warn.mock.calls.join()).toContain(file(newer))
        expect(warn.mock.calls.join()).toContain(`Going on with ${file(older)}`)
      }
      late[bit >> 3]! ^= 1 << (bit & 7)
      expect(refused, `bit ${bit}`).toBe(true)
    }
    warn.mockRestore()
  })
})

describe.skipIf(process.platform === "win32")("C6 processes that want a run at the same time", () => {
  test("one wins in each of 100 folders: new ones, those of a dead process, those that it was just taking over", async () => {
    const folder = join(root, "wanted")
    const dead = '{"pid":4194304,"birth":"1"}'
    for (let round = 0; round < 100; round++) {
      mkdirSync(join(folder, `${round}`), { recursive: true })
      if (round % 3 > 0) writeFileSync(join(folder, `${round}`, "live.json"), dead)
      if (round % 6 === 5) writeFileSync(join(folder, `${round}`, "live.json.next"), dead)
    }
    const children = Array.from({ length: 4 }, () =>
      spawn(node, [script, "want", folder], { stdio: ["pipe", "pipe", "inherit"] }),
    )
    const said = (child: (typeof children)[number]): Promise<string> =>
      new Promise((resolve) => void child.stdout.once("data", (chunk) => resolve(String(chunk).trim())))
    expect(await Promise.all(children.map(said))).toEqual(children.map(() => "ready"))
    for (let round = 0; round < 100; round++) {
      const answers = children.map(said)
      for (const child of children) child.stdin.write(`${round}\n`)
      const got = (await Promise.all(answers)).sort()
      expect(got, `round ${round}`).toEqual(["E_BUSY", "E_BUSY", "E_BUSY", "won"])
      expect(readdirSync(join(folder, `${round}`))).toEqual(["live.json"])
    }
    const closed = children.map((child) => new Promise((resolve) => void child.once("close", resolve)))
    for (const child of children) child.stdin.end()
    await Promise.all(closed)
    for (let round = 0; round < 100; round++) expect(readdirSync(join(folder, `${round}`))).toEqual([])
  })
})

describe("C7 signals", () => {
  test.each([
    ["SIGINT", 130],
    ["SIGTERM", 143],
    ["SIGHUP", 129],
  ] as const)("%s asks to stop, and ends the process when it comes again", (name, code) => {
    // biome-ignore format: one row
    const exit = vi.spyOn(process, "exit").mockImplementation(() => {
      throw new Error("the end")
    })
    let told = 0
    const interrupt = watchInterrupts(() => void told++)
    // What listens last is ours: the tests' own process has listeners, too.
    const signal = process.listeners(name).at(-1) as (name: string) => void
    signal(name)
    expect([interrupt.signal.aborted, interrupt.exitCode, told, exit.mock.calls]).toEqual([true, code, 1, []])
    expect(() => signal(name)).toThrow("the end")
    expect([told, exit.mock.calls]).toEqual([1, [[code]]])
    interrupt.close()
    exit.mockRestore()
  })
})

test("the name of a checkpoint is the number of its round", () => {
  expect([checkpointName(1), checkpointName(12_345)]).toEqual([
    "checkpoint-000000000001.safetensors",
    "checkpoint-000000012345.safetensors",
  ])
})
