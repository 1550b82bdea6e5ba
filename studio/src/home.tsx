// The first page: the mountain, one sentence, two ways in, the course.

import { signal } from "@preact/signals"
import type { JSX } from "preact"
import { useEffect, useMemo, useState } from "preact/hooks"
import { figures, HEIGHT, WIDTH } from "./home-figures.tsx"
import { GroundFigure } from "./lessons/ground-figure.tsx"
import { bottoms, descend, grounds, walk } from "./lessons/grounds.ts"
import { type Lesson, lessons } from "./lessons/list.ts"
import { still, useWalk } from "./ui/lesson.tsx"
import { Link } from "./ui/link.tsx"
import "./home.css"

const START = -0.7
const ETA = 0.35
const MOST = 60

/** The page. */
export default function Home(): JSX.Element {
  const playing = useMemo(() => signal(false), [])
  const [start, setStart] = useState(START)
  const [steps, setSteps] = useState(4)
  const ground = grounds.valleys
  const path = walk(ground, start, ETA, steps)
  const here = path.at(-1)!
  useEffect(() => {
    document.title = "trilobite studio"
    playing.value = !still()
  }, [])
  let waited = 0
  useWalk(playing, (ms) => {
    waited += ms
    if (waited < 420) return
    waited = 0
    setSteps((n) => {
      if (n >= MOST) playing.value = false
      return Math.min(MOST, n + 1)
    })
  })
  return (
    <main id="main" class="home" tabindex={-1}>
      <section class="hero">
        <div class="words">
          <h1>Watch a network learn, one blind step at a time</h1>
          <p class="lede">
            The trilobite cannot see the valley. It feels the slope, steps downhill, and feels again. That is how every
            network learns.
          </p>
          <p class="row">
            <Link to="/lessons/costs" class="btn main">
              Start with costs
            </Link>
            <Link to="/playground" class="btn">
              Open the playground
            </Link>
          </p>
        </div>
        <GroundFigure
          ground={ground}
          bottoms={bottoms(ground)}
          path={path}
          next={descend(ground, here, ETA)}
          eta={ETA}
          mood={Math.abs(ground.slope(here)) < 0.002 ? "content" : "walking"}
          onMove={(p) => {
            setStart(p)
            setSteps(0)
            playing.value = !still()
          }}
        />
        <p class="row pause">
          <button
            type="button"
            class="link"
            onClick={() => {
              playing.value = !playing.peek()
            }}
          >
            {playing.value ? "pause" : "walk"}
          </button>
        </p>
      </section>
      <section aria-label="The course">
        <h2>Seven lessons, one chapter</h2>
        <ol class="course">
          {lessons.map((lesson, i) => (
            <Stop key={lesson.title} lesson={lesson} index={i} />
          ))}
        </ol>
      </section>
    </main>
  )
}

/** How long a miniature runs, in milliseconds. */
const RUN = 2400

/** A stop of the course: its figure stands finished, and is drawn anew when the pointer or the focus comes. */
function Stop({ lesson: { title, parts }, index }: { readonly lesson: Lesson; readonly index: number }): JSX.Element {
  const [t, setT] = useState(1)
  const playing = useMemo(() => signal(false), [])
  useWalk(playing, (ms) =>
    setT((before) => {
      const now = Math.min(1, before + ms / RUN)
      if (now === 1) playing.value = false
      return now
    }),
  )
  const run = (): void => {
    if (still() || playing.peek()) return
    setT(0)
    playing.value = true
  }
  return (
    <li onPointerEnter={run} onFocusIn={run}>
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} aria-hidden="true">
        {figures[index]!(t)}
      </svg>
      <span class="no">{index + 1}</span>
      <span>
        <Link to={`/lessons/${parts[0]!.name}`} class="whole">
          {title}
        </Link>
        {parts.length > 1 && (
          <span class="more">
            {parts.map((part) => (
              <Link key={part.name} to={`/lessons/${part.name}`}>
                {part.title.toLowerCase()}
              </Link>
            ))}
          </span>
        )}
      </span>
    </li>
  )
}
