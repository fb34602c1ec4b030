/**
 * How a job ended, told to whoever asked: the answer, what it cost, and why there is none.
 * @module
 */
import type { TextResult } from '../../kinds/index.ts'
import type { ClientJob } from '../job.ts'
import { isEnd } from '../job.ts'
import type { Outcome } from './client.ts'

/** What the job alone tells of its outcome. */
export type JobOutcome = Omit<Outcome, 'request' | 'feedback' | 'ms' | 'result' | 'receipt' | 'privacy'>

/** Money that left for the node, fees of routing aside. */
export const spentMsats = (job: ClientJob): bigint =>
  job.spentMsats + (job.pay === 'paid' || job.pay === 'unproven' ? (job.order?.msats ?? 0n) : 0n)

export function outcomeOf(job: ClientJob, usage: TextResult['usage']): JobOutcome {
  const answered = job.state === 'delivered' && job.answer !== undefined
  const ok = answered && !cameBack(job)
  return {
    ok,
    job,
    ...(answered ? { text: job.answer?.text ?? '' } : {}),
    ...(usage ? { usage } : {}),
    msats: spentMsats(job),
    ...(job.creditMsats ? { creditMsats: job.creditMsats } : {}),
    ...(job.preimage ? { preimage: job.preimage } : {}),
    ...(ok ? {} : reasonOf(job)),
  }
}

/** The answer was read, and the money that was held for it came back: its verifier does not stand by it. */
const cameBack = ({ pay, quote }: ClientJob): boolean => pay === 'failed' && quote?.terms?.word === 'escrow'

/** Why there is no answer. A job that has not ended was given up while its payment was in doubt. */
function reasonOf(job: ClientJob): { code: string; says: string } {
  if (job.answer && cameBack(job)) return { code: 'refunded', says: notReleased }
  if (isEnd(job.state))
    return { code: job.why?.code ?? job.state, says: job.why?.says ?? `The job ended ${job.state}.` }
  if (!job.order || job.pay === 'paid') return { code: 'given-up', says: 'Nobody waited for the answer any longer.' }
  const says = `The wallet has not said whether it paid ${job.order.msats} msats: ask it about payment hash ${job.order.hash} before you pay again.`
  return { code: 'payment-unknown', says }
}

const notReleased =
  'The verifier did not release the money, and it came back to you. Do not rely on the answer that was shown.'
