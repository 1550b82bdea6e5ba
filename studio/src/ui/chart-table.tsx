// The numbers of a chart as a table, to read and to copy. Rows are made when it is opened.

import type { JSX } from "preact"
import { useState } from "preact/hooks"

/** A table with a row for each epoch. */
export function ChartTable(props: {
  /** What it is a table of, for readers of screens. */
  readonly title?: string
  /** What is counted along. */
  readonly unit?: string
  readonly x: readonly number[]
  readonly lines: readonly { readonly label: string; readonly values: readonly (number | null)[] }[]
  readonly format: (value: number) => string
}): JSX.Element | null {
  const { title, unit = "epoch", x, lines, format } = props
  const [open, setOpen] = useState(false)
  if (x.length === 0) return null
  const first = Math.max(0, x.length - 2000)
  return (
    <details class="twin" onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>table{title !== undefined && <span class="sr"> of {title}</span>}</summary>
      {open && (
        <div class="scroll" role="region" aria-label={title === undefined ? "Table" : `Table of ${title}`}>
          <table>
            <thead>
              <tr>
                <th scope="col">{unit}</th>
                {lines.map((line) => (
                  <th key={line.label} scope="col">
                    {line.label}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {x.slice(first).map((at, k) => (
                <tr key={at}>
                  <td>{at}</td>
                  {lines.map(({ label, values }) => (
                    <td key={label}>{values[first + k] == null ? "–" : format(values[first + k]!)}</td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </details>
  )
}
