/**
 * What answers to a job have in common: the job they belong to, the customer, and the money they ask for.
 * @module
 */
import { ok, present } from './define.ts'
import { broken, type Field, loose, maybe, type Tag } from './fields.ts'
import { isHex } from './hex.ts'
import type { Event, Read, Refusal } from './kind.ts'
import { isCiphertext, type SealedUnder, sealedUnder } from './terms.ts'
import { amount, hex, integer, msats, text, type Value } from './values.ts'

const isId = (value: string | undefined): value is string => value !== undefined && isHex(value, 64)
const ids = (tags: readonly Tag[], name: string): Tag[] => tags.filter(tag => tag[0] === name && isId(tag[1]))

/** The job that an event names: its `e` with the marker `job` wherever it stands, else its first `e`. Works on sealed events. */
export function jobIdOf(event: Pick<Event, 'tags'>): string | undefined {
  const named = ids(event.tags, 'e')
  return (named.find(tag => tag.indexOf('job', 2) > 0) ?? named[0])?.[1]
}

/** The field that ties an answer to its job. */
export const jobField = (rule: string): Field<string> => ({
  id: 'e',
  tag: 'e',
  form: '["e", "<job id>"]',
  count: '1',
  says: 'The job. From others: the `e` with the marker `job` at any place, else the first one; empty relays are fine.',
  rule,
  read: tags => jobIdOf({ tags }) ?? broken,
  write: job => [['e', job]],
})

const customerIn = (tags: readonly Tag[], author: string): string | undefined => {
  const named = ids(tags, 'p')
  return (named.find(tag => tag[1] !== author) ?? named[0])?.[1]
}

/** The customer: the first `p` that is not the author (NDK names the provider first, nostr-dvm says it twice). */
export const customerField: Field<string | undefined> = {
  id: 'p',
  tag: 'p',
  form: '["p", "<customer pubkey>"]',
  count: '0..1',
  says: 'The customer. From others: the first `p` that is not the author of the event.',
  read: customerIn,
  write: customer => (customer === undefined ? [] : [['p', customer]]),
}

/** The customer, where an answer without one is none. */
export const neededCustomerField = (rule: string): Field<string> => ({
  ...customerField,
  count: '1',
  rule,
  read: (tags, author) => customerIn(tags, author) ?? broken,
  write: customer => [['p', customer]],
})

const usage: Value<{ readonly promptTokens: number; readonly outputTokens: number }> = {
  form: '<prompt tokens> <output tokens>',
  read(values) {
    const [prompt, output] = values.slice(0, 2).map(value => integer('', 0, 1_000_000_000).read([value]))
    return prompt === undefined || output === undefined ? undefined : { promptTokens: prompt, outputTokens: output }
  },
  write: ({ promptTokens, outputTokens }) => [String(promptTokens), String(outputTokens)],
}

/**
 * A delivered text. `msats` is there only where something is owed; `digest` is the sha256 of the text. With `sealedUnder`
 * the text is base64 of nonce and ciphertext, which the preimage of its payment hash opens.
 */
export interface TextResult {
  readonly job: string
  readonly customer: string
  /** The request as the provider copied it: JSON of an event with the job's id, its signature unchecked. */
  readonly request?: string
  readonly text: string
  readonly msats?: bigint
  readonly bolt11?: string
  readonly model?: string
  readonly usage?: { readonly promptTokens: number; readonly outputTokens: number }
  readonly digest?: string
  readonly status?: 'success'
  readonly sealedUnder?: SealedUnder
  /** Why the answer ends: it was complete, it reached a limit, or tools are to be called. */
  readonly finish?: Finish
  /** What the customer paid beyond the cost, kept by the provider for it. */
  readonly creditMsats?: bigint
  /** Id of the manifest (38630) of the text, where it was too large for the event; the content is empty then. */
  readonly chunked?: string
  /** Sealed, with all that is said beside the text in the ciphertext too. Only for customers who know that form. */
  readonly hidden?: true
}

/** Why an answer ends. */
export type Finish = 'stop' | 'length' | 'tool-calls'

const finishes: ReadonlySet<string> = new Set(['stop', 'length', 'tool-calls'])
const finish: Value<Finish> = {
  form: '<stop|length|tool-calls>',
  read: ([said = '']) => (finishes.has(said) ? (said as Finish) : undefined),
  write: said => [said],
}

/** A tag without values. */
const bare: Value<true> = { form: '', read: () => true, write: () => [] }

/** The fields of every job result. */
export const resultFields = {
  job: jobField('A result names its job by 64 lower-case hex digits.'),
  customer: neededCustomerField('A result names its customer by 64 lower-case hex digits.'),
  request: loose(
    'request',
    text('<request as JSON>', 262_144),
    'The request, copied. Ignored where it is no JSON object with the id of the job.',
  ),
  amount: loose('amount', amount, 'What is owed; "0" is paid or free. We always write it.'),
  status: loose('status', text('success', 64), 'Only `success` says something.'),
  model: loose('model', text('<name>'), 'The model that answered.'),
  usage: loose('usage', usage, 'Counted in tokens of that model.'),
  digest: loose('x', hex('<sha256 of the text>'), 'Left out of a sealed result, where it would confirm a guess.'),
  sealedUnder: loose(
    'sealed-under',
    sealedUnder,
    'The content is base64 of a 12-byte nonce and AES-256-GCM ciphertext; the key is HKDF-SHA256 of the preimage, salt the payment hash, info "gridstr result". On a sealed result the tag stands bare and its values come before the content, each followed by a space, inside the ciphertext.',
  ),
  finish: loose('finish', finish, 'Why the answer ends.'),
  creditMsats: loose(
    'credit',
    msats,
    'What was paid beyond the cost: the provider keeps it for the customer. Public where the result is not `hidden`, as the amount is.',
  ),
  chunked: loose(
    'chunked',
    hex('<manifest id>'),
    'The text is in chunks (4635), as this manifest (38630) says; the content is empty. The id tells nothing of the text: a sealed manifest names its payload by a keyed digest.',
  ),
  hidden: loose(
    'hidden',
    bare,
    'On a sealed result: every tag but `p`, `e`, `relays`, `expiration`, `nonce`, `routing` and `quote` is in the ciphertext, as a JSON list of tags and a line break before the text. Written to customers whose request says `privacy` 1 or more: `usage`, `finish` and `credit` together would tell the limit that they asked for, `model` and `amount` what they wanted. To others the ciphertext is of the bare text, and these tags stay public.',
  ),
  foreign: maybe(
    's',
    { form: '', read: () => undefined, write: () => [] },
    'Never written.',
    'An event with an `s` tag is a status of another protocol, not a result.',
  ) satisfies Field<undefined>,
}

interface FoundResult {
  readonly job: string
  readonly customer: string
  readonly request: string | undefined
  readonly amount: { readonly msats?: bigint; readonly bolt11?: string } | undefined
  readonly status: string | undefined
  readonly model: string | undefined
  readonly usage: TextResult['usage'] | undefined
  readonly digest: string | undefined
  readonly sealedUnder: SealedUnder | undefined
  readonly finish: Finish | undefined
  readonly creditMsats: bigint | undefined
  readonly chunked: string | undefined
  readonly hidden: true | undefined
}

/** Looks like JSON of an event with this id, as JavaScript and Python space it; whoever uses the copy parses and verifies it. */
const isCopyOf = (request: string, job: string): boolean =>
  request.startsWith('{') &&
  request.endsWith('}') &&
  (request.includes(`"id":"${job}"`) || request.includes(`"id": "${job}"`))

/** Reads the fields of any result whose content is text. */
export function readTextResult(
  found: FoundResult,
  { content }: { content: string; refuse(rule: never): Refusal },
): Read<TextResult> {
  const { job, customer, request, amount: owed, status, model, usage, digest, sealedUnder: under, ...rest } = found
  return ok(
    present({
      job,
      customer,
      request: request !== undefined && isCopyOf(request, job) ? request : undefined,
      text: content,
      msats: owed?.msats,
      bolt11: owed?.bolt11,
      model,
      usage,
      digest,
      status: status === 'success' ? ('success' as const) : undefined,
      sealedUnder: under,
      ...rest,
    }),
  )
}

/** Writes the fields of any result whose content is text. */
export const writeTextResult = ({ text: content, msats: owed, bolt11, ...rest }: TextResult) => {
  // In chunks the ciphertext is elsewhere.
  if (rest.sealedUnder !== undefined && rest.chunked === undefined && !isCiphertext(content))
    throw new TypeError('sealed-under: the text of a result under a preimage is base64 of nonce and ciphertext.')
  return { fields: { ...rest, amount: { msats: owed ?? 0n, ...(bolt11 === undefined ? {} : { bolt11 }) } }, content }
}
