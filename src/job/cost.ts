/**
 * What a job costs where its price is counted in tokens: the price that was billed is an upper bound, and what was paid
 * beyond the cost is the customer's.
 * @module
 */
import type { NodeAct, NodeJob } from '../job.ts'

/** How the price of a job was made where tokens are counted. It is what all of them cost; the cost is made in the same way. */
export interface MeteredPrice {
  readonly flatMsats: bigint
  readonly promptMsatsPer1k: bigint
  readonly answerMsatsPer1k: bigint
  readonly promptTokens: number
  /** Of the answer, at most. */
  readonly maxTokens: number
}

/** The price of one part; the parts add up to the price, the first ones being the dearer. */
export function partMsats(job: Pick<NodeJob, 'msats' | 'parts'>, part: number): bigint {
  const parts = BigInt(job.parts)
  return job.msats / parts + (BigInt(part) <= job.msats % parts ? 1n : 0n)
}

/** What the job is billed here so far, and before that elsewhere. */
function billedMsats({ when, msats, parts, part, settled }: NodeJob): { here: bigint; elsewhere: bigint } {
  if (when !== 'parts') return { here: msats, elsewhere: 0n }
  const before = part - settled.length - 1
  const upTo = (last: number) =>
    Array.from({ length: last }, (_, at) => partMsats({ msats, parts }, at + 1)).reduce((sum, one) => sum + one, 0n)
  return { here: upTo(part) - upTo(before), elsewhere: upTo(before) }
}

/** The cost of what was made here: never below nothing, never above what was billed for it. */
export function ownCost(job: NodeJob, costMsats: bigint | undefined): Pick<NodeJob, 'costMsats'> {
  if (costMsats === undefined || job.when === 'free') return {}
  const { here, elsewhere } = billedMsats(job)
  const own = costMsats - elsewhere
  return { costMsats: own < 0n ? 0n : own < here ? own : here }
}

/** What is paid for an answer beyond its cost becomes the customer's credit. */
export function unused(job: NodeJob): readonly [NodeJob, NodeAct[]] {
  const msats = job.costMsats === undefined ? 0n : billedMsats(job).here - job.costMsats
  if (msats <= 0n) return [job, []]
  const credit: NodeAct = { act: 'credit', msats, id: `unused:${job.id}` }
  return [{ ...job, creditMsats: job.creditMsats + msats }, [credit]]
}
