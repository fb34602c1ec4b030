/**
 * What a verification says: one line for each thing that was tried, and one word over all of them.
 * @module
 */

/** One thing that was tried. `null`: it could not be, and `says` names what was missing. */
export interface Check {
  readonly name: string
  readonly ok: boolean | null
  /** One sentence. May repeat strangers' words. */
  readonly says: string
}

/** What became of one event. `ok`: every check holds; false: one failed; null: none failed and one could not be made. */
export interface Report {
  readonly ok: boolean | null
  readonly kind: number
  readonly what: string
  readonly checks: readonly Check[]
}

/** What the checks know besides what was fetched. Times are unix seconds. */
export interface Tools {
  readonly verify: (event: import('../../../kinds/index.ts').Event) => boolean
  readonly now: number
  /** Coins that payments are made in; unsaid: those of the invoice at hand. */
  readonly network?: 'mainnet' | 'testnet' | 'signet' | 'regtest' | 'simnet'
}

export const check = (name: string, ok: boolean | null, says: string): Check => ({ name, ok, says })

/** The word over all: a failure outweighs what is unknown, and nothing tried is nothing known. */
export function verdictOf(checks: readonly Check[]): boolean | null {
  if (checks.some(({ ok }) => ok === false)) return false
  return checks.length > 0 && checks.every(({ ok }) => ok === true) ? true : null
}

/** What was found out about one of several: a fault, something missing, or nothing wrong. */
export type Found = { readonly ok: false | null; readonly says: string } | undefined

/** One check over several: the first fault counts, else the first thing that was missing, else `fine`. */
export function over(name: string, found: readonly Found[], fine: string): Check {
  const bad = found.find(one => one?.ok === false)
  const open = bad ?? found.find(one => one?.ok === null)
  return open ? check(name, open.ok, open.says) : check(name, true, fine)
}

export const wrong = (says: string): Found => ({ ok: false, says })
export const unknown = (says: string): Found => ({ ok: null, says })

/** The first digits of an id or key. */
export const brief = (id: string): string => id.slice(0, 8)

/** `1 entry`, `2 entries`. */
export const count = (many: number, one: string, more = `${one}s`): string => `${many} ${many === 1 ? one : more}`
