/**
 * The client's zap: the signed request goes to the node in a wrap so that its invoice can commit to it, and the receipt
 * that comes back is believed only after every check.
 * @module
 */
import type { Event } from '../../kinds/index.ts'
import type { Relays } from '../../relays/relay.ts'
import type { Clock } from '../clock.ts'
import { seconds } from '../clock.ts'
import type { ClientJob } from '../job.ts'
import type { Keys } from '../keys.ts'
import { readInvoice } from '../payments/bolt11.ts'
import type { Network } from '../payments/payment.ts'
import { descriptionHashOf, verifyReceipt } from '../payments/zap.ts'
import { wrapEvent } from '../seal.ts'
import type { AskEvent } from './ask.ts'
import type { NodeFacts } from './keeping.ts'

export interface Zap {
  /** Sends the zap request, when the price is known and within the cap. The same bytes each time. */
  send(): Promise<void>
  /** The node's signed bill. */
  offered(offer: Event, opened: string | undefined): void
  judge(receipt: Event, job: ClientJob | undefined): void
  /** The receipt that held; waited for a moment where the invoice commits to our request. */
  receipt(job: ClientJob | undefined): Promise<Event | undefined>
}

const waitMs = 5_000

export interface ZapOptions {
  readonly relays: Relays
  readonly keys: Keys
  readonly clock: Clock
  readonly network: Network
  readonly request: Event
  readonly node?: string
  readonly announcement?: NodeFacts
  /** Exact text of our zap request; absent when no receipt is wanted. */
  readonly zapRequest?: string
  tell(event: AskEvent): void
}

export function openZap(options: ZapOptions): Zap {
  const { keys, clock, relays, request, node, network, tell, zapRequest: json } = options
  const announced = options.announcement
  let offer: { event: Event; opened: string | undefined } | undefined
  let held: Event | undefined
  let judged = false
  let came = () => {
    judged = true
  }

  const commits = (job: ClientJob): boolean => {
    const invoice = job.order && readInvoice(job.order.bolt11)
    return json !== undefined && invoice?.ok === true && invoice.invoice.descriptionHash === descriptionHashOf(json)
  }

  return {
    async send() {
      if (json === undefined || node === undefined) return
      await relays.publish(wrapEvent(keys, JSON.parse(json), node, seconds(clock)), { want: 1, keepMs: 10_000 })
    },
    offered(event, opened) {
      offer ??= { event, opened }
    },
    judge(receipt, job) {
      if (held || !job?.order || !announced || !offer || node === undefined) return
      const verdict = verifyReceipt(receipt, {
        job: request,
        offer: offer.event,
        ...(offer.opened === undefined ? {} : { offerOpened: offer.opened }),
        node,
        zappers: announced.zappers,
        nodeKeys: announced.nodeKeys,
        network,
        now: seconds(clock),
        verify: event => keys.verify(event),
      })
      tell({ event: 'receipt', id: receipt.id, ok: verdict.ok, reasons: verdict.reasons })
      if (verdict.ok) held = receipt
      // The node's own receipt does not hold: a better one will not come. A stranger's changes nothing.
      if (verdict.ok || announced.zappers.includes(receipt.pubkey)) came()
    },
    async receipt(job) {
      // Who got no answer, or went away, does not wait for the proof that he paid: the preimage is one.
      if (held || judged || !offer || job?.pay !== 'paid' || job.state !== 'delivered' || !commits(job)) return held
      await new Promise<void>(resolve => {
        const stop = clock.after(waitMs, resolve)
        came = () => {
          stop()
          resolve()
        }
      })
      return held
    },
  }
}
