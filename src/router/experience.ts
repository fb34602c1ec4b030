/**
 * What a router learns of jobs by listening: papers go to the waiting room in whatever order they come, payments are judged,
 * and what became of the jobs that it sent somewhere itself is labelled.
 * @module
 */
import {
  acknowledgement,
  addressees,
  type Event,
  feedback,
  isSealed,
  jobIdOf,
  kinds,
  present,
  resultKind,
  usageReceipt,
  zapReceipt,
} from '../../kinds/index.ts'
import type { Audited, Audits } from './audits.ts'
import type { Case, Room } from './cases.ts'
import type { Labels } from './labels.ts'
import type { OwnRoute } from './memory.ts'
import { graceSeconds, type Outcome, outcomeOf } from './outcomes.ts'
import type { Payments } from './payments.ts'
import { ackOf, usageOf } from './reads.ts'
import type { Weights } from './weights.ts'

export interface ExperienceOptions {
  readonly room: Room
  readonly labels: Labels
  readonly payments: Payments
  readonly weights: Weights
  readonly audits: Audits
  readonly isAudited: boolean
  /** Whether a node owes the answer of a job that was paid. */
  owes?(job: string, node: string, owed: boolean): void
  routingOf(id: string): OwnRoute | undefined
  /** How often the relays were met again; it changes with every outage. */
  meetings(): number
  /** Unix seconds. */
  now(): number
}

export interface Experience {
  /** False for an event of another kind. */
  heard(event: Event): boolean
  /** A job may be judged now that could not be before. */
  again(job: string): void
  audited(audited: Audited): void
  /** Deadlines, and words that were waited for. */
  tick(): void
  /** After a restart: what the waiting room was given back. */
  resume(): void
}

const requests: ReadonlySet<number> = new Set(kinds.flatMap(({ number }) => (resultKind(number) ? [number] : [])))
const results: ReadonlySet<number> = new Set([...requests].flatMap(kind => resultKind(kind) ?? []))
/** Where the customer said none. */
const deadlineMs = 600_000
/** Who hears of a job later than this knows nothing about silence. */
const lateSeconds = 60
/** Seconds after the deadline in which the customer may still say something. */
const wordSeconds = 3_600

export function openExperience(options: ExperienceOptions): Experience {
  const { room, labels, payments, weights, audits, isAudited, owes, routingOf, meetings, now } = options
  const began = now()
  /** Own jobs without an outcome. */
  const open = new Map<string, Case>()

  function consider(one: Case) {
    payments.consider(one)
    judgeOutcome(one)
    const { routed, outcome, answer } = one
    if (payments.isWhole(one) && (!routed || (outcome && !answer))) room.settle(one)
  }

  function onRequest(event: Event) {
    const one = room.open(event.id, now())
    if (one.request) return
    room.request(one, event)
    if (!one.request) return
    const route = routeOf(event)
    const node = addressees(event)[0]
    const model = node === undefined ? undefined : route?.models.get(node)
    if (route && node !== undefined && model !== undefined && event.pubkey === route.to) {
      const watched = now() - event.created_at <= lateSeconds
      const deadlineAt = now() + Math.ceil((route.deadlineMs ?? deadlineMs) / 1_000)
      room.protect(one, { routing: route.id, node, model, deadlineAt, ...(watched ? { meetings: meetings() } : {}) })
      open.set(one.job, one)
    }
    consider(one)
  }

  /** The own route that a job names: its tag is public on sealed jobs too, and nothing else has the id of a route. */
  function routeOf(event: Event): OwnRoute | undefined {
    for (const [, value] of event.tags) {
      const route = value?.length === 64 ? routingOf(value) : undefined
      if (route) return route
    }
    return undefined
  }

  /** The case of a word about a job, unless its author has no say in it. */
  function caseFor(event: Event, side: 'node' | 'customer'): Case | undefined {
    const job = jobIdOf(event)
    if (job === undefined) return undefined
    const one = room.open(job, now())
    const { request } = one
    if (!request) return one
    if (side === 'customer') return event.pubkey === request.pubkey ? one : undefined
    const named = addressees(request)
    return named.length === 0 || named.includes(event.pubkey) ? one : undefined
  }

  function onFeedback(event: Event) {
    const one = caseFor(event, 'node')
    if (!one) return
    room.note(one, 'spoke', { id: event.id, by: event.pubkey, at: now() })
    if (billed(event) && room.keep(one, 'bills', event)) consider(one)
  }

  function onResult(event: Event) {
    const one = caseFor(event, 'node')
    if (!one) return
    room.note(one, 'results', { id: event.id, by: event.pubkey, at: now() })
    const { routed } = one
    if (routed?.node === event.pubkey && isAudited && !one.answer && one.drawAt === undefined) {
      room.answer(one, event)
      if (one.answer && !labels.isJudged('audit', one.job)) audits.heard(one)
    }
    if (billed(event)) room.keep(one, 'bills', event)
    consider(one)
  }

  /** May name an invoice that anybody can read; whether it does is looked at when a payment is judged. */
  const billed = (event: Event): boolean => event.tags.some(tag => tag[2]?.startsWith('ln')) && !isSealed(event)

  function onZap(event: Event) {
    const job = jobIdOf(event)
    if (job === undefined) return
    const one = room.open(job, now())
    const seen = event.created_at >= began ? { firstSeen: now() } : {}
    if (room.keepZap(one, { event, ...seen })) consider(one)
  }

  function judgeOutcome(one: Case) {
    const { routed, request } = one
    if (!routed || !request || one.outcome) return
    const { node, deadlineAt } = routed
    const word = one.acks.findLast(ack => ack.pubkey === request.pubkey && addressees(ack).includes(node))
    const said = word && ackOf(word)
    const ack = said?.node === node ? said : undefined
    const result = one.results.find(({ by }) => by === node)
    const usage = one.usages.find(({ pubkey }) => pubkey === node)
    const answered = result !== undefined || usage !== undefined
    owes?.(one.job, node, payments.isMade(one) && !answered && now() < deadlineAt + graceSeconds)
    const outcome = outcomeOf(
      present({
        deadlineAt,
        spoke: one.spoke.some(({ by }) => by === node),
        resultAt: result?.at,
        metered: usage !== undefined,
        paid: payments.isPaid(one),
        verdict: ack?.verdict,
        saidAt: ack && one.saidAt,
        watched: routed.meetings === meetings(),
      }),
      now(),
    )
    if (!outcome) {
      if (now() > deadlineAt + wordSeconds) close(one)
      return
    }
    const evidence = [word?.id, result?.id, usage?.id].filter(id => id !== undefined)
    const written = labels.outcome(
      present({
        ...{ topic: 'outcome' as const, label: outcome.label, node, job: one.job, evidence },
        ...{ customer: request.pubkey, kind: request.kind, model: routed.model, checks: outcome.checks, failed: [] },
        ...{ routing: routed.routing, weight: weights.of(request.pubkey), code: ack?.code ?? outcome.code },
        firstMs: ack?.firstMs,
        ms: ack?.ms,
        outputTokens: ack?.outputTokens ?? (usage && usageOf(usage)?.outputTokens),
        at: Math.min(now(), Math.max(request.created_at, word?.created_at ?? deadlineAt)),
        says: sayings[outcome.label],
      }),
    )
    if (written) close(one)
  }

  function close(one: Case) {
    one.outcome = true
    if (one.routed) owes?.(one.job, one.routed.node, false)
    open.delete(one.job)
  }

  return {
    heard(event) {
      const { kind } = event
      if (requests.has(kind)) onRequest(event)
      else if (kind === feedback.number) onFeedback(event)
      else if (results.has(kind)) onResult(event)
      else if (kind === zapReceipt.number) onZap(event)
      else if (kind === usageReceipt.number || kind === acknowledgement.number) {
        const isUsage = kind === usageReceipt.number
        const one = caseFor(event, isUsage ? 'node' : 'customer')
        if (one && room.keep(one, isUsage ? 'usages' : 'acks', event)) {
          if (!isUsage) one.saidAt ??= now()
          consider(one)
        }
      } else return false
      return true
    },
    again(job) {
      const one = room.find(job)
      if (one) consider(one)
    },
    audited({ request, result, routed, seed, verdict }) {
      labels.audit({
        ...{ topic: 'audit', label: verdict, node: routed.node, job: request.id, evidence: [result.id] },
        ...{ customer: request.pubkey, kind: request.kind, model: routed.model, routing: routed.routing, seed },
        ...{ checks: verdict === 'passed' ? ['recomputed'] : [], failed: verdict === 'failed' ? ['recomputed'] : [] },
        ...{ at: now(), says: verdict === 'passed' ? 'Computed again: the same.' : 'Computed again: not the same.' },
      })
    },
    tick() {
      for (const job of payments.due()) {
        const one = room.find(job)
        if (one?.request) consider(one)
        else payments.drop(job)
      }
      for (const [job, one] of open) {
        if (room.find(job) === one) judgeOutcome(one)
        else {
          open.delete(job)
          if (one.routed) owes?.(job, one.routed.node, false)
        }
      }
    },
    resume() {
      for (const one of room.own()) {
        if (!one.outcome && labels.isJudged('outcome', one.job)) one.outcome = true
        if (!one.outcome) open.set(one.job, one)
        // Nobody listened while the process was down.
        if (one.routed) {
          const { meetings: _, ...routed } = one.routed
          one.routed = routed
        }
        if (one.answer && !labels.isJudged('audit', one.job)) audits.heard(one)
      }
      for (const one of [...room.all()]) consider(one)
    },
  }
}

const sayings: { readonly [label in Outcome['label']]: string } = {
  served: 'Answered, and the customer is content.',
  failed: 'Nothing came.',
  disputed: 'Answered, and the customer is not content.',
}
