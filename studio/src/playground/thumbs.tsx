// The data sets as small pictures of their points.

import { useComputed } from "@preact/signals"
import type { JSX } from "preact"
import { useMemo } from "preact/hooks"
import { Radios } from "../ui/controls.tsx"
import { makeData, RANGE } from "./data.ts"
import { type DataName, dataNames, dataWords, initial } from "./settings.ts"
import type { Setting } from "./state.ts"

/** One of the data sets. */
export function DataSets({ setting }: { readonly setting: Setting }): JSX.Element {
  const value = useComputed(() => setting.now.value.data).value
  const faces = useMemo(
    () =>
      dataNames.map((name) => ({
        value: name,
        face: (
          <>
            {name === "own" ? <OwnPicture /> : <Picture name={name} />}
            {dataWords[name].thumb}
          </>
        ),
      })),
    [],
  )
  const choose = (data: DataName): void => setting.apply({ data })
  return <Radios label="Data" class="sets" value={value} options={faces} onChange={choose} />
}

function Picture({ name }: { readonly name: Exclude<DataName, "own"> }): JSX.Element {
  const { x, y, classes } = useMemo(() => {
    const { train, classes } = makeData({
      ...initial,
      data: name,
      noise: name === "three" || name === "blobs" ? 20 : 5,
      points: 90,
    })
    return { ...train, classes }
  }, [name])
  const at = (v: number): string => (19 + (v / RANGE) * 18).toFixed(1)
  const kind = (v: number): string =>
    classes === 0 ? (v < 0 ? "n" : "p") : classes === 2 ? (v === 1 ? "p" : "n") : `m${v}`
  return (
    <svg width="38" height="38" viewBox="0 0 38 38" aria-hidden="true">
      {Array.from(y, (of, i) => (
        <circle key={i} cx={at(x[2 * i]!)} cy={at(-x[2 * i + 1]!)} r="1.5" class={`pt ${kind(of)}`} />
      ))}
    </svg>
  )
}

function OwnPicture(): JSX.Element {
  return (
    <svg width="38" height="30" viewBox="0 0 38 30" aria-hidden="true" class="icon">
      <path d="M19 9v12M13 15h12" />
      <rect x="6" y="3" width="26" height="24" rx="6" stroke-dasharray="3 3" />
    </svg>
  )
}
