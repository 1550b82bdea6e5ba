// `npm run verify:examples`: trains every example in full (test/examples.test.ts runs some shorter) and says whether each reaches its
// target; ends with exit code 1 if one does not. Takes some minutes on a quiet machine.

import { addition } from "../examples/addition.ts"
import { deepMnist } from "../examples/deep-mnist.ts"
import { diabetes } from "../examples/diabetes.ts"
import { fashionConvnet } from "../examples/fashion-convnet.ts"
import { fashion } from "../examples/fashion-mnist.ts"
import { iris } from "../examples/iris.ts"
import { languages } from "../examples/languages.ts"
import { lenet } from "../examples/lenet.ts"
import { type Outcome, report } from "../examples/support.ts"

type Example = () => Promise<Outcome | undefined | readonly Outcome[]>

const examples: readonly Example[] = [lenet, fashionConvnet, languages, addition, deepMnist, fashion, iris, diabetes]
for (const example of examples) {
  const start = performance.now()
  for (const outcome of [await example()].flat()) report(outcome)
  console.log(`       in ${((performance.now() - start) / 1000).toFixed(0)} s`)
}
