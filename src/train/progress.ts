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

/** Columns that lines are kept within where the width is not known. */
const WIDTH = 80

/** Writes events as progress lines. */
export function progressWriter(output: Output, verbosity: Verbosity): (event: FitEvent) => void {
  let plan = { epochs: 0, rounds: 0, rows: 0, batchSize: 0 }
  let open = false // a moving line stands there, without its end
  const live = verbosity === 1 && output.isTTY === true
  const width = output.columns ?? WIDTH
  const close = (): void => {
    if (open) output.write("\n")
    open = false
  }
  const finish = (seconds: number, logs: Logs, round: number): void => {
    const bar = barText(round, plan.rounds, width)
    const text = wrap([bar, ...timeParts(seconds, round, samplesOf(round)), ...logParts(logs)], width)
    output.write(`${open ? "\r\x1b[2K" : ""}${text}\n`)
    open = false
  }
  const samplesOf = (round: number): number => Math.min(plan.rows, round * plan.batchSize)
  if (verbosity === 0) return () => {}
  return (event) => {
    switch (event.type) {
      case "trainBegin":
        plan = event
        return
      case "epochBegin":
        output.write(`Epoch ${event.epoch + 1}/${plan.epochs}\n`)
        return
      case "progress": {
        if (!live) return
        const left = event.round === 0 ? 0 : (event.seconds / event.round) * (plan.rounds - event.round)
        const parts = [barText(event.round, plan.rounds, width), `ETA: ${secondsText(left)}`, ...logParts(event.logs)]
        output.write(`\r\x1b[2K${cut(parts, width - 1)}`)
        open = true
        return
      }
      case "epochEnd":
        finish(event.seconds, event.logs, plan.rounds)
        return
      case "trainEnd":
        close()
        return
      default:
    }
  }
}

/** `469/469 [==========]`, with an arrow where it stands. */
function barText(round: number, rounds: number, width: number): string {
  const cells = width >= 120 ? 30 : 20
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

/** Parts joined by dashes, on as many lines as they need. */
function wrap(parts: readonly string[], width: number): string {
  const lines: string[] = []
  let line = ""
  for (const part of parts) {
    const longer = line === "" ? part : `${line} - ${part}`
    if (line !== "" && longer.length > width) {
      lines.push(line)
      line = `    ${part}`
    } else line = longer
  }
  return [...lines, line].join("\n")
}

/** As many parts as fit on one line. */
function cut(parts: readonly string[], width: number): string {
  return parts.reduce((line, part) => (line.length + part.length + 3 > width ? line : `${line} - ${part}`))
}

/** Where this process writes: its standard output if it has one, else the console. */
export function consoleOutput(): Output {
  const { process } = globalThis as { process?: { stdout?: Output } }
  return process?.stdout ?? { write: (text) => console.log(text.replace(/\n$/, "")) }
}
