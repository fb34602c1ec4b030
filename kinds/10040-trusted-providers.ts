/**
 * Kind 10040: whose scores somebody believes, and which routers they ask.
 * @module
 */
import { bad, dialects, good } from './10040-samples.ts'
import { defineKind, ok } from './define.ts'
import type { Field, Tag } from './fields.ts'
import { hex, relayUrl } from './values.ts'

/** A scoring service: `what` is kind and tag (`30382:rank`), `relay` where it publishes, empty where unsaid. */
export interface TrustedAssertion {
  readonly what: string
  readonly key: string
  readonly relay: string
}

/** Whom the author trusts, most trusted first; at most 64 of each. */
export interface TrustedProviders {
  readonly assertions: readonly TrustedAssertion[]
  readonly routers: readonly { readonly key: string; readonly relay: string }[]
}

const MOST = 64
const key = hex('')
const isAssertion = (name: string): boolean => /^3038[2-5]:[a-z0-9_]{1,64}$/.test(name)

/** Tags of a name, a key and a relay: what has no key is left out, the same key for the same thing counts once. */
const named = (tags: readonly Tag[], wanted: (name: string) => boolean): TrustedAssertion[] => {
  const found = new Map<string, TrustedAssertion>()
  for (const [what = '', said = '', relay = ''] of tags) {
    const known = wanted(what) ? key.read([said]) : undefined
    const place = `${what} ${known}`
    if (known === undefined || found.has(place) || found.size >= MOST) continue
    found.set(place, { what, key: known, relay: relayUrl(relay) ?? '' })
  }
  return [...found.values()]
}

const assertionsField: Field<TrustedAssertion[]> = {
  id: 'assertions',
  form: '["30382:rank", "<service pubkey>", "<relay?>"]',
  count: '0..n',
  says: 'Whose assertions of which kind and tag count (NIP-85). What names no key is left out; the first 64 count.',
  read: tags => named(tags, isAssertion),
  write: said => said.map(item => [item.what, item.key, item.relay]),
}

const routersField: Field<{ readonly key: string; readonly relay: string }[]> = {
  id: 'routers',
  form: '["router", "<router pubkey>", "<relay?>"]',
  count: '0..n',
  says: 'A router to ask. What names no key is left out; the first 64 count.',
  read: tags => named(tags, name => name === 'router').map(({ key: router, relay }) => ({ key: router, relay })),
  write: said => said.map(item => ['router', item.key, item.relay]),
}

/** Trusted providers (NIP-85 kind 10040, replaceable). */
export const trustedProviders = defineKind({
  number: 10_040,
  name: 'trusted providers',
  says: 'Whom somebody trusts for scores and routes. It may be sealed to oneself, because it tells whom one asks.',
  source: 'NIP-85; gridstr',
  alt: 'Trusted score providers and routers',
  fields: { assertions: assertionsField, routers: routersField },
  content:
    'Empty, or the ciphertext of a JSON list of the private tags for the author alone. Without an `encrypted` tag the content is ignored and the public part counts.',
  rules: {},
  seal: 'tags',
  read: found => ok(found),
  write: ({ assertions, routers }: TrustedProviders) => ({
    fields: { assertions: [...assertions], routers: [...routers] },
  }),
  good,
  dialects,
  bad,
})
