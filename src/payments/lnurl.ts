/**
 * Pays nodes that have only a Lightning address (LUD-16, LUD-06): asks their payment service for an invoice and believes
 * nothing of it but what the invoice itself says. A client; it never listens.
 * @module
 */
import { isRecord, parseJson } from '../../kinds/json.ts'
import { type Clock, seconds } from '../clock.ts'
import { readInvoice } from './bolt11.ts'
import { isHash, proves, sha256Hex } from './hash.ts'
import { fetchGet, GetFault, type HttpGet, publicUrl } from './lnurl/get.ts'
import type { Bill, Network } from './payment.ts'

export { fetchGet, type HttpGet } from './lnurl/get.ts'

export interface LnurlOptions {
  readonly clock: Clock
  /** How to ask; the default looks at addresses in Node and is `fetch` in a browser. */
  readonly get?: HttpGet
  /** Lets a test reach its own machine, without TLS. */
  readonly loopback?: boolean
}

export type LnurlRule =
  | ('bad-address' | 'bad-url' | 'private-address' | 'redirect' | 'too-large' | 'timeout' | 'unreachable' | 'cancelled')
  | ('http' | 'not-json' | 'service-error' | 'not-payrequest' | 'out-of-range' | 'no-zaps' | 'comment-too-long')
  | ('bad-invoice' | 'wrong-network' | 'amount-mismatch' | 'description-hash' | 'expired' | 'no-verify')

export interface LnurlRefusal {
  readonly ok: false
  readonly rule: LnurlRule
  readonly says: string
}

/** What a payment service offers. `metadata` is what its invoices commit to, byte for byte. */
export interface LnurlPayee {
  readonly address: string
  readonly callback: string
  readonly minMsats: bigint
  readonly maxMsats: bigint
  readonly metadata: string
  /** Longest comment that it takes; 0 for none (LUD-12). */
  readonly commentChars: number
  /** Who signs zap receipts for it, where it takes zap requests (NIP-57). */
  readonly zapper?: string
}

/** What to pay. With `zapRequestJson` (a signed 9734) the invoice commits to it in place of the metadata. */
export interface LnurlAsk {
  readonly msats: bigint
  readonly network: Network
  readonly zapRequestJson?: string
  readonly comment?: string
}

/** An invoice for exactly what was asked. `verifyUrl` tells later whether it was paid (LUD-21). */
export interface LnurlBill extends Bill {
  readonly zapper?: string
  readonly verifyUrl?: string
}

const maxBytes = 65_536
const timeoutMs = 5_000
/** A payment must have the time to arrive. */
const needsSeconds = 5
type Said = Readonly<Record<string, unknown>>

/** Asks the service behind `name@host` what it takes. Never rejects. */
export async function resolveLnurl(
  address: string,
  options: LnurlOptions,
  signal?: AbortSignal,
): Promise<{ ok: true; payee: LnurlPayee } | LnurlRefusal> {
  const [, name, host] = /^([a-z0-9._+-]{1,64})@([a-z0-9.:-]{1,255})$/i.exec(address) ?? []
  if (name === undefined || host === undefined)
    return no('bad-address', 'A Lightning address looks like name@host: check its spelling.')
  const scheme = options.loopback && /^(127\.0\.0\.1|localhost)(:\d+)?$/.test(host) ? 'http' : 'https'
  const url = `${scheme}://${host.toLowerCase()}/.well-known/lnurlp/${name.toLowerCase()}`
  const answer = await ask(url, options, signal)
  if (!answer.ok) return answer
  const { tag, callback, minSendable, maxSendable, metadata, commentAllowed, allowsNostr, nostrPubkey } = answer.said
  const [minMsats, maxMsats] = [msatsOf(minSendable), msatsOf(maxSendable)]
  const isPay = tag === 'payRequest' && typeof callback === 'string' && isMetadata(metadata)
  if (!isPay || minMsats === undefined || maxMsats === undefined || minMsats > maxMsats)
    return no('not-payrequest', 'The host says nothing of a payment at this address: check its spelling.')
  const zapper = allowsNostr === true && isHash(nostrPubkey) ? { zapper: nostrPubkey } : {}
  const commentChars = Number(msatsOf(commentAllowed) ?? 0n)
  return { ok: true, payee: { address, callback, minMsats, maxMsats, metadata, commentChars, ...zapper } }
}

/** Asks for an invoice and takes only one for this amount, on this network, that commits to what was agreed. Never rejects. */
export async function lnurlBill(
  payee: LnurlPayee,
  { msats, network, zapRequestJson, comment = '' }: LnurlAsk,
  options: LnurlOptions,
  signal?: AbortSignal,
): Promise<{ ok: true; bill: LnurlBill } | LnurlRefusal> {
  const { zapper, minMsats, maxMsats, commentChars } = payee
  if (msats < minMsats || msats > maxMsats)
    return no('out-of-range', `The service takes ${minMsats} to ${maxMsats} msats, not ${msats}: pay another amount.`)
  if (zapRequestJson !== undefined && zapper === undefined)
    return no('no-zaps', 'The service takes no zap requests: pay without one, or choose another node.')
  if (comment.length > commentChars)
    return no('comment-too-long', `The service takes comments of at most ${commentChars} characters: shorten it.`)
  const query = [`amount=${msats}`]
  if (zapRequestJson !== undefined) query.push(`nostr=${encodeURIComponent(zapRequestJson)}`)
  if (comment !== '') query.push(`comment=${encodeURIComponent(comment)}`)
  const answer = await ask(payee.callback, options, signal, query.join('&'))
  if (!answer.ok) return answer
  const { pr, verify } = answer.said
  const read = readInvoice(typeof pr === 'string' ? pr : '')
  if (!read.ok) return no('bad-invoice', `${read.says} Ask the service again, or choose another node.`)
  const { invoice } = read
  if (invoice.network !== network)
    return no('wrong-network', `The invoice is for ${invoice.network}, the wallet for ${network}: choose another node.`)
  if (invoice.msats !== msats)
    return no('amount-mismatch', `The invoice is not for the ${msats} msats that were asked for: do not pay it.`)
  if (invoice.descriptionHash !== sha256Hex(zapRequestJson ?? payee.metadata))
    return no('description-hash', 'The invoice does not commit to what was asked for: do not pay it.')
  if (invoice.expiresAt - seconds(options.clock) <= needsSeconds)
    return no('expired', 'The invoice has expired or is about to: ask the service again.')
  const { bolt11, hash, expiresAt } = invoice
  const more = {
    ...(zapper === undefined || zapRequestJson === undefined ? {} : { zapper }),
    ...(typeof verify === 'string' ? { verifyUrl: verify } : {}),
  }
  return { ok: true, bill: { bolt11, hash, msats, expiresAt, ...more } }
}

/** Asks the service whether it was paid (LUD-21). A preimage is given only where it opens the hash. Never rejects. */
export async function lnurlSettled(
  { verifyUrl, hash }: LnurlBill,
  options: LnurlOptions,
  signal?: AbortSignal,
): Promise<{ ok: true; settled: boolean; preimage?: string } | LnurlRefusal> {
  if (verifyUrl === undefined) return no('no-verify', 'The service does not tell what was paid: ask your own wallet.')
  const answer = await ask(verifyUrl, options, signal)
  if (!answer.ok) return answer
  const { settled, preimage } = answer.said
  const proof = proves(preimage, hash) ? { preimage: String(preimage) } : {}
  return { ok: true, settled: settled === true, ...proof }
}

/** One question: only JSON objects that are no complaint come back. */
async function ask(
  text: string,
  { clock, get, loopback = false }: LnurlOptions,
  signal: AbortSignal | undefined,
  query = '',
): Promise<{ ok: true; said: Said } | LnurlRefusal> {
  const url = publicUrl(text, loopback)
  if (!url) return no('bad-url', 'The payment service names no https address: choose another way to pay.')
  if (url instanceof GetFault) return no(url.rule, url.message)
  if (query !== '') url.search = url.search === '' ? query : `${url.search}&${query}`
  const ends = new AbortController()
  const stop = clock.after(timeoutMs, () => ends.abort())
  const either = signal ? AbortSignal.any([ends.signal, signal]) : ends.signal
  try {
    const asking = (get ?? (await defaultGet()))(url, { maxBytes, loopback }, either)
    const { status, text: body } = await Promise.race([asking, aborted(either)])
    const said = parseJson(body, { chars: maxBytes, depth: 6, nodes: 5_000 })
    if (isRecord(said) && said['status'] === 'ERROR')
      return no(
        'service-error',
        `The payment service says: ${clean(said['reason'])}. Try again, or choose another node.`,
      )
    if (status !== 200) return no('http', `The payment service answers with status ${status}: check the address.`)
    return isRecord(said)
      ? { ok: true, said }
      : no('not-json', 'The payment service answers without JSON: check the address.')
  } catch (error) {
    if (error instanceof GetFault) return no(error.rule, error.message)
    const fault = error instanceof Error && error.cause instanceof GetFault ? error.cause : undefined
    if (fault) return no(fault.rule, fault.message)
    if (signal?.aborted) return no('cancelled', 'The question was withdrawn: ask again.')
    if (ends.signal.aborted) return no('timeout', `The payment service is silent for ${timeoutMs / 1000} s: try later.`)
    return no('unreachable', 'The payment service cannot be reached: check the address, or try later.')
  } finally {
    stop()
    ends.abort()
  }
}

const aborted = (signal: AbortSignal): Promise<never> =>
  new Promise((_resolve, reject) => {
    const end = () => reject(new Error('aborted'))
    if (signal.aborted) end()
    else signal.addEventListener('abort', end, { once: true })
  })

async function defaultGet(): Promise<HttpGet> {
  if (!globalThis.process?.versions?.node) return fetchGet(globalThis.fetch)
  return (await import('./lnurl/public-get.ts')).publicGet()
}

const msatsOf = (value: unknown): bigint | undefined =>
  typeof value === 'number' && Number.isSafeInteger(value) && value > 0 ? BigInt(value) : undefined

/** A JSON list with a plain text in it (LUD-06). */
function isMetadata(value: unknown): value is string {
  const list = typeof value === 'string' ? parseJson(value, { chars: maxBytes, depth: 3, nodes: 500 }) : undefined
  return Array.isArray(list) && list.some(one => Array.isArray(one) && one[0] === 'text/plain')
}

/** What a stranger says, fit for a screen. */
const clean = (reason: unknown): string =>
  typeof reason === 'string' ? reason.replace(/\p{C}/gu, ' ').slice(0, 200).trim() : 'no reason'

const no = (rule: LnurlRule, says: string): LnurlRefusal => ({ ok: false, rule, says })
