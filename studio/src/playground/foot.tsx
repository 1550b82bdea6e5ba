// The foot of the playground: undo and redo, keep as B, export, and how A and B compare.

import { signal } from "@preact/signals"
import type { JSX } from "preact"
import { useMemo, useRef } from "preact/hooks"
import { Button } from "../ui/controls.tsx"
import { cost } from "../ui/format.ts"
import { said } from "../ui/said.ts"
import { programText } from "./export.ts"
import { initial, type Settings } from "./settings.ts"
import type { Setting } from "./state.ts"
import type { Kept, Training } from "./training.ts"

/** The foot. */
export function Foot({ setting, training }: { readonly setting: Setting; readonly training: Training }): JSX.Element {
  return (
    <div class="foot">
      <Button low icon="undo" disabled={!setting.undoable.value} onClick={setting.undo}>
        Undo
      </Button>
      {setting.redoable.value && (
        <Button low icon="redo" onClick={setting.redo}>
          Redo
        </Button>
      )}
      <Button low onClick={training.keep}>
        Keep these settings as B
      </Button>
      <Export setting={setting} training={training} />
      {training.kept.value !== undefined && <AB kept={training.kept.value} setting={setting} training={training} />}
    </div>
  )
}

/** How A and B differ. */
function AB(props: {
  readonly kept: Kept
  readonly setting: Setting
  readonly training: Training
}): JSX.Element | null {
  const { kept, setting, training } = props
  const { split } = setting.view
  const event = training.told.value
  if (event === undefined) return null
  return (
    <div class="kept">
      <span class="ab">A</span>
      <span>
        now: {difference(event.settings, kept.settings)}, test cost <b class="this">{cost(event.test.cost)}</b>
      </span>
      <span class="ab b">B</span>
      <span>
        kept: {difference(kept.settings, event.settings)},{" "}
        {kept.event === undefined ? (
          "is trained again"
        ) : (
          <>
            test cost <b class="that">{cost(kept.event.test.cost)}</b>
          </>
        )}
      </span>
      <button
        type="button"
        class="link"
        aria-pressed={split.value > 0}
        onClick={() => (split.value = split.value > 0 ? 0 : 50)}
      >
        Compare on the map
      </button>
      <button type="button" class="link" onClick={training.swap}>
        Swap
      </button>
      <button type="button" class="link" onClick={training.forget}>
        Forget B
      </button>
    </div>
  )
}

const words: { readonly [K in keyof Settings]: (s: Settings) => string } = {
  activation: (s) => s.activation,
  layers: (s) => s.layers.join("-"),
  optimizer: (s) => s.optimizer,
  rate: (s) => `rate ${s.rate}`,
  cost: (s) => (s.cost === "quadratic" ? "quadratic" : "cross-entropy"),
  schedule: (s) => `rate ${s.schedule}`,
  batch: (s) => `batches of ${s.batch}`,
  features: (s) => `${s.features.length} inputs`,
  regularizer: (s) => (s.regularizer === "none" ? "free weights" : s.regularizer.toUpperCase()),
  strength: (s) => `strength ${s.strength}`,
  data: (s) => s.data,
  noise: (s) => `noise ${s.noise} %`,
  points: (s) => `${s.points} points`,
  share: (s) => `${s.share} % train`,
  shuffle: (s) => (s.shuffle ? "shuffled" : "in order"),
  init: (s) => `first weights ${s.init}`,
  seed: (s) => `points ${s.seed}`,
  own: () => "own points",
  stop: (s) => `stop ${s.stop}`,
  epochs: (s) => `${s.epochs} epochs`,
}

/** What tells some settings from others, in at most two words; what they are if nothing does. */
export function difference(a: Settings, b: Settings): string {
  const names = (Object.keys(words) as (keyof Settings)[]).filter((name) => String(a[name]) !== String(b[name]))
  const said = names.filter((name) => a[name] !== undefined && name in initial).slice(0, 2)
  return said.length === 0 ? a.activation : said.map((name) => words[name](a)).join(", ")
}

function Export({ setting, training }: { readonly setting: Setting; readonly training: Training }): JSX.Element {
  const dialog = useRef<HTMLDialogElement>(null)
  const text = useMemo(() => signal(""), [])
  const open = (): void => {
    const epochs = training.event.peek()?.epoch ?? 0
    text.value = programText(setting.now.peek(), Math.max(1, epochs), training.changes)
    dialog.current!.showModal()
  }
  const copy = (): void => {
    navigator.clipboard?.writeText(text.value).then(
      () => said("Copied."),
      () => said("It could not be copied. Mark the text and copy it by hand."),
    )
  }
  const save = (): void => {
    const link = document.createElement("a")
    link.href = URL.createObjectURL(new Blob([text.value], { type: "text/plain" }))
    link.download = "playground.ts"
    link.click()
    URL.revokeObjectURL(link.href)
  }
  return (
    <>
      <Button low icon="code" onClick={open}>
        Export as TypeScript
      </Button>
      <dialog ref={dialog} class="program" aria-label="This training as a program">
        <h2>This training as a program</h2>
        <p>The same points, the same network: it ends with the same weights, to the last bit.</p>
        <pre>{text.value}</pre>
        <div class="row">
          <Button main onClick={copy}>
            Copy
          </Button>
          <Button onClick={save}>Save playground.ts</Button>
          <Button quiet onClick={() => dialog.current!.close()}>
            Close
          </Button>
        </div>
      </dialog>
    </>
  )
}
