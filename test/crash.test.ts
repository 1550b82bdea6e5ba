// Checkpoints under crashes: a kill at every call of the file system, random kills of a process, errors of the disk.
// TRILOBITE_KILLS says how often a process is killed (default 50).
import { spawn } from "node:child_process"
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, describe, expect, test, vi } from "vitest"
import type { TrilobiteError } from "../src/core/errors.ts"
import { checkpoints, dense, type Model, sequential, sgd } from "../src/index.ts"
import { useScript } from "./support/bundle.ts"
import { node } from "./support/cli.ts"

const calls = [
  "openSync", "writeSync", "fsyncSync", "closeSync", "renameSync", "unlinkSync", "readdirSync", "mkdirSync", "lstatSync", "fchmodSync",
] as const // biome-ignore format: a list

/** What happens instead of a call, by its number and name; `count` is how many there have been. */
const disk = vi.hoisted(() => ({ count: 0, instead: undefined as ((n: number, name: string) => unknown) | undefined }))

// The modules ask for node:fs instead of importing it: they get one with faults.
vi.hoisted(() => {
  const original = process.getBuiltinModule
  const fs = original("node:fs") as unknown as Record<string, (...args: unknown[]) => unknown>
  const names = ["openSync", "writeSync", "fsyncSync", "closeSync", "renameSync", "unlinkSync", "readdirSync", "mkdirSync", "lstatSync", "fchmodSync"] // biome-ignore format: a list
  const faulty = Object.fromEntries(
    names.map((name) => [
      name,
      (...args: unknown[]): unknown => {
        const instead = disk.instead?.(++disk.count, name)
        return instead === undefined ? fs[name]!(...args) : instead
      },
    ]),
  )
  const module = { ...fs, ...faulty }
  process.getBuiltinModule = ((name: string) => (name === "node:fs" ? module : original(name))) as typeof original
})

const root = mkdtempSync(join(tmpdir(), "trilobite-crash-"))
afterAll(() => rmSync(root, { recursive: true, force: true }))

const x = Array.from({ length: 12 }, (_, i) => [i / 12, (i % 5) / 5])
const y = x.map(([a, b]) => [a! - b!])

async function run(folder: string | undefined, more: object = {}): Promise<Model> {
  const model = sequential([dense({ units: 1, inputShape: [2] })], { seed: 2, backend: "reference" })
  model.compile({ loss: "mse", optimizer: sgd({ learningRate: 0.1, momentum: 0.9 }) })
  const callbacks = folder === undefined ? [] : [checkpoints({ folder, saveFreq: 2, keep: 2 })]
  await model.fit(x, y, { epochs: 3, batchSize: 4, verbose: 0, callbacks, ...more })
  return model
}

const bytesOf = async (model: Model): Promise<string> => Buffer.from(await model.toBytes()).toString("base64")

/** Runs with a disk that does something else; answers with the error, if there is one. */
async function withDisk(instead: typeof disk.instead, folder: string, more = {}): Promise<TrilobiteError | undefined> {
  Object.assign(disk, { count: 0, instead })
  try {
    await run(folder, more)
    return undefined
  } catch (error) {
    return error as TrilobiteError
  } finally {
    disk.instead = undefined
  }
}

function fail(name: string): never {
  throw Object.assign(new Error(`${name}: planted`), { code: name, syscall: "planted" })
}

const contents = (folder: string): Record<string, string> =>
  Object.fromEntries(readdirSync(folder).map((name) => [name, readFileSync(join(folder, name), "base64")]))

test("a kill before any call of the file system costs at most an interval, and no bit", async () => {
  const wanted = await bytesOf(await run(undefined))
  await withDisk(() => undefined, join(root, "whole"))
  const all = disk.count
  expect(all).toBeGreaterThan(50)
  let newest = ""
  for (let kill = 1; kill <= all; kill++) {
    const folder = join(root, `kill-${kill}`)
    // The disk of a process that is gone: nothing happens any more, not even cleaning up.
    const error = await withDisk((n) => (n >= kill ? fail("EIO") : undefined), folder)
    expect(error?.code ?? "E_IO").toBe("E_IO")
    const made = kill === 1 ? [] : readdirSync(folder).filter((name) => name.startsWith("checkpoint-"))
    const last = made.sort().at(-1) ?? ""
    // What has been saved stays: later kills leave newer ones.
    expect(last >= newest).toBe(true)
    newest = last
    const again = await run(folder, last === "" ? {} : { resume: folder })
    expect({ kill, bytes: await bytesOf(again) }).toEqual({ kill, bytes: wanted })
    expect(readdirSync(folder).filter((name) => name.endsWith(".tmp"))).toEqual([])
  }
})

describe("errors of the disk end the training with exit code 6 and leave the checkpoints before", () => {
  test.each(
    [
      ["a full disk", "writeSync", "ENOSPC"],
      ["a full quota", "writeSync", "EDQUOT"],
      ["a disk that fails", "writeSync", "EIO"],
      ["a disk that fails later", "fsyncSync", "EIO"],
      ["a read-only folder", "openSync", "EROFS"],
      ["a folder of somebody else", "openSync", "EACCES"],
      ["too many open files", "openSync", "EMFILE"],
      ["a rename that fails", "renameSync", "EIO"],
      ["a file beyond a limit", "writeSync", "EFBIG"],
      ["a close that fails", "closeSync", "EIO"],
      ["a place on another disk", "renameSync", "EXDEV"],
    ].map((row) => row as [string, (typeof calls)[number], string]),
  )("%s", async (what, call, code) => {
    const folder = join(root, what)
    let before: Record<string, string> = {}
    let seen = 0
    const error = await withDisk((_, name) => {
      if (name !== call || ++seen <= 4) return undefined
      if (seen === 5) before = contents(folder)
      return fail(code)
    }, folder)
    expect(error).toMatchObject({ code: "E_IO", exitCode: 6 })
    expect(error!.message).toContain(code)
    expect(error!.message).toContain(join(folder, "checkpoint-"))
    const made = (files: Record<string, string>) =>
      Object.fromEntries(Object.entries(files).filter(([name]) => name.startsWith("checkpoint-")))
    expect(Object.keys(made(before)).length).toBeGreaterThan(0)
    expect(contents(folder)).toEqual(made(before))
    expect(await bytesOf(await run(folder, { resume: folder }))).toBe(await bytesOf(await run(undefined)))
  })

  test("continue: a warning each time, the training goes on with the same bits, and what was saved stays good", async () => {
    const folder = join(root, "continued")
    const warned: string[] = []
    const warn = vi.spyOn(console, "warn").mockImplementation((text: string) => warned.push(text))
    const on = async (faults: (nth: number) => boolean, where: string): Promise<Model> => {
      let nth = 0
      Object.assign(disk, {
        instead: (_: number, name: string) => (name === "fsyncSync" && faults(++nth) ? fail("EIO") : undefined),
      })
      try {
        return await run(undefined, {
          callbacks: [checkpoints({ folder: where, saveFreq: 2, keep: 2, onError: "continue" })],
        })
      } finally {
        disk.instead = undefined
      }
    }
    try {
      const whole = await bytesOf(await run(undefined))
      // A save asks for two: of the file and of its folder. After rounds 2 and 3 (the best) that of round 4 fails.
      expect(await bytesOf(await on((nth) => nth === 5, folder))).toBe(whole)
      expect(warned).toEqual([expect.stringMatching(/^Note: .*checkpoint-0+4\.safetensors.*EIO.*The training goes on/)])
      const steps = (names: readonly string[]): number[] => names.map((name) => Number(/-0*(\d+)\./.exec(name)![1]))
      expect(steps(readdirSync(folder).sort())).toEqual([8, 9])
      expect(await bytesOf(await run(folder, { resume: folder }))).toBe(whole)
      warned.length = 0
      const bad = join(root, "never")
      expect(await bytesOf(await on(() => true, bad))).toBe(whole)
      expect(new Set(steps(warned))).toEqual(new Set([2, 3, 4, 6, 8, 9]))
      expect(readdirSync(bad)).toEqual([])
    } finally {
      warn.mockRestore()
    }
    expect(() => checkpoints({ folder, onError: "ignore" as "stop" })).toThrow(/stop.*continue/)
  })

  test("an old checkpoint that cannot be deleted stays, and nothing else comes of it", async () => {
    const folder = join(root, "kept")
    expect(await withDisk((_, name) => (name === "unlinkSync" ? fail("EACCES") : undefined), folder)).toBe(undefined)
    expect(readdirSync(folder).length).toBeGreaterThan(4)
    expect(await bytesOf(await run(folder, { resume: folder }))).toBe(await bytesOf(await run(undefined)))
    expect(readdirSync(folder).length).toBeLessThanOrEqual(3)
  })

  test("a write of nothing at all, which is no error for the system", async () => {
    const folder = join(root, "short")
    let cut = 0
    const error = await withDisk((_, name) => (name === "writeSync" && ++cut % 2 === 1 ? 0 : undefined), folder)
    expect(error).toMatchObject({ code: "E_IO" })
    expect(readdirSync(folder)).toEqual([])
  })
})

describe.skipIf(process.platform === "win32")("processes", () => {
  const script = useScript(new URL("crash.run.ts", import.meta.url))
  /** Starts the training; it is killed so many milliseconds after it has begun. */
  const start = (folder: string, after: number | undefined): Promise<string | undefined> =>
    new Promise((resolve) => {
      const child = spawn(node, [script, folder], { stdio: ["ignore", "pipe", "inherit"] })
      let text = ""
      child.stdout.on("data", (chunk) => {
        if (text === "" && after !== undefined) setTimeout(() => child.kill("SIGKILL"), after)
        text += chunk
      })
      child.on("close", () => resolve(/bytes (\S+)/.exec(text)?.[1]))
    })

  test("random kills lose no bit", { timeout: 600_000 }, async () => {
    const kills = Number(process.env.TRILOBITE_KILLS ?? 50)
    const began = performance.now()
    const wanted = await start(join(root, "unkilled"), undefined)
    const whole = performance.now() - began
    expect(wanted).toBeDefined()
    let state = 12345
    let [done, round] = [0, 0]
    // Two at a time; each is killed and gone on with until it ends.
    const chain = async (): Promise<void> => {
      while (done < kills) {
        const folder = join(root, `killed-${round++}`)
        let got: string | undefined
        while (got === undefined) {
          state = (Math.imul(state, 1103515245) + 12345) >>> 0
          got = await start(folder, done < kills ? (state >>> 8) % Math.ceil(whole / 2) : undefined)
          if (got === undefined) done++
        }
        expect(got).toBe(wanted)
      }
    }
    await Promise.all([chain(), chain()])
  })
})
