// A page of a report as plain data, and the same page as HTML and as Markdown. Everything in it is taken for text: what a run's files
// hold may be of any origin. The HTML stands alone: no script, no address, pictures as SVG within it. Knows no run.

/** A page: its title and what follows. */
export interface Page {
  readonly title: string
  readonly blocks: readonly Block[]
}

/** A part of a page. */
export type Block =
  | { readonly kind: "heading"; readonly text: string }
  | { readonly kind: "text"; readonly text: string }
  /** Something found: a mark in words (fault, tip), a line that is read first, and sentences with their names. */
  | {
      readonly kind: "finding"
      readonly mark: string
      readonly title: string
      readonly parts: readonly (readonly [name: string, text: string])[]
      readonly code: string
    }
  | { readonly kind: "code"; readonly text: string }
  /** `shades`: how dark a cell is, from 0 to 1; numbers stand on the right. */
  | {
      readonly kind: "table"
      readonly head: readonly string[]
      readonly rows: readonly (readonly (string | number)[])[]
      readonly shades?: readonly (readonly number[])[]
    }
  /** Plots side by side; `svg` is text of ours, taken as it is. Markdown names a file for each. */
  | { readonly kind: "plots"; readonly plots: readonly Drawing[] }
  /** Small pictures with a line below each; Markdown has the lines. */
  | { readonly kind: "pictures"; readonly pictures: readonly { readonly svg: string | null; readonly text: string }[] }

/** A plot with the name of its file, without an ending, and what it shows in words. */
export interface Drawing {
  readonly name: string
  readonly svg: string
  readonly alt: string
}

const STYLE = `
:root { color-scheme: light dark }
body { font: 15px/1.45 system-ui, sans-serif; max-width: 66rem; margin: 1.5rem auto; padding: 0 1rem }
h1 { font-size: 1.5rem; margin: 0 0 .5rem } h2 { font-size: 1.1rem; margin: 1.4rem 0 .4rem }
p { margin: .4rem 0; max-width: 46rem; overflow-wrap: anywhere }
pre { overflow-x: auto; padding: .5rem .7rem; border: 1px solid #8886; border-radius: .3rem; font-size: .85rem }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: .9rem }
.wide { overflow-x: auto }
th, td { padding: .15rem .55rem; border-bottom: 1px solid #8884; text-align: left; font-weight: inherit }
thead th { font-weight: 600 } .n { text-align: right }
.plots { display: grid; grid-template-columns: repeat(auto-fit, minmax(20rem, 1fr)); gap: .5rem }
.plots svg { width: 100%; height: auto }
.found { border-left: .3rem solid #888; padding: .1rem .8rem; margin: .6rem 0 }
.found.fault { border-color: #d55e00 } .found.tip { border-color: #0072b2 }
.pictures { display: flex; flex-wrap: wrap; gap: .8rem; padding: 0; list-style: none; font-size: .8rem }
.pictures li { width: 6.4rem } .pictures svg { width: 5rem; height: 5rem; border: 1px solid #8886 }
`

/** The page as one file of HTML. */
export function htmlOf({ title, blocks }: Page): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${escaped(title)}</title>
<style>${STYLE}</style>
</head>
<body>
<h1>${escaped(title)}</h1>
${blocks.map(htmlBlock).join("\n")}
</body>
</html>
`
}

function htmlBlock(block: Block): string {
  switch (block.kind) {
    case "heading":
      return `<h2>${escaped(block.text)}</h2>`
    case "text":
      return `<p>${escaped(block.text)}</p>`
    case "code":
      return `<pre>${escaped(block.text)}</pre>`
    case "finding": {
      const parts = block.parts.map(([name, text]) => `<p><b>${escaped(name)}</b> ${escaped(text)}</p>`)
      const code = block.code === "" ? "" : `<pre>${escaped(block.code)}</pre>`
      const look = block.mark === "fault" || block.mark === "tip" ? ` ${block.mark}` : ""
      return `<div class="found${look}"><p><b>${escaped(`${capital(block.mark)}: ${block.title}`)}</b></p>${parts.join("")}${code}</div>`
    }
    case "table": {
      const head = block.head.map(
        (cell, i) => `<th${isNumbers(block.rows, i) ? ' class="n"' : ""}>${escaped(cell)}</th>`,
      )
      const rows = block.rows.map(
        (row, r) => `<tr>${row.map((cell, i) => htmlCell(cell, block.shades?.[r]?.[i])).join("")}</tr>`,
      )
      return `<div class="wide"><table><thead><tr>${head.join("")}</tr></thead><tbody>${rows.join("")}</tbody></table></div>`
    }
    case "plots":
      return `<div class="plots">${block.plots.map(({ svg }) => `<div>${svg}</div>`).join("")}</div>`
    case "pictures": {
      const items = block.pictures.map(({ svg, text }) => `<li>${svg ?? ""}<br>${escaped(text)}</li>`)
      return `<ul class="pictures">${items.join("")}</ul>`
    }
  }
}

function htmlCell(cell: string | number, shade = 0): string {
  const style = shade > 0 ? ` style="background:rgb(0 114 178 / ${Number((0.6 * Math.min(1, shade)).toFixed(2))})"` : ""
  return `<td${typeof cell === "number" ? ' class="n"' : ""}${style}>${escaped(String(cell))}</td>`
}

/** The page as Markdown; its plots are files beside it. */
export function markdownOf({ title, blocks }: Page): string {
  return `# ${plain(title)}\n\n${blocks.map(markdownBlock).join("\n\n")}\n`
}

function markdownBlock(block: Block): string {
  switch (block.kind) {
    case "heading":
      return `## ${plain(block.text)}`
    case "text":
      return plain(block.text)
    case "code":
      return fenced(block.text)
    case "finding": {
      const parts = block.parts.map(([name, text]) => `**${plain(name)}** ${plain(text)}`)
      const code = block.code === "" ? [] : [fenced(block.code)]
      return [`**${plain(`${capital(block.mark)}: ${block.title}`)}**`, ...parts, ...code].join("\n\n")
    }
    case "table": {
      const line = (cells: readonly (string | number)[]): string =>
        `| ${cells.map((cell) => (typeof cell === "number" ? String(cell) : plain(cell))).join(" | ")} |`
      const rule = block.head.map((_, i) => (isNumbers(block.rows, i) ? "--:" : "---"))
      return [line(block.head), `| ${rule.join(" | ")} |`, ...block.rows.map(line)].join("\n")
    }
    case "plots":
      return block.plots.map(({ name, alt }) => `![${plain(alt)}](${name}.svg)`).join("\n")
    case "pictures":
      return block.pictures.map(({ text }) => `- ${plain(text)}`).join("\n")
  }
}

const isNumbers = (rows: readonly (readonly (string | number)[])[], column: number): boolean =>
  rows.length > 0 && rows.every((row) => typeof row[column] === "number")

const capital = (text: string): string => `${text.slice(0, 1).toUpperCase()}${text.slice(1)}`

/** Text as it stands in HTML, between quotation marks too; what no document may hold is left out. */
function escaped(text: string): string {
  return printable(text).replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`)
}

/** Text as it stands on a line of Markdown, where neither HTML nor marks have a meaning. */
function plain(text: string): string {
  return printable(text)
    .replace(/\s+/g, " ")
    .replace(/[\\`*_[\]|~$]/g, "\\$&")
    .replace(/[&<>]/g, (c) => `&#${c.charCodeAt(0)};`)
    .replace(/^(\s*\d*)([-+=>#]|(?<=\d)[.)](?=\s))/, "$1\\$2")
    .replace(/:\/\//g, ":&#47;&#47;")
}

/** Code in Markdown, between more marks than it holds. */
function fenced(text: string): string {
  const longest = Math.max(2, ...[...text.matchAll(/`+/g)].map(([marks]) => marks.length))
  const fence = "`".repeat(longest + 1)
  return `${fence}\n${printable(text)}\n${fence}`
}

/** Without control characters but the end of a line, and those that turn the direction of what follows. */
function printable(text: string): string {
  return text.replace(/[\p{Cc}\u202a-\u202e\u2066-\u2069]/gu, (c) => (c === "\n" ? c : c === "\t" ? " " : "\ufffd"))
}
