// The list of runs: newest first, live ones with a dot; shift with a click (or Enter) compares a second one.

import type { JSX } from "preact"
import type { Run } from "../../../cli/studio/api.ts"
import { root } from "../root.ts"
import { linePath } from "../ui/plot.ts"
import { go } from "../ui/url.ts"
import { configOf } from "./view.ts"
import { begunText, railText, titleOf } from "./words.ts"

const [W, H] = [52, 22]

/** The cost of a run in small: what was measured on validation data, on a logarithmic axis. */
function Spark({ run }: { readonly run: Run }): JSX.Element {
  const costs = run.epochs.map(({ valLoss }) => Math.log(valLoss ?? Number.NaN)).filter(Number.isFinite)
  const [low, high] = [Math.min(...costs.slice(0, 5000)), Math.max(...costs.slice(0, 5000))]
  const points = costs.map((c, i): readonly [number, number] => [
    2 + (i * (W - 4)) / Math.max(1, costs.length - 1),
    H - 3 - ((H - 6) * (c - low)) / (high - low || 1),
  ])
  return (
    <svg class="spark" width={W} height={H} viewBox={`0 0 ${W} ${H}`} aria-hidden="true">
      <path d={linePath(points)} />
    </svg>
  )
}

/** The list. */
export function Rail(props: {
  readonly runs: readonly Run[]
  readonly chosen: string
  readonly other: string
  readonly onOther: (id: string) => void
}): JSX.Element {
  const { runs, chosen, other, onOther } = props
  const titles = runs.map(titleOf)
  const follow = (event: MouseEvent, id: string): void => {
    if (event.metaKey || event.ctrlKey || event.button !== 0) return
    event.preventDefault()
    if (event.shiftKey && id !== chosen) onOther(other === id ? "" : id)
    else if (id !== chosen) go(`/runs/${id}`)
  }
  const second = runs.find(({ id }) => id !== chosen)
  return (
    <nav class="rail" aria-label="Runs">
      <h2>Runs</h2>
      <ul>
        {runs.map((run, i) => {
          const same = titles.filter((title) => title === titles[i]).length > 1
          const { seed } = configOf(run)
          const mark = run.id === other ? " that" : run.id === chosen && other !== "" ? " this" : ""
          return (
            <li key={run.id} class={`one${mark}`}>
              <a
                href={`${root}/runs/${run.id}`}
                aria-current={run.id === chosen ? "page" : undefined}
                title={run.name}
                onClick={(event) => follow(event, run.id)}
              >
                <b>
                  {mark !== "" && <em>{run.id === other ? "B" : "A"}</em>}
                  {titles[i]}
                </b>
                <span>
                  {run.state === "running" && <i class="live" aria-hidden="true" />}
                  {railText(run)}
                </span>
                {same && (
                  <span>
                    {begunText(run)}
                    {seed !== undefined && `, seed ${seed}`}
                  </span>
                )}
                <Spark run={run} />
              </a>
              {run.id !== chosen && runs.length > 2 && (
                <button
                  type="button"
                  class="link"
                  aria-pressed={run.id === other}
                  onClick={() => onOther(run.id === other ? "" : run.id)}
                >
                  {run.id === other ? "do not compare" : "compare"}
                </button>
              )}
            </li>
          )
        })}
      </ul>
      {second !== undefined && runs.length === 2 && (
        <button
          type="button"
          class="link cmp"
          aria-pressed={other !== ""}
          onClick={() => onOther(other === "" ? second.id : "")}
        >
          {other === "" ? "Compare these two" : "Show one again"}
        </button>
      )}
    </nav>
  )
}
