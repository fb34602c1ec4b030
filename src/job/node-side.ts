/**
 * The node's side of a paid job: bills, waits, runs, delivers, and keeps account of every millisatoshi that came.
 * @module
 */
import type { NodeAct, NodeFact, NodeJob, Paid, When, Why } from '../job.ts'
import { isEnd } from '../job.ts'

type Next = readonly [NodeJob, readonly NodeAct[]]

/** What the node decided about a request before the job began. */
export interface NodeAsk {
  readonly id: string
  readonly customer: string
  readonly msats: bigint
  readonly when: When
  /** Unix seconds. */
  readonly now: number
  readonly ttlSeconds: number
  /** Set when the request cannot be served: the job is refused. */
  readonly refusal?: Why
}

/** Begins the node's side of a job. */
export function openNodeJob(ask: NodeAsk): Next {
  const job: NodeJob = {
    side: 'node',
    id: ask.id,
    customer: ask.customer,
    state: 'asked',
    msats: ask.msats,
    when: ask.msats === 0n ? 'free' : ask.when,
    deadline: ask.now + ask.ttlSeconds,
    seq: 0,
    creditMsats: 0n,
  }
  if (ask.refusal)
    return [{ ...job, state: 'refused', why: ask.refusal }, [{ act: 'say', status: 'error', why: ask.refusal }]]
  if (job.when === 'before') return [{ ...job, state: 'quoted' }, [{ act: 'bill', msats: job.msats }]]
  return start(job)
}

const start = (job: NodeJob): Next => [
  { ...job, state: 'running' },
  [{ act: 'say', status: 'processing' }, { act: 'run' }],
]

const same = (job: NodeJob): Next => [job, []]

/** Ends without an answer. Money that was paid for it becomes the customer's credit. */
function end(job: NodeJob, state: 'failed' | 'expired', why: Why, acts: readonly NodeAct[] = []): Next {
  const lost = job.paid ? job.msats : 0n
  const credit: NodeAct[] = job.paid && lost > 0n ? [{ act: 'credit', msats: lost, hash: job.paid.hash }] : []
  return [
    { ...job, state, why, creditMsats: job.creditMsats + lost },
    [...acts, ...credit, { act: 'say', status: 'error', why }],
  ]
}

export function nodeStep(job: NodeJob, fact: NodeFact): Next {
  if (fact.fact === 'again') return [job, [{ act: 'repeat' }]]
  if (fact.fact === 'paid') return onPaid(job, fact.paid)
  if (isEnd(job.state)) return same(job)
  switch (fact.fact) {
    case 'billed': {
      if (job.bill) return same(job)
      const billed = { ...job, bill: fact.bill }
      const watch: NodeAct = { act: 'watch', hash: fact.bill.hash }
      if (job.state === 'quoted')
        return [{ ...billed, state: 'awaiting-payment' }, [watch, { act: 'say', status: 'payment-required' }]]
      if (job.state === 'owed' && job.answer)
        return [billed, [watch, { act: 'deliver', answer: job.answer, bill: fact.bill }]]
      return same(job)
    }
    case 'bill-failed':
      if (job.state === 'quoted') return end(job, 'failed', fact.why)
      if (job.state === 'owed' && job.answer && !job.bill)
        return [{ ...job, state: 'delivered', why: fact.why }, [{ act: 'deliver', answer: job.answer }]]
      return same(job)
    case 'unpaid':
      return job.closing ? end(job, 'expired', unpaid) : same(job)
    case 'chunk':
      if (job.state !== 'running') return same(job)
      return [{ ...job, seq: job.seq + 1 }, [{ act: 'stream', seq: job.seq, text: fact.text }]]
    case 'result':
      if (job.state !== 'running') return same(job)
      if (job.when === 'after')
        return [{ ...job, state: 'owed', answer: fact.answer }, [{ act: 'bill', msats: job.msats }]]
      return [{ ...job, state: 'delivered', answer: fact.answer }, [{ act: 'deliver', answer: fact.answer }]]
    case 'fault':
      return job.state === 'running' ? end(job, 'failed', fact.why) : same(job)
    case 'cancel':
      // Work that has begun was bought: what was paid for it stays paid.
      return job.state === 'owed'
        ? same(job)
        : [{ ...job, state: 'cancelled', why: withdrawn }, job.state === 'running' ? [{ act: 'stop' }] : []]
    case 'time':
      return onTime(job, fact.now)
    case 'restart':
      return onRestart(job, fact.now)
  }
}

function onPaid(job: NodeJob, paid: Paid): Next {
  if (job.paid?.hash === paid.hash) return same(job)
  const waits = job.state === 'awaiting-payment' || job.state === 'owed'
  if (!waits || paid.hash !== job.bill?.hash || paid.msats < job.bill.msats) {
    const noted = !waits && job.bill?.hash === paid.hash ? { paid } : {}
    return [
      { ...job, ...noted, creditMsats: job.creditMsats + paid.msats },
      [{ act: 'credit', msats: paid.msats, hash: paid.hash }],
    ]
  }
  const surplus = paid.msats - job.bill.msats
  const acts: NodeAct[] = [{ act: 'receipt', paid }]
  if (surplus > 0n) acts.push({ act: 'credit', msats: surplus, hash: paid.hash })
  const { closing: _, ...rest } = job
  const next: NodeJob = { ...rest, paid, creditMsats: job.creditMsats + surplus }
  if (job.state === 'owed') return [{ ...next, state: 'delivered' }, acts]
  const [running, begin] = start(next)
  return [running, [...acts, ...begin]]
}

function onTime(job: NodeJob, now: number): Next {
  const bill = job.bill
  if (bill && !job.paid) {
    // Expiry is advisory on Lightning: only the own wallet says that nothing came.
    if (now >= bill.expiresAt && !job.closing)
      return [{ ...job, closing: true }, [{ act: 'ask-wallet', hash: bill.hash }]]
    return same(job)
  }
  if (now < job.deadline) return same(job)
  if (job.state === 'owed' && job.answer)
    return [{ ...job, state: 'delivered', why: unbilled }, [{ act: 'deliver', answer: job.answer }]]
  return end(job, 'failed', tooSlow, job.state === 'running' ? [{ act: 'stop' }] : [])
}

function onRestart(job: NodeJob, now: number): Next {
  const bill = job.bill
  if (bill && !job.paid) {
    const wallet: NodeAct = job.closing ? { act: 'ask-wallet', hash: bill.hash } : { act: 'watch', hash: bill.hash }
    const said: NodeAct =
      job.state === 'owed' && job.answer
        ? { act: 'deliver', answer: job.answer, bill }
        : { act: 'say', status: 'payment-required' }
    return [job, job.closing ? [wallet] : [wallet, said]]
  }
  if (now >= job.deadline) return onTime(job, now)
  if (job.state === 'running') return [{ ...job, seq: 0 }, [{ act: 'run' }]]
  return [job, [{ act: 'bill', msats: job.msats }]]
}

const unpaid: Why = { code: 'unpaid', says: 'The invoice expired unpaid. Ask again to get a new one.' }
const withdrawn: Why = { code: 'cancelled', says: 'The customer withdrew the request.' }
const tooSlow: Why = { code: 'deadline', says: 'The work was not finished in time. What was paid is kept as credit.' }
const unbilled: Why = { code: 'unbilled', says: 'Delivered, but the wallet made no invoice in time.' }
