/**
 * The node's side of a paid job: bills, waits, runs, delivers, and keeps account of every millisatoshi that came.
 * @module
 */
import type { Answer, NodeAct, NodeFact, NodeJob, Paid, When, Why } from '../job.ts'
import { isEnd } from '../job.ts'
import { type MeteredPrice, ownCost, partMsats, unused } from './cost.ts'

type Next = readonly [NodeJob, readonly NodeAct[]]

/** What the node decided about a request before the job began. */
export interface NodeAsk {
  readonly id: string
  readonly customer: string
  readonly msats: bigint
  readonly when: When
  /** Into how many bills the price is divided; 1 unless `when` is `parts`. */
  readonly parts?: number
  /**
   * The first `from` parts of the answer were bought elsewhere, and are what `soFar` says: only the rest is made and billed.
   * Counts for nothing unless there is a text and `from` is a whole number from 1 to one below the number of parts.
   */
  readonly from?: number
  readonly soFar?: Answer
  /** Where `msats` is a price of tokens. */
  readonly metered?: MeteredPrice
  /** Unix seconds. */
  readonly now: number
  readonly ttlSeconds: number
  /** Set when the request cannot be served: the job is refused. */
  readonly refusal?: Why
}

/** Begins the node's side of a job. */
export function openNodeJob(ask: NodeAsk): Next {
  const when = ask.msats === 0n ? 'free' : ask.when
  const parts = when === 'parts' ? Math.max(1, Math.min(ask.parts ?? 1, Number(ask.msats))) : 1
  const from = begunAt(ask, parts)
  const job: NodeJob = {
    side: 'node',
    id: ask.id,
    customer: ask.customer,
    state: 'asked',
    msats: ask.msats,
    when,
    parts,
    part: when === 'parts' ? from + 1 : 1,
    deadline: ask.now + ask.ttlSeconds,
    settled: [],
    ...(from > 0 && ask.soFar ? { soFar: ask.soFar } : {}),
    seq: 0,
    creditMsats: 0n,
  }
  if (ask.refusal)
    return [{ ...job, state: 'refused', why: ask.refusal }, [{ act: 'say', status: 'error', why: ask.refusal }]]
  if (when === 'free' || when === 'after') return start(job)
  const quoted: NodeJob = { ...job, state: 'quoted' }
  return [quoted, [begins(quoted)]]
}

/** How many parts of an answer were bought elsewhere; `parts` is how many this job is billed in, 1 for a whole price. */
function begunAt({ from = 0, soFar, parts = 1 }: NodeAsk, billedIn: number): number {
  const least = billedIn > 1 ? Math.min(parts, billedIn) : parts
  return Number.isSafeInteger(from) && from > 0 && from < least && soFar !== undefined && soFar.text !== '' ? from : 0
}

/** What a quoted job waits for first. */
const begins = (job: NodeJob): NodeAct =>
  job.when === 'credit'
    ? { act: 'spend-credit', msats: job.msats }
    : { act: 'bill', msats: partMsats(job, job.part), part: job.part }

const start = (job: NodeJob): Next => [
  { ...job, state: 'running' },
  [{ act: 'say', status: 'processing' }, { act: 'run' }],
]

const same = (job: NodeJob): Next => [job, []]
const holds = (job: NodeJob): boolean => job.when === 'hold' || job.when === 'escrow'

/** Waits for its first payment, and nothing was held, spent or bought elsewhere for it. */
export const isUnpaid = ({ state, held, settled, when }: NodeJob): boolean =>
  (state === 'quoted' || state === 'awaiting-payment') && !held && settled.length === 0 && when !== 'credit'

/** Lets held money go back, and closes a hold bill that nobody has paid yet. */
const release = (job: NodeJob): NodeAct[] =>
  holds(job) && job.bill && !job.paid ? [{ act: 'release', hash: job.bill.hash }] : []

/** Ends without an answer. Money that was paid for it becomes the customer's credit. */
function end(job: NodeJob, state: 'failed' | 'expired', why: Why, acts: readonly NodeAct[] = []): Next {
  const spent = job.when === 'credit' && job.state === 'running'
  // Of several parts only the present one bought nothing: the earlier ones were streamed.
  const lost = spent ? job.msats : job.paid ? partMsats(job, job.part) : 0n
  const credit: NodeAct[] = lost > 0n ? [{ act: 'credit', msats: lost, id: `back:${job.id}` }] : []
  return [
    { ...job, state, why, creditMsats: job.creditMsats + lost },
    [...acts, ...release(job), ...credit, { act: 'say', status: 'error', why }],
  ]
}

export function nodeStep(job: NodeJob, fact: NodeFact): Next {
  if (fact.fact === 'again') return [job, [{ act: 'repeat' }]]
  if (fact.fact === 'paid') return onPaid(job, fact.paid)
  if (isEnd(job.state)) return onLate(job, fact)
  switch (fact.fact) {
    case 'billed': {
      if (job.bill) return same(job)
      const billed = { ...job, bill: fact.bill }
      const watch: NodeAct = { act: 'watch', hash: fact.bill.hash }
      if (job.state === 'quoted')
        return [{ ...billed, state: 'awaiting-payment' }, [watch, { act: 'say', status: 'payment-required' }]]
      if (job.state === 'owed' && job.answer) return [billed, [watch, { ...deliver(job, job.answer), bill: fact.bill }]]
      return same(job)
    }
    case 'bill-failed':
      if (job.state === 'quoted') return end(job, 'failed', fact.why)
      if (job.state === 'owed' && job.answer && !job.bill)
        return [{ ...job, state: 'delivered', why: fact.why }, [deliver(job, job.answer)]]
      return same(job)
    case 'unpaid':
      return job.closing ? end(job, 'expired', unpaid) : same(job)
    case 'held': {
      if (!holds(job) || job.state !== 'awaiting-payment' || fact.hash !== job.bill?.hash) return same(job)
      const { closing: _, ...rest } = job
      return start({ ...rest, held: true })
    }
    case 'displaced':
      return isUnpaid(job) ? end(job, 'expired', gaveWay) : same(job)
    case 'spent':
      return job.state === 'quoted' && job.when === 'credit' ? start(job) : same(job)
    case 'no-credit': {
      if (job.state !== 'quoted' || job.when !== 'credit') return same(job)
      const priced: NodeJob = { ...job, when: 'before' }
      return [priced, [begins(priced)]]
    }
    case 'chunk':
      if (job.state !== 'running') return same(job)
      return [
        { ...job, seq: job.seq + 1 },
        [{ act: 'stream', seq: job.seq, text: fact.text, ...(fact.last ? { last: true } : {}) }],
      ]
    case 'part-done':
      return onPartDone(job, fact.answer)
    case 'result':
      return onResult(job, fact.answer, fact.costMsats)
    case 'verdict':
      if (job.state !== 'settling' || job.when !== 'escrow' || !job.bill) return same(job)
      return fact.release ? [job, [{ act: 'settle', hash: job.bill.hash }]] : end(job, 'failed', fact.why ?? refunded)
    case 'unsettled':
      return job.state === 'settling' ? end(job, 'failed', fact.why) : same(job)
    case 'fault':
      return job.state === 'running' ? end(job, 'failed', fact.why) : same(job)
    case 'cancel': {
      // Work that has begun was bought: what was paid for it stays paid.
      if (job.state === 'owed' || job.state === 'settling') return same(job)
      // Of work that is paid by its tokens, those that were not made are not owed.
      const ends = job.state === 'running' && !holds(job) ? { ...job, ...ownCost(job, fact.costMsats) } : job
      const [kept, credit] = job.when === 'after' ? [job, []] : unused(ends)
      const told: NodeAct[] = credit.length > 0 ? [...credit, { act: 'say', status: 'error', why: withdrawn }] : []
      const stop: NodeAct[] = job.state === 'running' ? [{ act: 'stop' }] : []
      return [{ ...kept, state: 'cancelled', why: withdrawn }, [...stop, ...release(job), ...told]]
    }
    case 'time':
      return onTime(job, fact.now)
    case 'restart':
      return onRestart(job, fact.now)
  }
}

/** A job that has ended still answers for its money. */
function onLate(job: NodeJob, fact: NodeFact): Next {
  if (fact.fact === 'held' && fact.hash === job.bill?.hash && !job.paid)
    return [job, [{ act: 'release', hash: fact.hash }]]
  if (fact.fact === 'restart' && job.bill && !job.paid && job.state !== 'refused')
    return [job, [...release(job), { act: 'watch', hash: job.bill.hash }]]
  return same(job)
}

function onResult(job: NodeJob, answer: Answer, costMsats: bigint | undefined): Next {
  if (job.state !== 'running') return same(job)
  const done: NodeJob = { ...job, answer, ...ownCost(job, costMsats) }
  if (job.when === 'after') {
    const msats = done.costMsats ?? job.msats
    if (msats === 0n) return [{ ...done, state: 'delivered' }, [deliver(done, answer)]]
    return [{ ...done, state: 'owed' }, [{ act: 'bill', msats, part: 1 }]]
  }
  if (!holds(job) || !job.bill || job.paid) {
    const [kept, credit] = holds(job) ? [done, []] : unused(done)
    return [{ ...kept, state: 'delivered' }, [...credit, deliver(kept, answer)]]
  }
  return [{ ...done, state: 'settling' }, [deliver(done, answer), takes(job, job.bill.hash)]]
}

/** The words of an answer, with what is kept of its money once that has come. */
export function deliver(job: NodeJob, answer: Answer): Extract<NodeAct, { act: 'deliver' }> {
  const comes = holds(job) && job.bill && !job.paid ? unused(job)[0].creditMsats : job.creditMsats
  const kept = job.costMsats !== undefined && comes > 0n ? { creditMsats: comes } : {}
  return { act: 'deliver', answer, ...kept }
}

const takes = (job: NodeJob, hash: string): NodeAct =>
  job.when === 'escrow' ? { act: 'ask-verifier' } : { act: 'settle', hash }

function onPartDone(job: NodeJob, answer: Answer): Next {
  if (job.state !== 'running' || job.part >= job.parts) return same(job)
  const { bill, paid: _, ...rest } = job
  const next: NodeJob = {
    ...rest,
    state: 'quoted',
    part: job.part + 1,
    settled: bill ? [...job.settled, bill.hash] : job.settled,
    soFar: answer,
  }
  return [next, [begins(next)]]
}

function onPaid(job: NodeJob, paid: Paid): Next {
  if (job.paid?.hash === paid.hash || job.settled.includes(paid.hash)) return same(job)
  const waits = job.state === 'awaiting-payment' || job.state === 'owed' || job.state === 'settling'
  if (!waits || paid.hash !== job.bill?.hash || paid.msats < job.bill.msats) {
    const noted = !waits && job.bill?.hash === paid.hash ? { paid } : {}
    return [
      { ...job, ...noted, creditMsats: job.creditMsats + paid.msats },
      [{ act: 'credit', msats: paid.msats, id: paid.hash }, ...(isEnd(job.state) ? [late] : [])],
    ]
  }
  const surplus = paid.msats - job.bill.msats
  const acts: NodeAct[] = [{ act: 'receipt', paid }]
  if (surplus > 0n) acts.push({ act: 'credit', msats: surplus, id: `over:${paid.hash}` })
  const { closing: _, ...rest } = job
  const next: NodeJob = { ...rest, paid, creditMsats: job.creditMsats + surplus }
  if (job.state === 'settling') {
    const [kept, credit] = unused(next)
    return [{ ...kept, state: 'delivered' }, [...acts, ...credit]]
  }
  if (job.state === 'owed') return [{ ...next, state: 'delivered' }, acts]
  if (job.settled.length > 0) return [{ ...next, state: 'running' }, [...acts, { act: 'run' }]]
  const [running, begin] = start(next)
  return [running, [...acts, ...begin]]
}

function onTime(job: NodeJob, now: number): Next {
  const bill = job.bill
  if (job.state === 'settling') return same(job)
  if (bill && !job.paid && !job.held) {
    // Expiry is advisory on Lightning: only the own wallet says that nothing came.
    if (now >= bill.expiresAt && !job.closing)
      return [{ ...job, closing: true }, [{ act: 'ask-wallet', hash: bill.hash }]]
    return same(job)
  }
  if (now < job.deadline) return same(job)
  if (job.state === 'owed' && job.answer)
    return [{ ...job, state: 'delivered', why: unbilled }, [deliver(job, job.answer)]]
  return end(job, 'failed', tooSlow, job.state === 'running' ? [{ act: 'stop' }] : [])
}

function onRestart(job: NodeJob, now: number): Next {
  const bill = job.bill
  if (job.state === 'settling' && job.answer && bill) return [job, [deliver(job, job.answer), takes(job, bill.hash)]]
  if (bill && !job.paid && !job.held) {
    const wallet: NodeAct = job.closing ? { act: 'ask-wallet', hash: bill.hash } : { act: 'watch', hash: bill.hash }
    const said: NodeAct =
      job.state === 'owed' && job.answer
        ? { ...deliver(job, job.answer), bill }
        : { act: 'say', status: 'payment-required' }
    return [job, job.closing ? [wallet] : [wallet, said]]
  }
  // Whether the credit was spent is known only after asking for it again.
  if (now >= job.deadline && !(job.state === 'quoted' && job.when === 'credit')) return onTime(job, now)
  if (job.state === 'running') return [{ ...job, seq: 0 }, [{ act: 'run' }]]
  if (job.state === 'owed') return [job, [{ act: 'bill', msats: job.costMsats ?? job.msats, part: 1 }]]
  return [job, [begins(job)]]
}

const unpaid: Why = { code: 'unpaid', says: 'The invoice expired unpaid. Ask again to get a new one.' }
const gaveWay: Why = {
  code: 'unpaid',
  says: 'Nobody paid while others waited for the place. Ask again; what you paid meanwhile is kept as your credit.',
}
const withdrawn: Why = { code: 'cancelled', says: 'The customer withdrew the request.' }
const tooSlow: Why = { code: 'deadline', says: 'The work was not finished in time. What was paid is kept as credit.' }
const unbilled: Why = { code: 'unbilled', says: 'Delivered, but the wallet made no invoice in time.' }
const refunded: Why = { code: 'refunded', says: 'The verifier gave the money back.' }
const late: NodeAct = {
  act: 'say',
  status: 'error',
  why: { code: 'credit', says: 'Money came after the end of the job. It is kept as your credit.' },
}
