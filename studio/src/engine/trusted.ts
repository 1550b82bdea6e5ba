// What may become a script where the security policy asks for trusted types: files of this site alone.

interface TrustedTypes {
  createPolicy(name: string, rules: { createScriptURL(url: string): string }): unknown
}

/** Lets workers be made from files of this site. Call it once in a page, and once in a worker that makes others. */
export function allowOwnScripts(): void {
  const { trustedTypes } = globalThis as { readonly trustedTypes?: TrustedTypes }
  trustedTypes?.createPolicy("default", {
    createScriptURL: (url) => {
      if (new URL(url, location.href).origin === location.origin) return url
      throw new TypeError(`no script of another site: ${url}`)
    },
  })
}
