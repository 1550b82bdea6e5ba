// The column of findings: cards that say what was seen and what to change, and a plain list of what is in order.

import type { JSX } from "preact"
import { useState } from "preact/hooks"
import { Button } from "../ui/controls.tsx"
import { Icon } from "../ui/icons.tsx"
import { said } from "../ui/said.ts"
import { type Check, type Finding, type FindingKind, plainCode } from "./finding.ts"

const kinds: { readonly [kind in FindingKind]: { readonly word: string; readonly icon: "tip" | "watch" } } = {
  tip: { word: "Tip", icon: "tip" },
  watch: { word: "Watch", icon: "watch" },
  fault: { word: "Fault", icon: "watch" },
}

/** A text in which numbers that matter stand between asterisks. */
function Rich({ text }: { readonly text: string }): JSX.Element {
  const parts = text.split("*")
  return <>{parts.map((part, i) => (i % 2 === 1 ? <b key={i}>{part}</b> : part))}</>
}

/** A finding: what was seen, why, one change, and what to expect of it. */
export function FindingCard({
  finding,
  onNotNow,
}: {
  readonly finding: Finding
  readonly onNotNow: () => void
}): JSX.Element {
  const { kind, headline, evidence, why, change, expect } = finding
  const copy = (): void => {
    navigator.clipboard?.writeText(plainCode(change?.code ?? "")).then(
      () => said("Change copied."),
      () => said("The change could not be copied. Mark it by hand."),
    )
  }
  return (
    <article class={`fc ${kind}`} aria-label={`${kinds[kind].word}: ${headline}`}>
      <header>
        <Icon name={kinds[kind].icon} />
        {kinds[kind].word}
      </header>
      <h3>{headline}</h3>
      <p>
        <Rich text={evidence} />
      </p>
      <p>
        <Rich text={why} />
      </p>
      {change && (
        <>
          <p>{change.text}</p>
          <pre>
            {change.code.split("\n").map((line, i) => (
              <span key={i} class={line.startsWith("+") ? "added" : ""}>
                {`${line}\n`}
              </span>
            ))}
          </pre>
        </>
      )}
      {expect && (
        <p>
          <Rich text={expect} />
        </p>
      )}
      <div class="acts">
        {change && <Button onClick={copy}>Copy change</Button>}
        <Button quiet onClick={onNotNow}>
          Not now
        </Button>
      </div>
    </article>
  )
}

/** Findings that were put off, until the page is loaded anew. */
const putOff = new Set<string>()

/** The column. */
export function Findings(props: {
  readonly run: string
  readonly findings: readonly Finding[]
  readonly checks: readonly Check[]
  /** Said where nothing was found. */
  readonly nothing: string
}): JSX.Element {
  const { run, findings, checks, nothing } = props
  const [, redraw] = useState(0)
  const shown = findings.filter(({ id }) => !putOff.has(`${run} ${id}`))
  return (
    <aside class="find" aria-label="Findings">
      <h2>Findings</h2>
      {shown.map((finding) => (
        <FindingCard
          key={finding.id}
          finding={finding}
          onNotNow={() => {
            putOff.add(`${run} ${finding.id}`)
            redraw((n) => n + 1)
          }}
        />
      ))}
      {shown.length === 0 && <p class="dim small">{nothing}</p>}
      {checks.length > 0 && (
        <ul class="checks">
          {checks.map(({ ok, text }) => (
            <li key={text} class={ok ? "" : "not"}>
              <Icon name={ok ? "tick" : "watch"} />
              <span>
                {!ok && <span class="sr">Look at this: </span>}
                {text}
              </span>
            </li>
          ))}
        </ul>
      )}
    </aside>
  )
}
