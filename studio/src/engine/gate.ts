// Pausing a training: a callback waits at the gate while it is shut.

/** A gate that the page shuts and opens. */
export interface Gate {
  /** Waits while the gate is shut, and no longer than until the training is stopped. */
  pass(): Promise<void>
  shut(): void
  open(): void
}

/** A gate that is open; the signal opens it for good. */
export function gate(signal: AbortSignal): Gate {
  let opened: Promise<void> | undefined
  let release = (): void => {}
  const open = (): void => {
    release()
    opened = undefined
  }
  signal.addEventListener("abort", open)
  return {
    pass: async () => {
      while (opened !== undefined && !signal.aborted) await opened
    },
    shut: () => {
      opened ??= new Promise((resolve) => {
        release = resolve
      })
    },
    open,
  }
}
