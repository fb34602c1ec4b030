/**
 * Money of ours that a node keeps when a job has ended: its word is listened for where the job was withdrawn, believed up
 * to what was paid, and claimed.
 * @module
 */
import { type Clock, pause, timeLimit } from '../clock.ts'
import type { ClientJob } from '../job.ts'
import { isEnd } from '../job.ts'
import type { Claims } from './claims.ts'
import type { AskEvent } from './events.ts'
import { spentMsats } from './outcome.ts'

/** How long the node of a withdrawn job is listened to, for what it keeps of the money. */
export const wordMs = 5_000
/** How long one process claims money; what is open then is claimed by the next one. */
export const claimMs = 60_000

export interface KeptOptions {
  readonly clock: Clock
  /** Absent: nothing can be taken back. */
  readonly claims: Claims | undefined
  /** Signed the job. */
  readonly secret: Uint8Array
  /** Nobody waited for the node any more. */
  readonly abandoned: boolean
  /** The job as it stands. */
  job(): ClientJob
  /** Has the node say again what it said, where that may have been before this process. */
  ask(): void
  /** Resolves when the node has said after the end what it keeps. */
  readonly word: Promise<unknown>
  /** Fires when nobody waits any more. */
  readonly signal: AbortSignal
  tell(event: AskEvent): void
}

/** What goes on after the end of a job. */
export interface Rest {
  /** While the node is listened to: resolves once that is over, with true where the job needs nobody any more. */
  readonly listening?: Promise<boolean>
  /** Resolves when the money is back, or is not waited for any more. */
  readonly ended: Promise<unknown>
}

/** What is to be done about kept money; `undefined` where there is none. What is claimed at once is in the journal. */
export function claimKept(options: KeptOptions): Rest | undefined {
  const { clock, claims, word, signal, tell } = options
  const job = options.job()
  if (!claims || !isEnd(job.state) || job.node === undefined) return undefined
  const due = dueOf(job, options.abandoned)
  if (job.state === 'cancelled' && job.creditMsats === undefined && spentMsats(job) > 0n) {
    const listening = listen()
    return {
      listening: listening.then(({ done }) => done),
      ended: listening.then(({ ended }) => ended),
    }
  }
  return due.msats === 0n ? undefined : { ended: claim(due) }

  async function listen(): Promise<{ done: boolean; ended: Promise<unknown> }> {
    const enough = new AbortController()
    const late = pause(clock, wordMs, AbortSignal.any([signal, enough.signal]))
    options.ask()
    await Promise.race([word, late])
    enough.abort()
    const said = dueOf(options.job(), options.abandoned)
    // A process that ends here leaves the listening to the next one.
    if (signal.aborted && !said.loud) return { done: false, ended: Promise.resolve() }
    return { done: true, ended: claim(said) }
  }

  async function claim({ msats, loud }: Due): Promise<void> {
    const { id, node } = job
    if (!claims || msats === 0n || node === undefined) return
    if (loud) tell({ event: 'refund', msats, state: 'asked' })
    const late = timeLimit(clock, claimMs, signal)
    // A wallet that cannot bill now does not undo the answer; the claim is kept.
    const claimed = claims.claim({ job: id, node, msats, secret: options.secret }, late.signal)
    const back = await claimed.catch(() => undefined).finally(late.stop)
    if (back) tell({ event: 'refund', msats: back, state: 'paid' })
    else if (loud) tell({ event: 'refund', msats, state: 'unpaid' })
  }
}

interface Due {
  readonly msats: bigint
  /** The node said that it keeps so much, or has not said what it did with all of it. */
  readonly loud: boolean
}

/** A word of what is kept may have been lost on its way: then what was paid last is asked for, and the node says the rest. */
function dueOf(job: ClientJob, abandoned: boolean): Due {
  if (job.creditMsats !== undefined) return { msats: job.creditMsats, loud: true }
  const lost = job.state === 'expired' || job.state === 'cancelled' || (abandoned && job.state === 'failed')
  const paid = lost && job.pay === 'paid' ? (job.order?.msats ?? 0n) : 0n
  // Work that was withdrawn after it had begun may have been worth all that was paid.
  return { msats: paid, loud: job.state !== 'cancelled' }
}
