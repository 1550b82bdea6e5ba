// The plots of the scaling study as one SVG, with @observablehq/plot over linkedom (both installed in bench/ only).

import type { Point } from "./scaling.ts"

interface Plot {
  plot(options: object): { readonly outerHTML: string }
  line(data: readonly Point[], options: object): unknown
  dot(data: readonly Point[], options: object): unknown
}
interface Linkedom {
  parseHTML(html: string): { readonly document: unknown }
}

const [WIDTH, HEIGHT, ACROSS] = [360, 260, 3]
const blue = "#1f6fb4"
const grey = "#999999"

/** A panel for each axis: measured (dots) and expected (dashed), both scales logarithmic. Undefined if it cannot draw here. */
export async function drawScaling(points: readonly Point[], caption: string): Promise<string | undefined> {
  const names: readonly string[] = ["@observablehq/plot", "linkedom"]
  const loaded = await Promise.all(names.map((name): Promise<unknown> => import(name))).catch(() => undefined)
  if (loaded === undefined) return undefined
  const [plot, { parseHTML }] = loaded as [Plot, Linkedom]
  const { document } = parseHTML("<!doctype html><html><body></body></html>")
  const axes = [...new Set(points.map(({ axis }) => axis))]
  const panels = axes.map((axis, i) => {
    const own = points.filter((point) => point.axis === axis)
    const place = `translate(${(i % ACROSS) * WIDTH}, ${Math.floor(i / ACROSS) * HEIGHT + 48})`
    return `<g transform="${place}">${panel(plot, document, axis, own)}</g>`
  })
  const [width, height] = [ACROSS * WIDTH, Math.ceil(axes.length / ACROSS) * HEIGHT + 48]
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}"`,
    ` font-family="system-ui, sans-serif" font-size="12"><rect width="100%" height="100%" fill="white"/>`,
    `<text x="12" y="20" font-size="14">Seconds of an epoch: measured (dots), proportional to operations (dashed)</text>`,
    `<text x="12" y="38" fill="#666666">${caption.replaceAll("&", "&amp;").replaceAll("<", "&lt;")}</text>`,
    ...panels,
    "</svg>\n",
  ].join("")
}

function panel(plot: Plot, document: unknown, axis: string, points: readonly Point[]): string {
  const values = points.map(({ value }) => value)
  const svg = plot.plot({
    document,
    width: WIDTH,
    height: HEIGHT,
    marginLeft: 56,
    marginTop: 28,
    x: { type: "log", base: 2, label: axis, ticks: values, tickFormat: (n: number) => `${n}` },
    y: { type: "log", label: "seconds", grid: true, ticks: 4, tickFormat: "~g" },
    marks: [
      plot.line(points, { x: "value", y: "expected", stroke: grey, strokeDasharray: "4 3" }),
      plot.line(points, { x: "value", y: "seconds", stroke: blue }),
      plot.dot(points, { x: "value", y: "seconds", fill: blue, r: 3 }),
    ],
  })
  return svg.outerHTML.replaceAll(/<style>.*?<\/style>/gs, "")
}
