// An underlined word of a sentence that opens a small panel at the word, and the controls that stand in such panels.

import { type Signal, signal } from "@preact/signals"
import type { ComponentChildren, JSX } from "preact"
import { useEffect, useId, useMemo, useRef } from "preact/hooks"
import { placeOf, Radios, type Scale, Slider } from "../ui/controls.tsx"

/** A word that opens a panel. Escape and a click elsewhere close it; a digit typed on the word goes into its number. */
export function Token(
  props: {
    /** What the word says, as the panel is called: the word itself is said behind it, or what `spoken` says. */
    readonly name: string
    readonly eta?: boolean
    /** What follows the word and may not be parted from it. */
    readonly after?: string
    readonly children: () => ComponentChildren
  } & (
    | { readonly word: string; readonly spoken?: undefined }
    | { readonly word: ComponentChildren; readonly spoken: string }
  ),
): JSX.Element {
  const { name, word, spoken, eta, after, children } = props
  const id = useId()
  const button = useRef<HTMLButtonElement>(null)
  const panel = useRef<HTMLDivElement>(null)
  const open = useMemo(() => signal(false), [])
  const place = (): void => {
    const [own, box] = [panel.current!, button.current!.getBoundingClientRect()]
    const width = Math.min(320, document.documentElement.clientWidth - 24)
    own.style.width = `${width}px`
    own.style.left = `${Math.max(12, Math.min(box.left, document.documentElement.clientWidth - width - 12)) + scrollX}px`
    own.style.top = `${box.bottom + 6 + scrollY}px`
  }
  /** Above the word if there is no room below it. */
  const settle = (): void => {
    const [own, box] = [panel.current!, button.current!.getBoundingClientRect()]
    const height = own.offsetHeight
    if (box.bottom + 6 + height > innerHeight && box.top > height + 6)
      own.style.top = `${box.top - 6 - height + scrollY}px`
  }
  const focusFirst = (digit?: string): void => {
    const own = panel.current!
    const number = own.querySelector<HTMLInputElement>("input[inputmode=decimal]")
    if (digit !== undefined && number !== null) {
      number.focus()
      number.value = digit
      number.dispatchEvent(new Event("input", { bubbles: true }))
      return
    }
    own.querySelector<HTMLElement>("[aria-checked=true], input, [role=slider], button")?.focus()
  }
  const keys = (event: KeyboardEvent): void => {
    if (!/^[\d.]$/.test(event.key) || event.ctrlKey || event.metaKey || event.altKey) return
    event.preventDefault()
    place()
    panel.current!.showPopover()
    // The panel is drawn a moment later.
    setTimeout(() => focusFirst(event.key), 30)
  }
  return (
    <span class="tkbox">
      <button
        ref={button}
        type="button"
        class={`tk${eta ? " eta" : ""}`}
        aria-haspopup="dialog"
        aria-expanded={open.value}
        aria-label={`${name}: ${spoken ?? word}`}
        popoverTarget={id}
        onKeyDown={keys}
      >
        {word}
      </button>
      {after}
      <div
        ref={panel}
        id={id}
        class="pop tkpop"
        popover="auto"
        role="dialog"
        aria-label={name}
        onBeforeToggle={(event) => {
          if (event.newState === "open") place()
        }}
        onToggle={(event) => {
          open.value = event.newState === "open"
          if (!open.value) return
          setTimeout(() => {
            settle()
            if (!panel.current?.contains(document.activeElement)) focusFirst()
          })
        }}
      >
        {open.value && children()}
      </div>
    </span>
  )
}

/** One of several words with what each does; arrow keys move through them. */
export function WordList<T extends string>(props: {
  readonly label: string
  readonly value: T
  readonly options: readonly { readonly value: T; readonly label: ComponentChildren; readonly note?: string }[]
  readonly onChange: (value: T) => void
}): JSX.Element {
  const faces = props.options.map(({ value, label, note }) => ({
    value,
    face: (
      <>
        <b>{label}</b>
        {note !== undefined && <span>{note}</span>}
      </>
    ),
  }))
  return <Radios {...props} class="words" options={faces} />
}

/** A number with a slider and a field to type it. */
export function NumberRow(props: {
  readonly label: string
  readonly value: number
  readonly min: number
  readonly max: number
  readonly scale?: Scale
  readonly step?: number
  readonly unit?: string
  readonly tone?: "ink" | "eta"
  readonly zones?: readonly string[]
  readonly whole?: boolean
  readonly onChange: (value: number) => void
}): JSX.Element {
  const { label, value, min, max, scale = "lin", step, unit, tone, zones, whole, onChange } = props
  const own: Signal<number> = useMemo(() => signal(value), [])
  useEffect(() => {
    own.value = value
  }, [value])
  const field = useRef<HTMLInputElement>(null)
  const read = (text: string): number | undefined => {
    const found = Number(text.replace(",", ".").replace("−", "-"))
    return text.trim() !== "" &&
      Number.isFinite(found) &&
      found >= min &&
      found <= max &&
      (!whole || Number.isInteger(found))
      ? found
      : undefined
  }
  useEffect(() => {
    if (document.activeElement !== field.current) field.current!.value = String(value)
  }, [value])
  const round = (v: number): number => (whole ? Math.round(v) : v)
  return (
    <div class="numrow">
      <Slider
        label={label}
        value={own}
        min={scale === "log" ? Math.max(min, 1e-5) : min}
        max={max}
        scale={scale}
        {...(step === undefined ? {} : { step })}
        {...(tone === undefined ? {} : { tone })}
        {...(zones === undefined ? {} : { zones })}
        format={(v) =>
          zones?.[Math.min(zones.length - 1, Math.floor(placeOf(v, min || 1e-5, max, scale) * zones.length))] ?? ""
        }
        onChange={(v) => {
          onChange(round(v))
          field.current!.value = String(round(v))
        }}
      />
      <label class="typed">
        <span class="sr">{label}</span>
        <input
          ref={field}
          type="text"
          inputmode="decimal"
          defaultValue={String(value)}
          onInput={(event) => {
            const found = read(event.currentTarget.value)
            event.currentTarget.setAttribute("aria-invalid", String(found === undefined))
            if (found !== undefined) onChange(found)
          }}
          onBlur={(event) => {
            event.currentTarget.value = String(own.peek())
            event.currentTarget.removeAttribute("aria-invalid")
          }}
        />
        {unit}
      </label>
    </div>
  )
}

/** A yes or no with its word. */
export function Tick(props: {
  readonly label: ComponentChildren
  readonly value: boolean
  readonly disabled?: boolean
  readonly onChange: (value: boolean) => void
}): JSX.Element {
  const { label, value, disabled, onChange } = props
  return (
    <label class="tick">
      <input
        type="checkbox"
        checked={value}
        disabled={disabled}
        onChange={(event) => onChange(event.currentTarget.checked)}
      />
      {label}
    </label>
  )
}
