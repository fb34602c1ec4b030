/**
 * What `gridstr run` and the module that it loads into a program tell each other by the environment.
 * @module
 */

/** Names in the environment. */
export const marks = {
  /** JSON list: the options of the session, as they are typed. Never a secret. */
  settings: 'GRIDSTR_RUN',
  /** Addresses whose calls are answered, with spaces between. */
  bases: 'GRIDSTR_RUN_BASES',
  /** A file that is written when a Node program has begun. */
  reached: 'GRIDSTR_RUN_REACHED',
} as const

/** Where programs send their calls when nobody tells them otherwise: a name that resolves nowhere. */
export const ownBase = 'http://gridstr.invalid/v1'
export const openaiBase = 'https://api.openai.com/v1'

/** A call of one of these addresses, or of what lies under it. */
export function isMarketCall(url: string, bases: readonly string[]): boolean {
  if (!URL.canParse(url)) return false
  const { host, pathname } = new URL(url)
  return bases.some(base => {
    if (!URL.canParse(base)) return false
    const one = new URL(base)
    const path = one.pathname.replace(/\/+$/, '')
    return one.host === host && (pathname === path || pathname.startsWith(`${path}/`))
  })
}
