// A cost as ground with strata, the trilobite on it, its footprints, the tangent and the next step.

import type { Signal } from "@preact/signals"
import type { JSX } from "preact"
import { useEffect, useRef, useState } from "preact/hooks"
import { cost, plain, signed, slope as slopeText } from "../ui/format.ts"
import { slid } from "../ui/keys.ts"
import { still } from "../ui/lesson.tsx"
import { axis, curve, pointerOn } from "../ui/plot.ts"
import { useWidth } from "../ui/size.ts"
import { type Mood, Trilobite } from "../ui/trilobite.tsx"
import { DRAWN, FROM, type Ground, TO } from "./grounds.ts"

const STEP = 220

/** Where the animal is drawn while it goes from one place to the next. */
function useGlide(to: number): number {
  const [at, setAt] = useState(to)
  const from = useRef(to)
  useEffect(() => {
    const begin = from.current
    if (begin === to) return
    if (still() || Math.abs(begin - to) < 1e-4) {
      from.current = to
      setAt(to)
      return
    }
    let frame = 0
    const since = performance.now()
    const move = (now: number): void => {
      const t = Math.min(1, (now - since) / STEP)
      const eased = t < 0.5 ? 2 * t * t : 1 - 2 * (1 - t) ** 2
      from.current = t === 1 ? to : begin + (to - begin) * eased
      setAt(from.current)
      if (t < 1) frame = requestAnimationFrame(move)
    }
    frame = requestAnimationFrame(move)
    return () => cancelAnimationFrame(frame)
  }, [to])
  return at
}

/** The figure. */
export function GroundFigure(props: {
  readonly ground: Ground
  /** Bottoms of valleys, the lowest first. */
  readonly bottoms: readonly number[]
  readonly path: readonly number[]
  readonly next: number
  readonly eta: number
  readonly mood: Mood
  readonly onMove: (p: number) => void
  /** The heights of a ground that is drawn, as bytes. */
  readonly drawing?: Signal<readonly number[]> | undefined
}): JSX.Element {
  const { ground, bottoms, path, next, eta, mood, onMove, drawing } = props
  const [box, W] = useWidth()
  const svg = useRef<SVGSVGElement>(null)
  const grabbed = useRef(false)
  const small = W < 560
  const H = small ? 330 : Math.round(Math.min(540, Math.max(360, W * 0.6)))
  const base = H - 46
  const x = axis(FROM, TO, 2, W - 2)
  const all = Array.from({ length: 121 }, (_, i) => ground.cost(FROM + (i * (TO - FROM)) / 120))
  const [low, high] = drawing ? [0.2, 3] : [Math.min(...all), Math.max(...all)]
  const y = axis(low, high, base - (small ? 40 : 68), small ? 46 : 30)
  const here = path.at(-1)!
  const inside = here >= FROM && here <= TO
  const shown = useGlide(Math.min(TO, Math.max(FROM, here)))
  const slope = ground.slope(shown)
  // The slope as it looks on the plate.
  const look = slope * ((y(1) - y(0)) / (x(1) - x(0)))
  const angle = (Math.atan(look) * 180) / Math.PI
  const size = Math.min(small ? 92 : 150, Math.max(34, (small ? 64 : 100) * (eta / 0.6) ** 0.35))
  const left = slope > 0
  const [px, py] = [x(shown), y(ground.cost(shown))]
  const f = (p: number): number => ground.cost(p)
  const top = curve(f, FROM, TO, x, y, 320)
  const reach = (small ? 52 : 92) / 68 / Math.hypot(1, look)
  const moving = Math.abs(shown - here) > 1e-3
  const nextIn = next >= FROM && next <= TO && inside
  const gap = next - here

  const drag = (event: PointerEvent): void => {
    const [at, height] = pointerOn(event, svg.current!)
    if (drawing === undefined || grabbed.current) {
      onMove(x.back(at))
      return
    }
    const i = Math.round(((x.back(at) - FROM) / (TO - FROM)) * (DRAWN - 1))
    const byte = Math.round(Math.min(255, Math.max(0, ((y.back(height) - 0.2) / 2.8) * 255)))
    drawing.value = drawing.value.map((v, k) => (k === i ? byte : v))
  }
  const down = (event: PointerEvent): void => {
    const [at, height] = pointerOn(event, svg.current!)
    grabbed.current = Math.hypot(at - px, height - py) < size * 0.8
    if (!grabbed.current && drawing === undefined && Math.abs(height - y(ground.cost(x.back(at)))) > 60) return
    svg.current!.setPointerCapture(event.pointerId)
    drag(event)
  }
  const keys = (event: KeyboardEvent): void => {
    const steps = slid(event)
    if (steps !== undefined) onMove(here + 0.05 * steps)
  }
  const slopeWords = `slope ${slopeText(ground.slope(here))}`
  const labelLeft = px > W * 0.72
  const [lowest, ...others] = bottoms
  const prints = path.slice(-40, -1).filter((p) => p >= FROM && p <= TO)
  return (
    <div ref={box}>
      <svg
        ref={svg}
        class="plate"
        viewBox={`0 0 ${W} ${H}`}
        role="group"
        aria-label={`A cost of one parameter. After ${path.length - 1} steps the trilobite is at ${plain(here)}, cost ${cost(ground.cost(here))}, ${slopeWords}.`}
        onPointerDown={down}
        onPointerMove={(event) => event.buttons > 0 && svg.current!.hasPointerCapture(event.pointerId) && drag(event)}
      >
        <defs>
          <clipPath id="land">
            <path d={`${top}L${W - 2} ${base}L2 ${base}Z`} />
          </clipPath>
        </defs>
        <path d={`${top}L${W - 2} ${base}L2 ${base}Z`} class="ground" />
        <g clip-path="url(#land)">
          {Array.from({ length: 9 }, (_, k) => {
            const sunk = 16 + 22 * k + 5 * k * k
            const flat = 1 - 0.07 * k
            const middle = (high + low) / 2
            return (
              <path
                key={sunk}
                class="strata"
                d={curve(
                  (p) => middle + (f(p) - middle) * flat,
                  FROM,
                  TO,
                  x,
                  (v: number) => y(v) + sunk,
                  120,
                )}
              />
            )
          })}
        </g>
        <path d={`M2 ${base}H${W - 2}`} class="axis" />
        {[-4, -2, 0, 2, 4].map((t) => (
          <g key={t}>
            <path d={`M${x(t)} ${base}v5`} class="axis" />
            <text x={x(t)} y={base + 21} text-anchor="middle" class="t-3">
              {String(t).replace("-", "−")}
            </text>
          </g>
        ))}
        <text x={W - 4} y={base + 40} text-anchor="end" class="t-3">
          parameter <tspan class="m">p</tspan>
        </text>
        <path d={top} class="ln now" stroke-width="2.5" />
        <text x={Math.max(14, x(FROM) + 16)} y={y(all[4]!) + 30} class="t-ink b halo-g">
          cost <tspan class="m">C</tspan>
        </text>
        {lowest !== undefined && (
          <g>
            <path d={`M${x(lowest)} ${y(f(lowest)) + 5}v14`} class="axis" />
            <text x={x(lowest)} y={y(f(lowest)) + 34} text-anchor="middle" class="t-12 t-3 halo-g">
              lowest cost {cost(f(lowest))}
            </text>
          </g>
        )}
        {others.length === 1 && (
          <text x={x(others[0]!)} y={y(f(others[0]!)) + 24} text-anchor="middle" class="t-12 t-3 halo-g">
            <tspan x={x(others[0]!)}>a valley, but</tspan>
            <tspan x={x(others[0]!)} dy="16">
              not the lowest
            </tspan>
          </text>
        )}
        {prints.map((p, i) => (
          <circle
            key={i}
            cx={x(p)}
            cy={y(f(p))}
            r="4.5"
            class="ember-dot"
            opacity={0.25 + (0.55 * (i + 1)) / prints.length}
          />
        ))}
        {path.length > 1 && path[0]! >= FROM && path[0]! <= TO && (
          <text
            x={x(path[0]!) + (path[1]! > path[0]! ? -12 : 12)}
            y={y(f(path[0]!)) - 10}
            text-anchor={path[1]! > path[0]! ? "end" : "start"}
            class="t-12 halo"
          >
            start
          </text>
        )}
        {!moving && inside && (
          <>
            <path
              d={`M${px - reach * 68} ${py - reach * 68 * look}L${px + reach * 68} ${py + reach * 68 * look}`}
              class="ember-ln dash"
            />
            {nextIn && Math.abs(x(next) - x(here)) > 2 && (
              <g>
                <path d={`M${px} ${py}V${base}M${x(next)} ${y(f(next))}V${base}`} class="ember-ln dots" />
                <circle cx={x(next)} cy={y(f(next))} r="6" class="dot ember" />
                {Math.abs(x(next) - px) > 14 && (
                  <path
                    class="ember-ln"
                    d={`M${px + 3 * Math.sign(gap)} ${base - 14}H${x(next) - 3 * Math.sign(gap)}m${-6 * Math.sign(gap)} -4l${6 * Math.sign(gap)} 4l${-6 * Math.sign(gap)} 4`}
                  />
                )}
                <text
                  x={gap > 0 ? px - 10 : px + 10}
                  y={base - 9}
                  text-anchor={gap > 0 ? "end" : "start"}
                  class="t-ember b halo-g"
                >
                  next step {signed(gap)}
                </text>
              </g>
            )}
            <text
              x={labelLeft ? px - size * 0.75 : px + (left ? 26 : -20)}
              y={Math.max(16, py - size * 0.95)}
              text-anchor={labelLeft ? "end" : left ? "start" : "start"}
              class="t-ember b t-15 halo"
            >
              {slopeWords}
            </text>
          </>
        )}
        <g
          class="grab"
          role="slider"
          tabindex={0}
          aria-label="the trilobite, parameter p"
          aria-valuemin={FROM}
          aria-valuemax={TO}
          aria-valuenow={Number(here.toFixed(3))}
          aria-valuetext={`p ${plain(here)}, cost ${cost(ground.cost(here))}, ${slopeWords}`}
          onKeyDown={keys}
        >
          <circle
            cx={px + 0.28 * size * Math.sin((angle * Math.PI) / 180)}
            cy={py - 0.32 * size}
            r={Math.max(22, size * 0.62)}
            class="reach"
          />
          <Trilobite x={px} y={py} angle={angle} size={size} mood={mood} facing={left ? "left" : "right"} />
        </g>
      </svg>
    </div>
  )
}
