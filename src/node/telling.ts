/**
 * The words of one job: its bill, its progress, its answer (sealed where the payment opens it) and its end.
 * @module
 */
import type { BilledTerms } from '../../kinds/index.ts'
import type { Clock } from '../clock.ts'
import type { NodeAct, NodeJob } from '../job.ts'
import { sealUnder } from '../seal/under-preimage.ts'
import type { NodeEvent } from './node-event.ts'
import type { Speech } from './speech.ts'

export interface TellingOptions {
  readonly speech: Speech
  readonly clock: Clock
  readonly about: { readonly job: string; readonly customer: string }
  /** The customer listens for frames; else it gets the whole text so far, now and then. */
  readonly stream: boolean
  /** Seals the answer, where its payment opens it. */
  readonly preimage?: string
  /** Whom an escrow trusts. */
  readonly verifier?: string
  tell(event: NodeEvent): void
}

export interface Telling {
  say(act: Extract<NodeAct, { act: 'say' }>, job: NodeJob): void
  /** Work begins, or goes on. */
  begin(job: NodeJob): void
  flow(act: Extract<NodeAct, { act: 'stream' }>): void
  /** Resolves when the result is in the outbox and handed to the relays. */
  deliver(act: Pick<Extract<NodeAct, { act: 'deliver' }>, 'answer' | 'bill' | 'creditMsats'>): Promise<void>
}

export function openTelling(options: TellingOptions): Telling {
  const { speech, clock, about, stream, preimage, verifier, tell } = options
  const began = clock.now()
  let out = ''
  return {
    begin(job) {
      out = job.soFar?.text ?? ''
    },
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
    flow({ seq, text }) {
      if (stream) speech.frame(seq, text)
      else {
        out += text
        speech.feedback({ status: 'partial', says: '', content: out })
      }
    },
    async deliver({ answer, bill, creditMsats }) {
      const { model, promptTokens, outputTokens } = answer
      const owed = bill ? { msats: bill.msats, bolt11: bill.bolt11 } : {}
      const money = { ...owed, ...(creditMsats === undefined ? {} : { creditMsats }) }
      const seal = preimage === undefined ? undefined : await sealUnder(preimage, answer.text)
      const content = seal
        ? { text: seal.content, sealedUnder: { hash: seal.hash, digest: seal.digest } }
        : { text: answer.text }
      const event = speech.result({ ...content, model, usage: { promptTokens, outputTokens }, ...money })
      tell({ ...about, event: 'delivered', id: event.id, ms: clock.now() - began })
    },
  }
}

/** What the bill of a job is. */
function termsOf(job: NodeJob, verifier: string | undefined): BilledTerms {
  if (job.when === 'parts') return { word: 'parts', part: job.part, parts: job.parts }
  if (job.when === 'escrow' && verifier) return { word: 'escrow', verifier }
  return { word: job.when === 'hold' ? 'hold' : 'before' }
}
