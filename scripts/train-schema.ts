// Writes the JSON schema of `trilobite train`'s config files: `node scripts/train-schema.ts`.

import { writeFileSync } from "node:fs"
import { jsonSchema } from "../cli/settings.ts"

writeFileSync(new URL("../cli/train.schema.json", import.meta.url), `${JSON.stringify(jsonSchema(), null, 2)}\n`)
