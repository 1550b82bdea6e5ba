// WebAssembly control flow as typed pieces of code, with labels instead of relative depths. It must not know instruction
// tables, functions or modules.

import {
  type Code,
  type Label,
  type Sink,
  TYPE_BYTES,
  type ValueType,
  writeAll,
  writeByte,
  writeUnsigned,
} from "./code.ts"

function structure(opcode: number, of: Label["of"], build: (label: Label) => readonly Code<"void">[]): Code<"void"> {
  const label: Label = { of }
  const body = build(label)
  return {
    type: "void",
    write: (sink) => {
      writeByte(sink, opcode)
      writeByte(sink, 0x40)
      sink.labels.push(label)
      writeAll(sink, body)
      sink.labels.pop()
      writeByte(sink, 0x0b)
    },
  }
}

/** A block: branching to its label leaves it. */
export function block(build: (label: Label) => readonly Code<"void">[]): Code<"void"> {
  return structure(0x02, "block", build)
}

/** A loop: branching to its label starts it again; it is left when its end is reached. */
export function loop(build: (label: Label) => readonly Code<"void">[]): Code<"void"> {
  return structure(0x03, "loop", build)
}

function writeBranch(sink: Sink, opcode: number, label: Label): void {
  const index = sink.labels.lastIndexOf(label)
  if (index < 0) throw new RangeError(`Cannot branch to a ${label.of} that does not surround the branch`)
  writeByte(sink, opcode)
  writeUnsigned(sink, sink.labels.length - 1 - index)
}

/** Branches to a label of a surrounding block or loop; writing it elsewhere throws a RangeError. */
export function br(label: Label): Code<"void"> {
  return { type: "void", write: (sink) => writeBranch(sink, 0x0c, label) }
}

/** Branches to a label if the condition is not zero. */
export function brIf(label: Label, condition: Code<"i32">): Code<"void"> {
  return {
    type: "void",
    write: (sink) => {
      condition.write(sink)
      writeBranch(sink, 0x0d, label)
    },
  }
}

function choice<T extends ValueType | "void">(
  type: T,
  condition: Code<"i32">,
  then: readonly Code<T | "void">[],
  otherwise: readonly Code<T | "void">[],
): Code<T> {
  const blockType = type === "void" ? 0x40 : TYPE_BYTES[type as ValueType]
  return {
    type,
    write: (sink) => {
      condition.write(sink)
      writeByte(sink, 0x04)
      writeByte(sink, blockType)
      sink.labels.push(undefined)
      writeAll(sink, then)
      if (otherwise.length > 0) {
        writeByte(sink, 0x05)
        writeAll(sink, otherwise)
      }
      sink.labels.pop()
      writeByte(sink, 0x0b)
    },
  }
}

/** Runs `then` if the condition is not zero, else `otherwise`. */
export function if_(
  condition: Code<"i32">,
  then: readonly Code<"void">[],
  otherwise: readonly Code<"void">[] = [],
): Code<"void"> {
  return choice("void", condition, then, otherwise)
}

/** The value of `a` if the condition is not zero, else of `b`; only that one is evaluated. */
export function cond<T extends ValueType>(
  type: T,
  condition: Code<"i32">,
  a: Code<NoInfer<T>>,
  b: Code<NoInfer<T>>,
): Code<T> {
  return choice<T>(type, condition, [a], [b])
}

/** The value of `a` if the condition is not zero, else of `b`; evaluates a, b and then the condition (no branch). */
export function select<T extends ValueType>(condition: Code<"i32">, a: Code<T>, b: Code<NoInfer<T>>): Code<T> {
  return {
    type: a.type,
    write: (sink) => {
      a.write(sink)
      b.write(sink)
      condition.write(sink)
      writeByte(sink, 0x1b)
    },
  }
}

/** Pieces of code one after the other; the value, if any, is that of the last. */
export function seq(...codes: readonly Code<"void">[]): Code<"void">
export function seq<T extends ValueType>(...codes: readonly [...Code<"void">[], Code<T>]): Code<T>
export function seq(...codes: readonly Code<ValueType | "void">[]): Code<ValueType | "void"> {
  return { type: codes.at(-1)?.type ?? "void", write: (sink) => writeAll(sink, codes) }
}

/** Evaluates code and forgets its value. */
export function drop(code: Code<ValueType>): Code<"void"> {
  return simple(0x1a, code)
}

/** Leaves the function, with its result if it has one (which the validation of the module checks, not the types). */
export function return_(value?: Code<ValueType>): Code<"void"> {
  return simple(0x0f, value)
}

/** Traps. */
export function unreachable(): Code<"void"> {
  return simple(0x00)
}

function simple(opcode: number, operand?: Code<ValueType>): Code<"void"> {
  return {
    type: "void",
    write: (sink) => {
      operand?.write(sink)
      writeByte(sink, opcode)
    },
  }
}
