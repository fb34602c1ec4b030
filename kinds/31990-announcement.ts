/**
 * Kind 31990: a service announces what it does, for whom to pay, and how to reach it.
 * @module
 */
import { lightningAddress } from './0-profile.ts'
import { bad, dialects, good } from './31990-samples.ts'
import { defineKind, ok, present } from './define.ts'
import { each, list, loose, some } from './fields.ts'
import { isRecord, parseJson } from './json.ts'
import { type PostedPrice, postedPrices } from './prices.ts'
import { type Privacy, privacies } from './privacy.ts'
import { whole } from './shapes.ts'
import { offeredTerms, type Split, splitsField, type TermsWord } from './terms.ts'
import { hex, integer, msats, relayList, text } from './values.ts'

/** A model on offer. `contextTokens` is what prompt and answer share; 0 where it is not said. */
export interface OfferedModel {
  readonly name: string
  readonly contextTokens: number
  readonly sha256?: string
  /** Job kinds that it serves. Absent: all of its service. */
  readonly kinds?: readonly number[]
  /** Length of its vectors, where it embeds. */
  readonly dimensions?: number
}

/** What a service says about itself. `priceMsats` is for one job: 0 is free, undefined is negotiable or unsaid. */
export interface Announcement {
  /** `d`: stable name of the service under its key. */
  readonly id: string
  /** Job kinds. */
  readonly kinds: readonly number[]
  readonly topics: readonly string[]
  readonly name: string
  readonly about: string
  readonly picture?: string
  /** Lightning address (LUD-16), where it bills over no other way. */
  readonly lud16?: string
  /** Opens sealed jobs. */
  readonly encrypted: boolean
  readonly priceMsats?: bigint
  readonly models: readonly OfferedModel[]
  /** Lightning node keys (33 bytes hex) that its invoices come from. */
  readonly nodeKeys: readonly string[]
  /** Keys that sign its zap receipts. */
  readonly zappers: readonly string[]
  /** Its node keys are a custodian's and shared with others. */
  readonly custodial: boolean
  /** Where it reads jobs. */
  readonly relays: readonly string[]
  /** Version of the manifest; 0 for a service that has none. */
  readonly v: number
  /** When it lets customers pay. Absent: before the work. */
  readonly terms?: readonly TermsWord[]
  /** Who shares in the money, where not the author alone. */
  readonly splits?: readonly Split[]
  /** Where it is, in a word: `eu`. */
  readonly region?: string
  /** The levels of privacy that it keeps. Absent: see `privacyLevels`. */
  readonly privacy?: readonly Privacy[]
  /** Its determinism class, in a word. */
  readonly determinism?: string
  /** Jobs that it works on at once. */
  readonly slots?: number
  /** Seconds for which it keeps a job after its end, as it says itself. Absent: it does not say. */
  readonly retentionSeconds?: number
  readonly prices?: readonly PostedPrice[]
}

type Json = Readonly<Record<string, unknown>>
const limits = { chars: 131_072, depth: 10, nodes: 16_384 }

const stringOf = (value: unknown, most: number): string => (typeof value === 'string' ? value.slice(0, most) : '')
const strings = (value: unknown): string[] =>
  Array.isArray(value) ? value.slice(0, 64).filter(item => typeof item === 'string') : []
const hexes = (value: unknown, chars: number): string[] =>
  strings(value).filter(item => hex('', chars).read([item]) !== undefined)

const wordOf = (value: unknown): string | undefined => stringOf(value, 64) || undefined
const levelsOf = (value: unknown): Privacy[] | undefined =>
  Array.isArray(value) ? privacies.filter(level => value.slice(0, 64).includes(level)) : undefined
const orNone = <T>(items: readonly T[]): readonly T[] | undefined => (items.length > 0 ? items : undefined)

/** The levels of privacy that a service keeps: what it says, else sealed jobs where it opens them and public ones. */
export const privacyLevels = ({ privacy, encrypted }: Announcement): readonly Privacy[] =>
  privacy ?? (encrypted ? [0, 1] : [0])

/** `amount` of the clients that exist is a string in sats, `free` or `flexible`; ours in msats goes first. */
function priceOf(content: Json, manifest: Json): bigint | undefined {
  const exact = msats.read([stringOf(manifest['price_msats'], 20)])
  if (exact !== undefined) return exact
  const said = content['amount']
  if (said === 'free') return 0n
  const sats = msats.read([typeof said === 'number' ? String(said) : stringOf(said, 20)])
  return sats === undefined || sats > 2_100_000_000_000_000n ? undefined : sats * 1_000n
}

const modelOf = (value: unknown): OfferedModel[] => {
  if (!isRecord(value) || typeof value['name'] !== 'string' || value['name'] === '') return []
  const { name, contextTokens, sha256, kinds, dimensions } = value
  const tokens = typeof contextTokens === 'number' && Number.isSafeInteger(contextTokens) && contextTokens > 0
  const digest = hexes([sha256], 64)[0]
  return [
    present({
      name: name.slice(0, 256),
      contextTokens: tokens ? contextTokens : 0,
      sha256: digest,
      kinds: Array.isArray(kinds) ? kinds.slice(0, 64).flatMap(kind => whole(0, 65_535)(kind) ?? []) : undefined,
      dimensions: whole(1, 65_536)(dimensions),
    }),
  ]
}

const pictureOf = (content: Json): string | undefined =>
  [content['picture'], content['image']]
    .map(value => stringOf(value, 2_048))
    .find(url => /^https?:\/\//i.test(url) && URL.canParse(url))

const amountOf = (price: bigint | undefined): string =>
  price === undefined ? 'flexible' : price === 0n ? 'free' : String((price + 999n) / 1_000n)

const spare = (...values: string[]) => ({ required: false, values })
/** What each kind of work may be told, as NIP-90 clients read it. */
const ownParams: Readonly<Record<number, Json>> = {
  5050: {
    ...{ max_tokens: spare(), temperature: spare(), top_p: spare(), top_k: spare(), seed: spare(), stop: spare() },
    ...{ frequency_penalty: spare(), presence_penalty: spare() },
    ...{ tools: spare(), tool_choice: spare('auto', 'none', 'required', 'function') },
    ...{ response_format: spare('json_object', 'json_schema'), logprobs: spare() },
  },
  5080: { dimensions: spare(), encoding_format: spare('base64', 'float') },
  5081: { top_n: spare() },
  5082: { labels: spare() },
}
const paramsOf = (kinds: readonly number[], models: readonly OfferedModel[]): Json => {
  const known = kinds.flatMap(kind => ownParams[kind] ?? [])
  return known.length === 0 ? {} : Object.assign({ model: spare(...models.map(({ name }) => name)) }, ...known)
}

/** Service announcement (NIP-89 kind 31990, addressable). */
export const handler = defineKind({
  number: 31_990,
  name: 'service announcement',
  says: 'A service names the job kinds it takes. The content is what existing clients read, in both spellings, and our own `manifest`. Repeat it at least monthly: clients hide what is older than 90 days.',
  source: 'NIP-89; NIP-90 appendix 2',
  fields: {
    id: loose('d', text('<id>', 255), 'Stable name of the service. Absent: empty.'),
    kinds: some(
      'k',
      integer('<kind>', 0, 65_535),
      'A job kind that it takes.',
      'At least one kind is named, each a whole number from 0 to 65,535, at most 256.',
      256,
    ),
    topics: each('t', text('<topic>', 255), 'What it is about.'),
    terms: list('terms', offeredTerms, 'When it lets customers pay. Unknown words are left out.'),
    splits: splitsField,
  },
  content:
    'JSON object: `name`, `about`, `picture` = `image`, `lud16`, `supportsEncryption` = `encryptionSupported`, `acceptsNutZaps` = `cashuAccepted`, `amount` (a string in SATS, `free` or `flexible`), `nip90Params`, and `manifest` {`v`, `price_msats` (string), `models` [{`name`, `contextTokens`, `sha256?`, `kinds?`, `dimensions?`}], `nodeKeys`, `zappers`, `custodial`, `relays`, `region?`, `privacy?` (numbers 0 to 3), `determinism?`, `slots?`, `retentionSeconds?`, `prices?` [{`kind`, `model`, `msats` (string), `unit` (`job`, `1k-tokens`, `1k-in`, `1k-out`, `second`, `MB`)}]}.',
  rules: { content: 'The content is a JSON object of at most 131,072 characters.' },
  read({ id = '', kinds, topics, terms, splits }, { content, refuse }) {
    const said = parseJson(content, limits)
    if (!isRecord(said)) return refuse('content')
    const manifest = isRecord(said['manifest']) ? said['manifest'] : {}
    const { v, models } = manifest
    return ok(
      present({
        id,
        kinds,
        topics,
        name: stringOf(said['name'], 256),
        about: stringOf(said['about'], 8_192),
        picture: pictureOf(said),
        lud16: lightningAddress(said['lud16']),
        encrypted: said['supportsEncryption'] === true || said['encryptionSupported'] === true,
        priceMsats: priceOf(said, manifest),
        models: Array.isArray(models) ? models.slice(0, 256).flatMap(modelOf) : [],
        nodeKeys: hexes(manifest['nodeKeys'], 66),
        zappers: hexes(manifest['zappers'], 64),
        custodial: manifest['custodial'] === true,
        relays: relayList.read(strings(manifest['relays'])) ?? [],
        v: typeof v === 'number' && Number.isSafeInteger(v) && v > 0 ? v : 0,
        terms: orNone(terms),
        splits: orNone(splits),
        region: wordOf(manifest['region']),
        privacy: levelsOf(manifest['privacy']),
        determinism: wordOf(manifest['determinism']),
        slots: whole(0, 1_000_000)(manifest['slots']),
        retentionSeconds: whole(0, 10_000_000_000)(manifest['retentionSeconds']),
        prices: orNone(postedPrices(manifest['prices'])),
      }),
    )
  },
  write(value: Announcement) {
    const {
      id,
      kinds,
      topics,
      terms,
      splits,
      name,
      about,
      picture,
      lud16,
      encrypted,
      priceMsats,
      prices,
      ...manifest
    } = value
    const content = {
      name,
      about,
      ...(picture === undefined ? {} : { picture, image: picture }),
      ...(lud16 === undefined ? {} : { lud16 }),
      supportsEncryption: encrypted,
      encryptionSupported: encrypted,
      acceptsNutZaps: false,
      cashuAccepted: false,
      amount: amountOf(priceMsats),
      nip90Params: paramsOf(kinds, manifest.models),
      manifest: {
        ...manifest,
        ...(prices === undefined ? {} : { prices: prices.map(price => ({ ...price, msats: String(price.msats) })) }),
        ...(priceMsats === undefined ? {} : { price_msats: String(priceMsats) }),
      },
    }
    const lists = { kinds: [...kinds], topics: [...topics], terms: [...(terms ?? [])], splits: [...(splits ?? [])] }
    return { fields: { id: id || undefined, ...lists }, content: JSON.stringify(content) }
  },
  good,
  dialects,
  bad,
})
