// The operations that layers, losses and metrics of the user's own are written with: re-exports only.

export * from "./compose.ts"
export * from "./ops.ts"
export * from "./places.ts"
export { scan } from "./scan.ts"
