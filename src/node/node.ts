/**
 * The node: hears jobs, bills, works, streams, delivers, and says that it is alive only while it hears itself.
 * @module
 */
import type { Event, TextRequest } from '../../kinds/index.ts'
import {
  addressedTo,
  cancel,
  ephemeralWrap,
  isSealed,
  messagesOf,
  offering,
  schemeOf,
  textRequest,
} from '../../kinds/index.ts'
import type { Listening, Relays } from '../../relays/relay.ts'
import { lru } from '../bounded.ts'
import type { Clock } from '../clock.ts'
import { seconds } from '../clock.ts'
import { openIntake } from '../intake.ts'
import type { NodeJob, Why } from '../job.ts'
import { isEnd } from '../job.ts'
import type { Keys } from '../keys.ts'
import type { Payee } from '../payments/payment.ts'
import type { Runner, Work } from '../runners/runner.ts'
import { openSeal } from '../seal.ts'
import { type Announcer, openAnnouncer, type ServiceFacts } from './announce.ts'
import { type JobBox, type NodeEvent, openJobBox } from './job-box.ts'
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
}

const defaults: NodeLimits = {
  jobs: 64,
  jobsPerCustomer: 8,
  remembered: 2_000,
  billSeconds: 300,
  workSeconds: 600,
  keepMs: 900_000,
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
  const withdrawn = lru<string, string>(limits.remembered)
  const models = await runner.models()
  const zaps = openZaps({ keys, secret, clock, priceMsats, relays })
  const announcer: Announcer = openAnnouncer({
    relays,
    keys,
    secret,
    clock,
    seal,
    priceMsats,
    models,
    service: options.service,
    tell,
  })

  const intake = (kinds: readonly number[], open: boolean) =>
    openIntake({ verify: keys.signed, clock, kinds: [...kinds], me: pubkey, open }).admit
  const since = () => seconds(clock) - 600
  const listening: Listening[] = [
    relays.listen([addressedTo([pubkey], [...runner.kinds], { since: since() })], {
      admit: intake(runner.kinds, false),
      onEvent: onRequest,
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
      if (!box) withdrawn.set(id, event.pubkey)
      else if (box.job().customer === event.pubkey) box.send({ fact: 'cancel' })
    }
  }

  function onRequest(event: Event) {
    const known = boxes.get(event.id) ?? ended.get(event.id)
    if (known) return known.send({ fact: 'again' })
    if (withdrawn.get(event.id) === event.pubkey || event.pubkey === pubkey) return undefined
    void begin(event).catch(error => tell({ event: 'trouble', job: event.id, says: String(error) }))
    return undefined
  }

  async function begin(event: Event) {
    const sealed = isSealed(event)
    const opened = sealed ? attempt(() => seal.decrypt(event.pubkey, event.content)) : undefined
    if (sealed && opened === undefined)
      return tell({ event: 'trouble', job: event.id, says: 'A sealed job that this key cannot open.' })
    const scheme = schemeOf(event.content) === 'nip04' ? 'nip04' : 'nip44'
    const encrypt = sealed ? { encrypt: (text: string) => seal.encrypt(event.pubkey, text, scheme) } : {}
    const speech = openSpeech({ relays, keys, secret, clock, request: event, keepMs: limits.keepMs, ...encrypt })
    const read = textRequest.read(event, opened)
    const request = read.ok ? read.value : undefined
    const work = request && toWork(event, request)
    // Claimed before the first await, so that a repetition meets the job and not a second beginning.
    const claim = claimOf(event)
    const refusal = claim ?? (read.ok ? undefined : { code: read.rule, says: read.says }) ?? work?.refusal
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
    const checked = refusal ? undefined : await check(work?.work)
    const why = refusal ?? checked
    const box = openJobBox({
      ...base,
      ask: { ...ask, ttlSeconds: limits.billSeconds + limits.workSeconds, ...(why ? { refusal: why } : {}) },
      request: request ?? noRequest,
      work: work?.work ?? { id: event.id, kind: event.kind, messages: [] },
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

  function toWork(event: Event, request: TextRequest): { work?: Work; refusal?: Why } {
    const messages = messagesOf(request)
    if (!messages.ok) return { refusal: { code: messages.rule, says: messages.says } }
    if (request.bidMsats !== undefined && request.bidMsats < priceMsats)
      return {
        refusal: { code: 'underbid', says: `The price is ${priceMsats} msats, the bid is ${request.bidMsats}.` },
      }
    const { model, maxTokens, temperature, topP, topK, seed } = request
    const wishes = { model, maxTokens, temperature, topP, topK, seed }
    const given = Object.fromEntries(Object.entries(wishes).filter(([, value]) => value !== undefined))
    return { work: { id: event.id, kind: event.kind, messages: messages.value, ...given } }
  }

  async function check(work: Work | undefined): Promise<Why | undefined> {
    if (!work) return { code: 'input', says: 'The job has no input that this node can work on.' }
    try {
      const estimate = await runner.check(work)
      return estimate.ok ? undefined : { code: estimate.rule, says: estimate.says }
    } catch (error) {
      tell({ event: 'trouble', job: work.id, says: String(error) })
      return { code: 'runner', says: 'This node cannot look at the job now. Try again later or elsewhere.' }
    }
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

const noRequest: TextRequest = { inputs: [], relays: [], providers: [], stream: false, receipt: false }

/** The value, or `undefined` where a stranger's bytes made it throw. */
function attempt<T>(read: () => T): T | undefined {
  try {
    return read()
  } catch {
    return undefined
  }
}
