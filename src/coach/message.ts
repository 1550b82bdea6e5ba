// Findings as lines of text. Knows no rule.

import type { Finding } from "./finding.ts"

/** Characters of a line. */
const WIDTH = 80

/** Words in lines of at most so many characters, all but the first behind an indent; a word that is longer has a line of its own. */
function wrapped(text: string, first: string, indent: string): readonly string[] {
  const lines: string[] = []
  let line = first
  for (const word of text.split(" ")) {
    const empty = line.trim() === "" || line === first
    if (!empty && line.length + 1 + word.length > WIDTH) {
      lines.push(line)
      line = indent + word
    } else line += empty ? word : ` ${word}`
  }
  return [...lines, line]
}

/** The heads of the five parts. */
const PARTS = {
  saw: "Saw      ",
  normal: "Normal   ",
  why: "Why      ",
  change: "Change   ",
  code: "         ",
  expect: "Expect   ",
}

/** Lines of at most 80 characters: the cause, then what was seen, what is normal, why it matters, the change and what to see next. */
export function messageOf({ code, cause, kind, layer, saw, normal, why, change, expect }: Finding): readonly string[] {
  const indent = " ".repeat(PARTS.saw.length)
  const part = (head: string, text: string): readonly string[] => wrapped(text, head, indent)
  const where = layer === undefined ? "" : ` (layer ${layer})`
  return [
    ...wrapped(`${cause}${where}`, `${kind === "tip" ? "Tip" : "Fault"} ${code}: `, indent),
    ...part(PARTS.saw, saw),
    ...part(PARTS.normal, normal),
    ...part(PARTS.why, why),
    ...part(PARTS.change, change.text),
    ...part(PARTS.code, change.code),
    ...(change.flag === undefined ? [] : part(PARTS.code, change.flag)),
    ...part(PARTS.expect, expect.text),
  ]
}
