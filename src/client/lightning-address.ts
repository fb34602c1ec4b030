/**
 * Invoices of those who have only a Lightning address (LUD-16): asked for with a zap request of ours where the payment
 * service takes one. HTTP is spoken here and in no other place of the client, and only where the caller allows it.
 * @module
 */
import type { Event } from '../../kinds/index.ts'
import { ofKinds, profile } from '../../kinds/index.ts'
import type { Relays } from '../../relays/relay.ts'
import { query } from '../../relays/relay.ts'
import type { Clock } from '../clock.ts'
import { seconds } from '../clock.ts'
import type { Keys } from '../keys.ts'
import { fetchGet, type HttpGet, lnurlBill, resolveLnurl } from '../payments/lnurl.ts'
import type { Network } from '../payments/payment.ts'
import { descriptionHashOf, zapRequestFor } from '../payments/zap.ts'

/** How payment services may be asked. Empty in Node: safely. */
export interface LnurlUse {
  /** Asks in place of our own way; that one also looks at the addresses behind a name, which `fetch` does not. */
  readonly fetch?: typeof globalThis.fetch
  readonly get?: HttpGet
  /** Lets a test reach its own machine. */
  readonly loopback?: boolean
}

export interface AddressAsk {
  readonly receiver: string
  /** Where it was announced; else the receiver's profile is read. */
  readonly address?: string
  /** What is paid for. */
  readonly event: string
  readonly msats: bigint
  /** Signs the zap request. */
  readonly secret: Uint8Array
}

export type AddressBill =
  | { readonly ok: true; readonly bolt11: string; readonly descriptionHash: string }
  | { readonly ok: false; readonly code: string; readonly says: string }

export interface AddressOptions {
  readonly relays: Relays
  readonly keys: Keys
  readonly clock: Clock
  readonly network: Network
  readonly lnurl: LnurlUse
}

/** An invoice that commits to our own zap request, or to what the service says of itself. Not yet judged. Never rejects. */
export async function addressBill(
  options: AddressOptions,
  ask: AddressAsk,
  signal?: AbortSignal,
): Promise<AddressBill> {
  const { relays, keys, clock, network, lnurl } = options
  const { receiver, event, msats, secret } = ask
  const address = ask.address ?? (await profileAddress(relays, receiver, signal))
  if (address === undefined)
    return { ok: false, code: 'no-address', says: 'There is neither an invoice nor a Lightning address to pay to.' }
  const get = lnurl.get ?? (lnurl.fetch ? fetchGet(lnurl.fetch) : undefined)
  const way = { clock, ...(get ? { get } : {}), ...(lnurl.loopback ? { loopback: true } : {}) }
  const found = await resolveLnurl(address, way, signal)
  if (!found.ok) return { ok: false, code: `lnurl-${found.rule}`, says: found.says }
  const { payee } = found
  const zap = { node: receiver, job: event, msats, relays: relays.urls }
  const json = payee.zapper && JSON.stringify(keys.sign(zapRequestFor(zap, seconds(clock)), secret))
  const made = await lnurlBill(payee, { msats, network, ...(json ? { zapRequestJson: json } : {}) }, way, signal)
  if (!made.ok) return { ok: false, code: `lnurl-${made.rule}`, says: made.says }
  return { ok: true, bolt11: made.bill.bolt11, descriptionHash: descriptionHashOf(json ?? payee.metadata) }
}

async function profileAddress(relays: Relays, pubkey: string, signal?: AbortSignal): Promise<string | undefined> {
  const asked = query(relays, [ofKinds([profile.number], { authors: [pubkey], limit: 5 })], signal)
  const newest = (await asked.catch((): Event[] => [])).sort((a, b) => b.created_at - a.created_at)[0]
  const read = newest && profile.read(newest)
  return read?.ok ? read.value.lud16 : undefined
}
