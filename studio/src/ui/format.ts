// Numbers as the studio writes them. Knows no page.

const minus = (text: string): string => text.replace(/-/g, "−")

/** A cost: four significant digits, at most four decimals; small ones as a power. */
export function cost(value: number): string {
  if (Number.isNaN(value)) return "not a number"
  if (!Number.isFinite(value)) return value > 0 ? "infinite" : "−infinite"
  const size = Math.abs(value)
  if (size === 0) return "0"
  if (size < 0.0001) {
    const [digits, power] = value.toExponential(1).split("e") as [string, string]
    const raised = [...String(Number(power))].map((c) => (c === "-" ? "⁻" : "⁰¹²³⁴⁵⁶⁷⁸⁹"[Number(c)]!)).join("")
    return minus(`${digits} × 10${raised}`)
  }
  const decimals = Math.max(0, Math.min(4, 3 - Math.floor(Math.log10(size))))
  return minus(value.toFixed(decimals))
}

/** A share as percent. */
export function percent(value: number, decimals = 2): string {
  return Number.isFinite(value) ? `${(100 * value).toFixed(decimals)} %` : "not a number"
}

/** A count, grouped from 1,000 on. */
export function count(value: number): string {
  return value.toLocaleString("en-GB")
}

/** A rate, as it was typed. */
export function rate(value: number): string {
  return minus(String(Number(value.toPrecision(2))))
}

/** A number with its sign, for steps. */
export function signed(value: number, decimals = 2): string {
  if (!Number.isFinite(value)) return cost(value)
  return `${value < 0 ? "−" : "+"}${Math.abs(value).toFixed(decimals)}`
}

/** A plain number with a true minus. */
export function plain(value: number, decimals = 2): string {
  return Number.isFinite(value) ? minus(value.toFixed(decimals)) : cost(value)
}

/** A slope: two decimals, small ones with all their digits. */
export function slope(value: number): string {
  return Math.abs(value) < 0.1 ? cost(value) : plain(value)
}

/** A time, in two units at most. */
export function duration(seconds: number): string {
  if (seconds < 1) return `${Math.round(1000 * seconds)} ms`
  if (seconds < 60) return `${seconds < 10 ? seconds.toFixed(1) : Math.round(seconds)} s`
  const minutes = Math.floor(seconds / 60)
  if (minutes < 60) return `${minutes} min ${String(Math.round(seconds % 60)).padStart(2, "0")} s`
  return `${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, "0")} min`
}

/** A round value without the zeros behind its point. */
export function trimmed(text: string): string {
  return text.replace(/\.(\d*?)0+(?=\D|$)/, (_, digits: string) => (digits === "" ? "" : `.${digits}`))
}
