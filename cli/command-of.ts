// The command that trains a run once more, from its config. Knows no command's work.

import { isNetName, nets } from "./nets.ts"
import { quoted } from "./run-folder.ts"
import { flagOf, settings, usualSettings } from "./settings.ts"

/**
 * The command that trains what a config says, from scratch: what differs from the defaults as flags; undefined for what is no config.
 */
export function commandOf(config: { readonly [name: string]: unknown }): string | undefined {
  const { net, data, numerics } = config
  const usual: { readonly [name: string]: unknown } =
    typeof net === "string" && isNetName(net) ? { ...nets[net], seed: 0 } : usualSettings()
  const isNet = typeof net === "string" && isNetName(net)
  const subject = isNet ? net : data
  if (typeof subject !== "string") return undefined
  const flags = settings.flatMap(({ name }): string[] => {
    const value = config[name]
    if (name === "data" || value === undefined || value === null) return []
    if (JSON.stringify(value) === JSON.stringify(usual[name])) return []
    return [`${flagOf(name)} ${quoted(flagText(value))}`]
  })
  if (isNet && typeof data === "string") flags.push(`--data ${quoted(data)}`)
  if (numerics === "fused") flags.push("--numerics fused")
  return ["trilobite train", quoted(subject), ...flags].join(" ")
}

/** A value as its flag takes it. */
export function flagText(value: unknown): string {
  if (Array.isArray(value)) return value.length === 0 ? "none" : value.join(",")
  if (typeof value === "boolean") return value ? "on" : "off"
  return String(value)
}
