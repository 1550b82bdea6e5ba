// The icons: 18 pixels, round strokes, the colour of the text beside them.

import type { JSX } from "preact"

const paths = {
  play: "M5 3.5v11l9-5.5z",
  pause: "M6 4v10M12 4v10",
  step: "M3 14c2-5 5-8 9-8M9 3l3.5 3L9.5 9",
  again: "M4 4v4h4M4.5 8a5.5 5.5 0 1 1-.8 4",
  link: "M7.5 10.5l3-3M8 5l1.5-1.5a3.2 3.2 0 0 1 4.5 4.5L12.5 9.5M10 13l-1.5 1.5A3.2 3.2 0 0 1 4 10l1.5-1.5",
  moon: "M14.5 10.8A6 6 0 0 1 7.2 3.5a6 6 0 1 0 7.3 7.3z",
  sun: "M9 2v1.5M9 14.5V16M2 9h1.5M14.5 9H16M4 4l1 1M13 13l1 1M4 14l1-1M13 5l1-1M12 9a3 3 0 1 1-6 0a3 3 0 0 1 6 0z",
  lessons:
    "M9 4.5C7 3 4.5 3 2.5 3.5v11c2-.5 4.500-.5 6.500 1 2-1.500 4.500-1.500 6.500-1v-11C13.500 3 11 3 9 4.500zM9 4.500v11",
  net: "M5.800 5a1.800 1.800 0 1 1-3.600 0a1.800 1.800 0 0 1 3.600 0zM5.800 13a1.800 1.800 0 1 1-3.600 0a1.800 1.800 0 0 1 3.600 0zM15.800 9a1.800 1.800 0 1 1-3.600 0a1.800 1.800 0 0 1 3.600 0zM5.700 5.800l6.600 2.500M5.700 12.200l6.600-2.500",
  runs: "M2.500 3v12h13M5 5c1 5 3.500 7 10 7.500",
  data: "M3 3h5v5H3zM10.500 3h5v5h-5zM3 10.500h5v5H3zM10.500 10.500h5v5h-5z",
  undo: "M3 7h8a4 4 0 0 1 0 8H7M3 7l3.500-3.500M3 7l3.500 3.500",
  redo: "M15 7H7a4 4 0 0 0 0 8h4M15 7l-3.500-3.500M15 7l-3.500 3.500",
  code: "M6 5L2.500 9L6 13M12 5l3.500 4L12 13",
  tick: "M3.500 9.500l3.500 3.500l7.500-8",
  tip: "M6.500 12a4.500 4.500 0 1 1 5 0v1.500h-5zM7.500 16h3",
  watch: "M9 3L2.500 14.500h13zM9 7.500v3M9 12.500v.2",
  stop: "M4.500 4.500h9v9h-9z",
  brush: "M14.500 3.500l-6 6M7.500 10a2.500 2.500 0 0 0-2.500 2.500c0 1.500-1 2-2 2c2 1 6.500.5 6.500-2.500",
} as const

/** The name of an icon. */
export type IconName = keyof typeof paths

/** An icon; what it means stands beside it or in a label. */
export function Icon({ name }: { readonly name: IconName }): JSX.Element {
  return (
    <svg class="icon" viewBox="0 0 18 18" aria-hidden="true">
      <path d={paths[name]} class={name === "play" ? "full" : undefined} />
    </svg>
  )
}
