// Progress in the terminal, with Keras's look: one line that moves for each epoch. Knows events and a stream of text.

import type { FitEvent, Logs } from "./events.ts"

/** Where text goes: a terminal, a pipe, a console. */
export interface Output {
  write(text: string): unknown
  readonly isTTY?: boolean | undefined
  readonly columns?: number | undefined
}

/** 0: nothing, 1: a moving line for each epoch, 2: one line when an epoch has ended. */
export type Verbosity = 0 | 1 | 2

/** Columns where the width is not known. */
const WIDTH = 80

/** Characters to be kept free for a logged number, such as 1.2345e-4, and for the times of an epoch. */
const NUMBER = 9
const TIMES = " - 59m 59s - 999 ms/round, 999 µs/sample".length

/** Writes events as progress lines. Only a terminal gets the line that moves. */
export function progressWriter(output: Output, verbosity: Verbosity): (event: FitEvent) => void {
  if (verbosity === 0) return () => {}
  let plan = { epochs: 0, rounds: 0, rows: 0, batchSize: 0 }
  let done = 0 // rounds of the epoch
  let open = false // a moving line stands there, without its end
  const live = verbosity === 1 && output.isTTY === true
  const width = (): number => output.columns || WIDTH
  return (event) => {
    switch (event.type) {
      case "trainBegin":
        plan = event
        return
      case "epochBegin":
        output.write(`Epoch ${event.epoch + 1}/${event.epochs ?? plan.epochs}\n`)
        return
      case "progress": {
        done = event.round
        if (!live) return
        const left = event.round === 0 ? 0 : (event.seconds / event.round) * (plan.rounds - event.round)
        const bar = barText(event.round, plan.rounds, width())
        // The last column stays free: some terminals break the line when it is written.
        const time = left === Number.POSITIVE_INFINITY ? secondsText(event.seconds) : `ETA: ${secondsText(left)}`
        output.write(`\r\x1b[2K${cut([bar, time, ...logParts(event.logs)], width() - 1)}`)
        open = true
        return
      }
      case "epochEnd": {
        const known = Number.isFinite(plan.rounds)
        const rounds = known ? plan.rounds : done
        const bar = barText(rounds, rounds, width())
        const times = timeParts(event.seconds, rounds, known ? plan.rows : done * plan.batchSize)
        output.write(`${open ? "\r\x1b[2K" : ""}${layOut(bar, times, event.logs, width())}\n`)
        open = false
        return
      }
      case "trainEnd":
        if (open) output.write("\n")
        open = false
        return
      default:
    }
  }
}

/** `469/469 [==========]`, with an arrow where it stands; `469` alone while nobody knows how many there are. */
function barText(round: number, rounds: number, width: number): string {
  if (rounds === Number.POSITIVE_INFINITY) return `${round}`
  const cells = width >= 100 ? 30 : width >= 80 ? 20 : 10
  const full = rounds === 0 ? cells : Math.floor((cells * round) / rounds)
  const bar = full >= cells ? "=".repeat(cells) : `${"=".repeat(full)}>${".".repeat(cells - full - 1)}`
  return `${String(round).padStart(String(rounds).length)}/${rounds} [${bar}]`
}

/** The time of an epoch, of a round and of an example: the chapter's notebooks print the last one as "us/step". */
function timeParts(seconds: number, rounds: number, samples: number): string[] {
  const perRound = `${significant((1000 * seconds) / rounds)} ms/round`
  return [secondsText(seconds), `${perRound}, ${significant((1e6 * seconds) / samples)} µs/sample`]
}

function logParts(logs: Logs): string[] {
  return Object.entries(logs).map(([name, value]) => `${name}: ${logNumber(value)}`)
}

/** A loss or metric with four decimals, small ones in powers of ten. */
export function logNumber(value: number): string {
  return value !== 0 && Math.abs(value) < 0.001 ? value.toExponential(4) : value.toFixed(4)
}

function significant(x: number): string {
  return x >= 100 ? x.toFixed(0) : Number(x.toPrecision(2)).toString()
}

/** Seconds as a person reads them: 0s, 12s, 3m 5s. */
export function secondsText(seconds: number): string {
  const whole = Math.round(seconds)
  return whole < 60 ? `${whole}s` : `${Math.floor(whole / 60)}m ${whole % 60}s`
}

/**
 * Times and logs on one line where there is room for the longest numbers, else the logs on lines of their own: the break
 * is at the same place in every epoch.
 */
function layOut(bar: string, times: readonly string[], logs: Logs, width: number): string {
  const parts = logParts(logs)
  const longest = Object.keys(logs).reduce((n, name) => n + " - : ".length + name.length + NUMBER, 0)
  if (bar.length + TIMES + longest <= width) return [bar, ...times, ...parts].join(" - ")
  const lines = [[bar, ...times].join(" - ")]
  let line = ""
  for (const part of parts) {
    if (line !== "" && line.length + " - ".length + part.length > width) {
      lines.push(line)
      line = ""
    }
    line = line === "" ? `    ${part}` : `${line} - ${part}`
  }
  return (line === "" ? lines : [...lines, line]).join("\n")
}

/** The first parts, as many as fit on one line. */
function cut(parts: readonly string[], width: number): string {
  let line = ""
  for (const part of parts) {
    const longer = line === "" ? part : `${line} - ${part}`
    if (longer.length > width) break
    line = longer
  }
  return line
}

/** Where this process writes: its standard output if it has one, else the console. */
export function consoleOutput(): Output {
  const { process } = globalThis as { process?: { stdout?: Output } }
  return process?.stdout ?? { write: (text) => console.log(text.replace(/\n$/, "")) }
}
