// `npm run verify:examples`: trains every example in full (test/examples.test.ts runs some shorter) and says whether each reaches its
// target, and whether the coach is silent about the long ones: they are healthy. Ends with exit code 1 if not. Takes some minutes on a
// quiet machine.

import { addition } from "../examples/addition.ts"
import { deepMnist } from "../examples/deep-mnist.ts"
import { diabetes } from "../examples/diabetes.ts"
import { fashionConvnet } from "../examples/fashion-convnet.ts"
import { fashion } from "../examples/fashion-mnist.ts"
import { iris } from "../examples/iris.ts"
import { languages } from "../examples/languages.ts"
import { lenet } from "../examples/lenet.ts"
import { type Effort, type Outcome, report } from "../examples/support.ts"
import { coach, type Finding } from "../src/index.ts"

type Example = (effort: Effort) => Promise<Outcome | undefined | readonly Outcome[]>

const examples: readonly Example[] = [lenet, fashionConvnet, languages, addition, deepMnist, fashion, iris, diabetes]
for (const example of examples) {
  const start = performance.now()
  const faults: Finding[] = []
  const heard = coach({
    onFinding: (finding) => {
      if (finding.kind === "fault") faults.push(finding)
    },
  })
  for (const outcome of [await example({ callbacks: [heard] })].flat()) report(outcome)
  for (const { code, epoch, saw } of faults) {
    console.log(`FAILED the coach took it for sick: ${code} after epoch ${epoch === null ? 0 : epoch + 1}: ${saw}`)
    process.exitCode = 1
  }
  console.log(`       in ${((performance.now() - start) / 1000).toFixed(0)} s`)
}
