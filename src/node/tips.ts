/**
 * Zap requests for jobs that are not this node's: whoever shares in another node's price is asked for a bill in a wrap,
 * answers in a wrap with an invoice that commits to the request, and signs the zap receipt once it is paid.
 * @module
 */
import type { Event } from '../../kinds/index.ts'
import { feedback, parseEvent, zapRequest } from '../../kinds/index.ts'
import type { Relays } from '../../relays/relay.ts'
import { lru } from '../bounded.ts'
import type { Clock } from '../clock.ts'
import { seconds } from '../clock.ts'
import { openBuckets } from '../intake/buckets.ts'
import type { Journal, Plain } from '../journal/journal.ts'
import type { Keys } from '../keys.ts'
import type { Bill, Payee } from '../payments/payment.ts'
import { checkZapRequest, descriptionHashOf, receiptFor } from '../payments/zap.ts'
import { wrapEvent } from '../seal.ts'
import type { NodeEvent } from './node-event.ts'
import { offer } from './speech.ts'

export interface TipsOptions {
  readonly relays: Relays
  readonly keys: Keys
  readonly secret: Uint8Array
  readonly clock: Clock
  readonly journal: Journal
  readonly payee: Payee
  tell(event: NodeEvent): void
  /** Fires when the node closes. */
  readonly signal: AbortSignal
}

export interface Tips {
  /** Takes an opened wrap's event, verified by the caller; `json` is its exact text, to which the invoice will commit. */
  take(event: Event, json: string): void
  /** Waits on for what an earlier process billed. */
  resume(): void
}

/** Bills that may be open at one time; each costs a stranger nothing. */
const room = 64
const billSeconds = 300
/** Seconds after its expiry for which a bill is still watched. */
const lingerSeconds = 60
const repeatMs = 2_000
const receiptKeepMs = 900_000
/** One bitcoin: more is a mistake. */
const mostMsats = 100_000_000_000n

export function openTips(options: TipsOptions): Tips {
  const { relays, keys, secret, clock, journal, payee, tell, signal } = options
  const node = keys.publicKey(secret)
  const shelf = journal.shelf('tips')
  /** Our signed bill for each request, and when it was said. */
  const said = lru<string, { readonly word: Event; readonly to: string; atMs: number }>(1_000)
  const busy = new Set<string>()
  const watched = new Map<string, () => void>()
  const all = openBuckets(120, 30, 1, () => clock.now())
  const authors = openBuckets(30, 8, 10_000, () => clock.now())
  signal.addEventListener('abort', () => {
    for (const stop of watched.values()) stop()
    watched.clear()
  })

  function take(event: Event, json: string) {
    const read = zapRequest.read(event)
    const { event: job, msats = 0n } = read.ok ? read.value : {}
    if (job === undefined || msats <= 0n || msats > mostMsats) return
    const verify = (one: Event) => keys.verify(one)
    if (checkZapRequest(json, { node, customer: event.pubkey, job, msats, verify }) !== undefined) return
    const name = descriptionHashOf(json)
    const before = said.get(name)
    if (before && clock.now() - before.atMs < repeatMs) return
    if (before) return say(name, before.word, before.to)
    if (busy.has(name) || busy.size + watched.size >= room || !all.has('all') || !authors.has(event.pubkey)) return
    all.take('all')
    authors.take(event.pubkey)
    busy.add(name)
    void bill({ name, job, msats, json, customer: event.pubkey })
      .catch(error => signal.aborted || tell({ event: 'trouble', job, says: `No bill for a share: ${String(error)}` }))
      .finally(() => busy.delete(name))
  }

  async function bill(tip: { name: string; job: string; msats: bigint; json: string; customer: string }) {
    const { name, job, msats, json, customer } = tip
    const asked = { key: `tip:${name}`, msats, expirySeconds: billSeconds, descriptionHash: name }
    const made: Bill = await payee.bill(asked, signal)
    if (signal.aborted) return
    const { hash, bolt11, expiresAt } = made
    const at = seconds(clock)
    journal.atomically(() => {
      // Without a customer: a share is no debt, and earns no credit.
      journal.bills.add({ hash, bolt11, msats: made.msats, expiresAt, job, purpose: 'split', at })
      shelf.set(hash, { json, bolt11, expiresAt })
    })
    const money = { msats: made.msats, bolt11, paymentHash: hash, expiresAt }
    const value = { job, customer, status: 'payment-required' as const, says: 'A share of the price.', content: '' }
    say(name, keys.sign(feedback.write({ ...value, ...money }, at), secret), customer)
    watch(hash, { json, bolt11, expiresAt })
  }

  function say(name: string, word: Event, to: string) {
    said.set(name, { word, to, atMs: clock.now() })
    void relays.publish(wrapEvent(keys, word, to, seconds(clock)), { want: 1, keepMs: 10_000 })
  }

  function watch(hash: string, { json, bolt11, expiresAt }: { json: string; bolt11: string; expiresAt: number }) {
    const leftMs = (expiresAt + lingerSeconds) * 1_000 - clock.now()
    const stopTimer = clock.after(Math.max(1_000, leftMs), () => {
      end()
      journal.atomically(() => {
        journal.bills.end(hash, { state: 'void', at: seconds(clock) })
        shelf.delete(hash)
      })
    })
    const stop = payee.watch(hash, ({ msats, preimage }) => {
      end()
      const at = seconds(clock)
      const receipt = keys.sign(receiptFor({ zapRequestJson: json, bolt11, preimage, paidAt: at }), secret)
      const job = jobOf(json)
      const kept = journal.atomically(() => {
        journal.bills.end(hash, { state: 'paid', msats, preimage, at })
        shelf.delete(hash)
        const until = at + receiptKeepMs / 1_000
        return journal.outbox.keep({ job, slot: `tip:${hash}`, event: receipt, until }, 'money')
      })
      void offer(relays, journal, kept, receiptKeepMs)
      tell({ event: 'tip', job, msats, id: kept.id, says: 'A share of another node’s price.' })
    })
    const end = () => {
      stopTimer()
      stop()
      watched.delete(hash)
    }
    watched.set(hash, end)
  }

  return {
    take,
    resume() {
      for (const [hash, kept] of [...shelf.entries()].slice(0, room)) {
        const { json, bolt11, expiresAt } = kept as Partial<Record<string, Plain>>
        if (typeof json !== 'string' || typeof bolt11 !== 'string' || typeof expiresAt !== 'number') continue
        if (!watched.has(hash)) watch(hash, { json, bolt11, expiresAt })
      }
    },
  }
}

function jobOf(json: string): string {
  const event = parseEvent(json)
  const read = event && zapRequest.read(event)
  return (read?.ok ? read.value.event : undefined) ?? ''
}
