/**
 * One job on the node's side: its mailbox, and the acts of the heart turned into bills, work and words.
 * @module
 */
import type { Event, TextRequest } from '../../kinds/index.ts'
import { isSealed } from '../../kinds/index.ts'
import type { Clock } from '../clock.ts'
import { seconds } from '../clock.ts'
import { deliver, type NodeAsk, openNodeJob } from '../job/node-side.ts'
import type { NodeAct, NodeFact, NodeJob, Paid, Why } from '../job.ts'
import { isEnd, step, wakeAt } from '../job.ts'
import type { Journal } from '../journal/journal.ts'
import { type Mailbox, openMailbox } from '../mailbox.ts'
import type { HoldPayee, Payee } from '../payments/payment.ts'
import type { Runner } from '../runners/runner.ts'
import { openAside } from './aside.ts'
import { openBilling } from './billing.ts'
import { mostBytes, openBringing, spend } from './bringing.ts'
import { openCounting } from './counting.ts'
import type { Escrow } from './escrow.ts'
import type { Held } from './held.ts'
import { openKeeping } from './keeping.ts'
import { openMeter, type Timing } from './meter.ts'
import type { NodeEvent } from './node-event.ts'
import type { Speech } from './speech.ts'
import { openTelling, type Telling } from './telling.ts'
import { openWorking } from './work.ts'

export interface JobBoxOptions {
  readonly ask: NodeAsk
  /** The job as an earlier process left it. */
  readonly reopened?: NodeJob
  readonly event: Event
  /** It came in a wrap. */
  readonly wrapped: boolean
  readonly request: TextRequest
  /** Let go of when the job ends. */
  readonly held: Held
  readonly deltas: boolean
  /** Why it cannot be worked on any more. */
  readonly lost?: Why
  /** Tokens of the answer at most, as the runner estimated it. */
  readonly maxTokens: number
  readonly speech: Speech
  readonly runner: Runner
  readonly payee?: Payee
  readonly holder?: HoldPayee
  /** Ours, for bills by `hold`. */
  readonly preimage: { readonly hash: string; readonly preimage: string }
  readonly escrow?: Escrow
  readonly clock: Clock
  readonly journal: Journal
  /** Seconds that an invoice lives. */
  readonly billSeconds: number
  /** Hash that the invoice commits to, once the customer's zap request is here; `undefined` when none came in time. */
  descriptionHash(): Promise<string | undefined>
  /** The signed zap receipt, or `undefined` when there was no zap request. */
  receipt(paid: Paid, bolt11: string): Event | undefined
  /** Writes what a job took, together with its end; gives what is left to do about it. */
  used(job: NodeJob, timing: Timing): () => void
  tell(event: NodeEvent): void
  ended(job: NodeJob): void
  /** Nothing more can happen to this job, not even late money. */
  forgotten(job: NodeJob): void
  /** The job cannot be written down any more: it stands still until the process starts again. */
  broken(error: unknown): void
  /** Calls `end` after `ms`, or before where too many such jobs wait. Gives the way to stop. */
  linger(ms: number, end: () => void): () => void
  /** Fires when the node closes: work stops, and nobody waits for late money any more. */
  readonly signal: AbortSignal
}

export type JobBox = Pick<Mailbox<NodeJob, NodeFact>, 'send' | 'job' | 'close'> & Pick<Telling, 'resend'>

/** How long the wallet is still watched for money that comes after the end. */
const lingerMs = 3_600_000

export function openJobBox(options: JobBoxOptions): JobBox {
  const { speech, clock, ask, tell, journal, escrow } = options
  const about = { job: ask.id, customer: ask.customer }
  const trouble = (says: string) => tell({ ...about, event: 'trouble', says })
  const [job, acts] = options.reopened ? ([options.reopened, []] as const) : openNodeJob(ask)
  const sealed = ask.when === 'hold' && ask.msats > 0n
  const verifier = escrow?.verifier
  const more = { ...(verifier ? { verifier } : {}), ...(options.wrapped ? { wrapped: true as const } : {}) }
  const opening = { request: options.event, ask, ...more }
  const keeping = openKeeping({ journal, clock, opening })
  let stopLingering = () => {}
  let done = false
  const meter = openMeter(clock)
  const counting = openCounting(ask.metered)
  const aside = openAside(error => trouble(text(error)))
  const close = () => {
    aside.now()
    working.stop()
    stopLingering()
    letGo()
    options.held.drop()
    mailbox.close()
  }
  /** Lets go of the wallet and of the node's signal: a node outlives many jobs. */
  const letGo = () => {
    billing.unwatch()
    options.signal.removeEventListener('abort', close)
  }
  options.signal.addEventListener('abort', close)

  const billing = openBilling({
    ...(options.payee ? { payee: options.payee } : {}),
    ...(options.holder ? { holder: options.holder } : {}),
    clock,
    billSeconds: options.billSeconds,
    // The name of a sealed job would tell every wallet on the way whose it is.
    subject: isSealed(options.event) ? 'gridstr job' : `gridstr job ${ask.id}`,
    descriptionHash: async () => (options.request.receipt ? options.descriptionHash() : undefined),
    holdHash: async () => (escrow ? escrow.hash() : { ok: true, hash: options.preimage.hash }),
    preimage: () => (escrow ? escrow.preimage() : options.preimage.preimage),
    trouble,
    signal: options.signal,
  })
  const telling = openTelling({
    speech,
    clock,
    about,
    tell,
    hidden: (options.request.privacy ?? 0) > 0,
    ...(sealed ? { preimage: options.preimage.preimage } : {}),
    ...(verifier ? { verifier } : {}),
  })
  const bringing = openBringing({
    ...{ ask, clock, journal, telling, billing, trouble, signal: options.signal, over: aside.now },
    ...(escrow ? { escrow } : {}),
  })
  // The opening acts run while the mailbox opens, and a runner may have words at once.
  const early: NodeFact[] = []
  let opened: JobBox | undefined
  const working = openWorking({
    runner: options.runner,
    work: options.held.work,
    deltas: options.deltas,
    clock,
    frames: options.request.stream && !sealed,
    ...(options.request.partial && !sealed ? { partial: telling.partial } : {}),
    mostBytes: mostBytes(speech, sealed, verifier !== undefined),
    maxTokens: options.maxTokens,
    send: fact => (opened ? opened.send(fact) : void early.push(counting.of(fact))),
    said() {
      counting.said()
      meter.first()
    },
  })

  function perform(act: NodeAct, now: NodeJob, send: (fact: NodeFact) => void): void | Promise<void> {
    switch (act.act) {
      case 'bill':
        return billing.bill(now, act.msats).then(send)
      case 'say':
        if (act.status !== 'processing') return telling.say(act, now)
        // Who has the answer needs no word that it is under way.
        return aside.later(() => mailbox.job().answer || isEnd(mailbox.job().state) || telling.say(act, now))
      case 'watch':
        return billing.watch(now, act.hash, send)
      case 'ask-wallet':
        return billing.ask(act.hash).then(send)
      case 'spend-credit':
        return send(spend(journal, ask, act.msats, seconds(clock)) ? { fact: 'spent' } : { fact: 'no-credit' })
      case 'run':
        if (options.lost) return send({ fact: 'fault', why: options.lost })
        tell({ ...about, event: now.held ? 'held' : 'running' })
        meter.begin()
        counting.begin(now)
        return working.run(now)
      case 'stop':
        return working.stop()
      case 'stream':
        return telling.flow(act).then(working.acked)
      case 'deliver':
        meter.end()
        return bringing.bring(act, now)
      case 'settle':
        return bringing.settle(act.hash, send)
      case 'ask-verifier':
        return bringing.judge(now, send)
      case 'release':
        return billing.release(act.hash).then(fact => {
          if (fact) send(fact)
          else tell({ ...about, event: 'released' })
        })
      case 'receipt':
        tell({ ...about, event: 'paid', msats: act.paid.msats })
        return aside.later(() => receipt(act.paid, now))
      case 'credit':
        return tell({ ...about, event: 'credit', msats: act.msats, says: 'Kept for the customer: it bought nothing.' })
      case 'repeat':
        return speech.repeat()
    }
  }

  function receipt(paid: Paid, now: NodeJob) {
    const event = now.bill && options.receipt(paid, now.bill.bolt11)
    if (!event) return
    speech.send(event, `receipt:${paid.hash}`)
    tell({ ...about, event: 'receipt', id: event.id })
  }

  /** What a killed process had decided and not said yet. */
  function makeGood(now: NodeJob) {
    if (now.state === 'delivered' && now.answer && !speech.said('result')) {
      const due = now.when === 'after' && now.bill ? { bill: now.bill } : {}
      void bringing.bring({ ...deliver(now, now.answer), ...due }, now)
    }
    if ((now.state === 'failed' || now.state === 'expired') && now.why && !speech.said('error'))
      telling.say({ act: 'say', status: 'error', why: now.why }, now)
    if (now.paid && now.paid.hash === now.bill?.hash && !speech.said(`receipt:${now.paid.hash}`)) receipt(now.paid, now)
    if (isEnd(now.state)) finish(now)
  }

  function finish(now: NodeJob) {
    aside.now()
    stopLingering()
    const forget = () => {
      letGo()
      if (done || options.signal.aborted) return
      done = true
      try {
        const publish = journal.atomically(() => {
          const rest = options.used(now, meter.timing())
          keeping.forget()
          return rest
        }, 'plain')
        escrow?.forget()
        options.forgotten(now)
        publish()
      } catch (error) {
        // A full disk: the next life of the process lets go of it.
        trouble(text(error))
        options.broken(error)
      }
    }
    // After the acts of the end have begun; what they say is in the outbox then.
    const { bill } = now
    if (bill && !now.paid)
      stopLingering = options.linger(lingerMs, () => void billing.late(bill.hash, mailbox.send).then(forget))
    else void bringing.done().then(forget, error => trouble(text(error)))
  }

  const mailbox = openMailbox<NodeJob, NodeFact, NodeAct>({
    job,
    acts,
    clock,
    reopened: options.reopened !== undefined,
    step: (state, fact) => step(state, fact),
    wakeAt,
    timeFact: now => ({ fact: 'time', now }),
    perform,
    keep: (state, fact, owed) => keeping.keep(state, fact, owed),
    onThrow(act, error) {
      if (act.act === 'run' && working.stopped) return undefined
      trouble(`${act.act}: ${text(error)}`)
      if (act.act === 'bill') return { fact: 'bill-failed', why: walletTrouble }
      return act.act === 'run' ? { fact: 'fault', why: runnerTrouble } : undefined
    },
    onChange(state, fact) {
      if (fact === undefined && !options.reopened && state.state !== 'refused')
        tell({ ...about, event: 'accepted', msats: state.msats })
      if (!isEnd(state.state)) return
      if (state.state !== 'delivered' && fact?.fact !== 'again' && fact?.fact !== 'paid')
        tell({ ...about, event: state.state as NodeEvent['event'], ...(state.why ? { says: state.why.says } : {}) })
      options.held.drop()
      options.ended(state)
      queueMicrotask(() => finish(state))
    },
    onBroken(error) {
      trouble(text(error))
      options.broken(error)
    },
  })
  const box: JobBox = { ...mailbox, send: fact => mailbox.send(counting.of(fact)), resend: telling.resend }
  opened = box
  for (const fact of early) mailbox.send(fact)
  if (options.reopened) {
    makeGood(options.reopened)
    mailbox.send({ fact: 'restart', now: seconds(clock) })
  }
  return box
}

const text = (error: unknown): string => (error instanceof Error ? error.message : String(error))
const runnerTrouble: Why = {
  code: 'runner',
  says: 'The work failed on this node. What was paid is kept as your credit.',
}
const walletTrouble: Why = {
  code: 'wallet',
  says: 'This node cannot make an invoice now. Try again later or elsewhere.',
}
