// Watching runs: the list, one run (or two beside each other) as it grows, what was found in it.

import "./runs.css"
import { useSignal } from "@preact/signals"
import type { JSX } from "preact"
import { useEffect, useState } from "preact/hooks"
import type { Run } from "../../../cli/studio/api.ts"
import { duration } from "../ui/format.ts"
import { speak } from "../ui/said.ts"
import { type Keys, switchKey, useUrlState } from "../ui/url.ts"
import { Curves, smoothings } from "./curves.tsx"
import { checksOf, findingsOf } from "./finding.ts"
import { Findings } from "./finding-card.tsx"
import { Head } from "./head.tsx"
import { FirstRow, SecondRow } from "./panels.tsx"
import { ProgressLine } from "./progress-line.tsx"
import { Rail } from "./rail.tsx"
import { type Followed, follow, runs, watchRuns } from "./store.ts"
import { configOf, viewOf } from "./view.ts"
import { documentTitle, lostText, netWords, secondsOf, spokenText, titleOf } from "./words.ts"

interface View {
  readonly log: boolean
  readonly smooth: number
  readonly with: string
}

/** The state of this page. */
export const keys: Keys<View> = {
  log: switchKey(true),
  smooth: {
    initial: 1,
    write: String,
    read: (text) => smoothings.find((over) => String(over) === text),
  },
  with: { initial: "", write: (id) => id, read: (text) => (/^[0-9a-f]{16}$/.test(text) ? text : undefined) },
}

/** The page. */
export default function Runs({ name }: { readonly name: string }): JSX.Element {
  useEffect(watchRuns, [])
  const list = runs.value
  const first =
    list === undefined || list === "none"
      ? undefined
      : (list.find(({ id }) => id === name) ?? (name === "" ? list[0] : undefined))
  const title = list === "none" ? "Runs" : list?.length === 0 ? "No runs yet" : undefined
  useEffect(() => {
    if (first === undefined) document.title = `${title ?? "Runs"} · trilobite studio`
  }, [title, first?.id])
  if (list === undefined) return <main id="main" class="runs-none" tabindex={-1} aria-busy="true" />
  if (list === "none") return <NoServer />
  if (list.length === 0) return <NoRuns />
  if (first === undefined) {
    return (
      <main id="main" class="runs-none" tabindex={-1}>
        <h1>There is no such run</h1>
        <p class="lede">Its folder may have been moved.</p>
        <Rail runs={list} chosen="" other="" onOther={() => {}} />
      </main>
    )
  }
  return <Watched key={first.id} first={first} list={list} />
}

function NoServer(): JSX.Element {
  return (
    <main id="main" class="runs-none" tabindex={-1}>
      <h1>Runs</h1>
      <p class="lede">Runs are shown by the studio on your own machine, which reads their folders:</p>
      <pre>trilobite studio</pre>
      <p>These pages are a copy without a server. Lessons and the playground work here as they are.</p>
    </main>
  )
}

function NoRuns(): JSX.Element {
  return (
    <main id="main" class="runs-none" tabindex={-1}>
      <h1>No runs yet</h1>
      <p class="lede">
        <code>trilobite train intermediate-net</code> makes one in about 20 seconds.
      </p>
      <p>It appears here as soon as it begins.</p>
    </main>
  )
}

/** A run as it is followed; begun anew when the list says that it was taken up again. */
function useRun(run: Run | undefined): Followed | undefined {
  const [followed, setFollowed] = useState<Followed>()
  useEffect(() => {
    if (run === undefined) return
    return follow(run, setFollowed)
  }, [run?.id])
  if (run === undefined) return undefined
  return followed?.view.id === run.id ? followed : { view: viewOf(run), lostSince: undefined }
}

/** The time, while it matters: redraws every second. */
function useNow(on: boolean): number {
  const now = useSignal(Date.now())
  useEffect(() => {
    if (!on) return
    now.value = Date.now()
    const timer = setInterval(() => (now.value = Date.now()), 1000)
    return () => clearInterval(timer)
  }, [on])
  return now.value
}

function Watched({ first, list }: { readonly first: Run; readonly list: readonly Run[] }): JSX.Element {
  const state = useUrlState(keys)
  const { view, lostSince } = useRun(first)!
  // A run that is taken up again may have another config, which the list has.
  const run = { ...view, config: first.config }
  const second = list.find(({ id }) => id === state.with.value && id !== first.id)
  const other = useRun(second)
  const now = useNow(lostSince !== undefined)
  const last = run.epochs.at(-1)?.epoch
  useEffect(() => {
    document.title = documentTitle(run)
    if (run.state === "running" && last !== undefined) speak(spokenText(run))
  }, [last, run.state, run.name])
  const lost = lostSince !== undefined && now - lostSince > 1500
  return (
    <main id="main" class="runs" tabindex={-1}>
      <Rail runs={list} chosen={first.id} other={second?.id ?? ""} onOther={(id) => (state.with.value = id)} />
      <div class="mid">
        <Head run={run} />
        {lost && (
          <p class="lost" role="status">
            {lostText((now - lostSince) / 1000, run.state === "running")}
          </p>
        )}
        {other && <Compared a={run} b={other.view} />}
        <Curves run={run} other={other?.view} choices={state} hollow={lost} empty={emptyText(run, list)} />
        {run.signals.length > 0 || run.state === "running" ? (
          <>
            <FirstRow run={run} hollow={lost} />
            <ProgressLine run={run} />
            <SecondRow run={run} hollow={lost} />
          </>
        ) : (
          <>
            {run.epochs.length > 0 && (
              <p class="small dim">
                This run was not observed: its folder holds cost and accuracy of its epochs, and no signals.jsonl.
              </p>
            )}
            <ProgressLine run={run} />
          </>
        )}
      </div>
      <Findings run={run.id} findings={findingsOf(run)} checks={checksOf(run)} nothing={nothingText(run)} />
    </main>
  )
}

function nothingText(run: Run): string {
  if (run.state === "running") return "While it trains, what is worth a sentence will appear here."
  return run.epochs.length === 0 ? "There is nothing to look at yet." : "Nothing that would need a change."
}

/** When the first epoch will be there: as long as it took in another run of the same net. */
function emptyText(run: Run, list: readonly Run[]): string {
  if (run.state !== "running") return "No epoch was finished."
  const { net } = configOf(run)
  const like = list.find((other) => other.id !== run.id && configOf(other).net === net && other.epochs.length > 0)
  if (like === undefined) return "The first epoch will appear here when it ends."
  return `The first epoch will appear here in about ${duration(secondsOf(like) / like.epochs.length)}.`
}

function Compared({ a, b }: { readonly a: Run; readonly b: Run }): JSX.Element {
  const [costA, costB] = [a, b].map((run) => netWords[configOf(run).net ?? ""]?.cost)
  return (
    <p class="small compared">
      <b class="this">A</b> {titleOf(a)}, <b class="that">B</b> {titleOf(b)}: validation bold, training thin.
      {costA !== costB &&
        ` Their costs are not the same thing (${costA ?? "unknown"}, ${costB ?? "unknown"}): compare how often they are right.`}{" "}
      What stands below the two charts is A’s.
    </p>
  )
}
