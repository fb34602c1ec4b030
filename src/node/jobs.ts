/**
 * The jobs of one node: who is let in, on which terms, and how those of an earlier process are taken up again.
 * @module
 */
import type { Event, Privacy } from '../../kinds/index.ts'
import type { Relays } from '../../relays/relay.ts'
import { lru } from '../bounded.ts'
import type { Clock } from '../clock.ts'
import { seconds } from '../clock.ts'
import { openBuckets } from '../intake/buckets.ts'
import type { NodeAsk } from '../job/node-side.ts'
import type { NodeJob, Why } from '../job.ts'
import { isEnd } from '../job.ts'
import type { Journal, Plain } from '../journal/journal.ts'
import type { Keys } from '../keys.ts'
import type { Payloads } from '../payload/index.ts'
import type { HoldPayee, Payee } from '../payments/payment.ts'
import type { Runner } from '../runners/runner.ts'
import type { Seal } from '../seal.ts'
import { begunOf } from './begun.ts'
import type { EscrowDesk } from './escrow.ts'
import { openWaiting } from './held.ts'
import type { Inputs } from './inputs.ts'
import type { JobBox } from './job-box.ts'
import { type Opening, readOpening, replay } from './keeping.ts'
import type { NodeLimits } from './limits.ts'
import { openMaking } from './making.ts'
import type { NodeEvent } from './node-event.ts'
import type { Pricing } from './pricing.ts'
import type { Quotes } from './quotes.ts'
import { checkWork, type ReadRequest, readRequest } from './request.ts'
import { openSeats } from './seats.ts'
import { carrierOf, lastWords, offer } from './speech.ts'
import { decide, type NodeTerms } from './terms.ts'
import type { Usage } from './usage.ts'
import type { Zaps } from './zaps.ts'

export interface JobsOptions {
  readonly relays: Relays
  readonly keys: Keys
  readonly secret: Uint8Array
  readonly clock: Clock
  readonly journal: Journal
  readonly runner: Runner
  readonly payee?: Payee
  readonly holder?: HoldPayee
  readonly escrow?: EscrowDesk
  readonly pricing: Pricing
  readonly quotes: Quotes
  readonly usage: Usage
  readonly terms: NodeTerms
  readonly limits: NodeLimits
  readonly seal: Seal
  /** Levels of privacy that the node keeps. */
  readonly privacy: readonly Privacy[]
  readonly zaps: Zaps
  /** Fetches what requests point to. */
  readonly inputs: Inputs
  readonly payloads: Pick<Payloads, 'put'>
  /** Some job streams now in the open, or none does any more. */
  streams(some: boolean): void
  tell(event: NodeEvent): void
  readonly signal: AbortSignal
}

export interface Jobs {
  /** A request that passed the door, in a wrap where it came in one. Known ones get their last words again. */
  take(event: Event, wrapped?: boolean): void
  again(id: string): void
  /** The customer asks in a wrap for what it did not get: known jobs only. */
  askedAgain(request: Event): void
  /** True for a job that this node took or refused. */
  knows(id: string): boolean
  cancel(id: string, by: string): void
  /** The customer misses frames from this place on. */
  resend(id: string, by: string, from: number): void
  /** Takes up what an earlier process left, and offers again what no relay had taken. */
  resume(): Promise<void>
  open(): readonly NodeJob[]
  close(): void
}

/** Characters of an answer that is remembered beside the journal. */
const rememberedChars = 65_536
/** Seconds between two repetitions of what an earlier process said. */
const repeatSeconds = 10

export function openJobs(options: JobsOptions): Jobs {
  const { relays, clock, journal, runner, pricing, limits, tell } = options
  const boxes = new Map<string, JobBox>()
  const ended = lru<string, JobBox>(limits.remembered)
  const withdrawn = lru<string, true>(limits.remembered)
  const repeated = lru<string, number>(limits.remembered)
  const refusals = openBuckets(limits.refusalsPerMinute, limits.refusalsPerMinute / 5, 1, () => clock.now())
  const seats = openSeats({ clock, ...limits })
  let broken = false

  function claimOf(event: Event): Why | undefined {
    if (broken) return unwritable
    let mine = 0
    for (const box of boxes.values()) if (box.job().customer === event.pubkey) mine++
    if (mine >= limits.jobsPerCustomer)
      return { code: 'too-many', says: `You have ${mine} jobs here that have not ended. Wait for one of them.` }
    if (pricing.announcedMsats === 0n && !pricing.isMetered) return undefined
    const unpaid = journal.bills.list({ customer: event.pubkey, state: 'open', limit: limits.billsPerCustomer }).length
    return unpaid >= limits.billsPerCustomer
      ? { code: 'unpaid-bills', says: `You have ${unpaid} open invoices here. Pay one, or let one expire.` }
      : undefined
  }

  const making = openMaking({
    ...options,
    linger: seats.linger,
    ended(id) {
      const done = boxes.get(id)
      if (!done) return
      boxes.delete(id)
      remember(id, done)
    },
    broken() {
      broken = true
    },
  })

  const isPlain = ({ request }: ReadRequest) => options.inputs.isPlain(request.inputs)

  /** What was large is told again from the journal. */
  function remember(id: string, box: JobBox) {
    if ((box.job().answer?.text.length ?? 0) <= rememberedChars) ended.set(id, box)
  }

  function settle(id: string, box: JobBox) {
    if (isEnd(box.job().state)) {
      boxes.delete(id)
      remember(id, box)
    } else boxes.set(id, box)
  }

  async function begin(event: Event, wrapped: boolean) {
    const read = readRequest(event, options, wrapped)
    if (read?.repeats) return undefined
    if (!read) return tell({ event: 'trouble', job: event.id, says: 'A sealed job that this key cannot open.' })
    // Claimed before the first await, so that a repetition meets the job and not a second beginning.
    const quoted = options.quotes.msatsFor(event, read.request)
    const least = pricing.ofJob(read.request, quoted)
    const refusal = claimOf(event) ?? read.refusal ?? least.why ?? (seats.room(event.id, boxes) ? undefined : full)
    // Junk is not answered for ever: strangers could have this node flood its own relays.
    if (refusal && !refusals.has('all')) return undefined
    const waiting = openWaiting(event, least.msats, options.signal)
    boxes.set(event.id, waiting.box)
    const whole = refusal || isPlain(read) ? { work: read.work } : await making.wholeOf(event, read, waiting.signal)
    if (options.signal.aborted) return undefined
    if (waiting.signal.aborted && !isPlain(read)) {
      boxes.delete(event.id)
      return void withdrawn.set(`${event.id}:${event.pubkey}`, true)
    }
    const { work } = whole
    const found = refusal ?? whole.why
    const checked = found ? { maxTokens: 1, why: found } : await checkWork(runner, work, tell)
    if (options.signal.aborted) return undefined
    // What tokens cost is known only now. A bid for fewer of them than were asked for buys those.
    const counted = pricing.isMetered && 'promptTokens' in checked
    const priced = counted ? pricing.ofJob(read.request, quoted, checked) : least
    const why = checked.why ?? priced.why
    const { msats, metered } = priced
    const maxTokens = metered?.maxTokens ?? checked.maxTokens
    if (why) refusals.take('all')
    const now = seconds(clock)
    const begun = begunOf(read.request, work, maxTokens)
    const { verifier, ...terms } = decide(
      read.request,
      event.pubkey,
      msats,
      options.terms,
      journal,
      now,
      begun.from !== undefined,
    )
    const times = { now, ttlSeconds: limits.billSeconds + limits.workSeconds }
    const ask: NodeAsk = {
      ...{ id: event.id, customer: event.pubkey, msats, ...begun, ...terms, ...times },
      ...(metered ? { metered } : {}),
      ...(why ? { refusal: why } : {}),
    }
    const more = { ...(verifier ? { verifier } : {}), ...(wrapped ? { wrapped } : {}) }
    const box = making.boxFor({ request: event, ask, ...more }, read, work, maxTokens)
    settle(event.id, box)
    for (const fact of waiting.facts) box.send(fact)
    return undefined
  }

  /** A job of an earlier process, with what its inputs point to where it still `needs` them. */
  async function takeUp(opening: Opening, read: ReadRequest, facts: readonly Plain[], needs: boolean): Promise<void> {
    const { request: event } = opening
    const waiting = needs ? openWaiting(event, opening.ask.msats, options.signal) : undefined
    if (waiting) boxes.set(event.id, waiting.box)
    const whole = waiting ? await making.wholeOf(event, read, waiting.signal) : { work: read.work }
    const checked = await checkWork(runner, whole.work, tell)
    if (options.signal.aborted) return
    const maxTokens = opening.ask.metered?.maxTokens ?? checked.maxTokens
    const ask = { ...opening.ask, ...(opening.ask.from ? begunOf(read.request, whole.work, maxTokens) : {}) }
    const lost = whole.why ? { lost: whole.why } : {}
    const more = { reopened: replay(ask, facts), ...lost }
    const box = making.boxFor({ ...opening, ask }, read, whole.work, maxTokens, more)
    settle(event.id, box)
    for (const fact of waiting?.facts ?? []) box.send(fact)
    // The relays told of it before this job was here.
    if (withdrawn.get(`${event.id}:${ask.customer}`)) box.send({ fact: 'cancel' })
  }

  function again(id: string) {
    const box = boxes.get(id) ?? ended.get(id)
    if (box) return box.send({ fact: 'again' })
    const now = seconds(clock)
    if (now - (repeated.get(id) ?? 0) < repeatSeconds) return
    repeated.set(id, now)
    for (const event of lastWords(journal, id))
      void offer(relays, journal, event, limits.keepMs, () => carrierOf(options, id, event))
  }

  const knows = (id: string): boolean =>
    boxes.has(id) || ended.get(id) !== undefined || journal.jobs.find('node', id) !== undefined

  return {
    knows,
    take(event, wrapped = false) {
      if (knows(event.id)) return again(event.id)
      if (withdrawn.get(`${event.id}:${event.pubkey}`)) return
      void begin(event, wrapped).catch(error => tell({ event: 'trouble', job: event.id, says: String(error) }))
    },
    again,
    askedAgain({ id }) {
      if (knows(id)) again(id)
    },
    cancel(id, by) {
      const box = boxes.get(id)
      // With its author, so that nobody can withdraw another's job before it comes.
      if (!box) withdrawn.set(`${id}:${by}`, true)
      else if (box.job().customer === by) box.send({ fact: 'cancel' })
    },
    resend(id, by, from) {
      const box = boxes.get(id)
      if (box?.job().customer === by) box.resend(from)
    },
    async resume() {
      // What jobs say while they are taken up is published by themselves.
      const pending = journal.outbox.pending(seconds(clock))
      for (const row of journal.jobs.unfinished('node')) {
        const opening = readOpening(row.opening)
        const read = opening && readRequest(opening.request, options, opening.wrapped)
        if (!opening || !read) {
          // Another key's job: this journal served another node before.
          tell({ event: 'trouble', job: row.id, says: 'A job of an earlier process that this key cannot open.' })
          continue
        }
        const kept = replay(opening.ask, row.facts)
        // Who has the answer needs no inputs, and who waits for them holds up nobody.
        const needs = !isPlain(read) && !isEnd(kept.state) && !kept.answer
        if (!needs) await takeUp(opening, read, row.facts, false)
        else
          void takeUp(opening, read, row.facts, true).catch(error =>
            tell({ event: 'trouble', job: row.id, says: `${error}` }),
          )
        if (options.signal.aborted) return
      }
      for (const { job, event, until } of pending)
        void offer(relays, journal, event, (until - seconds(clock)) * 1000, () => carrierOf(options, job, event))
    },
    open: () => [...boxes.values()].map(box => box.job()),
    close() {
      options.escrow?.close()
      boxes.clear()
    },
  }
}

const full: Why = { code: 'busy', says: 'This node has all the work that it can take. Try again soon.' }
const unwritable: Why = {
  code: 'trouble',
  says: 'This node cannot write down new jobs now. Try again later or elsewhere.',
}
