// Recognises files that are not what their reader expected, by their first bytes. Knows no reader and no format's insides.

/** True for gzip's two magic bytes (RFC 1952). */
export function isGzip(bytes: Uint8Array): boolean {
  return bytes[0] === 0x1f && bytes[1] === 0x8b
}

/** What a file that a reader has refused seems to be, and what to do, as a hint; undefined if it is nothing familiar. */
export function recognise(bytes: Uint8Array): string | undefined {
  if (bytes.length === 0) return "The file is empty: was its download or copy cut short?"
  if (isGzip(bytes)) return "This is compressed (gzip): decompress it first."
  const start = String.fromCharCode(...bytes.subarray(0, 256))
  if (start.startsWith("version https://git-lfs")) {
    return "This is a git-LFS pointer, not the file itself: run `git lfs pull`."
  }
  if (/^(\u00ef\u00bb\u00bf)?\s*<(!doctype|html|head|\?xml|!--)/i.test(start)) {
    return "This is a web page, perhaps the error page of a failed download: download the file again."
  }
  if (start.startsWith("PK\u0003\u0004")) return "This is a zip archive: unpack it first."
  if (start.startsWith("\u0089HDF\r\n")) return "This is an HDF5 file."
  return undefined
}
