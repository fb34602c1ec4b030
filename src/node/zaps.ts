/**
 * Zap requests on their way in and zap receipts on their way out, all inside Nostr (NIP-57 without HTTP): the customer's
 * signed request comes in a wrap, the invoice commits to it, and the node signs the receipt when its wallet was paid.
 * @module
 */
import type { Event } from '../../kinds/index.ts'
import { zapRequest } from '../../kinds/index.ts'
import { lru } from '../bounded.ts'
import type { Clock } from '../clock.ts'
import { seconds } from '../clock.ts'
import type { Paid } from '../job.ts'
import type { Journal } from '../journal/journal.ts'
import type { Keys } from '../keys.ts'
import { readInvoice } from '../payments/bolt11.ts'
import { checkZapRequest, descriptionHashOf, receiptFor } from '../payments/zap.ts'

export interface Zaps {
  /** Takes an opened wrap's event, verified by the caller; `json` is its exact text, to which the invoice will commit. */
  take(event: Event, json: string): void
  /** Hash for the invoice of a job whose customer announced a zap request; `undefined` when none came within `waitMs`. */
  wait(job: Event): Promise<string | undefined>
  /** The signed receipt, where the invoice commits to the request. */
  receipt(job: Event, paid: Paid, bolt11: string): Event | undefined
  forget(job: Event): void
}

export interface ZapsOptions {
  readonly keys: Keys
  readonly secret: Uint8Array
  readonly clock: Clock
  readonly priceMsats: bigint
  /** Requests that an invoice commits to outlive the process. */
  readonly journal: Journal
  readonly waitMs?: number
}

export function openZaps(options: ZapsOptions): Zaps {
  const { keys, secret, clock, priceMsats, waitMs = 3_000 } = options
  const shelf = options.journal.shelf('zaps')
  const node = keys.publicKey(secret)
  // By job and signer: the wrap may come before the job, and nobody can take the customer's place.
  const requests = lru<string, string>(1_000)
  const waiting = new Map<string, () => void>()
  const nameOf = (job: string, customer: string) => `${job}:${customer}`

  const fitting = (job: Event): string | undefined => {
    const kept = requests.get(nameOf(job.id, job.pubkey)) ?? shelf.get(job.id)
    const json = typeof kept === 'string' ? kept : undefined
    if (json === undefined) return undefined
    const verify = (event: Event) => keys.verify(event)
    const expect = { node, customer: job.pubkey, job: job.id, msats: priceMsats, verify }
    return checkZapRequest(json, expect) === undefined ? json : undefined
  }

  return {
    take(event, json) {
      const read = zapRequest.read(event)
      const job = read.ok ? read.value.event : undefined
      if (job === undefined) return
      const name = nameOf(job, event.pubkey)
      if (requests.get(name) !== undefined) return
      requests.set(name, json)
      waiting.get(name)?.()
    },
    async wait(job) {
      if (fitting(job) === undefined)
        await new Promise<void>(resolve => {
          const cancel = clock.after(waitMs, resolve)
          waiting.set(nameOf(job.id, job.pubkey), () => {
            cancel()
            resolve()
          })
        })
      waiting.delete(nameOf(job.id, job.pubkey))
      const json = fitting(job)
      if (json === undefined) return undefined
      shelf.set(job.id, json, 'plain')
      return descriptionHashOf(json)
    },
    receipt(job, paid, bolt11) {
      const json = fitting(job)
      const read = readInvoice(bolt11)
      // A receipt for an invoice that does not commit to the request would be refused by everybody.
      if (json === undefined || !read.ok || read.invoice.descriptionHash !== descriptionHashOf(json)) return undefined
      const template = receiptFor({ zapRequestJson: json, bolt11, preimage: paid.preimage, paidAt: seconds(clock) })
      return keys.sign(template, secret)
    },
    forget(job) {
      if (shelf.get(job.id) !== undefined) shelf.delete(job.id, 'plain')
    },
  }
}
