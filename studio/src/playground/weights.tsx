// The weights of one neuron, to be read and to be typed.

import type { JSX } from "preact"
import { useEffect, useRef } from "preact/hooks"
import type { PlayEvent } from "../engine/jobs/play.ts"
import { type Layout, TILE } from "./layout.ts"
import type { Neuron } from "./session.ts"
import { featureWords } from "./words.tsx"

/** The bias and the incoming weights of the pinned neuron. */
export function Weights(props: {
  readonly event: PlayEvent
  readonly neuron: Neuron
  readonly layout: Layout
  readonly onWeight: (layer: number, from: number, to: number, value: number) => void
  readonly onClose: () => void
}): JSX.Element | null {
  const { event, neuron, layout, onWeight, onClose } = props
  const [layer, unit] = neuron
  const node = layout.nodes[layer + 1]?.[unit]
  const [kernel, bias] = [event.weights[2 * layer], event.weights[2 * layer + 1]]
  if (node === undefined || kernel === undefined || bias?.[unit] === undefined) return null
  const from = layout.nodes[layer]!.length
  const isOutput = layer + 2 === layout.nodes.length
  const { settings } = event
  const high = 66 + 34 * Math.ceil((from + 1) / 2)
  const left = layout.rows
    ? 0
    : node.x > layout.width / 2
      ? Math.max(0, node.x - TILE / 2 - 262)
      : node.x + TILE / 2 + 14
  const top = Math.max(28, Math.min(node.y - 40, layout.height - high))
  const close = (e: KeyboardEvent): void => {
    if (e.key !== "Escape") return
    e.stopPropagation()
    onClose()
  }
  return (
    <div
      class="tip weights"
      role="group"
      aria-label="Weights of the pinned neuron"
      style={
        layout.rows ? { position: "relative", marginTop: `${layout.height}px` } : { left: `${left}px`, top: `${top}px` }
      }
      onKeyDown={close}
    >
      <div class="row spread">
        <b>
          {isOutput
            ? `Output${layout.nodes.at(-1)!.length > 1 ? ` ${unit + 1}` : ""}`
            : `Layer ${layer + 1}, neuron ${unit + 1}`}
        </b>
        <button type="button" class="link" onClick={onClose}>
          close
        </button>
      </div>
      <div class="grid2">
        <Weight label="bias" value={bias[unit]!} onChange={(value) => onWeight(layer, -1, unit, value)} />
        {Array.from({ length: from }, (_, i) => (
          <Weight
            key={i}
            label={layer === 0 ? featureWords[settings.features[i]!] : `from ${i + 1}`}
            value={kernel[i * bias.length + unit]!}
            onChange={(value) => onWeight(layer, i, unit, value)}
          />
        ))}
      </div>
    </div>
  )
}

function Weight(props: {
  readonly label: JSX.Element | string
  readonly value: number
  readonly onChange: (value: number) => void
}): JSX.Element {
  const { label, value, onChange } = props
  const field = useRef<HTMLInputElement>(null)
  const text = value.toFixed(3).replace("-", "−")
  useEffect(() => {
    if (document.activeElement !== field.current) field.current!.value = text
  }, [text])
  const commit = (): void => {
    const typed = Number(field.current!.value.replace("−", "-").replace(",", "."))
    if (field.current!.value.trim() !== "" && Number.isFinite(typed) && field.current!.value !== text) onChange(typed)
    else field.current!.value = text
  }
  return (
    <label class={value < 0 ? "neg" : "pos"}>
      <span>{label}</span>
      <input
        ref={field}
        type="text"
        inputmode="decimal"
        defaultValue={text}
        title={String(value)}
        onBlur={commit}
        onKeyDown={(event) => {
          if (event.key === "Enter") event.currentTarget.blur()
        }}
      />
    </label>
  )
}
