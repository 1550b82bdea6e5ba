// Formulas as they are written on one line, set in the browser's own MathML: readers of screens can walk through them.

import { isValidElement, type JSX } from "preact"

type Part = JSX.Element | string | number

/** What is set upright. */
const functions = new Set(["ln", "sin", "tanh"])
/** What a part of a formula is, and how far it stands from a neighbour that is no operator, in em. */
type Kind = "quantity" | "function" | "word" | "operator"
const gaps = { quantity: 0, function: 0.17, word: 0.25 } as const
const powers: Readonly<Record<string, JSX.Element>> = {
  "²": <mn>2</mn>,
  "³": <mn>3</mn>,
  "′": <mo lspace="0">′</mo>,
}
const lows = "₀₁₂₃₄₅₆₇₈₉"
const tokens = /\d[\d.,]*|\p{L}{2,}(?: \p{L}{2,})*|\S/gu

/**
 * A formula: `` maths`C = (y − ŷ)²` ``. One letter is a quantity, longer words are words or functions, `_` lowers what
 * follows, and what is put in may be a number, a word or a part made by `term`.
 */
export function maths(texts: TemplateStringsArray, ...parts: readonly Part[]): JSX.Element {
  return <math>{parse(texts, parts)}</math>
}

/** A part of a formula, in the colour of its class. */
export function term(tone?: "ember" | "that" | "this") {
  return (texts: TemplateStringsArray, ...parts: readonly Part[]): JSX.Element => (
    <mrow class={tone}>{parse(texts, parts)}</mrow>
  )
}

/** The learning rate, in its colour. */
export const etaTerm: JSX.Element = term("ember")`η`

/** An operator; the types of Preact lack some of its attributes. */
const mo = (token: string, how: object): JSX.Element => <mo {...how}>{token}</mo>

function parse(texts: TemplateStringsArray, parts: readonly Part[]): JSX.Element[] {
  const out: JSX.Element[] = []
  let lower = false
  let last: Kind = "operator"
  const put = (element: JSX.Element, kind: Kind = "quantity"): void => {
    if (lower) out.push(<msub>{[out.pop()!, element]}</msub>)
    else {
      const gap = last === "operator" || kind === "operator" ? 0 : Math.max(gaps[last], gaps[kind])
      if (gap > 0) out.push(<mspace width={`${gap}em`} />)
      out.push(element)
    }
    lower = false
    last = kind
  }
  const raise = (power: JSX.Element): void => void out.push(<msup>{[out.pop()!, power]}</msup>)
  const operator = (token: string): void => {
    if ("([⌈".includes(token)) put(mo(token, { stretchy: "false" }), "operator")
    else if (")]⌉‖".includes(token)) {
      put(mo(token, { stretchy: "false" }), "operator")
      last = "quantity"
    } else if (token === "/") put(mo(token, { lspace: "0", rspace: "0" }), "operator")
    else put(mo(token, last === "operator" || last === "function" ? { form: "prefix" } : {}), "operator")
  }
  texts.forEach((text, i) => {
    for (const [token] of text.matchAll(tokens)) {
      if (token === "_") lower = true
      else if (powers[token]) raise(powers[token])
      else if (lows.includes(token)) out.push(<msub>{[out.pop()!, <mn>{lows.indexOf(token)}</mn>]}</msub>)
      else if (functions.has(token)) put(<mi mathvariant="normal">{token}</mi>, "function")
      else if (/^\d/.test(token)) put(<mn>{token}</mn>)
      else if (/^\p{L}$/u.test(token)) put(<mi>{token}</mi>)
      else if (/^\p{L}/u.test(token)) put(<mtext>{token}</mtext>, "word")
      else if (token === "∂") put(<mi mathvariant="normal">∂</mi>)
      else operator(token)
    }
    const part = parts[i]
    if (isValidElement(part)) put(part)
    else if (typeof part === "number") put(<mn>{part}</mn>)
    else if (part !== undefined) put(<mtext>{part}</mtext>, "word")
  })
  return out
}
