// The entry `trilobite/worker`: a script that makes a web worker one of the engine's. Only for pages whose content security
// policy forbids workers from blob: URLs; everywhere else the engine brings its workers itself.

import { obey } from "./backend/wasm/worker.ts"

obey({
  on: (listener) => {
    self.onmessage = (event: MessageEvent) => listener(event.data as Parameters<typeof listener>[0])
  },
  post: (answer, transfer) => self.postMessage(answer, { transfer }),
})
