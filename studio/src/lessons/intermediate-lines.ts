// What a terminal shows of a text that moves its last line: Keras's progress lines, kept for the page.

/** The lines of a terminal; the last one may still move. */
export type Screen = readonly string[]

const MOST = 200

/** The screen after some more text: a carriage return and the sign that clears a line begin the last line anew. */
export function written(screen: Screen, text: string): Screen {
  const lines = screen.length === 0 ? [""] : [...screen]
  for (const [i, part] of text.split("\n").entries()) {
    if (i > 0) lines.push("")
    const last = part.split("\r\x1b[2K")
    const line = (last.length > 1 ? "" : lines.at(-1)!) + last.at(-1)!
    lines[lines.length - 1] = line
  }
  return lines.slice(-MOST)
}

/** A line in three pieces, so that its bar can have a colour. */
export function barOf(line: string): readonly [before: string, bar: string, after: string] {
  const found = /^(.*\[)(=*>?)(\.*\].*)$/.exec(line)
  return found === null ? [line, "", ""] : [found[1]!, found[2]!, found[3]!]
}
