// The frame of all pages: bar, tabs, the page that the address names, what is said to screen readers.

import { type Signal, signal } from "@preact/signals"
import type { ComponentType, JSX } from "preact"
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks"
import { lessons } from "./lessons/list.ts"
import { root } from "./root.ts"
import { Icon } from "./ui/icons.tsx"
import { lettersOn, useKeys } from "./ui/keys.ts"
import { Link } from "./ui/link.tsx"
import { RunningPill } from "./ui/running.tsx"
import { said } from "./ui/said.ts"
import { switchTheme, theme } from "./ui/theme.ts"
import { Logo } from "./ui/trilobite.tsx"
import { go, path } from "./ui/url.ts"

type Page = ComponentType<{ readonly name: string }>
type Loader = () => Promise<{ readonly default: Page }>

/** What stands at an address; the last part of some of them is a name. */
const pages: readonly (readonly [pattern: RegExp, load: Loader])[] = [
  [/^\/$/, () => import("./home.tsx")],
  [/^\/lessons\/(costs)$/, () => import("./lessons/costs.tsx")],
  [/^\/lessons\/(saturated)$/, () => import("./lessons/saturated.tsx")],
  [/^\/lessons\/(trilobite)$/, () => import("./lessons/trilobite.tsx")],
  [/^\/lessons\/(mountain)$/, () => import("./lessons/mountain.tsx")],
  [/^\/lessons\/(escape)$/, () => import("./lessons/escape.tsx")],
  [/^\/lessons\/(batches)$/, () => import("./lessons/batches.tsx")],
  [/^\/lessons\/(backpropagation)$/, () => import("./lessons/backpropagation.tsx")],
  [/^\/lessons\/(speed)$/, () => import("./lessons/speed.tsx")],
  [/^\/lessons\/(intermediate)$/, () => import("./lessons/intermediate.tsx")],
  [/^\/lessons\/(knobs)$/, () => import("./lessons/knobs.tsx")],
  [/^\/playground$/, () => import("./playground/page.tsx")],
  [/^\/runs(?:\/([\w-]+))?$/, () => import("./runs/page.tsx")],
  [/^\/data(?:\/([\w-]+))?$/, () => import("./data/page.tsx")],
]

const sections = [
  { to: "/lessons/costs", under: "/lessons", label: "Lessons", icon: "lessons" },
  { to: "/playground", under: "/playground", label: "Playground", icon: "net" },
  { to: "/runs", under: "/runs", label: "Runs", icon: "runs" },
  { to: "/data/mnist", under: "/data", label: "Data", icon: "data" },
] as const

/** All places that "Go to" knows. */
const places: readonly (readonly [label: string, to: string])[] = [
  ...lessons.flatMap(({ parts, title }, i) =>
    parts.map(
      (part) =>
        [
          `Lesson ${i + 1}: ${parts.length > 1 ? `${title}, ${part.title.toLowerCase()}` : title}`,
          `/lessons/${part.name}`,
        ] as const,
    ),
  ),
  ["Playground", "/playground"],
  ["Runs", "/runs"],
  ["Data: MNIST", "/data/mnist"],
  ["Home", "/"],
]

/** What an address shows: a page, or why there is none. */
export interface Shown {
  readonly at: string
  readonly page?: Page
  readonly name?: string
  readonly failed?: string
}

const addressOf = (given: string): string => given.replace(/(.)\/$/, "$1").replace(/\/index\.html$/, "/")

/** Loads the page of an address. */
export async function load(given: string): Promise<Shown> {
  const at = addressOf(given)
  const row = pages.find(([pattern]) => pattern.test(at))
  if (row === undefined) return { at, failed: "There is no such page." }
  try {
    return { at, page: (await row[1]()).default, name: row[0].exec(at)?.[1] ?? "" }
  } catch {
    return { at, failed: "This page could not be loaded. Is the studio still running? Load it again." }
  }
}

function usePage(first: Shown): Shown {
  const [shown, setShown] = useState(first)
  const at = addressOf(path.value)
  useEffect(() => {
    if (shown.at === at) return
    let wanted = true
    void load(at).then((found) => wanted && setShown(found))
    return () => {
      wanted = false
    }
  }, [at])
  return shown
}

const going: Signal<boolean> = signal(false)
const helping: Signal<boolean> = signal(false)

/** The studio; its first page is loaded already, so that it is drawn at once. */
export function App({ first }: { readonly first: Shown }): JSX.Element {
  const { page: Page, name = "", failed } = usePage(first)
  useKeys({
    "/": () => (going.value = true),
    "?": () => (helping.value = true),
    t: switchTheme,
    ...Object.fromEntries(lessons.map(({ parts }, i) => [String(i + 1), () => go(`/lessons/${parts[0]!.name}`)])),
  })
  return (
    <>
      <a class="skip" href="#main">
        To the page
      </a>
      <header class="bar">
        <Link to="/" class="brand" label="trilobite, home">
          <Logo />
          trilobite
        </Link>
        <nav aria-label="Studio">
          {sections.map(({ to, under, label }) => (
            <Link key={to} to={to} current={path.value.startsWith(under)}>
              {label}
            </Link>
          ))}
        </nav>
        <div class="right">
          <RunningPill />
          <button type="button" class="pill wide" onClick={() => (going.value = true)}>
            Go to … <kbd>/</kbd>
          </button>
          <button type="button" class="round" aria-label="Copy a link to this moment" onClick={copyLink}>
            <Icon name="link" />
          </button>
          <button
            type="button"
            class="round"
            aria-label={theme.value === "dark" ? "Switch to light" : "Switch to dark"}
            onClick={switchTheme}
          >
            <Icon name={theme.value === "dark" ? "sun" : "moon"} />
          </button>
        </div>
      </header>
      {failed !== undefined ? (
        <main id="main" class="lesson" tabindex={-1}>
          <p class="message">{failed}</p>
        </main>
      ) : Page === undefined ? (
        <main id="main" class="lesson" tabindex={-1} aria-busy="true" />
      ) : (
        <Page key={path.value} name={name} />
      )}
      <nav class="tabs" aria-label="Studio, small screens">
        {sections.map(({ to, under, label, icon }) => (
          <Link key={to} to={to} current={path.value.startsWith(under)}>
            <Icon name={icon} />
            {label}
          </Link>
        ))}
      </nav>
      <Dialog open={going} label="Go to" class="goto">
        {() => <GoTo />}
      </Dialog>
      <Dialog open={helping} label="Keys">
        {() => <Help />}
      </Dialog>
      <Said />
    </>
  )
}

function copyLink(): void {
  // The state is written a moment after the last change.
  setTimeout(() => {
    navigator.clipboard?.writeText(location.href).then(
      () => said("Link copied. It opens at exactly this step."),
      () => said("The link could not be copied. It is in the address bar."),
    )
  }, 300)
}

/** A dialog that follows a signal; what it holds is there only while it is open. */
function Dialog(props: {
  readonly open: Signal<boolean>
  readonly label: string
  readonly class?: string
  readonly children: () => JSX.Element
}): JSX.Element {
  const { open, label, children } = props
  const dialog = useRef<HTMLDialogElement>(null)
  useLayoutEffect(() => {
    if (open.value) dialog.current?.showModal()
    else dialog.current?.close()
  }, [open.value])
  return (
    <dialog ref={dialog} class={props.class} aria-label={label} onClose={() => (open.value = false)}>
      {open.value && children()}
    </dialog>
  )
}

function GoTo(): JSX.Element {
  const [text, setText] = useState("")
  const [chosen, setChosen] = useState(0)
  const found = places.filter(([label]) => label.toLowerCase().includes(text.trim().toLowerCase()))
  const follow = (to: string | undefined): void => {
    if (to === undefined) return
    going.value = false
    go(to)
  }
  const keys = (event: KeyboardEvent): void => {
    if (event.key === "ArrowDown") setChosen(Math.min(found.length - 1, chosen + 1))
    else if (event.key === "ArrowUp") setChosen(Math.max(0, chosen - 1))
    else if (event.key === "Enter") follow(found[chosen]?.[1])
    else return
    event.preventDefault()
  }
  return (
    <>
      <input
        aria-label="Where to?"
        placeholder="Where to?"
        value={text}
        onInput={(event) => {
          setText(event.currentTarget.value)
          setChosen(0)
        }}
        onKeyDown={keys}
      />
      <ul>
        {found.map(([label, to], i) => (
          <li key={to}>
            <a
              href={root + to}
              aria-selected={i === chosen}
              role="option"
              onClick={(event) => {
                event.preventDefault()
                follow(to)
              }}
            >
              {label}
            </a>
          </li>
        ))}
        {found.length === 0 && <li class="dim">Nothing is called that.</li>}
      </ul>
    </>
  )
}

const help: readonly (readonly [string, string])[] = [
  ["/", "go to …"],
  ["space", "play or pause"],
  ["s", "one step"],
  ["r", "start again"],
  ["← →", "move the thing that has the focus; shift ten times as far, alt a tenth"],
  ["[ ]", "learning rate down, up"],
  ["z  Z", "undo, redo"],
  ["k", "keep these settings as B"],
  ["t", "light or dark"],
  ["1 – 7", "lessons"],
]

function Help(): JSX.Element {
  return (
    <>
      <h2>Keys</h2>
      <table>
        <tbody>
          {help.map(([key, what]) => (
            <tr key={key}>
              <td>
                <kbd>{key}</kbd>
              </td>
              <td>{what}</td>
            </tr>
          ))}
        </tbody>
      </table>
      <p>
        <label>
          <input
            type="checkbox"
            checked={lettersOn.value}
            onChange={(event) => (lettersOn.value = event.currentTarget.checked)}
          />{" "}
          Single letters are keys
        </label>
      </p>
      <button type="button" class="btn" onClick={() => (helping.value = false)}>
        Close
      </button>
    </>
  )
}

function Said(): JSX.Element {
  return (
    <div aria-live="polite">
      {said.shown.value !== "" && <p class="said">{said.shown.value}</p>}
      <p class="sr">{said.spoken.value}</p>
    </div>
  )
}
