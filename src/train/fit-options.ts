// What the options of fit must be together, beyond what each of them is: callbacks that are called, options that go with each other and with
// the data. Loaded when a model is trained or examined.

import { checkKeys, configError, nearest, show } from "../core/errors.ts"
import { hooks } from "./callbacks/callback.ts"
import type { readFitOptions } from "./options.ts"

type Read = ReturnType<typeof readFitOptions>

/** Throws E_CONFIG for options that exclude each other or say nothing about this kind of data, and callbacks with unknown functions. */
export function checkFitOptions(read: Read, streamed: boolean): void {
  checkStreamed(read, streamed)
  checkOpen(read)
  read.callbacks.forEach((callback, i) => {
    for (const [key, value] of Object.entries(callback)) {
      if (!key.startsWith("on")) continue
      if ((hooks as readonly string[]).includes(key)) {
        if (value === undefined || typeof value === "function") continue
        const where = `fit.callbacks[${i}].${key}`
        throw configError({ where, what: "this cannot be called.", expected: "a function", got: show(value) })
      }
      const near = nearest(key, hooks)
      throw configError({
        where: `fit.callbacks[${i}]`,
        what: `${key} is never called.`,
        expected: `functions named ${hooks.join(", ")}`,
        ...(near === undefined ? {} : { hint: `Did you mean ${near}?` }),
      })
    }
  })
  if (typeof read.coach === "object") checkKeys("fit.coach", read.coach, ["onFinding", "advisor"])
  if (read.resume !== undefined && read.initialEpoch !== 0) {
    const hint = "Leave initialEpoch out: the training goes on where it was."
    throw configError({ where: "fit", what: "resume and initialEpoch exclude each other.", hint })
  }
  if (read.validationSplit > 0 && read.validationData !== undefined) {
    throw configError({
      where: "fit",
      what: "validationSplit and validationData exclude each other.",
      hint: "Leave one of them out.",
    })
  }
}

/** Throws E_CONFIG unless the number of epochs can be found out. */
function checkOpen(read: Read): void {
  if (read.epochs !== "auto") return
  const where = "fit.epochs"
  if (!validates(read)) {
    const hint = "Give validationData or validationSplit, or a number of epochs."
    throw configError({ where, what: '"auto" goes by the cost of validation rows, and there are none.', hint })
  }
  if (read.validationFreq === 1) return
  const hint = "Leave validationFreq out, or give a number of epochs."
  throw configError({ where, what: '"auto" needs validation after every epoch.', hint })
}

const validates = (read: Read): boolean => read.validationData !== undefined || read.validationSplit > 0

/** Throws E_CONFIG for options that say nothing about this kind of data. */
function checkStreamed(read: Read, streamed: boolean): void {
  if (streamed && read.validationSplit > 0) {
    const hint = "Give other rows as validationData."
    throw configError({ where: "fit", what: "validationSplit divides data in memory, not a data set.", hint })
  }
  if (streamed && read.sampleWeight !== undefined) {
    const hint = "Give w beside x and y, or batches [inputs, targets, weights]."
    throw configError({ where: "fit", what: "the weights of a data set come with it.", hint })
  }
  for (const name of ["validationSteps", "validationBatchSize"] as const) {
    if (read[name] === undefined || validates(read)) continue
    throw configError({ where: "fit", what: `${name} does nothing without validation.`, hint: "Give validationData." })
  }
  if (streamed || read.shuffleBuffer === undefined) return
  const what = "shuffleBuffer is for data sets, not for data in memory."
  throw configError({ where: "fit", what, hint: "Leave it out." })
}
