// Signals and closed outputs as one AbortSignal for a training. Knows no training.

/** The exit codes of the ways in which a training is interrupted: 128 + the signal's number. */
const codes = { SIGHUP: 129, SIGINT: 130, SIGPIPE: 141, SIGTERM: 143 } as const

/** What interrupts a training. */
export interface Interrupt {
  readonly signal: AbortSignal
  /** The exit code once there was an interruption. */
  readonly exitCode: number | undefined
  /** Stops watching. */
  close(): void
}

/**
 * Watches for Ctrl-C (SIGINT), SIGTERM, a closed terminal (SIGHUP) and a reader of our output that has gone: the first
 * aborts the signal, the second signal ends the process at once.
 */
export function watchInterrupts(onFirst: () => void): Interrupt {
  const controller = new AbortController()
  let exitCode: number | undefined
  const stop = (code: number): void => {
    if (exitCode !== undefined) return
    exitCode = code
    controller.abort()
  }
  const onSignal = (name: NodeJS.Signals): void => {
    const code = codes[name as keyof typeof codes]
    if (exitCode !== undefined) process.exit(code)
    stop(code)
    onFirst()
  }
  const onClosed = (): void => stop(codes.SIGPIPE)
  const names = ["SIGINT", "SIGTERM", "SIGHUP"] as const
  for (const name of names) process.on(name, onSignal)
  process.stdout.on("error", onClosed)
  return {
    signal: controller.signal,
    get exitCode() {
      return exitCode
    },
    close: () => {
      for (const name of names) process.off(name, onSignal)
      process.stdout.off("error", onClosed)
    },
  }
}
