/**
 * The words of one job: its bill, its progress, its answer (sealed where the payment opens it) and its end.
 * @module
 */
import type { BilledTerms } from '../../kinds/index.ts'
import type { Clock } from '../clock.ts'
import type { NodeAct, NodeJob, Why } from '../job.ts'
import { sealUnder } from '../seal/under-preimage.ts'
import type { NodeEvent } from './node-event.ts'
import { openSentFrames } from './sent-frames.ts'
import type { Speech } from './speech.ts'

export interface TellingOptions {
  readonly speech: Speech
  readonly clock: Clock
  readonly about: { readonly job: string; readonly customer: string }
  /** Seals the answer, where its payment opens it. */
  readonly preimage?: string
  /** Whom an escrow trusts. */
  readonly verifier?: string
  /** The customer relies on a level of privacy: nothing of the answer but whose it is stays in public. */
  readonly hidden: boolean
  tell(event: NodeEvent): void
}

export interface Telling {
  say(act: Extract<NodeAct, { act: 'say' }>, job: NodeJob): void
  /** A frame. Resolves when a relay has taken it, or none will. */
  flow(act: Pick<Extract<NodeAct, { act: 'stream' }>, 'seq' | 'text' | 'last'>): Promise<void>
  /** Frames from this place on, again, as far as they are remembered and while it is not asked too often. */
  resend(from: number): void
  partial(soFar: string): void
  /**
   * Resolves when the result is in the outbox and handed to the relays, with its chunks before it where it needs some; with
   * why not where no relay takes these.
   */
  deliver(
    act: Pick<Extract<NodeAct, { act: 'deliver' }>, 'answer' | 'bill' | 'creditMsats'>,
    signal: AbortSignal,
  ): Promise<Why | undefined>
}

export function openTelling(options: TellingOptions): Telling {
  const { speech, clock, about, preimage, verifier, tell } = options
  const began = clock.now()
  const sent = openSentFrames(clock)
  return {
    say(act, job) {
      if (act.status === 'processing')
        speech.feedback({ status: 'processing', says: 'Working on it.', content: '' }, 'processing')
      if (act.status === 'payment-required' && job.bill) {
        const { bolt11, hash, msats, expiresAt } = job.bill
        const says = `Pay ${msats} msats to ${job.part > 1 ? 'go on' : 'begin'}.`
        const money = { msats, bolt11, paymentHash: hash, expiresAt, terms: termsOf(job, verifier) }
        speech.feedback({ status: 'payment-required', says, content: '', ...money }, `bill:${job.part}`)
        tell({ ...about, event: 'invoice', msats })
      }
      if (act.status !== 'error' || !act.why) return
      const kept = job.creditMsats > 0n ? { creditMsats: job.creditMsats } : {}
      const { says, code } = act.why
      const slot = code === 'credit' ? `credit:${job.creditMsats}` : 'error'
      const refused = job.state === 'refused'
      speech.feedback({ status: 'error', says, content: '', code, ...kept }, refused ? undefined : slot)
    },
    async flow({ seq, text, last = false }) {
      // No text can be sealed as none: the frame before is told again, as the last.
      const frame = text === '' ? sent.close() : sent.keep(seq, text, last)
      if (frame) await speech.frame(frame)
    },
    resend(from) {
      for (const frame of sent.from(from)) void speech.frame(frame)
    },
    partial(soFar) {
      speech.feedback({ status: 'partial', says: '', content: soFar })
    },
    async deliver({ answer, bill, creditMsats }, signal) {
      const { model, promptTokens, outputTokens, finish } = answer
      sent.clear()
      const owed = bill ? { msats: bill.msats, bolt11: bill.bolt11 } : {}
      const money = { ...owed, ...(creditMsats === undefined ? {} : { creditMsats }) }
      const seal = preimage === undefined ? undefined : await sealUnder(preimage, answer.text)
      // What paying opens is sealed first: its chunks are worth nothing before either.
      const packing = speech.pack(seal ? seal.content : answer.text, signal)
      const packed = packing instanceof Promise ? await packing : packing
      if (!packed.ok) return { code: packed.rule, says: packed.says }
      const { ok: _, ...said } = packed
      const content = { ...said, ...(seal ? { sealedUnder: { hash: seal.hash, digest: seal.digest } } : {}) }
      const event = speech.result({
        ...content,
        model,
        usage: { promptTokens, outputTokens },
        ...money,
        ...(finish ? { finish } : {}),
        ...(options.hidden ? { hidden: true as const } : {}),
      })
      tell({ ...about, event: 'delivered', id: event.id, ms: clock.now() - began })
      return undefined
    },
  }
}

/** What the bill of a job is. */
function termsOf(job: NodeJob, verifier: string | undefined): BilledTerms {
  if (job.when === 'parts') return { word: 'parts', part: job.part, parts: job.parts }
  if (job.when === 'escrow' && verifier) return { word: 'escrow', verifier }
  return { word: job.when === 'hold' ? 'hold' : 'before' }
}
