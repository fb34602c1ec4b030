/**
 * How an answer gets to its customer and its money to the node: what was not brought is not charged for.
 * @module
 */
import { type Clock, seconds } from '../clock.ts'
import type { NodeAsk } from '../job/node-side.ts'
import type { NodeAct, NodeFact, NodeJob, Why } from '../job.ts'
import type { Journal } from '../journal/journal.ts'
import { MOST_UNDER_CHARS } from '../seal/under-preimage.ts'
import type { Billing } from './billing.ts'
import type { Escrow } from './escrow.ts'
import type { Speech } from './speech.ts'
import type { Telling } from './telling.ts'

export interface Bringing {
  bring(act: Extract<NodeAct, { act: 'deliver' }>, now: NodeJob): Promise<void>
  /** Takes held money, once the answer is on its way. */
  settle(hash: string, send: (fact: NodeFact) => void): Promise<void>
  /** Asks the verifier, once the answer is on its way. */
  judge(now: NodeJob, send: (fact: NodeFact) => void): Promise<void>
  /** The answer is on its way, or never will be. */
  done(): Promise<unknown>
}

export interface BringingOptions {
  readonly ask: NodeAsk
  readonly clock: Clock
  readonly journal: Journal
  readonly telling: Pick<Telling, 'deliver' | 'say'>
  readonly billing: Pick<Billing, 'settle'>
  readonly escrow?: Escrow
  trouble(says: string): void
  /** The answer is on its way: what stood back for it goes now. */
  over(): void
  readonly signal: AbortSignal
}

export function openBringing(options: BringingOptions): Bringing {
  const { ask, clock, journal, telling, billing, escrow, trouble, signal } = options
  let delivering: Promise<Why | undefined> | undefined
  return {
    async bring(act, now) {
      delivering = telling.deliver(act, signal)
      const why = await delivering
      options.over()
      if (!why || signal.aborted || now.state === 'settling') return
      trouble(why.says)
      // No relay takes the chunks of the answer: what was paid for it bought nothing.
      const lost = now.paid ? (now.costMsats ?? now.bill?.msats ?? 0n) : now.when === 'credit' ? now.msats : 0n
      const row = { id: `unbrought:${ask.id}`, customer: ask.customer, job: ask.id, msats: lost, why: why.code }
      if (lost > 0n) journal.bills.credit({ ...row, at: seconds(clock) })
      telling.say({ act: 'say', status: 'error', why }, { ...now, creditMsats: now.creditMsats + lost })
    },
    async settle(hash, send) {
      const why = await delivering
      // Nobody is charged for what was not brought; the next life of a closed node brings it.
      if (!why) send(await billing.settle(hash))
      else if (!signal.aborted) send({ fact: 'unsettled', why })
    },
    async judge(now, send) {
      await delivering
      await escrow?.verdict(now, send)
    },
    done: async () => delivering,
  }
}

/** Bytes of an answer that can be brought on these terms. `sealed`: paying opens it; `judged`: a verifier reads it. */
export function mostBytes({ answerBytes, eventBytes }: Speech, sealed: boolean, judged: boolean): number {
  // A verifier judges what is in the event itself.
  if (judged) return eventBytes
  // Under a preimage the text is base64 before it is sealed to somebody or put in chunks.
  return sealed ? Math.floor((Math.min(answerBytes, MOST_UNDER_CHARS) * 3) / 4) - 64 : answerBytes
}

/** Takes the price from what is kept for the customer; the same again where that was done before. */
export function spend(journal: Journal, { id, customer }: NodeAsk, msats: bigint, at: number): boolean {
  const row = { id: `use:${id}`, customer, job: id, msats: -msats, why: 'job', at }
  return journal.bills.credit(row) || journal.bills.credits({ job: id }).some(one => one.id === row.id)
}
