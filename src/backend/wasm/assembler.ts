// A small typed WebAssembly assembler: a module, its memory and its functions. It must not know any instruction
// (instructions.ts, control.ts), nor what the code is for. Format: WebAssembly core specification, chapter 5.

import {
  type Code,
  createSink,
  type Sink,
  TYPE_BYTES,
  type ValueType,
  writeAll,
  writeByte,
  writeBytes,
  writeSized,
  writeText,
  writeUnsigned,
} from "./code.ts"

/** A variable of one function; using it in another function throws a RangeError when that function is written. */
export interface Local<T extends ValueType> {
  readonly type: T
  readonly index: number
  readonly get: Code<T>
  readonly set: (value: Code<T>) => Code<"void">
  readonly tee: (value: Code<T>) => Code<T>
}

type Results = readonly [] | readonly [ValueType]
type ResultOf<R extends Results> = R extends readonly [infer T extends ValueType] ? T : "void"
type Values<P extends readonly ValueType[]> = { readonly [K in keyof P]: Code<P[K]> }
type Locals<P extends readonly ValueType[]> = { readonly [K in keyof P]: Local<P[K]> }
type Body<R extends Results> = R extends readonly [infer T extends ValueType]
  ? readonly [...Code<"void">[], Code<T>]
  : readonly Code<"void">[]

/** Parameter types, at most one result type, and whether the function is exported under its name. */
export interface Signature<P extends readonly ValueType[], R extends Results> {
  readonly params: P
  readonly results: R
  readonly exported?: boolean
}

/** A declared function, to be given to `call` and `Module.body`. */
export interface Func<P extends readonly ValueType[], R extends Results> extends Signature<P, R> {
  readonly name: string
  readonly index: number
  readonly module: object
}

/** What the body of a function is made with: its parameters as locals, and fresh locals (which start as zero). */
export interface Frame<P extends readonly ValueType[]> {
  readonly params: Locals<P>
  readonly local: <T extends ValueType>(type: T) => Local<T>
}

/** The one memory of a module, sizes in pages of 64 KiB; a shared memory needs a maximum. */
export interface MemoryOptions {
  readonly import?: readonly [module: string, name: string]
  readonly export?: string
  readonly initial: number
  readonly maximum?: number
  readonly shared?: boolean
}

/** A module under construction; functions may be called before their body is given. */
export interface Module {
  /** Sets the memory; throws RangeError if it is shared without a maximum or set twice. */
  readonly memory: (options: MemoryOptions) => void
  /** Declares a function of the caller; throws RangeError if the name is taken, or a function of the module came before. */
  readonly import: <const P extends readonly ValueType[], const R extends Results>(
    module: string,
    name: string,
    signature: Omit<Signature<P, R>, "exported">,
  ) => Func<P, R>
  /** Declares a function whose body comes later; throws RangeError if the name is taken. */
  readonly declare: <const P extends readonly ValueType[], const R extends Results>(
    name: string,
    signature: Signature<P, R>,
  ) => Func<P, R>
  /** Gives a declared function its body, once; with a result, the last piece of code leaves it. */
  readonly body: <P extends readonly ValueType[], R extends Results>(
    f: Func<P, R>,
    build: (frame: Frame<P>) => Body<R>,
  ) => void
  /** Declares a function and gives its body. */
  readonly define: <const P extends readonly ValueType[], const R extends Results>(
    name: string,
    signature: Signature<P, R>,
    build: (frame: Frame<P>) => Body<R>,
  ) => Func<P, R>
  /** The module's bytes; `names` adds the name section, for profiles and stack traces. Throws RangeError on a missing body. */
  readonly finish: (options?: { readonly names?: boolean }) => Uint8Array<ArrayBuffer>
}

/** Calls a function of the same module. */
export function call<P extends readonly ValueType[], R extends Results>(
  f: Func<P, R>,
  ...operands: Values<P>
): Code<ResultOf<R>> {
  return {
    type: (f.results[0] ?? "void") as ResultOf<R>,
    write: (sink) => {
      if (sink.module !== f.module) throw new RangeError(`Function "${f.name}" belongs to another module`)
      writeAll(sink, operands)
      writeByte(sink, 0x10)
      writeUnsigned(sink, f.index)
    },
  }
}

interface Imported {
  readonly module: string
  readonly name: string
  readonly type: number
}

interface Definition {
  readonly name: string
  readonly type: number
  readonly exported: boolean
  body: Uint8Array<ArrayBuffer> | undefined
}

interface OwnLocal<T extends ValueType> extends Local<T> {
  readonly owner: object
}

/** What reads or writes a local. Such pieces share their functions: a module has tens of thousands of them. */
interface LocalCode<T extends ValueType | "void"> extends Code<T> {
  readonly local: Pick<OwnLocal<ValueType>, "owner" | "index" | "type">
  readonly opcode: number
  readonly value: Code<ValueType> | undefined
}

function writeLocal(this: LocalCode<ValueType | "void">, sink: Sink): void {
  const { owner, index, type } = this.local
  this.value?.write(sink)
  if (sink.owner !== owner) throw new RangeError(`Local ${index} (${type}) belongs to another function`)
  writeByte(sink, this.opcode)
  writeUnsigned(sink, index)
}

function setLocal<T extends ValueType>(this: OwnLocal<T>, value: Code<T>): LocalCode<"void"> {
  return { type: "void", write: writeLocal, local: this, opcode: 0x21, value }
}

function teeLocal<T extends ValueType>(this: OwnLocal<T>, value: Code<T>): LocalCode<T> {
  return { type: this.type, write: writeLocal, local: this, opcode: 0x22, value }
}

function createLocal<T extends ValueType>(owner: object, index: number, type: T): Local<T> {
  const local = { type, index, owner, set: setLocal<T>, tee: teeLocal<T> }
  const get: LocalCode<T> = { type, write: writeLocal, local, opcode: 0x20, value: undefined }
  return Object.assign(local, { get })
}

/** Runs of equal types, as the locals of a function are declared. */
function writeLocals(sink: Sink, types: readonly ValueType[]): void {
  const starts = types.flatMap((type, i) => (i > 0 && types[i - 1] === type ? [] : [i]))
  writeUnsigned(sink, starts.length)
  starts.forEach((start, i) => {
    writeUnsigned(sink, (starts[i + 1] ?? types.length) - start)
    writeByte(sink, TYPE_BYTES[types[start]!])
  })
}

function writeSection(sink: Sink, id: number, count: number, write: () => void): void {
  if (count === 0) return
  writeByte(sink, id)
  writeSized(sink, () => {
    writeUnsigned(sink, count)
    write()
  })
}

function writeMemory(sink: Sink, memory: MemoryOptions): void {
  const limits = (memory.maximum === undefined ? 0 : 1) | (memory.shared ? 2 : 0)
  writeByte(sink, limits)
  writeUnsigned(sink, memory.initial)
  if (memory.maximum !== undefined) writeUnsigned(sink, memory.maximum)
}

function writeTypes(sink: Sink, types: readonly ValueType[]): void {
  writeUnsigned(sink, types.length)
  for (const type of types) writeByte(sink, TYPE_BYTES[type])
}

function writeNames(sink: Sink, names: readonly string[]): void {
  writeByte(sink, 0)
  writeSized(sink, () => {
    writeText(sink, "name")
    writeSection(sink, 1, names.length, () => {
      names.forEach((name, i) => {
        writeUnsigned(sink, i)
        writeText(sink, name)
      })
    })
  })
}

/** Starts a module. */
export function module_(): Module {
  const identity = {}
  const scratch = createSink(identity, 1 << 14)
  const types = new Map<string, readonly [readonly ValueType[], readonly ValueType[]]>()
  const imports = new Map<string, Imported>()
  const definitions = new Map<string, Definition>()
  let memory: MemoryOptions | undefined

  const setMemory: Module["memory"] = (options) => {
    if (memory !== undefined) throw new RangeError("A module has one memory; it is set already")
    if (options.shared && options.maximum === undefined) throw new RangeError("A shared memory needs a maximum size")
    memory = options
  }
  const typeOf = ({ params, results }: Signature<readonly ValueType[], Results>): number => {
    const key = `${params} -> ${results}`
    if (!types.has(key)) types.set(key, [params, results])
    return [...types.keys()].indexOf(key)
  }
  const checkFree = (name: string): void => {
    if (imports.has(name) || definitions.has(name)) throw new RangeError(`Function "${name}" is declared already`)
  }
  const import_: Module["import"] = (module, name, signature) => {
    checkFree(name)
    if (definitions.size > 0) throw new RangeError(`Function "${name}" is imported: it must come before all others`)
    const index = imports.size
    imports.set(name, { module, name, type: typeOf(signature) })
    return { ...signature, name, index, module: identity }
  }
  const declare: Module["declare"] = (name, signature) => {
    checkFree(name)
    const index = imports.size + definitions.size
    definitions.set(name, { name, type: typeOf(signature), exported: signature.exported === true, body: undefined })
    return { ...signature, name, index, module: identity }
  }
  const body: Module["body"] = (f, build) => {
    const definition = f.module === identity ? definitions.get(f.name) : undefined
    if (definition === undefined) throw new RangeError(`Function "${f.name}" belongs to another module`)
    if (definition.body !== undefined) throw new RangeError(`Function "${f.name}" has its body already`)
    definition.body = assemble(scratch, f.params, build)
  }
  const define: Module["define"] = (name, signature, build) => {
    const f = declare(name, signature)
    body(f, build)
    return f
  }
  const finish: Module["finish"] = (options) =>
    assembleModule(
      createSink(identity, 1 << 16),
      [...types.values()],
      [...imports.values()],
      [...definitions.values()],
      memory,
      options?.names,
    )
  return { memory: setMemory, import: import_, declare, body, define, finish }
}

/** The bytes of one function: declarations of locals, code, end. */
function assemble<P extends readonly ValueType[], R extends Results>(
  sink: Sink,
  params: P,
  build: (frame: Frame<P>) => Body<R>,
): Uint8Array<ArrayBuffer> {
  const owner = {}
  const locals: ValueType[] = []
  const local = <T extends ValueType>(type: T): Local<T> =>
    createLocal(owner, params.length + locals.push(type) - 1, type)
  const codes = build({ params: params.map((type, i) => createLocal(owner, i, type)) as Locals<P>, local })
  sink.at = 0
  sink.labels.length = 0 // a body that threw may have left some
  sink.owner = owner
  writeLocals(sink, locals)
  writeAll(sink, codes)
  writeByte(sink, 0x0b)
  return sink.bytes.slice(0, sink.at)
}

function assembleModule(
  sink: Sink,
  types: readonly (readonly [readonly ValueType[], readonly ValueType[]])[],
  imports: readonly Imported[],
  definitions: readonly Definition[],
  memory: MemoryOptions | undefined,
  names: boolean | undefined,
): Uint8Array<ArrayBuffer> {
  writeBytes(sink, [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0])
  writeSection(sink, 1, types.length, () => {
    for (const [params, results] of types) {
      writeByte(sink, 0x60)
      writeTypes(sink, params)
      writeTypes(sink, results)
    }
  })
  const place = memory?.import
  writeSection(sink, 2, imports.length + (place === undefined ? 0 : 1), () => {
    if (place !== undefined) {
      for (const name of place) writeText(sink, name)
      writeByte(sink, 2)
      writeMemory(sink, memory!)
    }
    for (const { module, name, type } of imports) {
      writeText(sink, module)
      writeText(sink, name)
      writeByte(sink, 0)
      writeUnsigned(sink, type)
    }
  })
  writeSection(sink, 3, definitions.length, () => {
    for (const { type } of definitions) writeUnsigned(sink, type)
  })
  writeSection(sink, 5, memory !== undefined && place === undefined ? 1 : 0, () => writeMemory(sink, memory!))
  writeExports(sink, imports.length, definitions, memory?.export)
  writeSection(sink, 10, definitions.length, () => {
    for (const { name, body } of definitions) {
      if (body === undefined) throw new RangeError(`Function "${name}" was declared but has no body`)
      writeUnsigned(sink, body.length)
      writeBytes(sink, body)
    }
  })
  if (names && definitions.length > 0) {
    writeNames(
      sink,
      [...imports, ...definitions].map(({ name }) => name),
    )
  }
  return sink.bytes.slice(0, sink.at)
}

function writeExports(sink: Sink, first: number, definitions: readonly Definition[], memory: string | undefined): void {
  const exported = definitions.flatMap(({ name, exported }, i) => (exported ? [[name, first + i] as const] : []))
  writeSection(sink, 7, exported.length + (memory === undefined ? 0 : 1), () => {
    if (memory !== undefined) {
      writeText(sink, memory)
      writeBytes(sink, [2, 0])
    }
    for (const [name, index] of exported) {
      writeText(sink, name)
      writeByte(sink, 0)
      writeUnsigned(sink, index)
    }
  })
}
