// Where the site lies on its host: it may be put into any folder.

/** The path of the site's folder without its last slash: "" at the top of a host. */
export const root: string =
  import.meta.env?.BASE_URL === "./" ? new URL("..", import.meta.url).pathname.replace(/\/$/, "") : ""
