// The cells of a text: what stands between delimiters, or within quotation marks whatever it is.

import Papa from "papaparse"

/** Rows as they were written, and the place of the row whose quotation mark is not closed, if there is one. */
export function cellsOf(
  text: string,
  delimiter: string,
): { readonly rows: readonly (readonly string[])[]; readonly open: number | undefined } {
  const { data, errors } = Papa.parse<string[]>(text, { delimiter })
  const fault = errors.find(({ code }) => code === "MissingQuotes")
  return { rows: data, open: fault && (fault.row ?? 0) }
}
