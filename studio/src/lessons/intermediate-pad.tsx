// A pad to draw a digit on, the image that the net gets of it, and what the net says, while the digit is being drawn.

import { type ReadonlySignal, type Signal, signal } from "@preact/signals"
import type { JSX } from "preact"
import { useEffect, useMemo, useRef } from "preact/hooks"
import { Button } from "../ui/controls.tsx"
import { percent } from "../ui/format.ts"
import { speak } from "../ui/said.ts"
import { colours, token } from "../ui/theme.ts"
import { Digit } from "./intermediate-digit.tsx"
import { asMnistImage, SIDE } from "./intermediate-ink.ts"

const SIZE = 280
const BRUSH = 24

/** The image that the net is asked about, and where it came from. */
export interface Asked {
  readonly pixels: Uint8Array
  /** A test image's number and true digit; absent for a drawing. */
  readonly test?: { readonly index: number; readonly label: number }
}

/** The pad, the number of a test image, and ten bars. */
export function Pad(props: {
  readonly asked: Signal<Asked | undefined>
  readonly answer: ReadonlySignal<readonly number[] | undefined>
  readonly trained: boolean
  readonly pick: (index: number) => void
  readonly drawn: Signal<number>
}): JSX.Element {
  const { asked, answer, trained, pick, drawn } = props
  const index = useMemo(() => signal(0), [])
  const wiped = useMemo(() => signal(0), [])
  const wipe = (): void => {
    asked.value = undefined
    wiped.value++
  }
  const test = asked.value?.test
  useEffect(() => {
    if (test !== undefined) index.value = test.index
  }, [test])
  const step = (by: number): void => {
    index.value = (index.value + by + 10_000) % 10_000
    pick(index.value)
  }
  return (
    <div class="pad">
      <div class="pad-left">
        <DrawPad asked={asked} wiped={wiped} drawn={drawn} />
        <div class="row">
          <Button low icon="again" onClick={wipe}>
            Wipe
          </Button>
          <label class="pick">
            or image{" "}
            <input
              type="number"
              aria-label="Test image by its number, 0 to 9999"
              min={0}
              max={9999}
              value={index.value}
              onChange={(event) => {
                const wanted = Number(event.currentTarget.value)
                if (!Number.isInteger(wanted) || wanted < 0 || wanted > 9999) return
                index.value = wanted
                pick(wanted)
              }}
            />
          </label>
          <Button low onClick={() => step(test === undefined ? 0 : 1)}>
            {test === undefined ? "Show" : "Next"}
          </Button>
        </div>
      </div>
      <Says asked={asked.value} answer={asked.value === undefined ? undefined : answer.value} trained={trained} />
    </div>
  )
}

function DrawPad(props: {
  readonly asked: Signal<Asked | undefined>
  readonly wiped: Signal<number>
  readonly drawn: Signal<number>
}): JSX.Element {
  const { asked, wiped, drawn } = props
  const canvas = useRef<HTMLCanvasElement>(null)
  // What is drawn, apart from the colours that it is shown in.
  const sheet = useMemo(() => {
    const made = new OffscreenCanvas(SIZE, SIZE)
    const pen = made.getContext("2d", { willReadFrequently: true })!
    pen.lineWidth = BRUSH
    pen.lineCap = "round"
    pen.lineJoin = "round"
    return { made, pen }
  }, [])
  const frame = useRef(0)
  const last = useRef<readonly [number, number] | undefined>(undefined)
  const show = (): void => {
    const view = canvas.current!.getContext("2d")!
    view.globalCompositeOperation = "copy"
    view.drawImage(sheet.made, 0, 0)
    view.globalCompositeOperation = "source-in"
    view.fillStyle = token("ink")
    view.fillRect(0, 0, SIZE, SIZE)
  }
  const look = (): void => {
    frame.current = 0
    show()
    const { data } = sheet.pen.getImageData(0, 0, SIZE, SIZE)
    const ink = new Uint8Array(SIZE * SIZE)
    for (let i = 0; i < ink.length; i++) ink[i] = data[4 * i + 3]!
    const pixels = asMnistImage({ width: SIZE, height: SIZE, ink })
    asked.value = pixels === undefined ? undefined : { pixels }
    drawn.value++
  }
  const draw = (event: PointerEvent): void => {
    const box = canvas.current!.getBoundingClientRect()
    const all = event.getCoalescedEvents?.() ?? []
    for (const { clientX, clientY } of all.length > 0 ? all : [event]) {
      const at = [((clientX - box.left) * SIZE) / box.width, ((clientY - box.top) * SIZE) / box.height] as const
      sheet.pen.beginPath()
      sheet.pen.moveTo(...(last.current ?? at))
      sheet.pen.lineTo(...at)
      sheet.pen.stroke()
      last.current = at
    }
    if (frame.current === 0) frame.current = requestAnimationFrame(look)
  }
  const clear = (): void => sheet.pen.clearRect(0, 0, SIZE, SIZE)
  useEffect(() => () => cancelAnimationFrame(frame.current), [])
  const theme = colours.value
  const test = asked.value?.test
  useEffect(() => {
    if (test === undefined) return
    clear()
    sheet.pen.putImageData(enlarged(asked.value!.pixels), 0, 0)
    show()
  }, [test])
  useEffect(() => {
    if (wiped.value > 0) clear()
    show()
  }, [wiped.value, theme])
  return (
    <canvas
      ref={canvas}
      class="sheet"
      width={SIZE}
      height={SIZE}
      role="img"
      aria-label={
        test === undefined
          ? "A pad to draw a digit on with a pointer; by keyboard choose a test image by its number"
          : `Test image ${test.index}, a ${test.label}`
      }
      onPointerDown={(event) => {
        canvas.current!.setPointerCapture(event.pointerId)
        if (asked.peek()?.test !== undefined) clear()
        last.current = undefined
        draw(event)
      }}
      onPointerMove={(event) => event.buttons > 0 && draw(event)}
      onPointerUp={() => {
        last.current = undefined
      }}
    />
  )
}

/** An image of MNIST as large as the pad, its ink as opacity. */
function enlarged(pixels: Uint8Array): ImageData {
  const image = new ImageData(SIZE, SIZE)
  const times = SIZE / SIDE
  for (let i = 0; i < SIZE * SIZE; i++) {
    const [x, y] = [Math.floor((i % SIZE) / times), Math.floor(i / SIZE / times)]
    image.data[4 * i + 3] = pixels[y * SIDE + x]!
  }
  return image
}

function Says(props: {
  readonly asked: Asked | undefined
  readonly answer: readonly number[] | undefined
  readonly trained: boolean
}): JSX.Element {
  const { asked, answer, trained } = props
  const said = answer === undefined ? -1 : answer.indexOf(Math.max(...answer))
  const second = answer === undefined ? -1 : answer.indexOf(Math.max(...answer.filter((_, k) => k !== said)))
  const sentence =
    answer === undefined
      ? "Draw a digit, and the bars will say what the net sees."
      : `${trained ? "It says" : "Untrained, it says"} ${said}, with ${percent(answer[said]!, 1)}; then ${second} with ${percent(answer[second]!, 1)}.`
  useEffect(() => {
    if (answer !== undefined) speak(sentence)
  }, [sentence])
  return (
    <div class="says">
      <div class="row sees">
        <Digit pixels={asked?.pixels} label="What the net gets: 28 by 28 pixels" />
        <p class="dim small">
          {asked?.test === undefined
            ? "What the net gets: scaled into 20 × 20 and centred by its mass in 28 × 28, as MNIST was made."
            : `Test image ${asked.test.index}: somebody wrote a ${asked.test.label}.`}
        </p>
      </div>
      <ol class="bars-ten" aria-label="Probability of each digit">
        {Array.from({ length: 10 }, (_, k) => {
          const share = answer?.[k] ?? 0
          return (
            <li key={k} class={k === said ? "said-it" : ""}>
              <span>{k}</span>
              <span class="bar-track">
                <span class="bar-fill" style={{ width: `${100 * share}%` }} />
              </span>
              <span class="bar-number">{answer === undefined ? "" : percent(share, 1)}</span>
            </li>
          )
        })}
      </ol>
      <p class="small">{sentence}</p>
    </div>
  )
}
