// A process that saves checkpoints and may be killed in any system call, or that wants a run's folder. Asked for by reliability.test.ts.
import { writeSync } from "node:fs"
import { checkpointName, keepNewest, makeFolder } from "../src/formats/node-checkpoints.ts"
import { saveFile } from "../src/formats/node-file.ts"

const [what, folder, given] = process.argv.slice(2) as [string, string, string]

if (what === "save") {
  // A file that is good as a whole, so that only saving is tried: the number of its save over and over.
  makeFolder(folder)
  for (let step = 1; step <= Number(given); step++) {
    const name = checkpointName(step)
    saveFile(`${folder}/${name}`, new Uint8Array(20_000).fill(step))
    writeSync(1, `saved ${step}\n`)
    keepNewest(folder, name, 1, checkpointName(1))
  }
  // What the process does to end itself is another thing, and not the same each time.
  writeSync(1, "done\n")
} else {
  const { takePlace } = await import("../cli/run-lock.ts")
  process.setMaxListeners(0)
  process.stdin.on("data", (round) => {
    let answer = "won"
    try {
      takePlace(`${folder}/${String(round).trim()}/live.json`)
    } catch (error) {
      answer = (error as { code: string }).code
    }
    writeSync(1, `${answer}\n`)
  })
  process.stdin.on("end", () => process.exit())
  writeSync(1, "ready\n")
}
