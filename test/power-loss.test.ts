// C3: a disk that loses power. What saves of checkpoints ask of the file system is recorded; of every moment, and of everything that
// a disk may have kept of what was not confirmed by then, an image is made: it holds the last checkpoint that was reported as
// saved, or a newer whole one.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { basename, dirname, join } from "node:path"
import { afterAll, expect, test, vi } from "vitest"
import { newestIn } from "../src/formats/node-checkpoints.ts"
import { checkpoints, dense, sequential, sgd } from "../src/index.ts"

/** A call that changes what is on the disk, or confirms it; or the report that a checkpoint is saved. */
type Operation =
  | { readonly kind: "create"; readonly file: number; readonly name: string }
  | { readonly kind: "write"; readonly file: number; readonly bytes: Uint8Array }
  | { readonly kind: "sync"; readonly file: number }
  | { readonly kind: "rename"; readonly from: string; readonly to: string }
  | { readonly kind: "unlink"; readonly name: string }
  | { readonly kind: "syncFolder" }
  | { readonly kind: "saved"; readonly name: string }

const record = vi.hoisted(() => ({ folder: "", operations: [] as unknown[] }))

// The modules ask for node:fs instead of importing it: they get one that keeps a record.
vi.hoisted(() => {
  const original = process.getBuiltinModule
  const fs = original("node:fs")
  const path = original("node:path")
  /** Open files of the folder by their descriptors; −1 is the folder itself. */
  const open = new Map<number, number>()
  let files = 0
  const inside = (name: unknown): boolean => record.folder !== "" && path.dirname(String(name)) === record.folder
  const keep = (operation: object): void => void record.operations.push(operation)
  const watched = {
    openSync: (...args: Parameters<typeof fs.openSync>) => {
      const fd = fs.openSync(...args)
      if (String(args[0]) === record.folder) open.set(fd, -1)
      else if (inside(args[0]) && args[1] === "wx") {
        open.set(fd, files)
        keep({ kind: "create", file: files++, name: path.basename(String(args[0])) })
      }
      return fd
    },
    writeSync: (fd: number, bytes: Uint8Array, at: number, length: number, position: number | null) => {
      // A disk that takes some bytes at a time.
      const n = fs.writeSync(fd, bytes, at, Math.min(length, 300), position)
      const file = open.get(fd)
      if (file !== undefined) keep({ kind: "write", file, bytes: bytes.slice(at, at + n) })
      return n
    },
    fsyncSync: (fd: number) => {
      fs.fsyncSync(fd)
      const file = open.get(fd)
      if (file !== undefined) keep(file < 0 ? { kind: "syncFolder" } : { kind: "sync", file })
    },
    closeSync: (fd: number) => {
      open.delete(fd)
      fs.closeSync(fd)
    },
    renameSync: (from: string, to: string) => {
      fs.renameSync(from, to)
      if (inside(to)) keep({ kind: "rename", from: path.basename(from), to: path.basename(to) })
    },
    unlinkSync: (name: string) => {
      fs.unlinkSync(name)
      if (inside(name)) keep({ kind: "unlink", name: path.basename(name) })
    },
  }
  const module = { ...fs, ...watched }
  process.getBuiltinModule = ((name: string) => (name === "node:fs" ? module : original(name))) as typeof original
})

const root = mkdtempSync(join(tmpdir(), "trilobite-power-"))
afterAll(() => rmSync(root, { recursive: true, force: true }))

/** Records a training that saves and deletes checkpoints. */
async function recorded(): Promise<readonly Operation[]> {
  const folder = join(root, "training")
  const x = Array.from({ length: 12 }, (_, i) => [i / 12, (i % 5) / 5])
  const model = sequential([dense({ units: 40, inputShape: [2] }), dense({ units: 1 })], {
    seed: 2,
    backend: "reference",
  })
  model.compile({ loss: "mse", optimizer: sgd({ learningRate: 0.05, momentum: 0.9 }) })
  const saved = vi.spyOn(process.stdout, "write").mockImplementation((text) => {
    const name = /^Saved (.*)\n$/.exec(String(text))?.[1]
    if (name !== undefined) record.operations.push({ kind: "saved", name: basename(name) })
    return true
  })
  record.folder = folder
  const callbacks = [checkpoints({ folder, saveFreq: 2, keep: 2, verbose: 1 })]
  await model.fit(
    x,
    x.map(([a, b]) => [a! - b!]),
    { epochs: 8, batchSize: 4, verbose: 0, callbacks },
  )
  record.folder = ""
  saved.mockRestore()
  return record.operations as Operation[]
}

/** What a disk may have made of the writes that were not confirmed. */
const dataFates = ["dropped", "kept", "torn at 512", "torn at 4096", "zeroes"] as const
/** And of the changes of names that were not confirmed: which of them it has made. */
type NamesKept = (nth: number) => boolean
const all: NamesKept = () => true
const none: NamesKept = () => false

interface Image {
  readonly [name: string]: Uint8Array
}

/** What is there after the first operations, if the power goes then. */
function imageOf(operations: readonly Operation[], data: (typeof dataFates)[number], namesKept: NamesKept): Image {
  const written = new Map<number, Uint8Array[]>()
  const confirmed = new Map<number, number>()
  const size = (parts: readonly Uint8Array[]): number => parts.reduce((n, { length }) => n + length, 0)
  let sure = new Map<string, number>()
  let pending: ((names: Map<string, number>) => void)[] = []
  for (const one of operations) {
    if (one.kind === "create") {
      written.set(one.file, [])
      pending.push((names) => names.set(one.name, one.file))
    } else if (one.kind === "write") written.get(one.file)!.push(one.bytes)
    else if (one.kind === "sync") confirmed.set(one.file, size(written.get(one.file)!))
    else if (one.kind === "rename") {
      pending.push((names) => {
        const file = names.get(one.from)
        names.delete(one.from)
        if (file !== undefined) names.set(one.to, file)
      })
    } else if (one.kind === "unlink") pending.push((names) => names.delete(one.name))
    else if (one.kind === "syncFolder") {
      for (const change of pending) change(sure)
      pending = []
    }
  }
  sure = new Map(sure)
  for (const change of pending.filter((_, nth) => namesKept(nth))) change(sure)
  return Object.fromEntries(
    [...sure].map(([name, file]) => {
      const all = Buffer.concat(written.get(file)!)
      const safe = confirmed.get(file) ?? 0
      const block = data === "torn at 512" ? 512 : 4096
      const torn = Math.max(safe, Math.floor(all.length / 2 / block) * block)
      if (data === "zeroes") return [name, new Uint8Array(all.length).fill(0).map((_, i) => (i < safe ? all[i]! : 0))]
      const length = data === "dropped" ? safe : data === "kept" ? all.length : torn
      return [name, all.subarray(0, length)]
    }),
  )
}

/** How many changes of names are not confirmed after the first operations. */
function openNames(operations: readonly Operation[]): number {
  const last = operations.findLastIndex(({ kind }) => kind === "syncFolder")
  return operations.slice(last + 1).filter(({ kind }) => ["create", "rename", "unlink"].includes(kind)).length
}

/** A file as one text. */
const keyOf = (name: string, bytes: Uint8Array): string => `${name} ${Buffer.from(bytes).toString("base64")}`

/** The round of the newest checkpoint that an image holds, as the loader finds it; 0 for none. */
function newest(image: Image, whole: ReadonlySet<string>): number {
  const folder = join(root, "image")
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder)
  for (const [name, bytes] of Object.entries(image)) writeFileSync(join(folder, name), bytes)
  let found: ReturnType<typeof newestIn>
  try {
    found = newestIn(folder)
  } catch {
    // All that there are were damaged: none was reported as saved, or this fails below.
    return 0
  }
  if (found === undefined) return 0
  expect(dirname(found.path)).toBe(folder)
  expect(whole.has(keyOf(basename(found.path), found.bytes))).toBe(true)
  return Number(/-0*(\d+)\./.exec(found.path)![1])
}

test("C3 after a loss of power at any moment there is the last checkpoint that was reported, or a newer one, whole", {
  timeout: 120_000,
}, async () => {
  const warn = vi.spyOn(console, "warn").mockImplementation(() => {})
  const operations = await recorded()
  expect(operations.filter(({ kind }) => kind === "saved").length).toBeGreaterThanOrEqual(5)
  expect(operations.some(({ kind }) => kind === "unlink")).toBe(true)
  // A round may be saved twice, in it and at the end of its epoch.
  const whole = new Set<string>()
  for (let n = 1; n <= operations.length; n++) {
    const last = operations[n - 1]!
    if (last.kind === "rename") whole.add(keyOf(last.to, imageOf(operations.slice(0, n), "kept", all)[last.to]!))
  }
  let reported = 0
  let images = 0
  const seen = new Set<string>()
  for (let n = 0; n <= operations.length; n++) {
    const last = operations[n - 1]
    if (last?.kind === "saved") reported = Number(/-0*(\d+)\./.exec(last.name)![1])
    const prefix = operations.slice(0, n)
    for (let names = 0; names < 1 << openNames(prefix); names++) {
      for (const data of dataFates) {
        const image = imageOf(prefix, data, (nth) => ((names >> nth) & 1) === 1)
        images++
        const key = JSON.stringify([
          reported,
          Object.entries(image).map(([name, b]) => [name, Buffer.from(b).toString("base64")]),
        ])
        if (seen.has(key)) continue
        seen.add(key)
        const got = newest(image, whole)
        if (got < reported) expect({ after: n, last, data, names, got }).toEqual({ atLeast: reported })
      }
    }
  }
  expect(images).toBeGreaterThan(5000)
  expect(seen.size).toBeGreaterThan(500)
  warn.mockRestore()
})

test("the images tell a save that does not wait for the disk from one that does", async () => {
  const warn = vi.spyOn(console, "warn").mockImplementation(() => {})
  const operations = (record.operations as Operation[]).slice()
  const upTo = operations.findIndex(({ kind }) => kind === "saved") + 1
  const first = operations.slice(0, upTo)
  const name = (first.at(-1) as { name: string }).name
  const whole = new Set([keyOf(name, imageOf(first, "kept", all)[name]!)])
  const without = (kind: Operation["kind"]): readonly Operation[] => first.filter((one) => one.kind !== kind)
  expect(newest(imageOf(first, "dropped", none), whole)).toBeGreaterThan(0)
  // Without the fsync of the file its name may last and its bytes not; without that of the folder its name may be lost.
  expect(newest(imageOf(without("sync"), "dropped", all), whole)).toBe(0)
  expect(newest(imageOf(without("syncFolder"), "kept", none), whole)).toBe(0)
  warn.mockRestore()
})
