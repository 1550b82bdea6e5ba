// What a worker thread does: holds instances of modules and runs their entries. It is sent to workers as text, so that
// no bundler, path or loader stands between a worker and its code; hence it must use nothing from outside itself.

/** What a worker is told. */
export type Order =
  | {
      readonly kind: "load"
      readonly key: number
      readonly module: WebAssembly.Module
      readonly memory: WebAssembly.Memory
    }
  | {
      readonly kind: "run"
      readonly key: number
      readonly id: number
      readonly entry: string
      readonly args: readonly number[]
    }
  | { readonly kind: "drop"; readonly key: number }

/** What a worker answers to a run. */
export type Answer =
  | { readonly id: number; readonly result: number }
  | { readonly id: number; readonly failure: string }

/** Obeys the orders of a port for ever. */
export function obey(port: { on(listener: (order: Order) => void): void; post(answer: Answer): void }): void {
  const instances = new Map<number, WebAssembly.Instance>()
  port.on((order) => {
    if (order.kind === "load") {
      instances.set(order.key, new WebAssembly.Instance(order.module, { env: { memory: order.memory } }))
    } else if (order.kind === "drop") instances.delete(order.key)
    else {
      try {
        const entry = instances.get(order.key)?.exports[order.entry] as (...args: number[]) => number
        port.post({ id: order.id, result: entry(...order.args) })
      } catch (error) {
        port.post({ id: order.id, failure: String(error) })
      }
    }
  })
}
