/**
 * What the work of one job costs where tokens are counted: told with its result, and with a withdrawal for as much as was
 * made until then.
 * @module
 */
import type { MeteredPrice } from '../job/cost.ts'
import type { NodeFact, NodeJob } from '../job.ts'
import { meteredMsats } from '../ledger/index.ts'

export interface Counting {
  /** Work begins, or goes on. */
  begin(job: NodeJob): void
  /** The model said something: a token, as far as anybody can see. */
  said(): void
  /** The fact with what the work cost, where that is asked. */
  of(fact: NodeFact): NodeFact
}

/** Counts for a price of tokens; without one every fact stays as it is. */
export function openCounting(price: MeteredPrice | undefined): Counting {
  let made = 0
  return {
    begin(job) {
      made = job.soFar?.outputTokens ?? 0
    },
    said() {
      made++
    },
    of(fact) {
      if (!price) return fact
      if (fact.fact === 'result') {
        const { promptTokens, outputTokens } = fact.answer
        return { ...fact, costMsats: meteredMsats(price, promptTokens, outputTokens) }
      }
      return fact.fact === 'cancel' ? { ...fact, costMsats: meteredMsats(price, price.promptTokens, made) } : fact
    },
  }
}
