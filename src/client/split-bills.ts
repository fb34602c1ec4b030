/**
 * How the client asks those who share in a price for their bills: each gets a zap request for the job in a wrap, answers
 * with a bill in a wrap, and publishes the receipt when it was paid.
 * @module
 */
import type { BilledTerms, Event } from '../../kinds/index.ts'
import { about, addressedTo, ephemeralWrap, feedback, present, zapReceipt } from '../../kinds/index.ts'
import { seconds } from '../clock.ts'
import { readInvoice } from '../payments/bolt11.ts'
import { descriptionHashOf, verifyReceipt, zapRequestFor } from '../payments/zap.ts'
import { openSeal, wrapEvent } from '../seal.ts'
import type { ClientOptions } from './client.ts'
import type { Opening } from './keeping.ts'
import { addressBill, type LnurlUse } from './lightning-address.ts'

/** A receiver's bill as it came in: not yet believed. */
export interface SplitBill {
  readonly bolt11: string
  readonly msats?: bigint
  readonly terms?: BilledTerms
  /** What the invoice has to commit to. */
  readonly descriptionHash: string
  /** The signed bill, where it came over Nostr. */
  readonly offer?: Event
}

export interface SplitBills {
  /** Resolves when answers can be heard. */
  readonly live: Promise<void>
  /** Asks until there is a bill or `signal` fires; `undefined` then. */
  ask(receiver: string, msats: bigint, signal: AbortSignal): Promise<SplitBill | undefined>
  /** The receipt for a bill that was paid, waited for until `signal` fires. */
  receipt(receiver: string, bill: SplitBill, signal: AbortSignal): Promise<Event | undefined>
  close(): void
}

const repeatMs = 4_000
/** Who has not answered by then is asked through its Lightning address, where that is allowed. */
const addressMs = 3_000
/** Receipts of one receiver that are looked at. */
const receiptsMax = 8

type Options = Pick<ClientOptions, 'relays' | 'keys' | 'clock' | 'network' | 'lnurl'>

export function openSplitBills(options: Options, opening: Opening, receivers: readonly string[]): SplitBills {
  const { relays, keys, clock, network, lnurl } = options
  const { request, secret } = opening
  const seal = openSeal({ keys, secret, cacheSize: 1 })
  const bills = new Map<string, (bill: Event) => void>()
  const receipts = new Map<string, Event[]>(receivers.map(receiver => [receiver, []]))
  const waiting = new Set<() => void>()

  const listening = relays.listen(
    [
      addressedTo([request.pubkey], [ephemeralWrap.number]),
      about([request.id], [zapReceipt.number], { authors: [...receivers] }),
    ],
    {
      onEvent(event) {
        if (event.kind === ephemeralWrap.number) return onWrap(event)
        const known = receipts.get(event.pubkey)
        if (!known || known.length >= receiptsMax) return undefined
        known.push(event)
        for (const look of [...waiting]) look()
        return undefined
      },
    },
  )

  function onWrap(event: Event) {
    const opened = unsealed(event)
    const wrap = opened === undefined ? undefined : ephemeralWrap.read(event, opened)
    if (!wrap?.ok) return
    const inner = wrap.value.event
    const take = bills.get(inner.pubkey)
    if (take && inner.kind === feedback.number && keys.verify(inner)) take(inner)
  }

  function unsealed(event: Event): string | undefined {
    try {
      return seal.decrypt(event.pubkey, event.content)
    } catch {
      // Anybody may send us bytes that do not open.
      return undefined
    }
  }

  return {
    live: listening.live,
    async ask(receiver, msats, signal) {
      const now = seconds(clock)
      const asked = { node: receiver, job: request.id, msats, relays: relays.urls }
      const zap = keys.sign(zapRequestFor(asked, now), secret)
      const descriptionHash = descriptionHashOf(JSON.stringify(zap))
      const send = () =>
        void relays.publish(wrapEvent(keys, zap, receiver, seconds(clock)), { want: 1, keepMs: repeatMs })
      return new Promise(resolve => {
        let cancel = () => {}
        const stopAddress = lnurl && clock.after(addressMs, () => void viaAddress(lnurl))
        const end = (bill: SplitBill | undefined) => {
          cancel()
          stopAddress?.()
          bills.delete(receiver)
          signal.removeEventListener('abort', giveUp)
          resolve(bill)
        }
        const giveUp = () => end(undefined)
        bills.set(receiver, offer => {
          const read = feedback.read(offer)
          if (!read.ok || read.value.job !== request.id || read.value.status !== 'payment-required') return
          const { bolt11 = '', msats: quoted, terms } = read.value
          end({ bolt11, descriptionHash, offer, ...present({ msats: quoted, terms }) })
        })
        const viaAddress = async (lnurl: LnurlUse) => {
          const about = { receiver, event: request.id, msats, secret }
          const made = await addressBill({ relays, keys, clock, network, lnurl }, about, signal)
          if (made.ok && bills.has(receiver)) end({ bolt11: made.bolt11, descriptionHash: made.descriptionHash, msats })
        }
        const again = () => {
          send()
          cancel = clock.after(repeatMs, again)
        }
        signal.addEventListener('abort', giveUp, { once: true })
        if (signal.aborted) giveUp()
        else again()
      })
    },
    async receipt(receiver, bill, signal) {
      const { offer } = bill
      const invoice = readInvoice(bill.bolt11)
      if (!offer || !invoice.ok) return undefined
      const holds = (receipt: Event): boolean =>
        verifyReceipt(receipt, {
          ...{ job: request, offer, node: receiver, zappers: [receiver], network, now: seconds(clock) },
          // Who receives a share announces no Lightning node to us: its signature on the bill names the one that counts.
          nodeKeys: [invoice.invoice.payee],
          verify: event => keys.verify(event),
        }).ok
      const judged = new Set<Event>()
      const find = () =>
        receipts.get(receiver)?.find(receipt => {
          if (judged.has(receipt)) return false
          judged.add(receipt)
          return holds(receipt)
        })
      return new Promise(resolve => {
        const look = () => {
          const found = find()
          if (!found && !signal.aborted) return
          waiting.delete(look)
          signal.removeEventListener('abort', look)
          resolve(found)
        }
        waiting.add(look)
        signal.addEventListener('abort', look)
        look()
      })
    },
    close: () => listening.close(),
  }
}
