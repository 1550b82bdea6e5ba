// Lesson 2, two parameters (fig. 8.3): the cost as a mountain that can be turned, and the path that goes down it.

import "./mountain.css"
import { batch, computed, type Signal, signal } from "@preact/signals"
import type { JSX } from "preact"
import { useEffect, useMemo } from "preact/hooks"
import { start as startJob } from "../engine/client.ts"
import { Button, Choice, Slider } from "../ui/controls.tsx"
import { cost, plain } from "../ui/format.ts"
import { useKeys } from "../ui/keys.ts"
import { LessonPage, once, still, useWalk } from "../ui/lesson.tsx"
import { LEAST_TILT, Mountain, turned } from "../ui/mountain.tsx"
import type { Point } from "../ui/relief.ts"
import { speak } from "../ui/said.ts"
import { Stays } from "../ui/stays.tsx"
import { type Keys, numberKey, useUrlState, wordKey } from "../ui/url.ts"
import { EtaSlider, WalkButtons } from "../ui/walk.tsx"
import { away, type Ground, type GroundName, grounds, netGround, stepFrom, walkFrom } from "./mountain-grounds.ts"
import { CostDots, choices, Steps } from "./mountain-parts.tsx"

interface View {
  readonly f: GroundName
  /** Where the walk began. */
  readonly p1: number
  readonly p2: number
  readonly eta: number
  readonly turn: number
  readonly tilt: number
  /** Steps since. */
  readonly n: number
}

const MOST = 400

/** The state of this page. */
export const keys: Keys<View> = {
  f: wordKey("ravine", ["bowl", "ravine", "valleys", "saddle", "net"]),
  p1: numberKey(grounds.ravine.start[0], -8, 8),
  p2: numberKey(grounds.ravine.start[1], -8, 8),
  eta: numberKey(grounds.ravine.eta, 0.01, 100),
  turn: numberKey(-24, -180, 180),
  tilt: numberKey(52, LEAST_TILT, 90),
  n: numberKey(4, 0, MOST),
}

/** The slice of the real network: computed once, when the page is first opened. */
const slice: Signal<Ground | undefined> = signal(undefined)
const share: Signal<number> = signal(0)

function useSlice(): void {
  useEffect(() => {
    if (slice.peek() !== undefined) return
    const params = { seed: 5, size: 41, reach: 6 } as const
    const job = startJob("landscape", params, ({ done, costs }) => {
      share.value = done
      if (costs.length > 0) slice.value = netGround({ ...params, costs })
    })
    return () => job.stop()
  }, [])
}

const FLAT = 0.004

/** What has become of a walk. */
function endOf(ground: Ground, path: readonly Point[]): "walking" | "away" | "down" {
  const at = path.at(-1)!
  if (away(ground, at)) return "away"
  const [s1, s2] = ground.slope(at[0], at[1])
  return Math.hypot(s1, s2) < FLAT ? "down" : "walking"
}

/** The page. */
export default function MountainPage(): JSX.Element {
  const { f, p1, p2, eta, turn, tilt, n } = useUrlState(keys)
  useSlice()
  const ground = computed((): Ground => (f.value === "net" ? (slice.value ?? grounds.bowl) : grounds[f.value]))
  const waiting = f.value === "net" && slice.value === undefined
  const path = useMemo(
    () => signal<readonly Point[]>(walkFrom(ground.peek(), [p1.peek(), p2.peek()], eta.peek(), n.peek())),
    [],
  )
  const walks = useMemo(() => signal(false), [])
  const visits = useMemo(() => signal({ turned: false, zigzag: false, moved: false, wrong: false }), [])
  const here = (): Point => path.peek().at(-1)!
  const begin = (at: Point): void =>
    batch(() => {
      walks.value = false
      p1.value = at[0]
      p2.value = at[1]
      n.value = 0
      path.value = [at]
    })
  useEffect(() => {
    // A link to the real network waits for its ground, then walks on it.
    if (f.peek() === "net" && slice.value !== undefined)
      path.value = walkFrom(slice.value, [p1.peek(), p2.peek()], eta.peek(), n.peek())
  }, [slice.value])
  const step = (): void => {
    if (waiting || away(ground.peek(), here())) return
    batch(() => {
      const next = stepFrom(ground.peek(), here(), eta.peek())
      path.value = [...path.peek().slice(-MOST), next]
      n.value = Math.min(MOST, n.peek() + 1)
    })
    const end = endOf(ground.peek(), path.peek())
    const done = path.peek().length > MOST
    if (end !== "walking" || done) walks.value = false
    if (!walks.peek()) speak(ending(ground.peek(), path.peek()))
    visits.value = note(visits.peek(), f.peek(), path.peek(), end)
  }
  const elapsed = useMemo(() => ({ ms: 0 }), [])
  useWalk(walks, (ms) => {
    elapsed.ms += ms
    if (elapsed.ms < (still() ? 250 : 220)) return
    elapsed.ms = 0
    step()
  })
  const walk = (): void => {
    if (!walks.peek() && endOf(ground.peek(), path.peek()) !== "walking") begin(path.peek()[0]!)
    walks.value = !walks.peek()
  }
  const move = (to: Point): void => {
    begin(to)
    visits.value = { ...visits.peek(), moved: true }
  }
  const again = (): void => begin(path.peek()[0]!)
  const choose = (name: GroundName): void =>
    batch(() => {
      const next = name === "net" ? slice.peek() : grounds[name]
      eta.value = next?.eta ?? 5
      begin(next?.start ?? [-5.4, -5.04])
    })
  // Another learning rate goes on from here: the walk so far was made with the old one.
  const anchor = (): void =>
    batch(() => {
      p1.value = Number(here()[0].toPrecision(6))
      p2.value = Number(here()[1].toPrecision(6))
      n.value = 0
    })
  const tip = (to: number): void => glide(tilt, to)
  useKeys({
    " ": walk,
    s: step,
    r: again,
    "[": () => (eta.value = Math.max(0.01, Number((eta.peek() / 1.25).toPrecision(2)))),
    "]": () => (eta.value = Math.min(100, Number((eta.peek() * 1.25).toPrecision(2)))),
    ArrowLeft: () => (turn.value = turned(turn.peek() - 4)),
    ArrowRight: () => (turn.value = turned(turn.peek() + 4)),
    ArrowUp: () => (tilt.value = Math.min(90, tilt.peek() + 3)),
    ArrowDown: () => (tilt.value = Math.max(LEAST_TILT, tilt.peek() - 3)),
  })
  const tasks = useMemo(
    () => [
      {
        text: "Look at its path from above. At what angle does it cross the contours?",
        done: once(() => visits.value.turned && tilt.value > 86),
      },
      {
        text: "In the ravine, walk with a learning rate of 0.9: it zigzags. Lower it until it does not.",
        done: once(() => visits.value.zigzag && f.value === "ravine" && eta.value < 0.48),
      },
      {
        text: "In the two valleys, drag it to where it ends in the shallow one.",
        done: once(() => visits.value.wrong),
      },
    ],
    [],
  )
  const at = path.value.at(-1)!
  const end = endOf(ground.value, path.value)
  const next = stepFrom(ground.value, at, eta.value)
  const size = animalSize(eta.value / (f.value === "net" ? 10 : 1)) * (innerWidth < 720 ? 0.72 : 1)
  return (
    <LessonPage
      part="mountain"
      title="Two parameters"
      lede="With two parameters the ground becomes a mountain, and the cane feels two slopes at once."
      figureLabel={`The cost of two parameters, with the trilobite at ${plain(at[0])} and ${plain(at[1])}`}
      tasks={tasks}
      keys={[
        [["space"], "walk"],
        [["s"], "step"],
        [["r"], "start again"],
        [["←", "→"], "turn"],
        [["↑", "↓"], "tilt"],
      ]}
      figure={
        <>
          <div class="mountain-head">
            <Choice label="Ground" thumbs value={f} options={choices(slice, share)} onChange={choose} />
            <CostDots costs={path.value.map(([a, b]) => ground.value.at(a, b))} />
          </div>
          {waiting ? (
            <p class="mountain-wait">
              A small network is trained and measured at 1,681 places: {Math.round(100 * share.value)} %.
            </p>
          ) : (
            <Stays>
              <Mountain
                f={ground.value.at}
                reach={ground.value.reach}
                path={path.value}
                turn={turn}
                tilt={tilt}
                height={innerWidth < 720 ? 330 : Math.max(360, Math.min(540, innerHeight - 392))}
                names
                label={pictureText(ground.value, path.value, tilt.value)}
                onTurn={() => (visits.value = { ...visits.peek(), turned: true })}
                animal={{
                  at,
                  size,
                  next: end === "walking" ? next : undefined,
                  mood:
                    end === "down"
                      ? "content"
                      : end === "away" || steps(path.value, ground.value)
                        ? "dizzy"
                        : "walking",
                  onMove: move,
                  says: `p1 ${plain(at[0])}, p2 ${plain(at[1])}, cost ${cost(ground.value.at(at[0], at[1]))}`,
                }}
              />
            </Stays>
          )}
          <p class={end === "away" ? "mountain-said fault" : "mountain-said"}>{ending(ground.value, path.value)}</p>
          <div class="controls">
            <WalkButtons walking={walks} onWalk={walk} onStep={step} onAgain={again} />
            <EtaSlider
              value={eta}
              min={0.01}
              max={f.value === "net" ? 100 : 4}
              initial={ground.value.eta}
              onChange={anchor}
            />
          </div>
          <div class="mountain-view">
            <Slider
              label="Turn"
              value={turn}
              min={-180}
              max={180}
              step={1}
              initial={keys.turn.initial}
              format={degrees}
            />
            <Slider
              label="Tilt"
              value={tilt}
              min={LEAST_TILT}
              max={90}
              step={1}
              initial={keys.tilt.initial}
              format={degrees}
              onChange={() => (visits.value = { ...visits.peek(), turned: true })}
            />
            <Button
              low
              onClick={() => {
                visits.value = { ...visits.peek(), turned: true }
                tip(tilt.peek() > 86 ? keys.tilt.initial : 90)
              }}
            >
              {tilt.value > 86 ? "From the side" : "From above"}
            </Button>
          </div>
        </>
      }
    >
      <div class="prose">
        <p>
          Each line joins places of equal cost. The trilobite feels one <em class="ember">slope</em> for each parameter
          and takes both steps together: straight down, at a right angle to the lines. That is the steepest way, and
          seldom the way to the valley. Drag the mountain to look round it, drag the animal to send it off from
          somewhere else.
        </p>
      </div>
      <Steps ground={ground} at={at} eta={eta.value} next={next} />
    </LessonPage>
  )
}

const degrees = (value: number): string => `${Math.round(value)}°`.replace("-", "−")

/** A step this large is a leap. */
const steps = (path: readonly Point[], { reach }: Ground): boolean => {
  const [a, b] = [path.at(-2), path.at(-1)!]
  return a !== undefined && Math.hypot(b[0] - a[0], b[1] - a[1]) > reach * 0.7
}

/** The animal grows with its learning rate. */
function animalSize(eta: number): number {
  return Math.min(132, Math.max(40, 80 * (eta / 0.6) ** 0.3))
}

function note(
  before: { readonly turned: boolean; readonly zigzag: boolean; readonly moved: boolean; readonly wrong: boolean },
  f: GroundName,
  path: readonly Point[],
  end: string,
): typeof before {
  const [a, b, c] = path.slice(-3)
  const back =
    c !== undefined && (b![0] - a![0]) * (c[0] - b![0]) + (b![1] - a![1]) * (c[1] - b![1]) < 0 && f === "ravine"
  const wrong = f === "valleys" && end === "down" && path.at(-1)![0] < 0 && before.moved
  return { ...before, zigzag: before.zigzag || back, wrong: before.wrong || wrong }
}

function glide(value: Signal<number>, to: number): void {
  if (still()) {
    value.value = to
    return
  }
  const [from, begun] = [value.peek(), performance.now()]
  const frame = (now: number): void => {
    const t = Math.min(1, Math.max(0, (now - begun) / 480))
    value.value = Number((from + (to - from) * (1 - (1 - t) ** 3)).toFixed(1))
    if (t < 1) requestAnimationFrame(frame)
  }
  requestAnimationFrame(frame)
}

function ending(ground: Ground, path: readonly Point[]): string {
  const [at, steps] = [path.at(-1)!, path.length - 1]
  const end = endOf(ground, path)
  const count = steps === 1 ? "1 step" : `${steps} steps`
  if (end === "away") return `Step ${steps} leapt off the map. A smaller learning rate holds.`
  const now = cost(ground.at(at[0], at[1]))
  if (end === "down") return `Level ground after ${count}: the cost is ${now}.`
  return steps === 0 ? `The cost here is ${now}.` : `After ${count} the cost is ${now}.`
}

function pictureText(ground: Ground, path: readonly Point[], tilt: number): string {
  return `${ground.label} ${tilt > 86 ? "as a map, seen from above" : "as a mountain"}. ${ending(ground, path)}`
}
