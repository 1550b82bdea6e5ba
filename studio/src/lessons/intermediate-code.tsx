// The program of lesson 6 with words that can be changed: each opens a small popover with its choices.

import { computed, type Signal, signal } from "@preact/signals"
import type { ComponentChildren, JSX } from "preact"
import { useEffect, useId, useMemo, useRef } from "preact/hooks"
import { Button, Choice, Slider } from "../ui/controls.tsx"
import { maths } from "../ui/maths.tsx"
import { said } from "../ui/said.ts"
import type { State } from "../ui/url.ts"
import {
  activations,
  batchSizes,
  type CodeToken,
  codeParts,
  codeText,
  limits,
  losses,
  type NetSettings,
  optimizerNames,
  optimizers,
} from "./intermediate-net.ts"

const hints = {
  units: "Neurons of this layer. Powers of two are a good habit.",
  act: "The activation of all hidden layers.",
  loss: "The cost: cross-entropy, or the quadratic cost of the early chapters.",
  opt: "How the steps are taken. Changing it also sets the rate that this optimizer is usually begun with.",
  eta: "How large a step is. A change holds from the next round on.",
  b: "Images of a round.",
  epochs: "How often all images are seen.",
} as const

const titles = {
  units: "Neurons",
  act: "Activation",
  loss: "Cost",
  opt: "Optimizer",
  eta: "Learning rate",
  b: "Batch size",
  epochs: "Epochs",
} as const

/** The code; `changed` hears which setting has changed. */
export function Code(props: {
  readonly state: State<NetSettings>
  readonly changed: (what: keyof NetSettings) => void
}): JSX.Element {
  const { state, changed } = props
  const now = valuesOf(state)
  const copy = (): void => {
    const done = navigator.clipboard?.writeText(codeText(valuesOf(state)))
    void done?.then(
      () => said("Code copied. It runs as it is."),
      () => said("The browser did not allow copying."),
    )
  }
  return (
    <div class="code">
      <pre>
        {codeParts(now).map((part, i) =>
          typeof part === "string" ? (
            part
          ) : (
            <Word key={`${part.token} ${part.layer ?? i}`} part={part} state={state} changed={changed} />
          ),
        )}
      </pre>
      <div class="row">
        <Button low icon="code" onClick={copy}>
          Copy
        </Button>
        <span class="dim small">Underlined words can be changed.</span>
      </div>
    </div>
  )
}

/** The settings of the page. */
export function valuesOf(state: State<NetSettings>): NetSettings {
  const { net, act, loss, opt, eta, b, epochs } = state
  return {
    net: net.value,
    act: act.value,
    loss: loss.value,
    opt: opt.value,
    eta: eta.value,
    b: b.value,
    epochs: epochs.value,
  }
}

/** A word with its popover. */
function Word(props: {
  readonly part: CodeToken
  readonly state: State<NetSettings>
  readonly changed: (what: keyof NetSettings) => void
}): JSX.Element {
  const { part, state, changed } = props
  const id = useId()
  const button = useRef<HTMLButtonElement>(null)
  const pop = useRef<HTMLDivElement>(null)
  const open = useMemo(() => signal(false), [])
  // When its choices are there: beside the word, and the focus on the first of them.
  useEffect(() => {
    if (!open.value) return
    const own = pop.current!
    const { left, bottom, top } = button.current!.getBoundingClientRect()
    const { width, height } = own.getBoundingClientRect()
    const below = bottom + 6 + height < innerHeight
    own.style.left = `${Math.max(8, Math.min(left, innerWidth - width - 8))}px`
    own.style.top = `${below ? bottom + 6 : Math.max(8, top - height - 6)}px`
    own.querySelector<HTMLElement>('[tabindex="0"], button')?.focus()
  }, [open.value])
  return (
    <>
      <button
        ref={button}
        type="button"
        class={part.token === "eta" ? "token ember" : "token"}
        aria-expanded={open.value}
        aria-controls={id}
        aria-label={`${titles[part.token]}: ${part.text}`}
        onClick={() => pop.current!.togglePopover()}
      >
        {part.text}
      </button>
      <div
        ref={pop}
        id={id}
        class="pop word"
        popover="auto"
        role="dialog"
        aria-label={titles[part.token]}
        onToggle={(event) => {
          open.value = event.newState === "open"
        }}
      >
        {open.value && (
          <>
            <Options part={part} state={state} changed={changed} close={() => pop.current!.hidePopover()} />
            <p class="dim">{hints[part.token]}</p>
          </>
        )}
      </div>
    </>
  )
}

function Options(props: {
  readonly part: CodeToken
  readonly state: State<NetSettings>
  readonly changed: (what: keyof NetSettings) => void
  readonly close: () => void
}): ComponentChildren {
  const { part, state, changed, close } = props
  const words = <T extends string | number>(value: Signal<T>, of: readonly T[], then: () => void): JSX.Element => (
    <Choice
      label={titles[part.token]}
      value={value}
      options={of.map((v) => ({ value: v, label: String(v) }))}
      onChange={then}
    />
  )
  switch (part.token) {
    case "units":
      return <Units layer={part.layer ?? 0} net={state.net} changed={() => changed("net")} close={close} />
    case "act":
      return words(state.act, activations, () => changed("act"))
    case "loss":
      return words(state.loss, losses, () => changed("loss"))
    case "opt":
      return words(state.opt, optimizerNames, () => {
        state.eta.value = optimizers[state.opt.peek()]
        changed("opt")
      })
    case "b":
      return words(state.b, batchSizes, () => changed("b"))
    case "eta":
      return (
        <Slider
          label="Learning rate"
          symbol={maths`η`}
          value={state.eta}
          min={limits.eta[0]}
          max={limits.eta[1]}
          scale="log"
          tone="eta"
          initial={optimizers[state.opt.value]}
          onChange={() => changed("eta")}
        />
      )
    case "epochs":
      return (
        <Slider
          label="Epochs"
          value={state.epochs}
          min={1}
          max={limits.epochs}
          step={1}
          initial={20}
          onChange={() => changed("epochs")}
        />
      )
  }
}

/** The neurons of a layer, and layers more or fewer. */
function Units(props: {
  readonly layer: number
  readonly net: Signal<readonly number[]>
  readonly changed: () => void
  readonly close: () => void
}): JSX.Element {
  const { layer, net, changed, close } = props
  const units = useMemo(() => signal(net.peek()[layer]!), [layer])
  const several = computed(() => net.value.length > 1)
  const set = (next: readonly number[]): void => {
    net.value = next
    changed()
  }
  return (
    <>
      <Choice
        label="Neurons"
        value={units}
        options={[8, 16, 32, 64, 128, 256, 512].map((value) => ({ value, label: String(value) }))}
        onChange={(value) => set(net.peek().map((n, i) => (i === layer ? value : n)))}
      />
      <div class="row">
        {net.value.length < limits.layers && (
          <Button
            low
            onClick={() => {
              close()
              set(net.peek().toSpliced(layer + 1, 0, units.peek()))
            }}
          >
            Add a layer after it
          </Button>
        )}
        {several.value && (
          <Button
            low
            onClick={() => {
              close()
              set(net.peek().toSpliced(layer, 1))
            }}
          >
            Remove this layer
          </Button>
        )}
      </div>
    </>
  )
}
