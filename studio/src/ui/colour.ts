// Colours as numbers, for canvases: read from tokens, mixed, written as pixels and as text.

/** Red, green and blue, each from 0 to 255. */
export type Rgb = readonly [red: number, green: number, blue: number]

/** The parts of a colour that a token names, "#27211a"; a grey for what is none. */
export function rgbOf(colour: string): Rgb {
  const value = Number.parseInt(/^#([0-9a-f]{6})$/i.exec(colour)?.[1] ?? "808080", 16)
  return [value >> 16, (value >> 8) & 255, value & 255]
}

/** What lies between two colours: share 0 is the first. */
export function mixed(a: Rgb, b: Rgb, share: number): Rgb {
  const at = (i: 0 | 1 | 2): number => Math.round(a[i] + (b[i] - a[i]) * share)
  return [at(0), at(1), at(2)]
}

/** A pixel of an image, as a number of 32 bits. */
export const pixelOf = ([r, g, b]: Rgb): number => ((255 << 24) | (b << 16) | (g << 8) | r) >>> 0

/** A colour as CSS text. */
export const cssOf = ([r, g, b]: Rgb): string => `rgb(${r} ${g} ${b})`
