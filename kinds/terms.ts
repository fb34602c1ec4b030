/**
 * Terms of a job: when money moves. The same tag wishes them on a request, states them on a bill and lists them on an
 * announcement; who does not know the tag pays before, as NIP-90 has it.
 * @module
 */
import type { Field, Tag } from './fields.ts'
import { hex, integer, relayUrl, type Value } from './values.ts'

/** `before` and `after` the work, in `parts`, held until the answer is there, or held until a verifier says so. */
export type TermsWord = 'before' | 'after' | 'parts' | 'hold' | 'escrow'

/**
 * What a customer wishes. `parts` is from 1 to 64, `verifier` the public key of who decides. The first `from` parts,
 * fewer than all, were bought elsewhere and come with the job.
 */
export type WishedTerms =
  | { readonly word: 'before' | 'after' | 'hold' }
  | { readonly word: 'parts'; readonly parts: number; readonly from?: number }
  | { readonly word: 'escrow'; readonly verifier: string }

/** What one bill is: for `parts`, the one numbered `part` (from 1) of `parts`. */
export type BilledTerms =
  | { readonly word: 'before' | 'after' | 'hold' }
  | { readonly word: 'parts'; readonly part: number; readonly parts: number }
  | { readonly word: 'escrow'; readonly verifier: string }

const words: ReadonlySet<string> = new Set(['before', 'after', 'parts', 'hold', 'escrow'])
const isWord = (word: string): word is TermsWord => words.has(word)
const count = integer('', 1, 64)
const key = hex('')

const plainOrEscrow = (
  word: TermsWord,
  said: readonly string[],
): Exclude<WishedTerms, { word: 'parts' }> | undefined => {
  if (word === 'parts') return undefined
  if (word !== 'escrow') return { word }
  const verifier = key.read(said)
  return verifier === undefined ? undefined : { word, verifier }
}

/** The tag of a request. A word or number that nobody knows is no wish at all. */
export const wishedTerms: Value<WishedTerms> = {
  form: '<before|after|parts|hold|escrow> <n|verifier pubkey?> <from?>',
  read([word = '', ...said]) {
    if (!isWord(word)) return undefined
    if (word !== 'parts') return plainOrEscrow(word, said)
    const parts = count.read(said)
    if (parts === undefined || said[1] === undefined) return parts === undefined ? undefined : { word, parts }
    const from = count.read(said.slice(1))
    return from === undefined || from >= parts ? undefined : { word, parts, from }
  },
  write: terms =>
    terms.word === 'parts'
      ? [terms.word, String(terms.parts), ...(terms.from === undefined ? [] : [String(terms.from)])]
      : terms.word === 'escrow'
        ? [terms.word, terms.verifier]
        : [terms.word],
}

/** The tag of a bill. */
export const billedTerms: Value<BilledTerms> = {
  form: '<before|after|parts|hold|escrow> <i|verifier pubkey?> <n?>',
  read([word = '', ...said]) {
    if (!isWord(word)) return undefined
    if (word !== 'parts') return plainOrEscrow(word, said)
    const [part, parts] = [count.read(said), count.read(said.slice(1))]
    return part === undefined || parts === undefined || part > parts ? undefined : { word, part, parts }
  },
  write: terms =>
    terms.word === 'parts'
      ? [terms.word, String(terms.part), String(terms.parts)]
      : terms.word === 'escrow'
        ? [terms.word, terms.verifier]
        : [terms.word],
}

/** The tag of an announcement: every word that is taken. */
export const offeredTerms: Value<TermsWord[]> = {
  form: '<before|after|parts|hold|escrow> …',
  read: said => [...new Set(said.slice(0, 100).filter(isWord))],
  write: taken => taken,
}

/** One receiver of a zap split (NIP-57 appendix G). `relay` may be empty; `weight` is a whole number above 0. */
export interface Split {
  readonly pubkey: string
  readonly relay: string
  readonly weight: number
}

const MOST_SPLITS = 8
const MILLION = 1_000_000

/** Millionths, or 0 for what is no weight. */
const weightOf = (said: string): number => {
  const [, whole = '', part = ''] = /^([0-9]{1,7})(?:\.([0-9]{1,6}))?$/.exec(said) ?? []
  return whole === '' ? 0 : Number(whole) * MILLION + Number(part.padEnd(6, '0'))
}

const readSplits = (tags: readonly Tag[]): Split[] => {
  const said = new Map<string, Tag>()
  for (const tag of tags) {
    const pubkey = tag[0] === 'zap' ? key.read(tag.slice(1)) : undefined
    if (pubkey !== undefined && !said.has(pubkey) && said.size < MOST_SPLITS) said.set(pubkey, tag)
  }
  const unweighted = [...said.values()].every(tag => (tag[3] ?? '') === '')
  const found = [...said].map(([pubkey, tag]) => ({
    pubkey,
    relay: relayUrl(tag[2] ?? '') ?? '',
    weight: unweighted ? MILLION : weightOf(tag[3] ?? ''),
  }))
  // Weights stay whole numbers, so that money can be divided by them exactly.
  const unit = found.every(({ weight }) => weight % MILLION === 0) ? MILLION : 1
  return found.filter(({ weight }) => weight > 0).map(split => ({ ...split, weight: split.weight / unit }))
}

/** The receivers of zaps for what an event announces; none where the author alone is paid. */
export const splitsField: Field<Split[]> = {
  id: 'zap',
  tag: 'zap',
  form: '["zap", "<receiver pubkey>", "<relay>", "<weight>"]',
  count: '0..n',
  says: 'Who shares in the money (NIP-57 appendix G), at most 8, each named once. Without any weights all get the same; beside weights, who has none gets nothing.',
  read: readSplits,
  write: splits => splits.map(({ pubkey, relay, weight }) => ['zap', pubkey, relay, String(weight)]),
}

/** A digest and the payment hash whose preimage opens the text that it is of. */
export interface SealedUnder {
  readonly hash: string
  readonly digest: string
}

/** The tag of a result that is sealed under a preimage. */
export const sealedUnder: Value<SealedUnder> = {
  form: '<payment hash> <sha256 of the plain text>',
  read(said) {
    const [hash, digest] = [key.read(said), key.read(said.slice(1))]
    return hash === undefined || digest === undefined ? undefined : { hash, digest }
  },
  write: ({ hash, digest }) => [hash, digest],
}

/** Nonce and tag of AES-256-GCM at least, in base64. */
export const isCiphertext = (text: string): boolean =>
  text.length >= 40 && text.length % 4 === 0 && /^[A-Za-z0-9+/]+={0,2}$/.test(text)
