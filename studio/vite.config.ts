// How the studio's pages are built: static files that need no server, and no inline script or style.
import { readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { defineConfig, type Plugin, type UserConfig } from "vite"
import { lessons } from "./src/lessons/list.ts"

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url))

/** The files of the pages, by the addresses that show them first. */
const pages: readonly (readonly [address: string, file: string])[] = [
  ["", "home.tsx"],
  ...lessons.flatMap(({ parts }) => parts.map(({ name }) => [`lessons/${name}`, `lessons/${name}.tsx`] as const)),
  ["playground", "playground/page.tsx"],
  ["runs", "runs/page.tsx"],
  ["data/mnist", "data/page.tsx"],
]

/**
 * A page of its own for every address, so that a host of plain files can serve the studio without knowing of routes, and so
 * that the browser asks for what that page needs before any script has run.
 */
const addresses: Plugin = {
  name: "addresses",
  enforce: "post",
  generateBundle(_, bundle) {
    const page = bundle["index.html"]
    if (page?.type !== "asset") throw new Error("the build has made no index.html")
    const given = String(page.source)
    // The fonts that every page needs at once, so that its text need not be set twice.
    const fonts = Object.keys(bundle)
      .filter((path) => path.includes("-latin-wght-"))
      .map((file) => `<link rel="preload" as="font" type="font/woff2" crossorigin href="./${file}">`)
    if (fonts.length !== 4) throw new Error("fonts.css and this build know other fonts")
    // Files are named from where the page lies, so that the site may be put into any folder of a host.
    const from = (up: string, html: string): string => html.replaceAll('="./', `="${up}`)
    const chunks = Object.values(bundle).filter((part) => part.type === "chunk")
    for (const [address, file] of pages) {
      const chunk = chunks.find(({ facadeModuleId }) =>
        facadeModuleId?.replaceAll("\\", "/").endsWith(`studio/src/${file}`),
      )
      if (chunk === undefined) throw new Error(`the build has no ${file}`)
      const scripts = new Set<string>()
      const styles = new Set<string>()
      const add = (name: string): void => {
        const part = bundle[name]
        if (scripts.has(name) || part?.type !== "chunk") return
        scripts.add(name)
        for (const style of part.viteMetadata?.importedCss ?? []) styles.add(style)
        for (const other of part.imports) add(other)
      }
      add(chunk.fileName)
      const links = [
        ...[...scripts].map((name) => `<link rel="modulepreload" crossorigin href="./${name}">`),
        ...[...styles].map((name) => `<link rel="stylesheet" crossorigin href="./${name}">`),
        // Last, as a browser has six connections: what is asked for first comes first.
        ...fonts,
      ].filter((link) => !given.includes(link.slice(link.indexOf('="./'))))
      const source = given.replace("</head>", `  ${links.join("\n    ")}\n  </head>`)
      if (address === "") page.source = source
      else {
        const up = "../".repeat(address.split("/").length)
        this.emitFile({ type: "asset", fileName: `${address}/index.html`, source: from(up, source) })
      }
    }
    // For addresses that have no file (/runs/1234): at the top of a host it finds its files from everywhere.
    this.emitFile({ type: "asset", fileName: "404.html", source: from("../".repeat(8), given) })
  },
}

/** What every lesson needs: the frame, the controls, and the little that it takes of the library. */
const everywhere = [
  /\/node_modules\/@?preact\//,
  /\/studio\/src\/(?:app|main)\.tsx$/,
  /\/studio\/src\/lessons\/list\.ts$/,
  /\/studio\/src\/ui\/(?!chart|mix-ups|mountain|relief|rings|scales|walk)/,
  /\/src\/(core\/errors|nn\/cost)\.ts$/,
]

/** The licences of the fonts, which must go where the fonts go. */
const licences: Plugin = {
  name: "licences",
  generateBundle() {
    const fonts = ["source-serif-4", "hanken-grotesk", "jetbrains-mono"].map((font) => [
      font,
      here(`../node_modules/@fontsource-variable/${font}/LICENSE`),
    ])
    const all = [...fonts, ["maths-signs (KaTeX)", here("fonts/LICENSE-maths-signs.txt")]]
    const source = all.map(([font, file]) => `${font}\n\n${readFileSync(file!, "utf8")}`).join("\n\n")
    this.emitFile({ type: "asset", fileName: "assets/font-licences.txt", source })
  },
}

const config: UserConfig = defineConfig({
  root: here("."),
  base: "./",
  plugins: [addresses, licences],
  resolve: { alias: [{ find: /^trilobite$/, replacement: here("../src/index.ts") }] },
  build: {
    outDir: here("../dist/studio"),
    emptyOutDir: true,
    target: "es2023",
    assetsInlineLimit: 0,
    // What it adds puts nothing into the page that the security policy would stop, but it is not needed either.
    modulePreload: { polyfill: false },
    rolldownOptions: {
      output: {
        // What every lesson needs in one file: on a slow processor each request costs more than some bytes too many.
        codeSplitting: {
          groups: [
            {
              name: "studio",
              test: (id) => {
                const path = id.replaceAll("\\", "/")
                return everywhere.some((part) => part.test(path))
              },
            },
          ],
        },
      },
    },
  },
  worker: { format: "es" },
  server: {
    headers: { "cross-origin-opener-policy": "same-origin", "cross-origin-embedder-policy": "require-corp" },
  },
})

export default config
