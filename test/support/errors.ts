// What tests of bad input assert: the kind of an error, its place and its wording.
import { expect } from "vitest"
import { type ErrorCode, TrilobiteError } from "../../src/core/errors.ts"

/** The TrilobiteError that an action throws; the test fails if it throws anything else, or nothing. */
export function errorOf(action: () => unknown): TrilobiteError {
  try {
    action()
  } catch (error) {
    if (error instanceof TrilobiteError) return error
    throw error
  }
  throw new Error("nothing was thrown")
}

/** Asserts an error's code and place, that it says what to do, that its message fits, and that it is one line. */
export function expectError(action: () => unknown, code: ErrorCode, where: string, message: RegExp): void {
  const error = errorOf(action)
  expect(error.code, error.message).toBe(code)
  expect(error.where, error.message).toContain(where)
  expect(error.hint ?? error.expected, error.message).toBeTruthy()
  expect(error.message).toMatch(message)
  // biome-ignore lint/suspicious/noControlCharactersInRegex: none of them may reach a terminal
  expect(error.message).not.toMatch(/[\u0000-\u001f\u007f-\u009f]/)
}

/** Asserts an error's code and that its message has these words. */
export function expectWords(action: () => unknown, code: ErrorCode, ...words: string[]): void {
  const error = errorOf(action)
  expect(error.code, error.message).toBe(code)
  for (const word of words) expect(error.message).toContain(word)
}

/** The code and the message of the TrilobiteError with which an action fails; the test fails if it does not, or otherwise. */
export async function codeOf(action: () => unknown): Promise<{ readonly code: string; readonly message: string }> {
  try {
    await action()
  } catch (error) {
    if (error instanceof TrilobiteError) return { code: error.code, message: error.message }
    throw error
  }
  throw new Error("nothing was thrown")
}
