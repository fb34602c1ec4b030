/**
 * The client's side of a paid job: believes one node, pays at most one invoice, and never ends while its own wallet
 * may still be paying.
 * @module
 */
import type { ClientAct, ClientFact, ClientJob, Order, Quote, State, Why } from '../job.ts'
import { askSeconds, deadSeconds, graceSeconds, isEnd, nudgeSeconds } from '../job.ts'

type Next = readonly [ClientJob, readonly ClientAct[]]

export interface ClientAsk {
  readonly id: string
  /** The chosen node; absent for a job that anybody may quote for. */
  readonly node?: string
  readonly capMsats: bigint
  /** Into how many parts the price may be divided. Default 1. */
  readonly parts?: number
  /** So many of them were bought from another node. Default 0. */
  readonly from?: number
  /** Unix seconds. */
  readonly now: number
  readonly ttlSeconds: number
}

/** Begins the client's side of a job. */
export function openClientJob(ask: ClientAsk): Next {
  const job: ClientJob = {
    side: 'client',
    id: ask.id,
    state: 'asked',
    open: ask.node === undefined,
    ...(ask.node === undefined ? {} : { node: ask.node }),
    capMsats: ask.capMsats,
    deadline: ask.now + ask.ttlSeconds,
    nudgeAt: ask.now + nudgeSeconds,
    parts: ask.parts ?? 1,
    partsPaid: ask.from ?? 0,
    spentMsats: 0n,
    barred: [],
  }
  return [job, [{ act: 'publish' }]]
}

const same = (job: ClientJob): Next => [job, []]
const withdraw: ClientAct = { act: 'withdraw' }

/** True while the wallet may be moving money for this job. */
const inFlight = (job: ClientJob): boolean => job.pay === 'sent' || job.pay === 'unknown'

/** Ends the job, or notes the end until the wallet has spoken. */
function end(job: ClientJob, state: 'failed' | 'expired' | 'cancelled', why: Why, acts: readonly ClientAct[]): Next {
  if (job.state === 'owed') return inFlight(job) ? [job, []] : [{ ...job, state: 'delivered', ...due(job), why }, []]
  if (inFlight(job)) return job.ending ? same(job) : [{ ...job, ending: state, why }, acts]
  return [{ ...job, state, why }, acts]
}

const due = (job: ClientJob) => {
  const msats = job.order?.msats ?? job.quote?.msats
  return msats === undefined ? {} : { dueMsats: msats }
}

export function clientStep(job: ClientJob, fact: ClientFact): Next {
  if (isEnd(job.state)) return onLate(job, fact)
  switch (fact.fact) {
    case 'unpublished':
      return job.state === 'asked' ? [{ ...job, state: 'failed', why: fact.why }, []] : same(job)
    case 'quote':
      return onQuote(job, fact.quote)
    case 'processing':
      return job.state === 'asked' && !job.open && fact.by === job.node ? [{ ...job, state: 'running' }, []] : same(job)
    case 'chunk':
      return fact.by === job.node ? [job, [{ act: 'show', seq: fact.seq, text: fact.text }]] : same(job)
    case 'result':
      return onResult(job, fact)
    case 'error':
      if (fact.by !== job.node) return same(job)
      if (job.open && job.state === 'asked') return same(job)
      return end({ ...job, ...kept(job, fact.creditMsats) }, 'failed', fact.why, [])
    case 'opened':
      return onOpened(job, fact.text)
    case 'unopened':
      return job.sealed && job.pay === 'paid' && !job.answer
        ? [{ ...job, state: 'failed', why: fact.why }, []]
        : same(job)
    case 'cleared':
      if (job.pay || (job.state !== 'quoted' && job.state !== 'owed')) return same(job)
      return [
        { ...job, state: job.state === 'owed' ? 'owed' : 'awaiting-payment', order: fact.order, pay: 'sent' },
        [{ act: 'pay', order: fact.order }],
      ]
    case 'barred':
      return onBarred(job, fact.why)
    case 'paid':
      return inFlight(job)
        ? settled({
            ...job,
            pay: 'paid',
            partsPaid: job.partsPaid + 1,
            preimage: fact.preimage,
            feeMsats: (job.feeMsats ?? 0n) + fact.feeMsats,
          })
        : same(job)
    case 'unproven':
      return inFlight(job) ? settled({ ...job, pay: 'unproven', why: job.why ?? fact.why }) : same(job)
    case 'pay-failed':
      return inFlight(job) ? unpaidEnd({ ...job, pay: 'failed' }, fact.why) : same(job)
    case 'pay-unknown':
      return inFlight(job) ? [{ ...job, pay: 'unknown', nudgeAt: fact.now + askSeconds }, []] : same(job)
    case 'unsent':
      return job.pay === 'unknown' && job.order ? onUnsent(job, job.order, fact.now) : same(job)
    case 'cancel':
      return end(job, 'cancelled', cancelled, [withdraw])
    case 'time':
      return onTime(job, fact.now)
    case 'restart':
      return onRestart(job, fact.now)
  }
}

/** A job that has ended without an answer still hears what its node keeps of the money. */
function onLate(job: ClientJob, fact: ClientFact): Next {
  if (fact.fact !== 'error' || fact.by !== job.node || job.answer) return same(job)
  const { creditMsats } = kept(job, fact.creditMsats)
  return creditMsats !== undefined && creditMsats > (job.creditMsats ?? 0n) ? [{ ...job, creditMsats }, []] : same(job)
}

function onQuote(job: ClientJob, quote: Quote): Next {
  // Only whoever was paid for a part bills the next one: our own wallet is slower to say so.
  if (inFlight(job) && quote.by === job.node && quote.terms?.word === 'parts' && !job.ending)
    return quote.terms.part === job.partsPaid + 2 ? [{ ...job, nextQuote: quote }, []] : same(job)
  if ((job.state !== 'asked' && job.state !== 'running') || !mayBe(job, quote.by)) return same(job)
  const part = quote.terms?.word === 'parts' ? quote.terms.part : 1
  if (job.pay) {
    // Only the next part of a price that may be divided is a second bill of the same job.
    if (job.pay !== 'paid' || part !== job.partsPaid + 1 || part > job.parts || job.sealed) return same(job)
  } else if (part !== job.partsPaid + 1)
    return job.partsPaid > 0 ? onBarred(asQuoted(job, quote), startsOver) : same(job)
  const { pay: _, order, ...rest } = job
  const spentMsats = job.spentMsats + (order?.msats ?? 0n)
  return [{ ...rest, state: 'quoted', node: quote.by, quote, spentMsats }, [{ act: 'clear', quote }]]
}

/** A bill from the beginning, for an answer whose beginning is bought already. */
const asQuoted = (job: ClientJob, quote: Quote): ClientJob => ({ ...job, state: 'quoted', node: quote.by, quote })

const mayBe = (job: ClientJob, by: string): boolean =>
  job.open && job.state === 'asked' ? !job.barred.includes(by) && job.barred.length < 32 : by === job.node

function onResult(job: ClientJob, fact: Extract<ClientFact, { fact: 'result' }>): Next {
  if (!mayBe(job, fact.by) || job.answer) return same(job)
  const answered: ClientJob = { ...job, node: fact.by, answer: fact.answer, ...kept(job, fact.creditMsats) }
  const show: ClientAct = { act: 'show-answer', answer: fact.answer }
  if (fact.sealed) return onSealed(job, fact, { ...fact.sealed, answer: fact.answer })
  if (inFlight(job)) return [answered, [show]]
  const billed = fact.bill?.msats !== undefined && fact.bill.msats > 0n && !job.pay
  if (!billed) return [{ ...answered, state: 'delivered' }, [show]]
  const quote = { by: fact.by, ...fact.bill }
  return [{ ...answered, state: 'owed', quote }, [show, { act: 'clear', quote }]]
}

/** What a node keeps of its money, believed up to what it has or may get of ours. */
function kept(job: ClientJob, msats: bigint | undefined): Pick<ClientJob, 'creditMsats'> {
  const most = job.spentMsats + (job.pay === undefined || job.pay === 'failed' ? 0n : (job.order?.msats ?? 0n))
  const believed = msats === undefined ? 0n : msats < most ? msats : most
  return believed > 0n ? { creditMsats: believed } : {}
}

function onSealed(
  job: ClientJob,
  { by, creditMsats }: Extract<ClientFact, { fact: 'result' }>,
  sealed: NonNullable<ClientJob['sealed']>,
): Next {
  // Only what is sealed under the payment that was ordered can ever be opened.
  if (job.sealed || !job.order || sealed.hash !== job.order.hash) return same(job)
  const next: ClientJob = { ...job, node: by, sealed, ...kept(job, creditMsats) }
  return job.pay === 'paid' ? settled(next) : [next, []]
}

function onOpened(job: ClientJob, text: string): Next {
  if (!job.sealed || job.answer || job.pay !== 'paid') return same(job)
  const answer = { ...job.sealed.answer, text }
  return [{ ...job, state: 'delivered', answer }, [{ act: 'show-answer', answer }]]
}

function onBarred(job: ClientJob, why: Why): Next {
  if (job.pay) return same(job)
  if (job.state === 'owed') return [{ ...job, state: 'delivered', ...due(job), why }, []]
  if (job.state !== 'quoted') return same(job)
  if (!job.open) return [{ ...job, state: 'refused', why }, [withdraw]]
  const { node, quote: _, ...rest } = job
  return [{ ...rest, state: 'asked', barred: node ? [...job.barred, node] : job.barred, why }, []]
}

/** The wallet has paid: what the job was waiting for decides what it becomes. */
function settled(job: ClientJob): Next {
  if (job.answer) return [{ ...job, state: 'delivered' }, []]
  if (job.sealed) {
    if (job.preimage === undefined || job.pay !== 'paid') return [{ ...job, state: 'failed', why: shut }, []]
    return [{ ...job, state: 'running' }, [{ act: 'open', sealed: job.sealed, preimage: job.preimage }]]
  }
  if (job.ending === 'expired' && job.pay === 'paid' && job.creditMsats === undefined) {
    const { ending: _, why: __, ...rest } = job
    return [{ ...rest, state: 'running' }, []]
  }
  if (job.ending) return [{ ...job, state: job.ending }, []]
  const { nextQuote, ...rest } = job
  const running: ClientJob = { ...rest, state: 'running' }
  return [running, nextQuote && job.pay === 'paid' ? [{ act: 'take-up', quote: nextQuote }] : []]
}

/** The wallet is certain that nothing was paid and nothing will be. */
function unpaidEnd(paying: ClientJob, why: Why): Next {
  // Of what was not paid after all nothing is kept.
  const { creditMsats, ...rest } = paying
  const job: ClientJob = { ...rest, ...kept(rest, creditMsats) }
  if (job.answer) return [{ ...job, state: 'delivered', ...due(job), why }, []]
  if (job.ending) return [{ ...job, state: job.ending }, []]
  return [{ ...job, state: 'failed', why }, [withdraw]]
}

function onUnsent(job: ClientJob, order: Order, now: number): Next {
  // A wallet that slept may still begin a request until its own life is over: only then is "never heard of it" final.
  if (now >= order.expiresAt + deadSeconds) return unpaidEnd({ ...job, pay: 'failed' }, neverSent)
  if (job.ending || now >= order.expiresAt) return [{ ...job, nudgeAt: now + askSeconds }, []]
  return [{ ...job, pay: 'sent' }, [{ act: 'pay', order }]]
}

function onTime(job: ClientJob, now: number): Next {
  const late = now >= job.deadline
  if (inFlight(job)) {
    const ending = late && job.state !== 'owed' && !job.answer && !job.ending
    // Whoever has paid after all must still be able to hear what was bought, or what is kept.
    const grace = ending || job.ending === 'expired' ? { deadline: now + graceSeconds } : {}
    const noted: ClientJob = ending ? { ...job, ...grace, ending: 'expired', why: late_ } : { ...job, ...grace }
    if (job.pay === 'unknown' && now >= job.nudgeAt && job.order)
      return [{ ...noted, nudgeAt: now + askSeconds }, [{ act: 'ask-wallet', hash: job.order.hash }]]
    return ending ? [noted, [withdraw]] : same(job)
  }
  // Who has paid does not withdraw: what was bought may still come, and is not given away.
  if (late) return end(job, 'expired', late_, job.state === 'owed' || job.pay === 'paid' ? [] : [withdraw])
  if (now >= job.nudgeAt && (job.state === 'asked' || job.state === 'running'))
    return [{ ...job, nudgeAt: now + nudgeSeconds }, [{ act: 'publish' }]]
  return same(job)
}

function onRestart(job: ClientJob, now: number): Next {
  if (job.sealed && job.pay === 'paid' && job.state === 'running') return settled(job)
  const again: Partial<Record<State, readonly ClientAct[]>> = {
    asked: [{ act: 'publish' }],
    running: [{ act: 'publish' }],
  }
  if (inFlight(job) && job.order)
    return [{ ...job, pay: 'unknown', nudgeAt: now + askSeconds }, [{ act: 'ask-wallet', hash: job.order.hash }]]
  if (job.quote && (job.state === 'quoted' || job.state === 'owed')) return [job, [{ act: 'clear', quote: job.quote }]]
  return [job, again[job.state] ?? []]
}

const cancelled: Why = { code: 'cancelled', says: 'You cancelled the job.' }
const late_: Why = { code: 'expired', says: 'No answer came in time. Ask again, or choose another node with --to.' }
const startsOver: Why = { code: 'parts', says: 'The node bills again for parts that were bought elsewhere.' }
const shut: Why = { code: 'sealed', says: 'The wallet paid and shows no preimage, so the answer cannot be opened.' }
const neverSent: Why = {
  code: 'unpaid',
  says: 'The wallet never got the payment order and the invoice has expired: nothing was paid.',
}
