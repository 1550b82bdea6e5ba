// JSON lines (a record in each line) and JSON files that hold a list of records, as tables (Node only).

import { dataError, show } from "../core/errors.ts"
import { asArray, asObject, type JsonValue, parseJson } from "../core/json.ts"
import { checkText } from "./node-pieces.ts"
import { addRecord, type TableBuilder, tableLimits } from "./table.ts"

/** A list of records is read as a whole: the most that it may have. */
const LIST = 268_435_456

/** Reads lines of JSON into the table; a step for each block. A text that begins with `[` is a list of records. */
export async function* readJsonLines(builder: TableBuilder, pieces: AsyncIterable<Uint8Array>): AsyncGenerator<void> {
  const { source } = builder
  let carry: Buffer = Buffer.alloc(0)
  let offset = 0
  let line = 1
  let list: boolean | undefined
  const take = (block: Buffer): void => {
    checkText(source, block, offset)
    offset += block.length
    const text = block.toString("utf8")
    if (list) {
      addList(builder, text)
      return
    }
    for (const one of (line === 1 ? text.replace(/^\ufeff/, "") : text).split("\n")) {
      if (one.trim() !== "") addLine(builder, one, line)
      line++
    }
    // What follows the last end of a line is no line of its own.
    line--
  }
  for await (const piece of pieces) {
    carry = Buffer.concat([carry, piece])
    list ??= startsList(carry)
    if (list === true) {
      if (carry.length > LIST) {
        const hint = "Write a record in each line (JSON lines): these are read piece by piece."
        throw dataError({ where: source, what: "the list is too long.", expected: `at most ${LIST} bytes`, hint })
      }
    } else {
      const end = carry.lastIndexOf(10) + 1
      if (end > 0) take(carry.subarray(0, end))
      carry = carry.subarray(end)
      if (carry.length > tableLimits.line) {
        const fields = { expected: `at most ${tableLimits.line} bytes`, hint: "Is this a file of JSON lines?" }
        throw dataError({ where: `${source}:${line}`, what: "the line is too long.", ...fields })
      }
    }
    yield
  }
  take(carry)
  yield
}

/** Whether a text begins with a list; undefined as long as it is empty. */
function startsList(bytes: Buffer): boolean | undefined {
  const first = bytes
    .toString("latin1", 0, 64)
    .replace(/^\u00ef\u00bb\u00bf/, "")
    .trimStart()[0]
  return first === undefined ? undefined : first === "["
}

function addLine(builder: TableBuilder, text: string, line: number): void {
  const { source } = builder
  const limits = { depth: 4, length: tableLimits.line, line }
  const value = asRecord(parseJson(text, source, limits, "E_DATA"), `${source}:${line}`)
  addRecord(builder, Object.entries(value), `${source}:${line}`, line)
}

function addList(builder: TableBuilder, text: string): void {
  const { source } = builder
  const all = parseJson(text, source, { depth: 4, length: LIST }, "E_DATA")
  asArray(all, source, "E_DATA").forEach((one, i) => {
    addRecord(builder, Object.entries(asRecord(one, `${source}[${i}]`)), `${source}[${i}]`, undefined)
  })
}

function asRecord(value: JsonValue, where: string): { readonly [key: string]: JsonValue } {
  if (!Array.isArray(value)) return asObject(value, where, "E_DATA")
  const hint = 'Write {"width": 1, "height": 2}.'
  throw dataError({ where, what: "a row is a record with names.", expected: "an object", got: show(value), hint })
}
