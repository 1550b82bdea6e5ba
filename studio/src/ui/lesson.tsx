// The page of a lesson: text at the left, the figure with its controls at the right, figure first on small screens.

import { computed, type ReadonlySignal, type Signal, signal } from "@preact/signals"
import { type ComponentChildren, isValidElement, type JSX } from "preact"
import { useEffect, useMemo, useState } from "preact/hooks"
import { after, lessonOf, lessons } from "../lessons/list.ts"
import { Link } from "./link.tsx"
import { Trail } from "./trail.tsx"

/** A thing to try; `done` becomes true when the reader has done it. */
export interface Task {
  readonly text: string
  readonly done: ReadonlySignal<boolean>
}

/** What is not urgent: done between two frames, after what the reader has begun to do. Older Safaris know no such moments. */
const whenIdle: (then: () => void, how: IdleRequestOptions) => number =
  globalThis.requestIdleCallback ?? ((then, { timeout }) => setTimeout(then, timeout))

/** A page of a lesson: title, figure and controls, which answer before the text beside them stands. */
export function LessonPage(props: {
  readonly part: string
  readonly title: string
  readonly lede: string
  readonly figure: ComponentChildren
  readonly figureLabel: string
  readonly tasks: readonly Task[]
  readonly keys?: readonly (readonly [keys: readonly string[], what: string])[]
  readonly children: ComponentChildren
}): JSX.Element {
  const { part, title, lede, figure, figureLabel, tasks, keys, children } = props
  const index = lessonOf(part)
  const lesson = lessons[index]!
  const place = lesson.parts.findIndex(({ name }) => name === part)
  const next = after(part)
  const [isWhole, setWhole] = useState(false)
  useEffect(() => void whenIdle(() => setWhole(true), { timeout: 200 }), [])
  useEffect(() => {
    document.title = `${title} · trilobite studio`
  }, [title])
  return (
    <main id="main" class="lesson" tabindex={-1} aria-busy={isWhole ? undefined : "true"}>
      <div class="text">
        <Trail current={index} />
        <p class="eyebrow">
          Lesson {index + 1} of 7{lesson.parts.length > 1 ? `, part ${place + 1}` : ""}
        </p>
        <h1>{title}</h1>
        {lesson.parts.length > 1 && (
          <nav class="parts" aria-label="Parts of this lesson">
            {lesson.parts.map((p) => (
              <Link key={p.name} to={`/lessons/${p.name}`} current={p.name === part}>
                {p.title}
              </Link>
            ))}
          </nav>
        )}
        <p class="lede">{lede}</p>
        {isWhole && (
          <>
            {children}
            <TryThis part={part} tasks={tasks} />
            {keys && (
              <p class="keys">
                {keys.map(([names, what]) => (
                  <>
                    {names.map((name) => (
                      <kbd key={name}>{name}</kbd>
                    ))}
                    <span>{what}</span>
                  </>
                ))}
              </p>
            )}
            <p class="next">
              {next ? (
                <Link to={`/lessons/${next.name}`}>Next: {next.title}</Link>
              ) : (
                <Link to="/playground">Next: the playground</Link>
              )}
            </p>
          </>
        )}
      </div>
      <figure class="fig" aria-label={figureLabel}>
        {figure}
      </figure>
    </main>
  )
}

function remembered(part: string): boolean[] {
  try {
    const value: unknown = JSON.parse(localStorage.getItem(`trilobite.try.${part}`) ?? "[]")
    return Array.isArray(value) ? value.map((v) => v === true) : []
  } catch {
    return []
  }
}

/** The things to try; what was done once stays ticked. */
function TryThis({ part, tasks }: { readonly part: string; readonly tasks: readonly Task[] }): JSX.Element {
  const ticks = useMemo(() => {
    const before = remembered(part)
    return tasks.map((_, i) => signal(before[i] === true))
  }, [part])
  useEffect(() => {
    const stops = tasks.map(({ done }, i) =>
      done.subscribe((now) => {
        if (!now || ticks[i]!.peek()) return
        ticks[i]!.value = true
        try {
          localStorage.setItem(`trilobite.try.${part}`, JSON.stringify(ticks.map((t) => t.peek())))
        } catch {
          // A page that may not store anything forgets it.
        }
      }),
    )
    return () => {
      for (const stop of stops) stop()
    }
  }, [part])
  return (
    <section class="try" aria-label="Try this">
      <h2>Try this</h2>
      <ol>
        {tasks.map(({ text }, i) => (
          <li key={text} class={ticks[i]!.value ? "done" : ""}>
            <span>
              {text}
              {ticks[i]!.value && <span class="sr"> Done.</span>}
            </span>
          </li>
        ))}
      </ol>
    </section>
  )
}

/** A signal that becomes true once and stays so. */
export function once(test: () => boolean): ReadonlySignal<boolean> {
  let ever = false
  return computed(() => (ever = test() || ever))
}

/** Whether a line is set as a formula; a long one is a list of formulas, which it may be broken between. */
function isMaths(line: ComponentChildren): boolean {
  const first = Array.isArray(line) ? line[0] : line
  return isValidElement(first) && first.type === "math"
}

/** A formula with its numbers beneath. */
export function Formula(props: {
  readonly label: string
  readonly rows: readonly (readonly [head: ComponentChildren, line: ComponentChildren])[]
}): JSX.Element {
  return (
    <div class="formula" role="group" aria-label={props.label}>
      {props.rows.map(([head, line], i) => (
        <div class="line" key={i}>
          <span>{head}</span>
          <span class={isMaths(line) ? "" : "live"}>{line}</span>
        </div>
      ))}
    </div>
  )
}

/** The head of a table of both costs: what its rows are, then the costs in their colours. */
export function CostsHead({ children }: { readonly children: ComponentChildren }): JSX.Element {
  return (
    <thead>
      <tr>
        <th scope="col">{children}</th>
        <th scope="col" class="that">
          quadratic
        </th>
        <th scope="col" class="this">
          cross-entropy
        </th>
      </tr>
    </thead>
  )
}

/** Whether something moves, and the frames of it: `step` is called with the milliseconds since the last frame. */
export function useWalk(playing: Signal<boolean>, step: (ms: number) => void): void {
  useEffect(() => {
    let frame = 0
    let last = 0
    const loop = (now: number): void => {
      if (last !== 0) step(Math.min(100, now - last))
      last = now
      if (playing.peek()) frame = requestAnimationFrame(loop)
    }
    const stop = playing.subscribe((on) => {
      cancelAnimationFrame(frame)
      last = 0
      if (on) frame = requestAnimationFrame(loop)
    })
    return () => {
      stop()
      cancelAnimationFrame(frame)
      playing.value = false
    }
  }, [])
}

/** True where the reader wants less motion. */
export const still: () => boolean = () => matchMedia("(prefers-reduced-motion: reduce)").matches
