/**
 * Zap requests inside Nostr (NIP-57 appendices A and D): written by the customer, checked by the node before it bills.
 * @module
 */
import { type Event, parseEvent, type Template, type ZapRequest, zapRequest } from '../../kinds/index.ts'
import { sha256Hex } from './hash.ts'

/** What a customer says before it pays. Keys and ids are hex. */
export interface ZapAsk {
  readonly node: string
  /** Id of the job. */
  readonly job: string
  readonly msats: bigint
  /** Where the receipt is expected. */
  readonly relays: readonly string[]
  readonly comment?: string
  /** The only key that may sign the receipt. */
  readonly zapper?: string
}

/** The zap request that the customer signs and sends to the node alone. Throws `TypeError` for values that no node accepts. */
export function zapRequestFor(ask: ZapAsk, now: number): Template {
  const { node, job, msats, relays, comment = '', zapper } = ask
  if (relays.length === 0) throw new TypeError('Name at least one relay for the receipt.')
  const request = { recipient: node, event: job, msats, relays, comment }
  return zapRequest.write(zapper === undefined ? request : { ...request, zapper }, now)
}

/** What the invoice of a zap request commits to: SHA-256 of exactly these bytes. */
export const descriptionHashOf = (zapRequestJson: string): string => sha256Hex(zapRequestJson)

/** What a node expects of a zap request before it bills. */
export interface ZapExpectation {
  readonly node: string
  readonly customer: string
  readonly job: string
  readonly msats: bigint
  /** The key that will sign the receipt; the node's own where left out. */
  readonly zapper?: string
  readonly verify: (event: Event) => boolean
}

/**
 * NIP-57 appendix D and the binding to one job: `undefined` when the node may bill, else one reason code: `request-json`,
 * `request-signature`, `request-<broken rule>`, `request-repeats`, `request-relays`, `recipient`, `job-binding`,
 * `amount-request`, `zapper-mismatch`, `payer-not-customer`. Money that is not in canonical digits is `request-amount`.
 * Never throws.
 */
export function checkZapRequest(json: string, expect: ZapExpectation): string | undefined {
  const event = parseEvent(json)
  if (!event) return 'request-json'
  const read = readZapRequest(event)
  if (!read.ok) return read.reason
  const { request } = read
  if (request.relays.length === 0) return 'request-relays'
  if (request.recipient !== expect.node) return 'recipient'
  if (request.event !== expect.job) return 'job-binding'
  if (request.msats !== expect.msats) return 'amount-request'
  if (request.zapper !== undefined && request.zapper !== (expect.zapper ?? expect.node)) return 'zapper-mismatch'
  if (event.pubkey !== expect.customer) return 'payer-not-customer'
  return expect.verify(event) ? undefined : 'request-signature'
}

const nobody = '0'.repeat(64)
const amountName = zapRequest
  .write({ recipient: nobody, msats: 1n, relays: [], comment: '' }, 0)
  .tags.find(([, value]) => value === '1')?.[0]

/** A zap request, or the reason why it is none. */
export type ZapRequestRead =
  | { readonly ok: true; readonly request: ZapRequest }
  | { readonly ok: false; readonly reason: string }

/** Reads a zap request strictly: nothing said twice, money in canonical digits. */
export function readZapRequest(event: Event): ZapRequestRead {
  const read = zapRequest.read(event)
  if (!read.ok) return { ok: false, reason: `request-${read.rule.split('.').at(-1)}` }
  const { msats } = read.value
  if (saysTwice(event, zapRequest)) return { ok: false, reason: 'request-repeats' }
  if (msats !== undefined && !event.tags.some(([name, value]) => name === amountName && value === String(msats)))
    return { ok: false, reason: 'request-amount' }
  return { ok: true, request: read.value }
}

/** True when an event has two tags of a name that its kind knows: readers disagree on which of the two counts. */
export function saysTwice(event: Event, kind: { readonly fields: readonly { readonly id: string }[] }): boolean {
  return kind.fields.some(({ id }) => event.tags.filter(([name]) => name === id).length > 1)
}
