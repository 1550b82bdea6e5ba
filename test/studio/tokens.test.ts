// The colours of the studio: what stands on what can be read (WCAG 2.2), in both themes, from tokens.css itself.
import { readFileSync } from "node:fs"
import { describe, expect, test } from "vitest"

const css = readFileSync(new URL("../../studio/src/tokens.css", import.meta.url), "utf8")

/** The colours of a block that begins with this selector. */
function tokens(selector: string): ReadonlyMap<string, string> {
  const block = css.slice(css.indexOf(`${selector} {`))
  return new Map(
    [...block.slice(0, block.indexOf("}")).matchAll(/--([\w-]+): (#[0-9a-f]{6});/g)].map((m) => [m[1]!, m[2]!]),
  )
}

const light = tokens(":root")
const dark = new Map([...light, ...tokens(':root[data-theme="dark"]')])

function luminance(colour: string): number {
  const [r, g, b] = [1, 3, 5].map((i) => {
    const v = Number.parseInt(colour.slice(i, i + 2), 16) / 255
    return v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4
  })
  return 0.2126 * r! + 0.7152 * g! + 0.0722 * b!
}

function contrast(a: string, b: string): number {
  const [high, low] = [luminance(a), luminance(b)].sort((x, y) => y - x) as [number, number]
  return (high + 0.05) / (low + 0.05)
}

describe.each([
  ["light", light],
  ["dark", dark],
])("%s", (_, theme) => {
  const on = (ground: string, ink: string): number => contrast(theme.get(ground)!, theme.get(ink)!)

  test.each(["ink", "ink-2", "ink-3", "ember"])("%s is text: 4.5 on all three papers", (ink) => {
    for (const ground of ["paper", "paper-raised", "paper-sunk"]) expect(on(ground, ink)).toBeGreaterThanOrEqual(4.5)
  })

  test.each(["pos", "neg", "this", "that", "ok", "watch", "fault", "info"])("%s is text on paper: 4.5", (ink) => {
    expect(on("paper", ink)).toBeGreaterThanOrEqual(4.5)
  })

  test.each([1, 2, 3, 4, 5, 6])("layer %i is text on paper: 4.5", (layer) => {
    expect(on("paper", `layer-${layer}`)).toBeGreaterThanOrEqual(4.5)
  })

  test.each(["rule-strong", "ember-fill"])("%s draws lines and shapes: 3", (line) => {
    for (const ground of ["paper", "paper-raised", "paper-sunk"]) expect(on(ground, line)).toBeGreaterThanOrEqual(3)
  })
})

test("the figures of the art direction are those of the file", () => {
  expect(contrast(light.get("paper")!, light.get("ink")!)).toBeCloseTo(14.9, 1)
  expect(contrast(dark.get("paper")!, dark.get("ember")!)).toBeCloseTo(8.4, 1)
  expect(contrast(light.get("paper")!, light.get("rule")!)).toBeLessThan(1.5)
})
