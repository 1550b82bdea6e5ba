// The table of faults, in the order of causes. Knows every rule.

import type { FaultCode } from "../finding.ts"
import { dataRules } from "./data.ts"
import { knobRules } from "./knobs.ts"
import { pairingRules } from "./pairing.ts"
import { resultRules } from "./results.ts"
import { classes, type FaultClass, type Rule } from "./rule.ts"
import { startRules } from "./start.ts"
import { stepRules } from "./steps.ts"

/** All rules, causes before what follows from them: by class, and within a class in the order of their files. */
export const rules: readonly Rule[] = classes.flatMap((name) =>
  [...dataRules, ...pairingRules, ...startRules, ...knobRules, ...stepRules, ...resultRules].filter(
    (rule) => rule.class === name,
  ),
)

/** The class of a fault: the first in which it is looked for. */
export function classOf(code: FaultCode): FaultClass {
  return rules.find((rule) => rule.code === code)!.class
}
