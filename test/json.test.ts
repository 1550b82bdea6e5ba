// The strict JSON scanner: agrees with JSON.parse on what is good, refuses what JSON.parse lets through, says where.
import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { TrilobiteError } from "../src/core/errors.ts"
import {
  asArray,
  asCount,
  asNumber,
  asObject,
  asString,
  type JsonValue,
  jsonLimits,
  parseJson,
} from "../src/core/json.ts"
import { errorOf, expectError } from "./support/errors.ts"
import { generator, mutant } from "./support/mutate.ts"

describe("parseJson", () => {
  const deep = (n: number): string => "[".repeat(n) + "]".repeat(n)
  const cases: [string, string, string, RegExp][] = [
    ["J1 empty", "", "c.json:1:1", /this is empty/],
    ["J1 white space", " \n ", "c.json:2:2", /this is empty/],
    ["J2 line comment", '{\n  "a": 1, // one\n}', "c.json:2:11", /no comments/],
    ["J2 block comment", "/* a */ {}", "c.json:1:1", /no comments/],
    [
      "J2 trailing comma in an object",
      '{\n  "a": 1,\n}',
      "c.json:3:1",
      /line 3, column 1 \(character 12\).*trailing commas/,
    ],
    ["J2 trailing comma in a list", "[1,]", "c.json:1:4", /trailing commas/],
    ["J3 duplicate key", '{"a": 1, "b": 2, "a": 3}', "c.json:1:18", /"a" occurs twice/],
    ["J3 duplicate key through escapes", '{"a": 1, "\\u0061": 3}', "c.json:1:10", /"a" occurs twice/],
    ["J4 __proto__", '{"__proto__": {}}', "c.json:1:2", /"__proto__" is not allowed/],
    ["J4 __proto__ as escapes", '[{"\\u005f_proto__": 1}]', "c.json:1:3", /"__proto__" is not allowed/],
    ["J4 constructor", '{"a": [{"b": {"constructor": 1}}]}', "c.json:1:15", /"constructor" is not allowed/],
    ["J4 prototype as escapes", '{"prototyp\\u0065": 1}', "c.json:1:2", /"prototype" is not allowed/],
    ["J7 1e400", '{"lr": 1e400}', "c.json:1:8", /"1e400" is too large/],
    ["J7 -1e400", "-1e400", "c.json:1:1", /too large/],
    ["J8 depth 65", deep(65), "c.json:1:65", /deeper than 64 levels/],
    ["J8 depth 100000", deep(100_000), "c.json:1:65", /deeper than 64 levels/],
    ["J8 deep objects", '{"a":'.repeat(100_000), "c.json:1:321", /deeper than 64 levels/],
    ["J9 100 MB", " ".repeat(104_857_600), "c.json", /too long.*at most 4194304 characters, got 104857600/],
    ["byte order mark", "\ufeff{}", "c.json:1:1", /byte order mark/],
    ["single quotes", "{'a': 1}", "c.json:1:2", /double quotes/],
    ["bare name", "{a: 1}", "c.json:1:2", /"a" where a name in quotes/],
    ["no colon", '{"a" 1}', "c.json:1:6", /"1" where ":"/],
    ["no comma", '["a" 1]', "c.json:1:6", /where "," or "\]"/],
    ["wrong bracket", "[1}", "c.json:1:3", /where "," or "\]"/],
    ["text after the end", "{} {}", "c.json:1:4", /after the end/],
    ["open object", '{"a": 1', "c.json:1:8", /unexpected end/],
    ["open string", '"abc', "c.json:1:1", /does not end/],
    ["open escape", '"abc\\', "c.json:1:5", /not a JSON escape/],
    ["line break in a string", '"a\nb"', "c.json:1:3", /control character/],
    ["unknown escape", '"\\x41"', "c.json:1:2", /not a JSON escape/],
    ["short escape", '"\\u12"', "c.json:1:2", /not a JSON escape/],
    ["half a surrogate pair", '"\\ud800x"', "c.json:1:1", /surrogate/],
    ["NaN", '{"a": NaN}', "c.json:1:7", /no NaN or Infinity/],
    ["-Infinity", "[-Infinity]", "c.json:1:2", /no NaN or Infinity/],
    ["leading zero", "[01]", "c.json:1:2", /not a JSON number/],
    ["hexadecimal", "[0x10]", "c.json:1:2", /not a JSON number/],
    ["separator", "[1_000]", "c.json:1:2", /not a JSON number/],
    ["no digits after the point", "[1.]", "c.json:1:2", /not a JSON number/],
    ["plus", "[+1]", "c.json:1:2", /where a JSON value was expected/],
    ["word", "[truely]", "c.json:1:6", /where "," or/],
    ["escape codes of a terminal", "\u001b[31m", "c.json:1:1", /unexpected "\\u001b"/],
  ]
  test.each(cases)("%s is refused", (_, text, where, message) => {
    expectError(() => parseJson(text, "c.json"), "E_CONFIG", where, message)
  })

  test("objects have no prototype, at any depth, and those of the language stay as they are", () => {
    const before = Object.getOwnPropertyNames(Object.prototype).length
    const value = parseJson('{"a": [{"toString": 1}]}', "t") as { a: { toString: number }[] }
    expect(Object.getPrototypeOf(value)).toBe(null)
    expect(Object.getPrototypeOf(value.a[0])).toBe(null)
    expect(value.a[0]!.toString).toBe(1)
    expect(Object.getOwnPropertyNames(Object.prototype).length).toBe(before)
  })

  test("limits and code are the caller's", () => {
    expect(parseJson("[".repeat(64) + "]".repeat(64), "t")).toBeDefined()
    expectError(() => parseJson("[[]]", "t", { depth: 1, length: 9 }, "E_MODEL"), "E_MODEL", "t:1:2", /deeper than 1/)
    expectError(() => parseJson("          ", "t", { depth: 1, length: 9 }, "E_MODEL"), "E_MODEL", "t", /at most 9/)
    expect(jsonLimits).toEqual({ depth: 64, length: 4_194_304 })
  })

  test("agrees with JSON.parse on every value", () => {
    const same = (text: string): void => {
      const value = parseJson(text, "t")
      expect(JSON.stringify(value)).toBe(JSON.stringify(JSON.parse(text)))
    }
    fc.assert(
      fc.property(fc.json({ stringUnit: "binary" }), (text) => {
        // fast-check makes half surrogate pairs and forbidden keys too: those are the only refusals.
        if (/\\u[dD][89a-fA-F]|__proto__|constructor|prototype/.test(text) || /\p{Surrogate}/u.test(text)) return
        same(text)
      }),
      { numRuns: 500, seed: 1 },
    )
    for (const text of [
      ' { "a" : [ 1 , -0 , 1.5e-3 , 1E2 ] }\r\n\t',
      '"\\u00e9\\ud83d\\ude00\\"\\\\\\/\\b\\f\\n\\r\\t"',
      "null",
      "-0",
    ])
      same(text)
    expect(Object.is(parseJson("-0", "t"), -0)).toBe(true)
  })
})

describe("types", () => {
  const config = asObject(
    parseJson('{"lr": "0.1", "n": 1.5, "big": 9007199254740993, "s": 1, "l": {}}', "c"),
    "c",
    "E_CONFIG",
  )
  const at = (key: string): JsonValue => config[key]!
  test.each([
    ["J6 a number in quotes", () => asNumber(at("lr"), "lr", "E_CONFIG"), "lr", /a number, got "0.1".*without quotes/],
    ["a fraction as a count", () => asCount(at("n"), "n", "E_CONFIG"), "n", /whole number.*got 1.5/],
    ["a count beyond 2^53", () => asCount(at("big"), "big", "E_CONFIG"), "big", /2\^53/],
    ["a negative count", () => asCount(-1, "n", "E_CONFIG"), "n", /got -1/],
    ["a number as a string", () => asString(at("s"), "s", "E_CONFIG"), "s", /a string, got 1/],
    ["an object as a list", () => asArray(at("l"), "l", "E_CONFIG"), "l", /a list/],
    ["a list as an object", () => asObject([1], "o", "E_CONFIG"), "o", /an object, got \[1\]/],
    ["null as an object", () => asObject(null, "o", "E_CONFIG"), "o", /an object, got null/],
  ])("%s is refused", (_, action, where, message) => {
    expectError(action, "E_CONFIG", where, message)
  })

  test("what fits is given back", () => {
    expect(asNumber(1.5, "n", "E_CONFIG")).toBe(1.5)
    expect(asString("a", "s", "E_CONFIG")).toBe("a")
    expect(asArray([1], "a", "E_CONFIG")).toEqual([1])
    expect(Object.is(asCount(-0, "n", "E_CONFIG"), 0)).toBe(true)
    expect(asCount(2 ** 53 - 1, "n", "E_CONFIG")).toBe(2 ** 53 - 1)
  })
})

describe("fuzz", () => {
  test("damaged texts are refused with a place, or mean what JSON.parse says", () => {
    const seeds = [
      '{"name":"net","layers":[{"units":64,"rate":0.5},{"units":10}],"x":null}',
      '[1,-2.5e3,"a\\u00e9\\n",true,[[]],{}]',
    ]
    const bytes = seeds.map((seed) => new TextEncoder().encode(seed))
    const next = generator(7)
    let refused = 0
    for (let i = 0; i < 5000; i++) {
      const text = new TextDecoder().decode(mutant(bytes[next(2)]!, bytes[next(2)]!, next))
      let value: JsonValue
      try {
        value = parseJson(text, "fuzz")
      } catch (error) {
        if (!(error instanceof TrilobiteError && error.code === "E_CONFIG")) throw error
        expect(error.where).toMatch(/^fuzz:\d+:\d+$/)
        refused++
        continue
      }
      expect(JSON.stringify(value)).toBe(JSON.stringify(JSON.parse(text)))
    }
    expect(refused).toBeGreaterThan(2500)
    expect(refused).toBeLessThan(5000)
    expect(errorOf(() => parseJson("{", "t")).exitCode).toBe(3)
  })
})
