/**
 * The one answer to each request: an entry of the chain that names nodes or refuses, with the fee booked in the same
 * write; and the bill of whoever pays first.
 * @module
 */
import { type Event, feedback, routing } from '../../kinds/index.ts'
import type { Relays } from '../../relays/relay.ts'
import { type Clock, seconds } from '../clock.ts'
import { openBuckets } from '../intake/buckets.ts'
import type { Keys } from '../keys.ts'
import type { Bill } from '../payments/payment.ts'
import type { Book } from './book-contract.ts'
import { type Deciding, type Matter, mostCandidates, type Ruling } from './deciding.ts'
import type { DeskEvent } from './desk-events.ts'
import { type Fees, UnpaidError } from './fee.ts'
import type { Load } from './load.ts'
import { type FromPeers, nobodyElse } from './peers.ts'
import type { Remembered } from './remembered.ts'

export interface AnsweringOptions {
  readonly relays: Relays
  readonly keys: Keys
  readonly secret: Uint8Array
  readonly clock: Clock
  readonly book: Book
  readonly deciding: Deciding
  readonly fees: Fees
  readonly load: Load
  readonly remembered: Remembered
  /** Refusals to one customer, and answers and bills to all. Beyond it there is silence. */
  readonly refusalsPerMinute: number
  readonly answersPerMinute: number
  tell(event: DeskEvent): void
}

/** A request under way. */
export interface One extends Matter {
  readonly beganMs: number
  /** Fires when nobody waits for the answer any more. */
  readonly signal: AbortSignal
}

export interface Answering {
  /**
   * Names nodes, or refuses with the reason that the decision gives. Charges the fee for nodes only, and bills nobody where
   * a refusal is expected.
   */
  answer(one: One, others?: FromPeers, expected?: 'nodes' | 'refusal'): Promise<void>
  refuse(one: One, code: string, says: string): Promise<void>
  /**
   * Bills a stranger and waits for the money for as long as the request lives; what comes later is kept for the next one.
   * Resolves with whether it came.
   */
  paysFirst(one: One): Promise<boolean>
}

const leastBillSeconds = 60
const lineBillSeconds = 300
const keepMs = 60_000
/** What a refusal before any choice leaves of a decision: its dice, and nobody. */
const nothing = { lane: 'bootstrap', sample: [], candidates: [], refused: {}, median: 0 } as const

/** Nothing is said, for a reason that is nobody's fault. */
class Silence extends Error {
  override readonly name = 'Silence'
}

export function openAnswering(options: AnsweringOptions): Answering {
  const { relays, keys, secret, clock, book, deciding, fees, load, remembered, tell } = options
  const now = () => seconds(clock)
  const bucket = (perMinute: number, least: number, most: number) =>
    openBuckets(perMinute, Math.max(least, perMinute / 4), most, () => clock.now())
  const refusals = bucket(options.refusalsPerMinute, 3, 10_000)
  const answers = bucket(options.answersPerMinute, 10, 1)

  const billed = (one: One, how: 'line' | 'first', lifeSeconds: number): Promise<Bill | undefined> =>
    fees.bill(one.asked, how, lifeSeconds, one.signal).catch(error => {
      if (!one.signal.aborted)
        tell({ event: 'trouble', request: one.asked.id, says: `The fee cannot be billed: ${String(error)}` })
      return undefined
    })

  const refuse = (one: One, code: string, says: string) =>
    say(one, ruling => ({ ...ruling, ...nothing, refusal: { code, says } }))

  /** Writes and publishes the one answer to a request; nothing where nobody waits for it or too much was said already. */
  async function say(one: One, change: (ruling: Ruling) => Ruling & { via?: readonly string[] }, bill?: Bill) {
    const { asked, request, signal, beganMs } = one
    if (signal.aborted) return
    let said: Ruling | undefined
    let how: 'kept' | 'line' | undefined
    let event: Event
    try {
      event = await book.append(place => {
        // What is dropped costs no decision.
        if (signal.aborted || remembered.isAnswered(asked.id) || !answers.has('all')) throw new Silence()
        const ruling = change(deciding.rule(one, place, now()))
        const { refusal } = ruling
        if (refusal && !refusals.has(asked.pubkey)) throw new Silence()
        if (!refusal && fees.msats > 0n) how = fees.use(asked, bill)
        const bolt11 = how === 'line' ? bill?.bolt11 : undefined
        const fee = how ? { fee: { msats: fees.msats, ...(bolt11 === undefined ? {} : { bolt11 }) } } : {}
        const template = routing.write({ via: [], ...ruling, ...fee }, now())
        remembered.answered(asked.id)
        answers.take('all')
        if (refusal) refusals.take(asked.pubkey)
        said = ruling
        return template
      })
    } catch (error) {
      if (said) remembered.unanswered(asked.id)
      if (error instanceof Silence) return
      throw error
    }
    if (how === 'line' && bill) fees.watch(bill)
    if (!said) return
    const candidates = said.candidates.map(({ node }) => node)
    const [first] = candidates
    if (first !== undefined) load.named(first)
    const told = { request: asked.id, asker: asked.pubkey, kind: request.kind, candidates, ms: clock.now() - beganMs }
    tell({ event: 'routing', id: event.id, ...told, ...(said.refusal ? { refusal: said.refusal } : {}) })
  }

  async function answer(one: One, others = nobodyElse, expected: 'nodes' | 'refusal' = 'nodes'): Promise<void> {
    const { asked, signal } = one
    const onLine = expected === 'nodes' && fees.standing(asked.pubkey).how === 'line'
    const bill = onLine ? await billed(one, 'line', lineBillSeconds) : undefined
    if (signal.aborted) return
    try {
      await say(one, ruling => withPeers(ruling, others), bill)
    } catch (error) {
      if (!(error instanceof UnpaidError)) throw error
      // Somebody came back in the meantime: now there is something to be paid for.
      if (expected === 'refusal') await answer(one, others)
      else await refuse(one, 'unpaid-fee', 'The fee of this request is not paid.')
    }
  }

  return {
    refuse,
    answer,
    async paysFirst(one) {
      const { asked, request, signal } = one
      if (!answers.has('all')) return false
      answers.take('all')
      remembered.begin(asked)
      const life = Math.min(lineBillSeconds, Math.max(leastBillSeconds, request.expiresAt - now()))
      const bill = await billed(one, 'first', life)
      if (signal.aborted || !bill) return false
      const { bolt11, hash: paymentHash, msats, expiresAt } = bill
      const says = `Pay ${msats} msats to the router for naming nodes. The job itself is paid to the node.`
      const value = { job: asked.id, customer: asked.pubkey, status: 'payment-required', says, content: '' } as const
      const event = keys.sign(feedback.write({ ...value, msats, bolt11, paymentHash, expiresAt }, now()), secret)
      void relays.publish(event, { want: 1, keepMs })
      tell({ event: 'invoice', id: event.id, request: asked.id, asker: asked.pubkey, msats })
      return fees.paid(asked.pubkey, signal)
    },
  }
}

/** Own candidates first, then those of other routers. */
function withPeers(ruling: Ruling, { candidates: theirs, via }: FromPeers): Ruling & { via: readonly string[] } {
  const own = ruling.candidates
  const known = new Set(own.map(({ node }) => node))
  const candidates = [...own, ...theirs.filter(({ node }) => !known.has(node))].slice(0, mostCandidates)
  if (candidates.length === own.length) return { ...ruling, via: [] }
  const { refusal: _, ...rest } = ruling
  return { ...rest, candidates, via }
}
