// The mountain: the cost of two parameters as plates of paper that can be turned and tilted, with a path draped on it.

import "./mountain.css"
import type { Signal } from "@preact/signals"
import type { ComponentChildren, JSX } from "preact"
import { useEffect, useMemo, useRef, useState } from "preact/hooks"
import { plain } from "./format.ts"
import { still } from "./lesson.tsx"
import {
  drawRelief,
  type Inks,
  inks,
  type Lens,
  lens,
  onScreen,
  type Point,
  type Relief,
  relief,
  underPointer,
} from "./relief.ts"
import { colours } from "./theme.ts"
import { type Mood, Trilobite } from "./trilobite.tsx"

/** The trilobite of a mountain. */
export interface Animal {
  readonly at: Point
  readonly size: number
  readonly mood?: Mood
  /** Where its next step would bring it. */
  readonly next?: Point
  /** Called while the reader moves it; without it, it cannot be moved. */
  readonly onMove?: (to: Point) => void
  /** What it says of its place. */
  readonly says?: string
}

/** The options of {@link Mountain}. */
export interface MountainProps {
  /** The cost of two parameters. */
  readonly f: (p1: number, p2: number) => number
  /** The map goes from −reach to reach (default 3). */
  readonly reach?: number
  readonly path: readonly Point[]
  /** Degrees; 0 shows the second parameter going away from the eye. */
  readonly turn: Signal<number>
  /** Degrees: 90 looks down from right above. */
  readonly tilt: Signal<number>
  readonly animal?: Animal
  readonly height: number
  /** What the picture shows, in a sentence. */
  readonly label?: string
  /** Names at the edges of the map. */
  readonly names?: boolean
  readonly onTurn?: () => void
  /** More marks, drawn above; places are given by the lens. */
  readonly marks?: (place: (p: Point) => readonly [number, number]) => ComponentChildren
}

const within = (value: number, low: number, high: number): number => Math.min(high, Math.max(low, value))

/** The lowest tilt: below it the near edge hides everything. */
export const LEAST_TILT = 18

/** A mountain. Dragging it turns and tilts it, arrow keys too; dragging the animal moves the animal. */
export function Mountain(props: MountainProps): JSX.Element {
  const { f, reach = 3, path, turn, tilt, animal, height, label, names, onTurn, marks } = props
  const box = useRef<HTMLDivElement>(null)
  const canvas = useRef<HTMLCanvasElement>(null)
  const [width, setWidth] = useState(0)
  const ground = useMemo(() => relief(f, reach), [f, reach])
  const ink = useMemo(() => inks(), [colours.value])
  const view = { turn: turn.value, tilt: tilt.value, width, height }
  const through = lens(view)
  useEffect(() => {
    const watch = new ResizeObserver(() => setWidth(box.current?.clientWidth ?? 0))
    watch.observe(box.current!)
    return () => watch.disconnect()
  }, [])
  useEffect(() => {
    if (width === 0) return
    const frame = requestAnimationFrame(() => draw(canvas.current!, ground, view, ink, path))
    return () => cancelAnimationFrame(frame)
  }, [ground, ink, path, view.turn, view.tilt, width, height])
  const hand = useTurning({ turn, tilt, onTurn })
  return (
    <div ref={box} class="mountain" style={{ height: `${height}px` }} {...hand}>
      <canvas ref={canvas} role="img" aria-label={label ?? "The cost of two parameters as a mountain"} />
      {width > 0 && (
        <svg width={width} height={height} viewBox={`0 0 ${width} ${height}`}>
          {names && <Names through={through} />}
          {marks?.((p) => onScreen(ground, through, p))}
          {animal && <AnimalOn ground={ground} through={through} animal={animal} />}
        </svg>
      )}
    </div>
  )
}

function draw(
  canvas: HTMLCanvasElement,
  ground: Relief,
  view: Parameters<typeof drawRelief>[2],
  ink: Inks,
  path: readonly Point[],
): void {
  const ratio = Math.min(2, devicePixelRatio || 1)
  const [w, h] = [Math.round(view.width * ratio), Math.round(view.height * ratio)]
  if (canvas.width !== w || canvas.height !== h) {
    canvas.width = w
    canvas.height = h
  }
  const to = canvas.getContext("2d")!
  to.setTransform(ratio, 0, 0, ratio, 0, 0)
  drawRelief(to, ground, view, ink, path)
}

interface Hand {
  readonly onPointerDown: (event: PointerEvent) => void
  readonly onPointerMove: (event: PointerEvent) => void
  readonly onPointerUp: () => void
}

/** Turning by hand: it goes on for a moment where the reader does not mind motion. */
function useTurning(of: {
  readonly turn: Signal<number>
  readonly tilt: Signal<number>
  readonly onTurn: (() => void) | undefined
}): Hand {
  const { turn, tilt, onTurn } = of
  const last = useRef<{ x: number; y: number; at: number; speed: number } | undefined>(undefined)
  const coast = useRef(0)
  useEffect(() => () => cancelAnimationFrame(coast.current), [])
  return {
    onPointerDown: (event) => {
      if (event.button !== 0) return
      cancelAnimationFrame(coast.current)
      ;(event.currentTarget as HTMLElement).setPointerCapture(event.pointerId)
      last.current = { x: event.clientX, y: event.clientY, at: event.timeStamp, speed: 0 }
    },
    onPointerMove: (event) => {
      const from = last.current
      if (from === undefined || event.buttons === 0) return
      const [dx, dy] = [event.clientX - from.x, event.clientY - from.y]
      turn.value = turned(turn.peek() + dx * 0.4)
      tilt.value = within(tilt.peek() + dy * 0.3, LEAST_TILT, 90)
      last.current = { x: event.clientX, y: event.clientY, at: event.timeStamp, speed: dx * 0.4 }
      onTurn?.()
    },
    onPointerUp: () => {
      let speed = last.current?.speed ?? 0
      last.current = undefined
      if (still()) return
      const go = (): void => {
        speed *= 0.9
        if (Math.abs(speed) < 0.05) return
        turn.value = turned(turn.peek() + speed)
        coast.current = requestAnimationFrame(go)
      }
      if (Math.abs(speed) > 0.5) go()
    },
  }
}

/** An angle from −180 to 180. */
export function turned(angle: number): number {
  return Number((((((angle + 180) % 360) + 360) % 360) - 180).toFixed(1))
}

function AnimalOn(props: { readonly ground: Relief; readonly through: Lens; readonly animal: Animal }): JSX.Element {
  const { ground, through, animal } = props
  const { at, size, mood, next, onMove, says } = animal
  const held = useRef(false)
  const [x, y] = onScreen(ground, through, at)
  const [nx, ny] = next === undefined ? [x + 1, y] : onScreen(ground, through, next)
  const left = nx < x - 0.5
  const slope = (Math.atan2(ny - y, Math.abs(nx - x) + 8) * 180) / Math.PI
  const move = (event: PointerEvent): void => {
    const frame = (event.currentTarget as SVGElement).ownerSVGElement!.getBoundingClientRect()
    onMove?.(underPointer(ground, through, event.clientX - frame.left, event.clientY - frame.top))
  }
  const keys = (event: KeyboardEvent): void => {
    const by = { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key]
    if (by === undefined || onMove === undefined) return
    event.preventDefault()
    const unit = ground.reach / (event.shiftKey ? 6 : event.altKey ? 600 : 60)
    const limit = (value: number): number => Number(within(value, -ground.reach, ground.reach).toPrecision(6))
    onMove([limit(at[0] + by[0]! * unit), limit(at[1] + by[1]! * unit)])
  }
  return (
    <g>
      {next !== undefined && <path d={`M${x} ${y}L${nx} ${ny}`} class="ember-ln dots" />}
      {next !== undefined && <circle cx={nx} cy={ny} r="5" class="dot ember" />}
      <g class="pet">
        <Trilobite
          x={x}
          y={y}
          size={size}
          mood={mood}
          angle={within(left ? -slope : slope, -40, 40)}
          facing={left ? "left" : "right"}
        />
      </g>
      {onMove && (
        <circle
          cx={x}
          cy={y - size * 0.24}
          r={Math.max(22, size * 0.46)}
          class="halo-grab grab"
          role="slider"
          tabindex={0}
          aria-label="The trilobite: left and right move the first parameter, up and down the second"
          aria-valuemin={-ground.reach}
          aria-valuemax={ground.reach}
          aria-valuenow={Number(at[0].toFixed(2))}
          aria-valuetext={says ?? `p1 ${plain(at[0])}, p2 ${plain(at[1])}`}
          onKeyDown={keys}
          onPointerDown={(event) => {
            event.stopPropagation()
            ;(event.currentTarget as SVGElement).setPointerCapture(event.pointerId)
            held.current = true
          }}
          onPointerMove={(event) => {
            if (!held.current || event.buttons === 0) return
            event.stopPropagation()
            move(event)
          }}
          onPointerUp={(event) => {
            event.stopPropagation()
            held.current = false
          }}
        />
      )}
    </g>
  )
}

/** The names of the parameters along the two edges that are nearest to the eye. */
function Names({ through }: { readonly through: Lens }): JSX.Element {
  const edges = [
    { name: 1, at: [0, -1.13], along: [1, 0] },
    { name: 1, at: [0, 1.13], along: [1, 0] },
    { name: 2, at: [-1.13, 0], along: [0, 1] },
    { name: 2, at: [1.13, 0], along: [0, 1] },
  ] as const
  const lowest = (name: number): (typeof edges)[number] =>
    edges
      .filter((edge) => edge.name === name)
      .reduce((a, b) => (through.place(a.at[0], a.at[1], 0)[1] >= through.place(b.at[0], b.at[1], 0)[1] ? a : b))
  return (
    <>
      {([1, 2] as const).map((name) => {
        const { at, along } = lowest(name)
        const [x, y] = through.place(at[0], at[1], 0)
        const reach = (sign: number): readonly [number, number] =>
          through.place(at[0] * 0.97 + sign * 0.34 * along[0], at[1] * 0.97 + sign * 0.34 * along[1], 0)
        const [[ax, ay], [bx, by]] = [reach(-1), reach(1)]
        const [from, to] = [
          [x + (ax - x) * 0.45, y + (ay - y) * 0.45],
          [x + (bx - x) * 0.45, y + (by - y) * 0.45],
        ] as const
        return (
          <g key={name}>
            <path d={`M${ax} ${ay}L${from[0]} ${from[1]}M${to[0]} ${to[1]}L${bx} ${by}`} class="axis" />
            <path d={arrow(x, y, bx, by)} class="axis" />
            <text x={x} y={y + 5} text-anchor="middle" class="t-ink halo">
              <tspan class="m">p</tspan>
              <tspan class="t-12" dy="4">
                {name}
              </tspan>
            </text>
          </g>
        )
      })}
    </>
  )
}

function arrow(x: number, y: number, bx: number, by: number): string {
  const angle = Math.atan2(by - y, bx - x)
  const wing = (turn: number): string =>
    `${(bx - 7 * Math.cos(angle + turn)).toFixed(1)} ${(by - 7 * Math.sin(angle + turn)).toFixed(1)}`
  return `M${wing(0.45)}L${bx.toFixed(1)} ${by.toFixed(1)}L${wing(-0.45)}`
}
