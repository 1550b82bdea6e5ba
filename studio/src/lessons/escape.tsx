// Lesson 2, escape (fig. 8.7): the same start twice, all examples above, a batch of them below; the batch shakes itself free.

import "./escape.css"
import { computed, signal } from "@preact/signals"
import type { JSX } from "preact"
import { useMemo } from "preact/hooks"
import { Button, Choice, LiveNumber, Slider } from "../ui/controls.tsx"
import { cost, plain, rate, signed } from "../ui/format.ts"
import { useKeys } from "../ui/keys.ts"
import { Formula, LessonPage, once, still, useWalk } from "../ui/lesson.tsx"
import { etaTerm, maths } from "../ui/maths.tsx"
import { speak } from "../ui/said.ts"
import { Stays } from "../ui/stays.tsx"
import { type Keys, numberKey, useUrlState, wholeKey } from "../ui/url.ts"
import { EtaSlider, WalkButtons } from "../ui/walk.tsx"
import { EndsPlot, Pit } from "./escape-parts.tsx"
import { all, EXAMPLES, endsOf, escaped, meanCost, meanSlope, ROUNDS, walkOf } from "./escape-walks.ts"

interface View {
  readonly b: number
  readonly eta: number
  readonly seed: number
  /** The round that is shown. */
  readonly n: number
}

const SIZES = [1, 2, 4, 8, 16, 32, 64] as const
const SEEDS = 100

/** The state of this page. */
export const keys: Keys<View> = {
  b: { ...wholeKey(8, 1, 64), read: (text) => SIZES.find((size) => String(size) === text) },
  eta: numberKey(0.3, 0.01, 1),
  seed: wholeKey(1, 1, 999),
  n: wholeKey(0, 0, ROUNDS),
}

/** The page. */
export default function Escape(): JSX.Element {
  const { b, eta, seed, n } = useUrlState(keys)
  const full = useMemo(() => computed(() => walkOf(EXAMPLES, eta.value, 1)), [])
  const mini = useMemo(() => computed(() => walkOf(b.value, eta.value, seed.value)), [])
  const walks = useMemo(() => signal(false), [])
  const many = useMemo(() => signal<{ b: number; eta: number; ends: readonly number[] } | undefined>(undefined), [])
  const sizesTried = useMemo(() => signal<ReadonlySet<number>>(new Set()), [])
  const step = (rounds = 1): void => {
    n.value = Math.min(ROUNDS, n.peek() + rounds)
    if (n.peek() === ROUNDS) {
      walks.value = false
      speak(said(mini.peek().places[ROUNDS]!, b.peek()))
    }
  }
  const elapsed = useMemo(() => ({ ms: 0 }), [])
  useWalk(walks, (ms) => {
    elapsed.ms += ms
    const [each, rounds] = still() ? [250, 5] : [33, 1]
    if (elapsed.ms < each) return
    step(rounds * (still() ? 1 : Math.min(4, Math.floor(elapsed.ms / each))))
    elapsed.ms = 0
  })
  const walk = (): void => {
    if (!walks.peek() && n.peek() === ROUNDS) n.value = 0
    walks.value = !walks.peek()
  }
  const again = (): void => {
    walks.value = false
    n.value = 0
  }
  const hundred = (): void => {
    many.value = { b: b.peek(), eta: eta.peek(), ends: endsOf(b.peek(), eta.peek(), SEEDS) }
    sizesTried.value = new Set([...sizesTried.peek(), b.peek()])
    speak(manySaid(many.value))
  }
  useKeys({
    " ": walk,
    s: () => step(),
    r: again,
    ArrowRight: () => step(),
    ArrowLeft: () => (n.value = Math.max(0, n.peek() - 1)),
    "[": () => (eta.value = Math.max(0.01, Number((eta.peek() / 1.2).toPrecision(2)))),
    "]": () => (eta.value = Math.min(1, Number((eta.peek() * 1.2).toPrecision(2)))),
  })
  const tasks = useMemo(
    () => [
      {
        text: "Walk both to round 300. Which one is still in the dent?",
        done: once(() => n.value === ROUNDS),
      },
      {
        text: "Let 100 seeds walk, with batches of 8 and of 32.",
        done: once(() => sizesTried.value.has(8) && sizesTried.value.has(32)),
      },
      {
        text: "With batches of 32, find a learning rate that frees more than half of the 100.",
        done: once(() => {
          const last = many.value
          return last !== undefined && last.b === 32 && last.ends.filter(escaped).length > SEEDS / 2
        }),
      },
    ],
    [],
  )
  const at = mini.value.places[n.value]!
  const batch = mini.value.batches[Math.min(ROUNDS - 1, n.value)]!
  const slope = meanSlope(batch, at)
  return (
    <LessonPage
      part="escape"
      title="Escape"
      lede="A dent in the ground holds a careful walker for ever. A little ignorance gets it out."
      figureLabel="Two walks from one start: with all examples, and with a batch of them"
      tasks={tasks}
      keys={[
        [["space"], "walk"],
        [["s"], "step"],
        [["r"], "start again"],
        [["←", "→"], "a round back or on"],
      ]}
      figure={
        <>
          <Stays>
            <Pit
              title="Full batch: all 64"
              walk={full.value}
              round={n.value}
              eta={eta.value}
              says={said(full.value.places[n.value]!, EXAMPLES)}
            />
            <Pit
              title={b.value === EXAMPLES ? "Also a full batch" : `Mini-batch: ${b.value} of 64`}
              walk={mini.value}
              round={n.value}
              eta={eta.value}
              batch={batch}
              says={said(at, b.value)}
            />
          </Stays>
          <div class="escape-run">
            <WalkButtons walking={walks} onWalk={walk} onStep={() => step()} onAgain={again} />
            <Slider
              label="Round"
              value={n}
              min={0}
              max={ROUNDS}
              step={1}
              initial={0}
              format={(v) => `${v} of ${ROUNDS}`}
            />
          </div>
          <div class="escape-set">
            <div class="escape-size">
              <span>Batch size</span>
              <Choice label="Batch size" value={b} options={SIZES.map((value) => ({ value, label: String(value) }))} />
            </div>
            <EtaSlider value={eta} min={0.01} max={1} initial={keys.eta.initial} />
            <Slider label="Seed" value={seed} min={1} max={100} step={1} initial={1} />
          </div>
          <EndsPlot ends={many.value?.ends ?? []} says={many.value === undefined ? undefined : manySaid(many.value)}>
            <Button low icon="again" onClick={hundred}>
              Again with 100 seeds
            </Button>
          </EndsPlot>
        </>
      }
    >
      <div class="prose">
        <p>
          The cost is the mean over 64 examples, and each sees the ground a little differently. Above, every step asks
          all of them: the slope is exact, and the dent exactly holds. Below, a step asks {examples(b.value)}, and the
          ground it feels (dashed) is another one each round. The <em class="ember">steps</em> tremble, and one day they
          carry it over the ridge.
        </p>
        <p>
          The deep valley is wider and its walls are higher, so that the same trembling seldom leads back. Much smaller
          batches tremble too much to stay anywhere.
        </p>
      </div>
      <Formula
        label="p becomes p minus eta times the mean slope over the batch"
        rows={[
          ["", [maths`p ← p − ${etaTerm} ·`, " ", maths`mean of ∂C/∂p over ${examples(b.value)}`]],
          [
            "now",
            <>
              <LiveNumber value={at} format={plain} /> − <em class="ember">{rate(eta.value)}</em> ×{" "}
              <LiveNumber class="ember" value={slope} format={signed} /> ={" "}
              <LiveNumber value={at - eta.value * slope} format={plain} />
            </>,
          ],
          [
            "all 64",
            <LiveNumber key="all" class="dim" value={meanSlope(all, at)} format={(v) => `slope ${signed(v)}`} />,
          ],
        ]}
      />
    </LessonPage>
  )
}

const examples = (b: number): string => (b === 1 ? "1 example" : `${b} examples`)

function said(p: number, b: number): string {
  const where = escaped(p) ? "beyond the ridge" : "on the side of the dent"
  return `With ${examples(b)} a round it is ${where}: parameter ${plain(p)}, cost ${cost(meanCost(all, p))}.`
}

/** What 100 walks have shown, in words. */
export function manySaid(of: { readonly b: number; readonly eta: number; readonly ends: readonly number[] }): string {
  const free = of.ends.filter(escaped).length
  const total = of.ends.length
  const walks = `${total} walks with ${of.b === EXAMPLES ? "all 64 examples" : `batches of ${of.b}`} and a learning rate of ${rate(of.eta)}`
  if (free === 0) return `Of ${walks}, none escaped: after ${ROUNDS} rounds all are on the side of the dent.`
  return `Of ${walks}, ${free === total ? "all" : free} escaped: after ${ROUNDS} rounds ${free === 1 ? "it is" : "they are"} beyond the ridge.`
}
