// Buttons, sliders and choices. Everything works by pointer, by touch and by keyboard.

import type { ReadonlySignal, Signal } from "@preact/signals"
import type { ComponentChildren, JSX } from "preact"
import { useRef } from "preact/hooks"
import { Icon, type IconName } from "./icons.tsx"
import { chooseByArrows, slid } from "./keys.ts"

/** A button with an icon and a word. */
export function Button(props: {
  readonly icon?: IconName
  readonly main?: boolean
  readonly quiet?: boolean
  readonly low?: boolean
  readonly disabled?: boolean
  readonly label?: string
  readonly onClick: () => void
  readonly children?: ComponentChildren
}): JSX.Element {
  const { icon, main, quiet, low, disabled, label, onClick, children } = props
  const kind = `${main ? " main" : ""}${quiet ? " quiet" : ""}${low ? " low" : ""}`
  return (
    <button type="button" class={`btn${kind}`} disabled={disabled} aria-label={label} onClick={onClick}>
      {icon && <Icon name={icon} />}
      {children}
    </button>
  )
}

/** What an element is given that is dragged: the pointer stays with it while it is down. */
export function dragged(drag: (event: PointerEvent) => void): {
  readonly onPointerDown: (event: PointerEvent) => void
  readonly onPointerMove: (event: PointerEvent) => void
} {
  return {
    onPointerDown: (event) => {
      ;(event.currentTarget as Element).setPointerCapture(event.pointerId)
      drag(event)
    },
    onPointerMove: (event) => {
      if (event.buttons > 0) drag(event)
    },
  }
}

/** How the places of a slider are spread. */
export type Scale = "lin" | "log"

/** The place of a value on a scale, from 0 to 1. */
export function placeOf(value: number, min: number, max: number, scale: Scale): number {
  const share = scale === "log" ? Math.log(value / min) / Math.log(max / min) : (value - min) / (max - min)
  return Math.min(1, Math.max(0, share))
}

/** The value at a place, rounded to the step, or to two digits on a logarithmic scale. */
export function valueAt(place: number, min: number, max: number, scale: Scale, step = 0): number {
  const share = Math.min(1, Math.max(0, place))
  if (scale === "log") return Number((min * (max / min) ** share).toPrecision(2))
  const value = min + share * (max - min)
  return step === 0 ? value : Math.min(max, Number((min + Math.round((value - min) / step) * step).toPrecision(12)))
}

/** A slider. Double click sets it back; arrows move it, shift ten steps at a time, alt a tenth. */
export function Slider(props: {
  readonly label: string
  readonly symbol?: JSX.Element
  readonly value: Signal<number>
  readonly min: number
  readonly max: number
  readonly scale?: Scale
  readonly step?: number
  readonly initial?: number
  /** Values that a pointer is drawn to when it comes near. */
  readonly snap?: readonly number[]
  readonly tone?: "ink" | "eta"
  readonly zones?: readonly string[]
  readonly format?: (value: number) => string
  readonly onChange?: (value: number) => void
}): JSX.Element {
  const { label, symbol, value, min, max, scale = "lin", step = 0, initial, tone = "ink", zones, onChange } = props
  const format = props.format ?? ((v: number) => String(Number(v.toPrecision(3))).replace("-", "−"))
  const track = useRef<HTMLDivElement>(null)
  const set = (next: number): void => {
    const limited = Math.min(max, Math.max(min, next))
    if (limited === value.peek()) return
    value.value = limited
    onChange?.(limited)
  }
  const drag = (event: PointerEvent): void => {
    const { left, width } = track.current!.getBoundingClientRect()
    const at = valueAt((event.clientX - left) / width, min, max, scale, step)
    set(props.snap?.find((value) => Math.abs(value - at) < 0.05 * (max - min)) ?? at)
  }
  const place = placeOf(value.value, min, max, scale)
  const move = (steps: number): void => {
    const unit = step || (scale === "log" ? 0 : (max - min) / 100)
    if (scale === "log") set(valueAt(placeOf(value.peek(), min, max, "log") + steps / 40, min, max, "log"))
    else set(Number((value.peek() + steps * unit).toPrecision(12)))
  }
  const keys = (event: KeyboardEvent): void => {
    const steps = slid(event)
    if (steps !== undefined) move(steps)
    else if (event.key === "Home") set(min)
    else if (event.key === "End") set(max)
    else return
    event.preventDefault()
  }
  const zone = zones?.[Math.min(zones.length - 1, Math.floor(place * zones.length))]
  const text = format(value.value)
  return (
    <div class={`slider ${tone}`}>
      <div class="lab">
        <span>{label}</span>
        {symbol}
        <output>{text}</output>
      </div>
      <div
        ref={track}
        class="track"
        role="slider"
        tabIndex={0}
        aria-label={label}
        aria-valuemin={min}
        aria-valuemax={max}
        aria-valuenow={value.value}
        aria-valuetext={zone === undefined ? text : `${text}, ${zone}`}
        onKeyDown={keys}
        onDblClick={() => initial !== undefined && set(initial)}
        {...dragged(drag)}
      >
        <div class="fill" style={{ width: `${100 * place}%` }} />
        <div class="thumb" style={{ left: `${100 * place}%` }} />
      </div>
      {zones && (
        <div class="zones" aria-hidden="true">
          {zones.map((text) => (
            <span key={text}>{text}</span>
          ))}
        </div>
      )}
    </div>
  )
}

/** Buttons of which one is chosen; arrow keys go through them, and the tab key comes to the chosen one. */
export function Radios<T extends string | number>(props: {
  readonly label: string
  readonly class: string
  readonly value: T
  readonly options: readonly { readonly value: T; readonly face: ComponentChildren }[]
  readonly onChange: (value: T) => void
}): JSX.Element {
  const { label, value, options, onChange } = props
  const group = useRef<HTMLDivElement>(null)
  const keys = (event: KeyboardEvent): void => {
    const now = options.findIndex((option) => option.value === value)
    chooseByArrows(event, group.current!, now, options.length, (next) => onChange(options[next]!.value))
  }
  return (
    <div ref={group} class={props.class} role="radiogroup" aria-label={label} onKeyDown={keys}>
      {options.map((option) => {
        const chosen = option.value === value
        return (
          <button
            key={option.value}
            type="button"
            role="radio"
            aria-checked={chosen}
            tabIndex={chosen ? 0 : -1}
            onClick={() => onChange(option.value)}
          >
            {option.face}
          </button>
        )
      })}
    </div>
  )
}

/** A choice of a few. */
export interface Option<T> {
  readonly value: T
  readonly label: string
  readonly picture?: () => JSX.Element
}

/** One of a few words, or of a few pictures. */
export function Choice<T extends string | number>(props: {
  readonly label: string
  readonly value: Signal<T>
  readonly options: readonly Option<T>[]
  readonly thumbs?: boolean
  readonly onChange?: (value: T) => void
}): JSX.Element {
  const { label, value, options, thumbs, onChange } = props
  const set = (next: T): void => {
    if (next === value.peek()) return
    value.value = next
    onChange?.(next)
  }
  const faces = options.map(({ value, label, picture }) => ({
    value,
    face: (
      <>
        {picture?.()}
        {label}
      </>
    ),
  }))
  return <Radios label={label} class={thumbs ? "thumbs" : "seg"} value={value.value} options={faces} onChange={set} />
}

/** A number that keeps its width; a click copies it at full precision. */
export function LiveNumber(props: {
  readonly value: number | ReadonlySignal<number>
  readonly format: (value: number) => string
  readonly width?: number
  readonly class?: string
}): JSX.Element {
  const value = typeof props.value === "number" ? props.value : props.value.value
  const copy = (): void => {
    void navigator.clipboard?.writeText(String(value)).catch(() => {})
  }
  return (
    <button
      type="button"
      class={`num ${props.class ?? ""}`}
      title={`${value}: click to copy`}
      style={props.width === undefined ? undefined : { minWidth: `${props.width}ch` }}
      onClick={copy}
    >
      {props.format(value)}
    </button>
  )
}
