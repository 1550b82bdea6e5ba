// Where the pages begin: styles, the theme, the policy of what may become a script, the first page.

import "./fonts.css"
import "./tokens.css"
import "./style.css"
import { render } from "preact"
import { App, load } from "./app.tsx"
import { allowOwnScripts } from "./engine/trusted.ts"
import { restoreTheme } from "./ui/theme.ts"
import { pathNow } from "./ui/url.ts"

allowOwnScripts()
restoreTheme()
// Before there is text: a font that is first met in a layout is not there for it, even if its file is.
for (const face of document.fonts) if (face.family.includes("Studio")) face.load().catch(() => {})
void load(pathNow()).then((first) => render(<App first={first} />, document.getElementById("app")!))
