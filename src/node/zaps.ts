/**
 * Zap requests on their way in and zap receipts on their way out, all inside Nostr (NIP-57 without HTTP): the customer's
 * signed request comes in a wrap, the invoice commits to it, and the node signs the receipt when its wallet was paid.
 * @module
 */
import type { Event } from '../../kinds/index.ts'
import { isSealed, zapRequest } from '../../kinds/index.ts'
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
  wait(job: Event, msats: bigint): Promise<string | undefined>
  /** The signed receipt, where the invoice commits to the request. */
  receipt(settled: Settled): Event | undefined
  forget(job: Event): void
}

/** A settled bill of a job. */
export interface Settled {
  readonly job: Event
  readonly paid: Paid
  readonly bolt11: string
  /** What was asked for, and what the zap request must name. */
  readonly msats: bigint
  /** The preimage opens the answer. */
  readonly opens: boolean
}

export interface ZapsOptions {
  readonly keys: Keys
  readonly secret: Uint8Array
  readonly clock: Clock
  /** Requests that an invoice commits to outlive the process. */
  readonly journal: Journal
  readonly waitMs?: number
}

export function openZaps(options: ZapsOptions): Zaps {
  const { keys, secret, clock, waitMs = 3_000 } = options
  const shelf = options.journal.shelf('zaps')
  const node = keys.publicKey(secret)
  // By job and signer: the wrap may come before the job, and nobody can take the customer's place.
  const requests = lru<string, string>(1_000)
  const waiting = new Map<string, () => void>()
  const nameOf = (job: string, customer: string) => `${job}:${customer}`

  const fitting = (job: Event, msats: bigint): string | undefined => {
    const kept = requests.get(nameOf(job.id, job.pubkey)) ?? shelf.get(job.id)
    const json = typeof kept === 'string' ? kept : undefined
    if (json === undefined) return undefined
    const verify = (event: Event) => keys.verify(event)
    const expect = { node, customer: job.pubkey, job: job.id, msats, verify }
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
    async wait(job, msats) {
      if (fitting(job, msats) === undefined)
        await new Promise<void>(resolve => {
          const cancel = clock.after(waitMs, resolve)
          waiting.set(nameOf(job.id, job.pubkey), () => {
            cancel()
            resolve()
          })
        })
      waiting.delete(nameOf(job.id, job.pubkey))
      const json = fitting(job, msats)
      if (json === undefined) return undefined
      shelf.set(job.id, json, 'plain')
      return descriptionHashOf(json)
    },
    receipt({ job, paid, bolt11, msats, opens }) {
      const json = fitting(job, msats)
      const read = readInvoice(bolt11)
      // A receipt for an invoice that does not commit to the request would be refused by everybody.
      if (json === undefined || !read.ok || read.invoice.descriptionHash !== descriptionHashOf(json)) return undefined
      // Everybody reads the answer of a public job, and what opens it is the customer's to give away.
      const proof = opens && !isSealed(job) ? {} : { preimage: paid.preimage }
      const template = receiptFor({ zapRequestJson: json, bolt11, ...proof, paidAt: seconds(clock) })
      return keys.sign(template, secret)
    },
    forget(job) {
      if (shelf.get(job.id) !== undefined) shelf.delete(job.id, 'plain')
    },
  }
}
