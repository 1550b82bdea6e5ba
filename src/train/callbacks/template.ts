// Names of files with numbers in them, as Python's format writes them: `{epoch:02d}-{valLoss:.2f}`. Knows no callback.

import { configError, unknownName } from "../../core/errors.ts"
import { canonical } from "../../nn/names.ts"

/** Two braces, which stand for one, or a name in braces with the form of its number. */
const PART = /\{\{|\}\}|\{([^{}:]*)(?::([^{}]*))?\}|[{}]/g
const FORM = /^(0?)(\d{0,2})(?:\.(\d{1,2}))?([df]?)$/

/** Throws E_CONFIG if the text does not follow the rules. */
export function checkTemplate(where: string, template: string): void {
  for (const [part, name, form] of template.matchAll(PART)) {
    const [, , , decimals, kind] = FORM.exec(form ?? "") ?? []
    const known = part === "{{" || part === "}}" || (name !== undefined && name !== "" && kind !== undefined)
    if (known && !(kind === "d" && decimals !== undefined)) continue
    throw configError({
      where,
      what: "this is no name with a form of its number.",
      expected: "{epoch}, {epoch:02d}, {valLoss:.2f}, or {{ for a brace",
      got: part,
    })
  }
}

/** The text with the numbers in it. Throws E_CONFIG if a name is not among them. */
export function filled(where: string, template: string, values: { readonly [name: string]: number }): string {
  return template.replace(PART, (part: string, given?: string, form?: string) => {
    if (given === undefined) return part[0]!
    const name = canonical(given)
    const value = Object.hasOwn(values, name) ? values[name] : undefined
    if (value === undefined) throw unknownName(where, "number", given, Object.keys(values))
    return formed(value, form ?? "")
  })
}

function formed(value: number, form: string): string {
  const [, zero, width, decimals, kind] = FORM.exec(form)!
  const digits = decimals !== undefined ? Number(decimals) : kind === "f" ? 6 : kind === "d" ? 0 : undefined
  const text = digits === undefined ? String(value) : value.toFixed(digits)
  if (zero !== "0") return text.padStart(Number(width))
  const sign = text.startsWith("-") ? "-" : ""
  return sign + text.slice(sign.length).padStart(Number(width) - sign.length, "0")
}
