// Those who follow runs, and how they are told: server-sent events (`RunEvents`). Knows no requests and no folders.
//
// A run that is followed has one watcher, and is read once however many follow it; what is to be told is put into bytes once, and all who
// are as far get the same bytes, what has come together in one write. Who has not taken what was sent gets no more until he has: nothing
// is kept for him but how far he is in the list of epochs, which all share, and of the states only the latest is told.

import type { Socket } from "node:net"
import type { Epoch, RunStatus } from "./api.ts"
import type { Source } from "./runs.ts"

/** Bytes from which on a piece of epochs is sent: the most that waits for a follower, but for one event. */
const PIECE = 2 ** 16
/** Looks at a follower that has taken nothing, a heartbeat apart, until it is dropped. */
const PATIENCE = 3

/** Those who follow the runs of a server. */
export interface Followers {
  /** Tells what happens in a run after an epoch, until the socket is closed. */
  add(socket: Socket, source: Source, after: number): void
}

/** Nobody yet. Every so many milliseconds all get a sign of life. */
export function createFollowers(heartbeat: number): Followers {
  const tellings = new Map<Source, Telling>()
  const all = new Set<Follower>()
  let beats: NodeJS.Timeout | undefined
  const beat = (): void => {
    for (const follower of all) {
      const { socket, taken } = follower
      follower.taken = socket.bytesWritten
      follower.patience = socket.writableLength > 0 && follower.taken === taken ? follower.patience - 1 : PATIENCE
      if (follower.patience === 0) socket.destroy()
      else if (!socket.writableNeedDrain) socket.write(":\n\n")
    }
  }
  return {
    add: (socket, source, after) => {
      const telling = tellings.get(source) ?? createTelling(source)
      tellings.set(source, telling)
      const follower = telling.add(socket, after)
      all.add(follower)
      beats ??= setInterval(beat, heartbeat)
      socket.on("close", () => {
        if (telling.remove(follower)) tellings.delete(source)
        all.delete(follower)
        if (all.size > 0) return
        clearInterval(beats)
        beats = undefined
      })
    },
  }
}

/** Somebody who follows a run. */
interface Follower {
  readonly socket: Socket
  /** How many epochs it was told of, of the list as it is after it was written anew so many times. */
  next: number
  rewritten: number
  /** The state that it was told last. */
  state: Buffer | undefined
  /** Bytes that it had taken at the last look, and how many more looks may find the same. */
  taken: number
  patience: number
}

/** What is told of a run, while anybody follows it. */
interface Telling {
  add(socket: Socket, after: number): Follower
  /** True if it was the last. */
  remove(follower: Follower): boolean
}

const RESET = Buffer.from("event: reset\nid: 0\ndata: {}\n\n")

function createTelling(source: Source): Telling {
  const followers = new Set<Follower>()
  /** How the run stands, as an event. */
  let latest = Buffer.alloc(0)
  let piece = { from: -1, length: -1, rewritten: -1, next: -1, bytes: latest }
  /** The epochs from one on, as many as go together; kept for the next who is as far. */
  const pieceFrom = (from: number): typeof piece => {
    const { epochs, rewritten } = source
    const { length } = epochs
    if (piece.from === from && piece.length === length && piece.rewritten === rewritten) return piece
    const signals = source.signals()
    let [next, text] = [from, ""]
    while (next < length && text.length < PIECE) {
      const epoch = epochs[next++]!
      text += eventsOf(epoch, signals.get(epoch.epoch))
    }
    piece = { from, length, rewritten, next, bytes: Buffer.from(text) }
    return piece
  }
  /** Writes as long as somebody takes it. */
  const tell = (follower: Follower): void => {
    const { socket } = follower
    if (follower.rewritten !== source.rewritten && !socket.writableNeedDrain) {
      Object.assign(follower, { next: 0, rewritten: source.rewritten, state: undefined })
      socket.write(RESET)
    }
    while (follower.next < source.epochs.length && !socket.writableNeedDrain) {
      const { next, bytes } = pieceFrom(follower.next)
      follower.next = next
      socket.write(bytes)
    }
    if (follower.state !== latest && follower.next === source.epochs.length && !socket.writableNeedDrain) {
      follower.state = latest
      socket.write(latest)
    }
  }
  const look = (): void => {
    const { state, begun, result, problem, findings } = source.read()
    const status: RunStatus = { state, begun, result, problem, findings }
    const now = Buffer.from(`event: state\ndata: ${JSON.stringify(status)}\n\n`)
    if (!now.equals(latest)) latest = now
    for (const follower of followers) tell(follower)
  }
  look()
  const leave = source.follow(look)
  return {
    add: (socket, after) => {
      // Who has seen more epochs than there are has seen those of an earlier try.
      const isStale = after > (source.epochs.at(-1)?.epoch ?? 0)
      const next = source.epochs.filter(({ epoch }) => epoch <= after).length
      const rewritten = isStale ? -1 : source.rewritten
      const follower: Follower = { socket, next, rewritten, state: undefined, taken: 0, patience: PATIENCE }
      followers.add(follower)
      socket.on("drain", () => tell(follower))
      tell(follower)
      return follower
    },
    remove: (follower) => {
      followers.delete(follower)
      if (followers.size > 0) return false
      leave()
      return true
    },
  }
}

/** An epoch as events: what was observed of it comes first, so that who has the epoch has both. */
function eventsOf(epoch: Epoch, signals: string | undefined): string {
  const seen = signals === undefined ? "" : `event: signals\ndata: ${signals}\n\n`
  return `${seen}event: epoch\nid: ${epoch.epoch}\ndata: ${JSON.stringify(epoch)}\n\n`
}
