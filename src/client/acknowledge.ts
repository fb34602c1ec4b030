/**
 * What a customer says publicly of a routed job: served or not, what it measured and paid, and the preimages that prove it.
 * @module
 */
import type { Event } from '../../kinds/index.ts'
import { type Acknowledgement, about, acknowledgement, isSealed, present, usageReceipt } from '../../kinds/index.ts'
import type { Relays } from '../../relays/relay.ts'
import { type Clock, seconds } from '../clock.ts'
import type { Journal } from '../journal/journal.ts'
import type { Keys } from '../keys.ts'
import type { Attempt } from './attempt.ts'
import type { Outcome } from './client.ts'

export interface AcknowledgeOptions {
  readonly relays: Relays
  readonly keys: Keys
  readonly clock: Clock
  readonly journal: Journal
  /** Signed the job. */
  readonly secret: Uint8Array
  readonly routing: string
}

/** How long the node's usage receipt is waited for, and a relay's word on ours. */
const waitMs = 1_500

/** Publishes one acknowledgement (4633) and gives it; `undefined` for a job that nobody can be told anything about. */
export async function acknowledge(
  options: AcknowledgeOptions,
  attempt: Attempt,
  outcome: Outcome,
): Promise<Event | undefined> {
  const { relays, keys, clock, secret } = options
  const verdict = verdictOf(attempt)
  if (verdict === undefined) return undefined
  const receipt = verdict.verdict === 'failed' ? undefined : await receiptOf(options, attempt.node, outcome.request.id)
  const { usage, ms, firstTextMs } = outcome
  const value: Acknowledgement = {
    ...{ job: outcome.request.id, node: attempt.node, ...verdict, msats: attempt.msats },
    ...present({ receipt: receipt?.id, outputTokens: usage?.outputTokens, routing: options.routing }),
    ...present({ firstMs: firstTextMs === undefined ? undefined : Math.round(firstTextMs) }),
    ms: Math.round(attempt.ms ?? ms),
    payments: paymentsOf(options.journal, outcome),
  }
  const event = keys.sign(acknowledgement.write(value, seconds(clock)), secret)
  const { promise: late, resolve } = Promise.withResolvers<undefined>()
  const stop = clock.after(waitMs, () => resolve(undefined))
  await Promise.race([relays.publish(event, { want: 1 }), late])
  stop()
  return event
}

function verdictOf({ state, why }: Attempt): Pick<Acknowledgement, 'verdict' | 'code'> | undefined {
  if (state === 'answered') return { verdict: 'ok' }
  // Who was slower, or was called off by us, did nothing wrong; what is open has no end yet.
  if (state === 'slower' || state === 'cancelled' || state === 'skipped' || state === 'open') return undefined
  const code = why?.code.slice(0, 64)
  const disputed = code?.startsWith('sealed-') === true
  return { verdict: disputed ? 'dispute' : 'failed', ...present({ code: code || undefined }) }
}

/**
 * What was paid. The preimage of held money opens the answer for everybody who has it, unless the answer is sealed to us
 * besides: then it tells nothing.
 */
function paymentsOf(journal: Journal, { job, request, result }: Outcome): Acknowledgement['payments'] {
  const held = job.sealed !== undefined || job.quote?.terms?.word === 'hold' || job.quote?.terms?.word === 'escrow'
  const shows = !held || (isSealed(request) && result !== undefined && isSealed(result))
  return journal.orders
    .list({ job: job.id, limit: 64 })
    .filter(({ state, purpose }) => purpose === 'job' && (state === 'paid' || state === 'unproven'))
    .map(({ hash, preimage }) => ({ hash, ...(shows && preimage !== undefined ? { preimage } : {}) }))
    .reverse()
}

/** The node's receipt, when it comes within a moment. */
async function receiptOf({ relays, clock }: AcknowledgeOptions, node: string, job: string): Promise<Event | undefined> {
  const { promise, resolve } = Promise.withResolvers<Event | undefined>()
  const listening = relays.listen([about([job], [usageReceipt.number], { authors: [node] })], {
    onEvent(event) {
      const read = usageReceipt.read(event)
      if (event.pubkey === node && read.ok && read.value.job === job) resolve(event)
    },
  })
  const stop = clock.after(waitMs, () => resolve(undefined))
  const found = await promise
  stop()
  listening.close()
  return found
}
