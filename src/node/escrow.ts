/**
 * What a job under escrow asks of its verifier: the payment hash for its bill, and the verdict on its answer.
 * @module
 */
import type { Event } from '../../kinds/index.ts'
import { openEscrowAsk } from '../escrow/asking.ts'
import type { QuestionOptions } from '../escrow/questions.ts'
import type { NodeAsk } from '../job/node-side.ts'
import type { NodeFact, NodeJob, Why } from '../job.ts'
import type { Journal } from '../journal/journal.ts'

export interface Escrow {
  /** Key of the verifier. */
  readonly verifier: string
  hash(): Promise<{ readonly ok: true; readonly hash: string } | { readonly ok: false; readonly why: Why }>
  /** Once the verifier has released it. */
  preimage(): string | undefined
  /** Ends with a `verdict`, or with nothing once the node closes. */
  verdict(job: NodeJob, send: (fact: NodeFact) => void): Promise<void>
  forget(): void
}

export interface EscrowDesk {
  of(request: Event, ask: NodeAsk, verifier: string): Escrow
  close(): void
}

/** Seconds that the verifier has after the time of the work itself. */
const judgeSeconds = 900

export function openEscrowDesk(options: QuestionOptions & { journal: Journal; signal: AbortSignal }): EscrowDesk {
  const { journal, signal } = options
  const asking = openEscrowAsk(options)
  const released = journal.shelf('escrow-preimages')
  return {
    of(request, { id, msats, now, ttlSeconds }, verifier) {
      const deadline = now + ttlSeconds + judgeSeconds
      return {
        verifier,
        async hash() {
          const found = await asking.hashFor({ request, verifier, msats, deadline }, signal)
          return found.ok ? found : { ok: false, why: { code: `verifier-${found.rule}`, says: found.says } }
        },
        preimage() {
          const kept = released.get(id)
          return typeof kept === 'string' ? kept : undefined
        },
        async verdict(job, send) {
          const result = journal.outbox.of(id).find(said => said.slot === 'result')?.event
          if (!result || !job.bill) return
          const word = await asking.verdict({ request, verifier, hash: job.bill.hash, deadline, result }, signal)
          // The preimage is the money: kept before anything is said about it.
          if (word.verdict === 'release') released.set(id, word.preimage, 'money')
          const why = { code: word.verdict === 'vanished' ? 'verifier-vanished' : 'refunded', says: word.says }
          send(
            word.verdict === 'release' ? { fact: 'verdict', release: true } : { fact: 'verdict', release: false, why },
          )
        },
        forget: () => released.delete(id),
      }
    },
    close: () => asking.close(),
  }
}
