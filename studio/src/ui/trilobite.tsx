// The trilobite, in figures and in the bar: its feet stand at the origin. Fine lines are left out where it is small.

import type { JSX } from "preact"

/** How it feels. */
export type Mood = "walking" | "content" | "dizzy"

const WIDTH = 150
const FEET = [78, 91] as const

const stroke = { fill: "none", stroke: "#3b1503", "stroke-linecap": "round" } as const

function face(mood: Mood): JSX.Element {
  if (mood === "dizzy") {
    return (
      <path d="M99.500 54a2 2 0 1 1-2.500 1.800a4 4 0 1 1 5 3.400a6 6 0 1 1 4-6" stroke-width="2.200" {...stroke} />
    )
  }
  const smile = mood === "content" ? "M107 60q7.500 6.500 14 -.5" : "M110 61q4.500 3.500 9 0"
  return (
    <>
      <path class="eye" d="M93 52q6 7 13 .5" stroke-width="3.200" {...stroke} />
      <path
        d="M94.500 55.500l-3 2.500M99.500 57l-.8 3.600M104.500 55.500l2.600 2.800"
        stroke-width="1.800"
        {...stroke}
      />
      <path d={smile} stroke-width="2.400" {...stroke} />
    </>
  )
}

/** The drawing alone, 150 by 100. */
function Body({ fine, mood }: { readonly fine: boolean; readonly mood: Mood }): JSX.Element {
  return (
    <>
      <g class="leg" fill="none" stroke="#7d3209" stroke-width="5" stroke-linecap="round">
        <path d="M31 72q-2 8-6 15" />
        <path d="M47 74q1 7-2 14" />
        <path d="M65 75q2 7 1 13" />
        <path d="M84 75q3 6 3 13" />
      </g>
      <path d="M26 47C14 52 6 63 4 76c9 3 19 1 27-4z" fill="#b8480b" />
      {fine && (
        <path
          class="fine"
          d="M24 53C17 58 12 66 10 75M27 60c-5 3-8 9-9 16"
          fill="none"
          stroke="#7d3209"
          stroke-width="2"
          stroke-linecap="round"
        />
      )}
      <g fill="#d9651f" stroke="#7d3209" stroke-width="2.2" stroke-linejoin="round">
        <path d="M37 37C25 42 20 57 19 70c2 7 8 9 12 8 6-14 8-26 14-40z" />
        <path d="M46 31C34 38 30 56 29 71c2 7 8 10 13 9 5-15 7-30 12-48z" />
        <path d="M55 27C44 35 40 55 40 72c2 7 8 10 13 9 5-16 6-33 10-53z" />
        <path d="M64 24C54 33 51 54 51 73c2 7 8 10 13 9 4-17 5-36 8-57z" />
        <path d="M73 23C64 32 62 54 62 73c2 7 8 10 13 9 3-17 4-37 6-58z" />
        <path d="M81 23C74 32 73 54 73 73c2 7 8 10 13 9 2-17 3-37 3-58z" />
      </g>
      <path d="M24 54C31 38 50 24 80 23l6 14C62 37 40 44 27 58z" fill="#f0935a" opacity=".92" />
      <g class="rib" fill="none" stroke="#7d3209" stroke-width="2.2" stroke-linecap="round">
        <path d="M38 37q-1 6-5 13" />
        {fine && <path class="fine" d="M46 31q0 7-3 13" />}
        <path d="M55 27q1 7-2 13" />
        {fine && <path class="fine" d="M64 24.500q1 7-1 13" />}
        <path d="M73 23q2 7 0 13.500" />
      </g>
      {fine && (
        <path
          class="fine"
          d="M114 31q8-13 20-13M118 37q10-9 21-5"
          fill="none"
          stroke="#7d3209"
          stroke-width="2.2"
          stroke-linecap="round"
        />
      )}
      <path
        d="M80 22c24-5 43 16 44 44 0 8-6 11-14 11H90c-8 0-16 4-27 12 3-12 9-19 16-22-4-14-4-32 1-45z"
        fill="#e57a35"
        stroke="#7d3209"
        stroke-width="2.600"
        stroke-linejoin="round"
      />
      <path d="M86 22c15-2 27 8 32 23-9 5-24 3-33-3-2-7-1-14 1-20z" fill="#f7b083" />
      {fine && (
        <path
          class="fine"
          d="M79 67c12 3 30 4 43 1"
          fill="none"
          stroke="#7d3209"
          stroke-width="2"
          stroke-linecap="round"
          opacity=".55"
        />
      )}
      {face(mood)}
      <path
        class="cane"
        d="M124.500 62.500q3.800-3.600 6.300.8L145 92.500"
        fill="none"
        stroke="#8c7a66"
        stroke-width="3.400"
        stroke-linecap="round"
        stroke-linejoin="round"
      />
      <path
        class="cane"
        d="M142.600 87.600L145 92.500"
        fill="none"
        stroke="#b8480b"
        stroke-width="4.400"
        stroke-linecap="round"
      />
      <path
        class="leg"
        d="M101 77q11 8 20 2 6-4 12.500-8.500"
        fill="none"
        stroke="#b8480b"
        stroke-width="5"
        stroke-linecap="round"
        stroke-linejoin="round"
      />
      <g class="leg" fill="none" stroke="#b8480b" stroke-width="5" stroke-linecap="round">
        <path d="M39 78q-1 6-4 11" />
        <path d="M56 80q1 5-1 9" />
        <path d="M75 80q2 5 2 9" />
        <path d="M94 78q3 5 3 11" />
      </g>{" "}
    </>
  )
}

/** The trilobite of a figure: its feet at (x, y), turned by `angle` degrees, `size` wide. */
export function Trilobite(props: {
  readonly x: number
  readonly y: number
  readonly angle?: number
  readonly size: number
  readonly mood?: Mood
  readonly facing?: "left" | "right"
}): JSX.Element {
  const { x, y, angle = 0, size, mood = "walking", facing = "right" } = props
  const scale = size / WIDTH
  const mirrored = facing === "left" ? -scale : scale
  return (
    <g
      transform={`translate(${x} ${y}) rotate(${angle}) scale(${mirrored} ${scale}) translate(${-FEET[0]} ${-FEET[1]})`}
    >
      <Body fine={size >= 44} mood={mood} />
    </g>
  )
}

/** The small one of the bar. */
export function Logo(): JSX.Element {
  return (
    <svg viewBox="0 0 150 100" aria-hidden="true">
      <Body fine={false} mood="walking" />
    </svg>
  )
}
