// The reader's own points: drawn on the map with a brush, pasted, or dropped as a CSV file.

import { type Signal, signal } from "@preact/signals"
import type { JSX } from "preact"
import { useMemo, useRef } from "preact/hooks"
import { Icon } from "../ui/icons.tsx"
import { said } from "../ui/said.ts"
import { type CsvRead, readCsv } from "./csv.ts"
import { MOST_OWN, pack, unpack } from "./data.ts"
import type { Setting } from "./state.ts"

/** What the brush draws: a class from 0, or −1 to rub out. */
export type Brush = number

const marks = ["◆", "●", "■", "▲"]
const names = ["violet diamonds", "green discs", "squares", "triangles"]
/** With three and more classes the marks follow the classes. */
const marksOf = (classes: number): readonly string[] => (classes > 2 ? ["●", "◆", "■", "▲"] : marks)

/** Draws or rubs out around a place. */
export function brushed(own: string, x1: number, x2: number, brush: Brush, shake: () => number = Math.random): string {
  const { rows, classes } = unpack(own)
  if (brush < 0)
    return pack({ rows: rows.filter(([a, b]) => Math.hypot(a - x1, b - x2) > 0.35), classes: Math.max(2, classes) })
  if (rows.length >= MOST_OWN || rows.some(([a, b]) => Math.hypot(a - x1, b - x2) < 0.12)) return own
  const at = (v: number): number => v + (shake() - 0.5) * 0.12
  return pack({ rows: [...rows, [at(x1), at(x2), brush]], classes: Math.max(2, classes, brush + 1) })
}

/** The brush and what else makes points. */
export function OwnData({ setting, brush }: { readonly setting: Setting; readonly brush: Signal<Brush> }): JSX.Element {
  const { own } = setting.now.value
  const { rows, classes } = unpack(own)
  const dialog = useRef<HTMLDialogElement>(null)
  const numbers = classes === 0
  return (
    <div class="own">
      {numbers ? (
        <p class="dim">Numbers to fit: {rows.length} points. Clear them to draw classes.</p>
      ) : (
        <div class="seg" role="radiogroup" aria-label="Brush">
          {marksOf(classes).map((mark, k) => (
            <button
              key={mark}
              type="button"
              role="radio"
              aria-checked={brush.value === k}
              aria-label={`Draw ${classes > 2 ? `class ${k + 1}` : names[k]}`}
              class={`brush c${classes > 2 ? `m${k}` : k}`}
              onClick={() => (brush.value = k)}
            >
              {mark}
            </button>
          ))}
          <button type="button" role="radio" aria-checked={brush.value === -1} onClick={() => (brush.value = -1)}>
            rub out
          </button>
        </div>
      )}
      <div class="row">
        <button type="button" class="btn low" onClick={() => dialog.current!.showModal()}>
          <Icon name="data" />
          Paste or open a CSV
        </button>
        <button
          type="button"
          class="btn low quiet"
          disabled={rows.length === 0}
          onClick={() => setting.apply({ own: "" })}
        >
          Clear
        </button>
      </div>
      {rows.length === 0 && <p class="dim">Draw on the map: choose a mark, then press and move.</p>}
      <CsvDialog dialog={dialog} onRead={(text) => setting.apply({ data: "own", own: text })} />
    </div>
  )
}

function CsvDialog(props: {
  readonly dialog: { readonly current: HTMLDialogElement | null }
  readonly onRead: (own: string) => void
}): JSX.Element {
  const { dialog, onRead } = props
  const found = useMemo(() => signal<CsvRead | undefined>(undefined), [])
  const close = (): void => dialog.current?.close()
  const use = (): void => {
    if (found.value === undefined || found.value.own === "") return
    onRead(found.value.own)
    said(found.value.found)
    close()
  }
  return (
    <dialog ref={dialog as { current: HTMLDialogElement | null }} class="csv" aria-label="Your own points as a table">
      <h2>Your own points</h2>
      <p>Three columns: x1, x2 and the class (or a number). A head line may come first.</p>
      <textarea
        aria-label="Rows"
        rows={8}
        placeholder={"x1,x2,class\n0.5,1.2,cat\n-1.1,0.3,dog"}
        onInput={(event) => {
          const { value } = event.currentTarget
          found.value = value.trim() === "" ? undefined : readCsv(value)
        }}
      />
      <input
        type="file"
        aria-label="A CSV file"
        accept=".csv,.tsv,.txt,text/csv"
        onChange={async (event) => {
          const file = event.currentTarget.files?.[0]
          if (file !== undefined) found.value = readCsv(await file.text())
        }}
      />
      <div aria-live="polite">{found.value !== undefined && <Found read={found.value} />}</div>
      <div class="row">
        <button type="button" class="btn main" disabled={(found.value?.own ?? "") === ""} onClick={use}>
          {(found.value?.faults.length ?? 0) > 0 ? "Skip these rows and use the others" : "Use these points"}
        </button>
        <button type="button" class="btn quiet" onClick={close}>
          Cancel
        </button>
      </div>
    </dialog>
  )
}

function Found({ read }: { readonly read: CsvRead }): JSX.Element {
  const { found, faults } = read
  return (
    <>
      {found !== "" && <p>{found}</p>}
      {faults.length > 0 && (
        <ul class="fault">
          {faults.slice(0, 5).map((fault) => (
            <li key={fault}>{fault}</li>
          ))}
          {faults.length > 5 && <li>And {faults.length - 5} more.</li>}
        </ul>
      )}
    </>
  )
}

/** Takes a CSV that was dropped somewhere on the page. */
export async function dropped(event: DragEvent, setting: Setting): Promise<void> {
  const file = event.dataTransfer?.files[0]
  if (file === undefined) return
  event.preventDefault()
  const { own, found, faults } = readCsv(await file.text())
  if (own !== "" && faults.length === 0) setting.apply({ data: "own", own })
  said(own !== "" && faults.length === 0 ? found : `${faults[0] ?? found} Skip it, or mend the file and drop it again.`)
}
