/**
 * What became of a job that this router sent to a node. Pure: the customer's word and the node's signed answer are held
 * against each other, and silence counts only where nothing but the node can have caused it.
 * @module
 */
import type { AcknowledgedVerdict } from '../../kinds/index.ts'

/** What is known of one routed job. Times are unix seconds. */
export interface JobSeen {
  readonly deadlineAt: number
  /** The node said anything at all about it: a bill, progress, a refusal. */
  readonly spoke: boolean
  /** When its result was heard. */
  readonly resultAt?: number
  /** It published a usage receipt. */
  readonly metered: boolean
  /** A payment of the job was attested as settled. */
  readonly paid: boolean
  readonly verdict?: AcknowledgedVerdict
  /** When the customer's word was heard. */
  readonly saidAt?: number
  /** This router has heard its relays all the time since the job was published. */
  readonly watched: boolean
}

export interface Outcome {
  readonly label: 'served' | 'failed' | 'disputed'
  /** Names of what was checked. */
  readonly checks: readonly string[]
  readonly code?: string
}

/** Seconds in which what was said before still comes through relays. */
export const graceSeconds = 15

/**
 * The outcome, or nothing while it is open or nobody's fault can be told:
 * - both say that it was served: `served`, late or not, since the customer took it;
 * - the customer complains of an answer that is there: `disputed`, which never ejects, because nobody can prove it;
 * - the customer says that nothing came, and nothing came: `failed`, unless the node had billed and was not paid;
 * - nobody says anything, and neither word nor answer came by the deadline: `failed`, where this router was listening;
 * - an answer, and no word of the customer: nothing. Nobody confirmed it.
 */
export function outcomeOf(seen: JobSeen, now: number): Outcome | undefined {
  const { verdict, saidAt = 0, resultAt, metered, spoke, paid, deadlineAt, watched } = seen
  const answered = resultAt !== undefined || metered
  if (verdict === 'ok')
    return answered
      ? { label: 'served', checks: [resultAt === undefined ? 'metered' : inTime(resultAt, deadlineAt), 'acknowledged'] }
      : undefined
  if (verdict === 'dispute') return answered ? { label: 'disputed', checks: ['answered'] } : undefined
  if (verdict === 'failed') {
    if (answered) return { label: 'disputed', checks: ['answered'] }
    // Its answer may be on the way: nothing says in which order relays bring two events.
    if ((spoke && !paid) || now < saidAt + graceSeconds) return undefined
    return { label: 'failed', checks: paid ? ['paid', 'unanswered'] : ['unanswered'], code: paid ? 'paid' : 'silent' }
  }
  if (answered || now < deadlineAt + graceSeconds) return undefined
  if (paid) return { label: 'failed', checks: ['paid', 'unanswered'], code: 'paid' }
  return spoke || !watched ? undefined : { label: 'failed', checks: ['published', 'unanswered'], code: 'silent' }
}

const inTime = (at: number, deadline: number): string => (at <= deadline ? 'in-time' : 'late')
