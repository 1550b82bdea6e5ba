// The line that the command line prints for an epoch, with the numbers of the newest one.

import type { JSX } from "preact"
import type { Run } from "../../../cli/studio/api.ts"
import { configOf, measureOf, roundsOf, validationName } from "./view.ts"

const digits = (value: number | undefined): string =>
  value === undefined ? "–" : value !== 0 && Math.abs(value) < 0.001 ? value.toExponential(4) : value.toFixed(4)

/** Times as Keras prints them: "0.9s 2ms/step 15us/sample". */
export function timesText(seconds: number, rounds: number, rows: number): string {
  const short = (x: number): string => (x >= 100 ? x.toFixed(0) : String(Number(x.toPrecision(2))))
  return `${seconds.toFixed(seconds < 10 ? 1 : 0)}s ${short((1000 * seconds) / rounds)}ms/step ${short((1e6 * seconds) / rows)}us/sample`
}

/** The line; nothing while no epoch has ended. */
export function ProgressLine({ run }: { readonly run: Run }): JSX.Element | null {
  const last = run.epochs.at(-1)
  const config = configOf(run)
  const { rows, epochs } = config
  const rounds = roundsOf(config)
  if (last === undefined || rows === undefined || rounds === undefined) return null
  const { name, isShare } = measureOf(run)
  const short = isShare ? "acc" : "r2"
  const measures = [
    ["loss", last.loss],
    [short, last[name]],
    ["val_loss", last.valLoss],
    [`val_${short}`, last[validationName(name)]],
  ] as const
  return (
    <p class="line">
      <span>
        Epoch {last.epoch}/{epochs ?? "?"} {rounds}/{rounds}
      </span>
      <i class="done" aria-hidden="true" />
      <span>{timesText(last.seconds ?? Number.NaN, rounds, rows)}</span>
      {measures.map(([name, value]) => (
        <span key={name}>
          {name}: <b>{digits(value)}</b>
        </span>
      ))}
    </p>
  )
}
