// A small grey picture as SVG: a path for each of a few shades, in the colour of the text around it. Knows no data set.

/** How many shades of ink there are. */
const SHADES = 8

/** A picture of bytes, 0 (paper) to 255 (ink), row after row, as SVG text. */
export function pictureSvg(bytes: ArrayLike<number>, width: number): string {
  const runs: string[] = new Array(SHADES + 1).fill("")
  const shade = (i: number): number => Math.round(((bytes[i] ?? 0) * SHADES) / 255)
  const height = Math.floor(bytes.length / width)
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; ) {
      const of = shade(y * width + x)
      const from = x
      while (x < width && shade(y * width + x) === of) x++
      runs[of] += `M${from} ${y}h${x - from}v1h-${x - from}z`
    }
  }
  const paths = runs.flatMap((d, k) => {
    return k === 0 || d === "" ? [] : [`<path d="${d}" fill-opacity="${Number((k / SHADES).toFixed(2))}"/>`]
  })
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" fill="currentColor" shape-rendering="crispEdges" aria-hidden="true">${paths.join("")}</svg>`
}
