/**
 * Usage receipts (kind 4632): what a delivered and settled job took and brought, each naming the one before it. Written
 * in one step with the end of the job and published from the outbox, so that a killed node says it once, in the same bytes.
 * @module
 */
import { type Event, present, type TextRequest, usageReceipt } from '../../kinds/index.ts'
import { query, type Relays } from '../../relays/relay.ts'
import { type Clock, seconds } from '../clock.ts'
import type { NodeJob } from '../job.ts'
import type { Journal, Plain } from '../journal/journal.ts'
import type { Keys } from '../keys.ts'
import type { Timing } from './meter.ts'
import type { NodeEvent } from './node-event.ts'
import { attempt } from './request.ts'
import { offer } from './speech.ts'

/** Jobs for which a receipt is published: those that a router brought, all, or none. */
export type UsagePolicy = 'routed' | 'all' | 'none'

export interface UsageOptions {
  readonly relays: Relays
  readonly keys: Keys
  readonly secret: Uint8Array
  readonly clock: Clock
  readonly journal: Journal
  readonly policy: UsagePolicy
  readonly keepMs: number
  tell(event: NodeEvent): void
}

/** One job that has ended, and what is known of its work. */
export interface Used {
  readonly job: NodeJob
  readonly event: Event
  readonly request: Pick<TextRequest, 'routing'>
  readonly timing: Timing
  /** Tokens of the answer that came with the job. */
  readonly broughtTokens: number
  /** Of jobs that came in a wrap nothing public is said. */
  readonly wrapped: boolean
}

export interface Usage {
  /** Finds the end of the own chain where the journal does not know it. */
  start(signal?: AbortSignal): Promise<void>
  /** Writes the receipt of a job that earned one; call inside the same `atomically` as its end. Gives the way to publish it. */
  write(used: Used): () => void
}

const slot = 'usage'
const head = 'head'

export function openUsage(options: UsageOptions): Usage {
  const { relays, keys, secret, clock, journal, policy, keepMs } = options
  const shelf = journal.shelf('usage')
  const me = keys.publicKey(secret)

  const last = (): { seq: number; id: string } | undefined => {
    const { seq, id } = (shelf.get(head) ?? {}) as Partial<Record<string, Plain>>
    return typeof seq === 'number' && typeof id === 'string' ? { seq, id } : undefined
  }

  function earned({ job, request, wrapped }: Used): boolean {
    if (wrapped) return false
    if (policy === 'none' || (policy === 'routed' && request.routing === undefined)) return false
    if (job.state !== 'delivered' || !job.answer) return false
    if (job.when === 'free' || job.when === 'credit') return true
    // Money that came after the end is noted as paid, and kept for the customer: it settled nothing.
    const { costMsats, paid } = job
    return paid !== undefined && (costMsats === undefined ? job.creditMsats < paid.msats : costMsats > 0n)
  }

  function receiptOf({ job, event, request, timing, broughtTokens }: Used): { seq: number; event: Event } {
    const hashes = [...job.settled, ...(job.paid ? [job.paid.hash] : [])]
    const payments = hashes.flatMap(hash => {
      const msats = journal.bills.get(hash)?.msats ?? (hash === job.bill?.hash ? job.bill.msats : undefined)
      return msats === undefined ? [] : [{ hash, msats }]
    })
    const before = last()
    const seq = before ? before.seq + 1 : 0
    const { model = '', promptTokens = 0, outputTokens = 0 } = job.answer ?? {}
    const value = present({
      ...{ job: job.id, customer: job.customer, kind: event.kind, promptTokens, payments, ...timing },
      outputTokens: Math.max(0, outputTokens - broughtTokens),
      msats:
        job.costMsats ?? (job.when === 'credit' ? job.msats : payments.reduce((sum, { msats }) => sum + msats, 0n)),
      result: journal.outbox.of(job.id).find(said => said.slot === 'result')?.event.id,
      model: model.slice(0, 256) || undefined,
      routing: request.routing,
      ...{ seq, prev: before?.id },
    })
    const signed = keys.sign(usageReceipt.write(value, seconds(clock)), secret)
    return { seq, event: signed }
  }

  return {
    async start(signal) {
      if (policy === 'none' || last()) return
      const found = await query(relays, [{ kinds: [usageReceipt.number], authors: [me], limit: 20 }], signal)
      const mine = found.flatMap(event => {
        const read = usageReceipt.read(event)
        return read.ok && event.pubkey === me ? [{ seq: read.value.seq, id: event.id }] : []
      })
      const latest = mine.sort((a, b) => b.seq - a.seq)[0]
      if (latest && !last()) shelf.set(head, latest, 'plain')
    },
    write(used) {
      const { id, customer } = used.job
      if (!earned(used) || journal.outbox.of(id).some(said => said.slot === slot)) return () => {}
      const made = attempt(() => receiptOf(used))
      if (!made) {
        options.tell({
          event: 'trouble',
          job: id,
          says: 'No usage receipt: the figures of this job cannot be written.',
        })
        return () => {}
      }
      const { event, seq } = made
      // A chain that forks looks like a lie: its end is on the disk before others can see it for long.
      journal.outbox.keep({ job: id, slot, event, until: seconds(clock) + Math.ceil(keepMs / 1000) }, 'soon')
      shelf.set(head, { seq, id: event.id }, 'soon')
      return () => {
        void offer(relays, journal, event, keepMs)
        options.tell({ event: 'usage', job: id, customer, id: event.id })
      }
    },
  }
}
