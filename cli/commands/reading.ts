// The flags of commands that read a table: how its text is laid out.

import { type Command, Option } from "commander"
import { parseFlag, settings } from "../settings.ts"

/** How the text of a table is laid out. */
export interface ReadingOptions {
  readonly delimiter?: string
  readonly header?: boolean
}

/** Adds these flags to a command. */
export function addReadingOptions(command: Command): Command {
  for (const name of ["delimiter", "header"] as const) {
    const setting = settings.find((one) => one.name === name)!
    const option = new Option(`--${name} <${setting.value}>`, `${setting.description} (default: found out)`)
    command.addOption(option.argParser((text) => parseFlag(setting, text)))
  }
  return command
}
