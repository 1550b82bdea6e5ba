// What the page and its training worker say to each other.

/** From the page. */
export type FromPage =
  | { readonly type: "start"; readonly id: number; readonly name: string; readonly params: unknown }
  | { readonly type: "tell"; readonly id: number; readonly message: unknown }
  | { readonly type: "stop"; readonly id: number }

/** From the worker. */
export type FromWorker =
  | { readonly type: "event"; readonly id: number; readonly event: unknown }
  | { readonly type: "ended"; readonly id: number }
  | { readonly type: "failed"; readonly id: number; readonly message: string }

/** What a job is given beside its parameters. */
export interface Context<M> {
  readonly signal: AbortSignal
  /** Hears of what the page tells. */
  onMessage(listener: (message: M) => void): void
}

/** A job: events one after another, until it ends or is stopped. */
export type Job<P, E, M = never> = (params: P, context: Context<M>) => AsyncIterable<E>

/** What a job takes and tells, for the page. */
export interface Signature<P, E, M = never> {
  readonly params: P
  readonly event: E
  readonly message: M
}

/** The signature of a job. */
export type SignatureOf<J> = J extends Job<infer P, infer E, infer M> ? Signature<P, E, M> : never
