/**
 * The node: hears jobs, bills, works, streams, delivers, and says that it is alive only while it hears itself.
 * @module
 */
import type { Event } from '../../kinds/index.ts'
import { addressedTo, cancel, ephemeralWrap, offering } from '../../kinds/index.ts'
import type { Listening, Relays } from '../../relays/relay.ts'
import { lru } from '../bounded.ts'
import type { Clock } from '../clock.ts'
import { seconds } from '../clock.ts'
import { openBuckets } from '../intake/buckets.ts'
import { openIntake } from '../intake.ts'
import type { NodeJob, Why } from '../job.ts'
import { isEnd } from '../job.ts'
import type { Keys } from '../keys.ts'
import type { Payee } from '../payments/payment.ts'
import type { Runner } from '../runners/runner.ts'
import { openSeal } from '../seal.ts'
import { type Announcer, openAnnouncer, type ServiceFacts } from './announce.ts'
import { type JobBox, type NodeEvent, openJobBox } from './job-box.ts'
import { answeredBefore, attempt, checkWork, readRequest } from './request.ts'
import { openSpeech } from './speech.ts'
import { openZaps } from './zaps.ts'

export type { NodeEvent } from './job-box.ts'

export interface NodeOptions {
  readonly relays: Relays
  readonly keys: Keys
  /** The node's own Nostr key: one key per service. */
  readonly secret: Uint8Array
  readonly clock: Clock
  readonly runner: Runner
  /** Absent: the node works for nothing only. */
  readonly payee?: Payee
  /** Price of one job. 0 is free. */
  readonly priceMsats: bigint
  readonly service: ServiceFacts
  /** Pay before the work (default) or after it. */
  readonly when?: 'before' | 'after'
  /** Also takes jobs that name no provider. Default false. */
  readonly open?: boolean
  readonly limits?: Partial<NodeLimits>
  onEvent?(event: NodeEvent): void
}

export interface NodeLimits {
  /** Jobs that have not ended. More are refused as `busy`. */
  readonly jobs: number
  /** Of them, jobs of one customer. */
  readonly jobsPerCustomer: number
  /** Ended jobs whose answer is still repeated to those who ask again. */
  readonly remembered: number
  /** Seconds that an invoice lives. */
  readonly billSeconds: number
  /** Seconds that the work may take. */
  readonly workSeconds: number
  /** Milliseconds for which answers are offered to relays that come back. */
  readonly keepMs: number
  /** Jobs of one customer that are looked at; a fifth of it at once. */
  readonly requestsPerMinute: number
  /** Refusals that are sent, to all together; a fifth of it at once. Beyond it junk is dropped in silence. */
  readonly refusalsPerMinute: number
}

const defaults: NodeLimits = {
  jobs: 64,
  jobsPerCustomer: 8,
  remembered: 2_000,
  billSeconds: 300,
  workSeconds: 600,
  keepMs: 900_000,
  requestsPerMinute: 600,
  refusalsPerMinute: 300,
}

export interface Node {
  readonly pubkey: string
  readonly kinds: readonly number[]
  /** Resolves with true when the first self-probe came back through the relays. */
  readonly ready: Promise<boolean>
  /** Jobs that have not ended. */
  jobs(): readonly NodeJob[]
  /** Stops listening and drops what is under way. Does not close relays, wallet or runner. */
  close(): Promise<void>
}

/** Opens a node on relays that stay the caller's. Throws when a price is asked and no wallet is given. */
export async function openNode(options: NodeOptions): Promise<Node> {
  const { relays, keys, secret, clock, runner, payee, priceMsats } = options
  if (priceMsats > 0n && !payee)
    throw new Error(
      `A price of ${priceMsats} msats needs a wallet: give one with --wallet, or work for free with --price-msats 0.`,
    )
  const limits = { ...defaults, ...options.limits }
  const pubkey = keys.publicKey(secret)
  const seal = openSeal({ keys, secret })
  const tell = (event: NodeEvent) => options.onEvent?.(event)
  const closing = new AbortController()
  const boxes = new Map<string, JobBox>()
  const ended = lru<string, JobBox>(limits.remembered)
  const refusals = openBuckets(limits.refusalsPerMinute, limits.refusalsPerMinute / 5, 1, () => clock.now())
  const withdrawn = lru<string, true>(limits.remembered)
  const models = await runner.models()
  const zaps = openZaps({ keys, secret, clock, priceMsats, relays })
  const announcer: Announcer = openAnnouncer({
    relays,
    keys,
    secret,
    clock,
    priceMsats,
    models,
    service: options.service,
    tell,
  })

  const since = () => seconds(clock) - 600
  const rate = { perAuthorPerMinute: limits.requestsPerMinute, burst: limits.requestsPerMinute / 5 }
  const intake = (kinds: readonly number[], open: boolean) =>
    openIntake({ verify: keys.signed, clock, kinds: [...kinds], me: pubkey, open, rate }).admit
  const onAgain = (id: string) => (boxes.get(id) ?? ended.get(id))?.send({ fact: 'again' })
  const answered = await answeredBefore(relays, pubkey, runner.kinds, since())
  const listening: Listening[] = [
    relays.listen([addressedTo([pubkey], [...runner.kinds], { since: since() })], {
      admit: intake(runner.kinds, false),
      onEvent: onRequest,
      onAgain,
    }),
    relays.listen([addressedTo([pubkey], [ephemeralWrap.number])], {
      admit: intake([ephemeralWrap.number], false),
      onEvent: onWrap,
    }),
    relays.listen(
      runner.kinds.map(kind => offering(kind, [cancel.number], { since: since() })),
      {
        admit: intake([cancel.number], true),
        onEvent: onCancel,
      },
    ),
  ]
  if (options.open)
    listening.push(
      relays.listen([{ kinds: [...runner.kinds], since: seconds(clock) - 60 }], {
        admit: intake(runner.kinds, true),
        onEvent: onRequest,
        onAgain,
      }),
    )

  function onWrap(event: Event) {
    const opened = attempt(() => seal.decrypt(event.pubkey, event.content))
    const wrap = opened === undefined ? undefined : ephemeralWrap.read(event, opened)
    if (!wrap?.ok || opened === undefined) return
    const inner = wrap.value.event
    if (!keys.verify(inner)) return
    if (inner.pubkey === pubkey) announcer.heard(inner)
    else zaps.take(inner, opened)
  }

  function onCancel(event: Event) {
    const read = cancel.read(event)
    if (!read.ok) return
    for (const id of read.value.events) {
      const box = boxes.get(id)
      // With its author, so that nobody can withdraw another's job before it comes.
      if (!box) withdrawn.set(`${id}:${event.pubkey}`, true)
      else if (box.job().customer === event.pubkey) box.send({ fact: 'cancel' })
    }
  }

  function onRequest(event: Event) {
    const known = boxes.get(event.id) ?? ended.get(event.id)
    if (known) return known.send({ fact: 'again' })
    const isGone = withdrawn.get(`${event.id}:${event.pubkey}`) || answered.has(event.id)
    if (isGone || event.pubkey === pubkey) return undefined
    void begin(event).catch(error => tell({ event: 'trouble', job: event.id, says: String(error) }))
    return undefined
  }

  async function begin(event: Event) {
    const read = readRequest(event, seal, priceMsats)
    if (!read) return tell({ event: 'trouble', job: event.id, says: 'A sealed job that this key cannot open.' })
    const speech = openSpeech({ relays, keys, secret, clock, request: event, keepMs: limits.keepMs, ...read.seal })
    // Claimed before the first await, so that a repetition meets the job and not a second beginning.
    const refusal = claimOf(event) ?? read.refusal
    // Junk is not answered for ever: strangers could have this node flood its own relays.
    if (refusal && !refusals.has('all')) return undefined
    const ask = {
      id: event.id,
      customer: event.pubkey,
      msats: priceMsats,
      when: options.when ?? 'before',
      now: seconds(clock),
    } as const
    const base = {
      speech,
      runner,
      clock,
      tell,
      signal: closing.signal,
      billSeconds: limits.billSeconds,
      ...(payee ? { payee } : {}),
    }
    const pending: { facts: Parameters<JobBox['send']>[0][] } = { facts: [] }
    boxes.set(event.id, placeholder(event, pending.facts))
    const why = refusal ?? (await checkWork(runner, read.work, tell))
    if (closing.signal.aborted) return undefined
    if (why) refusals.take('all')
    const box = openJobBox({
      ...base,
      ask: { ...ask, ttlSeconds: limits.billSeconds + limits.workSeconds, ...(why ? { refusal: why } : {}) },
      request: read.request,
      work: read.work,
      descriptionHash: () => zaps.wait(event),
      receipt: (paid, bolt11) => zaps.receipt(event, paid, bolt11),
      ended: job => {
        const done = boxes.get(job.id)
        if (!done) return
        boxes.delete(job.id)
        ended.set(job.id, done)
      },
    })
    if (isEnd(box.job().state)) {
      boxes.delete(event.id)
      ended.set(event.id, box)
    } else boxes.set(event.id, box)
    for (const fact of pending.facts) box.send(fact)
  }

  /** Stands in for a job while the runner looks at it: facts wait, and the job counts against the limits. */
  function placeholder(event: Event, facts: Parameters<JobBox['send']>[0][]): JobBox {
    const job = { side: 'node', id: event.id, customer: event.pubkey, state: 'asked', seq: 0 } as const
    return {
      send: fact => void (facts.length < 16 && facts.push(fact)),
      job: () => ({ ...job, msats: priceMsats, when: 'free', deadline: 0, creditMsats: 0n }),
      dropped: 0,
      close() {},
    }
  }

  function claimOf(event: Event): Why | undefined {
    if (boxes.size >= limits.jobs)
      return { code: 'busy', says: 'This node has all the work that it can take. Try again soon.' }
    let mine = 0
    for (const box of boxes.values()) if (box.job().customer === event.pubkey) mine++
    return mine >= limits.jobsPerCustomer
      ? { code: 'too-many', says: `You have ${mine} jobs here that have not ended. Wait for one of them.` }
      : undefined
  }

  await Promise.all(listening.map(one => one.live))
  return {
    pubkey,
    kinds: runner.kinds,
    ready: announcer.start(),
    jobs: () => [...boxes.values()].map(box => box.job()),
    async close() {
      announcer.close()
      for (const one of listening) one.close()
      closing.abort()
      boxes.clear()
    },
  }
}
