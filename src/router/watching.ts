/**
 * Finds faults in what a router hears anyway: statements that exclude each other, invoices above their amount, decisions
 * of other routers that do not come out again, and, by samples, payments that they attested on evidence which refutes it.
 * Whoever is suspected is tried first; only what is proven is said.
 * @module
 */
import {
  attestation,
  bondEntry,
  type Event,
  type FaultEvidence,
  faultEvidence,
  feedback,
  isSealed,
  jobIdOf,
  MOST_EVIDENCE_EVENTS,
  routing,
  textResult,
  usageReceipt,
} from '../../kinds/index.ts'
import { query, type Relays } from '../../relays/relay.ts'
import { seenSet } from '../bounded.ts'
import { type Clock, seconds } from '../clock.ts'
import { sha256Hex, toHex } from '../hash.ts'
import { openBuckets } from '../intake/buckets.ts'
import type { Keys } from '../keys.ts'
import { verifyFault } from '../ledger/index.ts'
import { peekInvoice } from '../payments/bolt11.ts'
import type { Faults } from './faults.ts'
import { openStatements } from './statements.ts'

export interface WatchingOptions {
  readonly relays: Relays
  readonly keys: Keys
  readonly secret: Uint8Array
  readonly clock: Clock
  readonly faults: Faults
  /** Share of other routers’ payment labels whose evidence is fetched. Default 0.05. */
  readonly sampled?: number | undefined
  /** Evidence was published. */
  onEvidence(event: Event, says: string): void
  onTrouble(says: string): void
}

export interface Watching {
  /** Every event that this router hears. */
  heard(event: Event): void
  /** Resolves when nothing is under suspicion. */
  readonly idle: Promise<void>
  close(): Promise<void>
}

/** Trials of one key and of all; a trial is a few signatures. */
const perKeyPerMinute = 30
const perMinute = 600
const samplesPerMinute = 12
const mostQueued = 256
/** How long relays are waited for with the evidence of a label. */
const fetchMs = 5_000
const keepMs = 600_000

interface Suspicion {
  readonly rule: string
  readonly accused: string
  readonly events: readonly Event[]
  readonly fetch?: readonly string[]
}

export function openWatching(options: WatchingOptions): Watching {
  const { relays, keys, secret, clock, faults, sampled = 0.05, onEvidence, onTrouble } = options
  const statements = openStatements()
  const keyed = openBuckets(perKeyPerMinute, perKeyPerMinute, 10_000, () => clock.now())
  const all = openBuckets(perMinute, perMinute / 2, 1, () => clock.now())
  const samples = openBuckets(samplesPerMinute, samplesPerMinute, 1, () => clock.now())
  // Whoever could guess what is sampled would lie about the rest.
  const luck = sha256Hex(`samples of ${toHex(secret)}`)
  const isDrawn = (id: string) => Number.parseInt(sha256Hex(luck + id).slice(0, 8), 16) < sampled * 2 ** 32
  const tried = seenSet(10_000)
  const queue: Suspicion[] = []
  const closing = new AbortController()
  let working = false
  let idle = Promise.resolve()

  function suspect(one: Suspicion) {
    const { rule, accused, events, fetch = [] } = one
    const name = `${rule} ${[...events.map(({ id }) => id), ...fetch].toSorted().join()}`
    if (closing.signal.aborted || queue.length >= mostQueued || tried.has(name)) return
    if (faults.isProven(rule, accused) || !keyed.has(accused) || !all.has('')) return
    tried.add(name)
    keyed.take(accused)
    all.take('')
    queue.push(one)
    if (working) return
    working = true
    idle = work()
  }

  async function work() {
    for (let next = queue.shift(); next && !closing.signal.aborted; next = queue.shift())
      try {
        await attempt(next)
      } catch (error) {
        onTrouble(String(error))
      }
    working = false
  }

  async function attempt({ rule, accused, events, fetch = [] }: Suspicion) {
    const more = fetch.length === 0 ? [] : await fetched(fetch)
    const found = new Map([...events, ...more].map(event => [event.id, event]))
    const whole = { rule, accused, events: [...found.values()].slice(0, MOST_EVIDENCE_EVENTS), opened: {} }
    const finding = await verifyFault({ ...whole, says: '' }, faults.tools)
    if (!finding.ok || finding.basis !== 'signed' || faults.isProven(rule, accused)) return
    say({ ...whole, says: finding.says })
  }

  function say(evidence: FaultEvidence) {
    const event = keys.sign(faultEvidence.write(evidence, seconds(clock)), secret)
    // What relays do not take is no use to anybody.
    if (event.content.length > longestEvidence) return
    void relays.publish(event, { want: 1, keepMs }).catch(error => onTrouble(String(error)))
    onEvidence(event, `${evidence.rule} against ${evidence.accused}`)
    faults.heard(event)
  }

  async function fetched(ids: readonly string[]): Promise<Event[]> {
    const enough = new AbortController()
    const stop = clock.after(fetchMs, () => enough.abort())
    const wanted = new Set(ids)
    const signal = AbortSignal.any([enough.signal, closing.signal])
    const events = await query(relays, [{ ids: [...wanted] }], signal).finally(stop)
    return events.filter(({ id }) => wanted.has(id))
  }

  /** Two statements in one place, of which the first was kept. */
  function compared(event: Event, place: string | undefined) {
    if (place === undefined) return
    const first = statements.keep(`${event.pubkey} ${place}`, event)
    if (first && first.id !== event.id && !same(first, event))
      suspect({ rule: 'E1', accused: event.pubkey, events: [first, event] })
  }

  function onFeedback(event: Event) {
    const { pubkey: accused } = event
    // Most feedback is a part of an answer.
    const telling = event.tags.some(([name, word = '']) => name === 'status' && spoken.has(word))
    const read = telling && !isSealed(event) ? feedback.read(event) : undefined
    if (!read?.ok) return
    const { job, status } = read.value
    if (status === 'payment-required') {
      if (statements.keep(`${accused} bill ${job}`, event) === undefined) onBill(event, read.value)
    } else if (status === 'error') {
      const bill = statements.of(`${accused} bill ${job}`)
      if (bill) suspect({ rule: 'E10', accused, events: [bill, event] })
    }
  }

  function onBill(event: Event, { msats, bolt11 }: { readonly msats?: bigint; readonly bolt11?: string }) {
    const peeked = bolt11 === undefined || msats === undefined ? undefined : peekInvoice(bolt11)
    if (peeked?.ok && msats !== undefined && (peeked.invoice.msats ?? 0n) > msats)
      suspect({ rule: 'E3', accused: event.pubkey, events: [event] })
  }

  function onResult(event: Event) {
    if (isSealed(event)) return
    compared(event, about('result', jobIdOf(event)))
    if (!event.tags.some(([, , bolt11]) => bolt11?.startsWith('ln'))) return
    const read = textResult.read(event)
    if (read.ok) onBill(event, read.value)
  }

  function onRoute(event: Event) {
    const read = routing.read(event)
    if (!read.ok) return
    const { request, seq, prev } = read.value
    const before = statements.of(`${event.pubkey} log ${seq - 1}`)
    compared(event, `route ${request}`)
    compared(event, `log ${seq}`)
    suspect({ rule: 'E9', accused: event.pubkey, events: before?.id === prev ? [before, event] : [event] })
  }

  function onLabel(event: Event) {
    const read = attestation.read(event)
    if (!read.ok) return
    const { seq, topic, evidence, job } = read.value
    compared(event, `log ${seq}`)
    if (topic !== 'payment' || evidence.length >= MOST_EVIDENCE_EVENTS || !isDrawn(event.id) || !samples.has('')) return
    samples.take('')
    suspect({ rule: 'E8', accused: event.pubkey, events: [event], fetch: [...new Set([...evidence, job])] })
  }

  function onBond(event: Event) {
    const read = bondEntry.read(event)
    if (read.ok) compared(event, `bond ${read.value.bond} ${read.value.seq}`)
  }

  return {
    heard(event) {
      const { kind, pubkey } = event
      if (closing.signal.aborted) return
      if (kind === routing.number || kind === attestation.number) faults.present(pubkey, 'router')
      if (!faults.isKnown(pubkey)) return
      if (kind === textResult.number) onResult(event)
      else if (kind === feedback.number) onFeedback(event)
      else if (kind === usageReceipt.number) compared(event, about('usage', jobIdOf(event)))
      else if (kind === routing.number) onRoute(event)
      else if (kind === attestation.number) onLabel(event)
      else if (kind === bondEntry.number) onBond(event)
    },
    get idle() {
      return idle
    },
    async close() {
      closing.abort()
      await idle
    },
  }
}

const spoken: ReadonlySet<string> = new Set(['payment-required', 'error'])

/** Longest evidence that relays are expected to take, in characters. */
const longestEvidence = 131_072

const about = (what: string, job: string | undefined): string | undefined =>
  job === undefined ? undefined : `${what} ${job}`

/** The same words, published again. */
const same = (one: Event, other: Event): boolean =>
  one.kind === other.kind && one.content === other.content && JSON.stringify(one.tags) === JSON.stringify(other.tags)
