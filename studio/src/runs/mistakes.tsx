// What was read wrong most surely: digits as pictures, rows of tables in words.

import type { JSX } from "preact"
import type { Answers, Run } from "../../../cli/studio/api.ts"
import { Digit } from "../data/digit.tsx"
import { digits } from "../data/mnist.ts"
import { percent } from "../ui/format.ts"
import { Link } from "../ui/link.tsx"
import { configOf } from "./view.ts"

/** Six of them. */
export function Mistakes(props: {
  readonly answers: Answers | undefined
  readonly epoch: number | undefined
  readonly last: number | undefined
  readonly run: Run
}): JSX.Element {
  const { answers, epoch, last, run } = props
  const { dataset, classes } = configOf(run)
  return (
    <section class="panel">
      <h2>
        Surest mistakes
        {epoch !== undefined && epoch !== last && <span>epoch {epoch}</span>}
      </h2>
      {answers === undefined ? (
        <p class="dim small">They will be here after the first epoch.</p>
      ) : dataset === "table" ? (
        <Rows answers={answers} classes={classes} />
      ) : (
        <>
          <Six answers={answers} />
          <p class="small">
            <Link to={`/data/mnist?split=test&sort=mistaken&run=${run.id}`}>See all it got wrong</Link>
          </p>
        </>
      )}
    </section>
  )
}

function Six({ answers }: { readonly answers: Answers }): JSX.Element {
  const part = digits("test").value
  return (
    <div class="digits">
      {answers.mistakes.slice(0, 6).map(({ index, label, said, probability }) => {
        const words = `${label}, said ${said} with ${percent(probability, 1)}`
        return (
          <figure key={index} title={`Image ${index}: ${words}`}>
            {part !== undefined && part !== "none" && (
              <Digit of={part} index={index} size={46} label={`a ${label} that was read as ${said}`} />
            )}
            <figcaption>
              {label}, said <b>{said}</b>
            </figcaption>
          </figure>
        )
      })}
    </div>
  )
}

function Rows(props: { readonly answers: Answers; readonly classes: readonly string[] | undefined }): JSX.Element {
  const { answers, classes } = props
  const nameOf = (k: number): string => classes?.[k] ?? String(k)
  if (answers.mistakes.length === 0) return <p class="dim small">None.</p>
  return (
    <ul class="small">
      {answers.mistakes.slice(0, 6).map(({ index, label, said, probability }) => (
        <li key={index}>
          {nameOf(label)}, said <b>{nameOf(said)}</b> with {percent(probability, 1)}
        </li>
      ))}
    </ul>
  )
}
