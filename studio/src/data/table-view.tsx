// A table: a head that stays with the type and the distribution of each column, rows that can be sorted, missing values hatched.

import type { JSX } from "preact"
import { useMemo } from "preact/hooks"
import diabetes from "../../../src/data/sets/diabetes.csv?raw"
import iris from "../../../src/data/sets/iris.csv?raw"
import { count } from "../ui/format.ts"
import { type Keys, numberKey, useUrlState, wordKey } from "../ui/url.ts"
import { type Column, isMissing, readTable } from "./table.ts"

interface View {
  /** The column by which rows are sorted; −1: as they were written. */
  readonly by: number
  readonly way: "up" | "down"
}

/** The state of this page. */
export const tableKeys: Keys<View> = { by: numberKey(-1, -1, 99), way: wordKey<"up" | "down">("up", ["up", "down"]) }

interface Words {
  readonly text: string
  readonly title: string
  readonly lede: string
  readonly source: string
  /** The column that is to be predicted. */
  readonly wanted: string
}

const tables: { readonly [name in "iris" | "diabetes"]: Words } = {
  iris: {
    text: iris,
    title: "Iris: 150 flowers of three species",
    lede: "Four lengths in centimetres, and the species.",
    source: "R. A. Fisher, 1936, from the UCI repository (CC BY 4.0).",
    wanted: "species",
  },
  diabetes: {
    text: diabetes,
    title: "Diabetes: 442 patients, a year later",
    lede: "Age, sex, body mass index, blood pressure and six blood values; the target is how far the disease had advanced.",
    source: "Efron, Hastie, Johnstone and Tibshirani, 2004.",
    wanted: "target",
  },
}

/** The page of a table. */
export function TableView({ name }: { readonly name: "iris" | "diabetes" }): JSX.Element {
  const { text, title, lede, source, wanted } = tables[name]
  const { columns, rows, repeated } = useMemo(() => readTable(text), [text])
  const { by, way } = useUrlState(tableKeys)
  const order = useMemo(
    () => sorted(rows, columns[by.value]?.type === "text" ? "text" : "number", by.value, way.value),
    [rows, by.value, way.value],
  )
  const sort = (k: number): void => {
    if (by.value !== k) [by.value, way.value] = [k, "up"]
    else if (way.value === "up") way.value = "down"
    else [by.value, way.value] = [-1, "up"]
  }
  const missing = columns.reduce((sum, column) => sum + column.missing, 0)
  return (
    <>
      <header class="data-head">
        <h1>{title}</h1>
        <p class="lede">{lede}</p>
      </header>
      <p class="dim">
        {count(rows.length)} rows, {columns.length} columns;{" "}
        {missing === 0 ? "no value is missing" : `${count(missing)} values are missing`}.{" "}
        {repeated.length > 0 && `${repeatedText(repeated)} in both parts of a split they would leak. `}
        {source}
      </p>
      {/* What scrolls must be reached by keys. */}
      <div class="table-scroll" role="region" aria-label={title}>
        <table>
          <thead>
            <tr>
              <th scope="col">row</th>
              {columns.map((column, k) => (
                <th
                  key={column.name}
                  scope="col"
                  aria-sort={by.value !== k ? "none" : way.value === "up" ? "ascending" : "descending"}
                >
                  <Bars column={column} />
                  <button type="button" onClick={() => sort(k)}>
                    {column.name}
                    {by.value === k && <span aria-hidden="true">{way.value === "up" ? " ↑" : " ↓"}</span>}
                  </button>
                  <span class="type">{column.name === wanted ? `${column.type}, wanted` : column.type}</span>
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {order.map((i) => (
              <tr key={i}>
                <td>{i + 1}</td>
                {rows[i]!.map((value, k) =>
                  isMissing(value) ? (
                    <td key={k} class="missing">
                      <span class="sr">missing</span>
                    </td>
                  ) : (
                    <td key={k}>{value.replace("-", "−")}</td>
                  ),
                )}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </>
  )
}

function repeatedText(repeated: readonly number[]): string {
  const named = repeated.slice(0, 3).map((i) => i + 1)
  return repeated.length === 1
    ? `Row ${named[0]} is the same as an earlier one:`
    : `Rows ${named.join(", ")}${repeated.length > 3 ? " and others" : ""} are the same as earlier ones:`
}

/** The numbers of the rows in the order of a column; missing values last. */
export function sorted(
  rows: readonly (readonly string[])[],
  type: "text" | "number",
  by: number,
  way: "up" | "down",
): readonly number[] {
  const all = rows.map((_, i) => i)
  if (by < 0 || rows[0]?.[by] === undefined) return all
  const sign = way === "up" ? 1 : -1
  const compare = (a: string, b: string): number => (type === "text" ? a.localeCompare(b, "en") : Number(a) - Number(b))
  return all.sort((a, b) => {
    const [x, y] = [rows[a]![by]!, rows[b]![by]!]
    return Number(isMissing(x)) - Number(isMissing(y)) || sign * compare(x, y) || a - b
  })
}

const [W, H] = [84, 30]

/** How the values of a column are distributed. */
function Bars({ column }: { readonly column: Column }): JSX.Element | null {
  const { bars, name } = column
  if (bars.length === 0) return null
  const most = bars.reduce((max, { n }) => Math.max(max, n), 1)
  const each = W / bars.length
  const top = bars.find(({ n }) => n === most)!
  return (
    <svg
      class="bars"
      width={W}
      height={H}
      viewBox={`0 0 ${W} ${H}`}
      role="img"
      aria-label={`${name}: most often ${top.label}, ${top.n} times`}
    >
      {bars.map(({ label, n }, i) => {
        const high = (n / most) * (H - 2)
        return (
          <rect key={label} x={i * each + 0.5} y={H - high} width={each - 1} height={high}>
            <title>{`${label}: ${n}`}</title>
          </rect>
        )
      })}
    </svg>
  )
}
