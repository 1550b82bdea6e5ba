// The settings of trainings on tables as flags of commands: all of them, or how the text of a table is laid out.

import { type Command, Option } from "commander"
import { flagOf, parseFlag, type Setting, settings } from "../settings.ts"

/** A setting as a flag; `short` is another name of it: `--lr, `. */
export function settingFlag(setting: Setting, words: string, short = ""): Option {
  const flags = `${short}${flagOf(setting.name)} <${setting.value}>`
  return new Option(flags, words).argParser((text) => parseFlag(setting, text))
}

/** Adds all settings but the data, which are the argument of commands. */
export function addSettings(command: Command): Command {
  for (const setting of settings) {
    if (setting.name === "data") continue
    command.addOption(settingFlag(setting, setting.description, setting.name === "learningRate" ? "--lr, " : ""))
  }
  return command
}

/** How the text of a table is laid out. */
export interface ReadingOptions {
  readonly delimiter?: string
  readonly header?: boolean
}

/** Adds these flags to a command. */
export function addReadingOptions(command: Command): Command {
  for (const name of ["delimiter", "header"] as const) {
    const setting = settings.find((one) => one.name === name)!
    command.addOption(settingFlag(setting, `${setting.description} (default: found out)`))
  }
  return command
}
