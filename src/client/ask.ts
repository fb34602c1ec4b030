/**
 * One question from its publication to its end: the acts of the client's side of a job turned into events, payments and
 * words on a screen.
 * @module
 */
import type { Event, TextResult } from '../../kinds/index.ts'
import { feedback, frame, isSealed, jobKind, present, zapReceipt } from '../../kinds/index.ts'
import { seconds } from '../clock.ts'
import { openClientJob } from '../job/client-side.ts'
import type { ClientAct, ClientFact, ClientJob, Why } from '../job.ts'
import { isEnd, step, wakeAt } from '../job.ts'
import type { Journal } from '../journal/journal.ts'
import { openMailbox } from '../mailbox.ts'
import { openUnder } from '../seal/under-preimage.ts'
import type { Seal } from '../seal.ts'
import { openClearing, type Turn } from './clearing.ts'
import type { ClientOptions } from './client.ts'
import type { AskEvent } from './events.ts'
import { type Opening, openKeeping } from './keeping.ts'
import { type JobOutcome, outcomeOf } from './outcome.ts'
import { openPaying } from './paying.ts'
import { openStreamIn } from './stream.ts'
import { openVoice, type Voice } from './voice.ts'
import { openZap } from './zap.ts'

export type { AskEvent } from './events.ts'

export interface AskOptions
  extends Pick<ClientOptions, 'relays' | 'keys' | 'clock' | 'payer' | 'network' | 'caps' | 'lnurl'> {
  readonly journal: Journal
  /** Lightning node of the own wallet, where it is ours alone. */
  readonly nodeKey?: string
  readonly opening: Opening
  /** Of the key that signed the job. */
  readonly seal: Pick<Seal, 'encrypt'>
  /** Everything goes in wraps. */
  readonly hidden: boolean
  /** The customer's own key: nobody pays itself, whichever key asked. */
  readonly self: string
  /** The job as an earlier process left it. */
  readonly reopened?: ClientJob
  /** Where several jobs serve one question. */
  readonly turn?: Turn
  /** Hears again what the relays keep of this node's answers. */
  lookAgain(node: string): Promise<void>
  tell(event: AskEvent): void
}

export interface Asked {
  begin(): void
  /** `text` is the whole of a result whose chunks were fetched. */
  heard(event: Event, opened: string | undefined, text?: string): void
  cancel(): void
  /**
   * Nobody waits for this node any more. The request is withdrawn where nothing was paid for it yet; the job still ends
   * only when its money is accounted for.
   */
  abandon(why: Why): void
  /** The node that is believed so far. */
  chosen(): string | undefined
  readonly ended: Promise<ClientJob>
  /** The job as it stands. */
  job(): ClientJob
  /** The verified zap receipt, waited for a moment when one was promised. */
  receipt(): Promise<Event | undefined>
  /** What is said for the job. Closing the relays before a withdrawal had its time would lose it. */
  readonly voice: Pick<Voice, 'again' | 'withdraw' | 'withdrawn'>
  outcome(job: ClientJob): JobOutcome
  /** `settled`: an ended job needs nobody any more. */
  close(settled: boolean): void
}

export function openAsk(options: AskOptions): Asked {
  const { relays, keys, clock, payer, opening, seal, hidden, journal, tell } = options
  const { request, secret, ask, announcement, terms, zapRequest } = opening
  const node = ask.node
  const results = jobKind(request.kind)?.result
  const about = present({ node, announcement })
  const voice = openVoice({ relays, keys, clock, opening, seal, hidden })
  const stream = openStreamIn({
    clock,
    ...present({ begun: opening.begun }),
    resend(from) {
      const chosen = mailbox?.job().node
      if (chosen !== undefined) voice.resend(chosen, from)
    },
  })
  const keeping = openKeeping({ journal, clock, opening })
  let resolveEnd: (job: ClientJob) => void = () => {}
  let rejectEnd: (error: unknown) => void = () => {}
  const ended = new Promise<ClientJob>((resolve, reject) => {
    resolveEnd = resolve
    rejectEnd = reject
  })
  let usage: TextResult['usage']
  const { network } = options
  const zap = openZap({ relays, keys, clock, network, request, tell, ...about, ...(zapRequest ? { zapRequest } : {}) })
  const paying = openPaying({
    ...{ network, clock, journal, tell, pubkey: request.pubkey },
    ...present({ payer, nodeKey: options.nodeKey }),
    ...(node ? { chosen: node } : {}),
    ...present({ announcement, terms, caps: options.caps }),
  })
  const { asked, clear } = openClearing({
    ...{ relays, keys, clock, network, paying, request, secret },
    ...present({ announcement, terms, lnurl: options.lnurl, turn: options.turn }),
  })

  async function publish(tellJob: (fact: ClientFact) => void, first: boolean): Promise<void> {
    const [done] = await Promise.all([voice.ask(first), zap.send(), first ? undefined : askAgain()])
    if (!first || (mailbox && isEnd(mailbox.job().state))) return
    if (done.accepted > 0)
      return tell({ event: 'asked', request: request.id, relays: done.accepted, sealed: isSealed(request) })
    const said = done.acks.map(ack => `${ack.relay}: ${ack.says || 'no answer'}`).join('; ')
    tellJob({ fact: 'unpublished', why: { code: 'relay', says: `No relay took the job (${said}). Check --relay.` } })
  }

  async function askAgain(): Promise<void> {
    const chosen = mailbox?.job().node
    if (chosen !== undefined) await Promise.all([voice.again(chosen), options.lookAgain(chosen)])
  }

  let published = false
  let broken = false
  function perform(act: ClientAct, now: ClientJob, tellJob: (fact: ClientFact) => void): undefined | Promise<void> {
    switch (act.act) {
      case 'publish': {
        const first = !published
        published = true
        return publish(tellJob, first)
      }
      case 'clear':
        if (act.quote.by === options.self) {
          tellJob({ fact: 'barred', why: selfPay })
          return undefined
        }
        return clear(now, act.quote).then(tellJob)
      case 'take-up':
        tellJob({ fact: 'quote', quote: act.quote })
        return undefined
      case 'pay':
        tell({ event: 'paying', msats: act.order.msats, hash: act.order.hash })
        return payer
          ?.pay(options.reopened ? { ...act.order, again: true } : act.order)
          .then(state => tellJob(paying.word(state)))
      case 'ask-wallet':
        return payer?.payState(act.hash).then(state => tellJob(paying.word(state)))
      case 'open':
        return openUnder(act.preimage, act.sealed.content, act.sealed).then(found =>
          tellJob(found.ok ? { fact: 'opened', text: found.text } : { fact: 'unopened', why: garbage(found) }),
        )
      case 'show': {
        const text = stream.frame(act.seq, act.text)
        if (text !== '') tell({ event: 'chunk', text })
        return undefined
      }
      case 'show-answer': {
        const { rest, replaced } = stream.answer(act.answer.text)
        if (replaced) tell({ event: 'replaced', text: rest })
        else if (rest !== '') tell({ event: 'chunk', text: rest })
        return undefined
      }
      case 'withdraw':
        return voice.withdraw()
    }
  }

  const box = () => {
    const [job, acts] = options.reopened ? ([options.reopened, []] as const) : openClientJob(ask)
    return openMailbox<ClientJob, ClientFact, ClientAct>({
      job,
      acts,
      reopened: options.reopened !== undefined,
      keep: (state, fact) => keeping.keep(state, fact),
      clock,
      step: (state, fact) => step(state, fact),
      wakeAt,
      timeFact: at => ({ fact: 'time', now: at }),
      perform,
      onThrow: (act, error) =>
        act.act === 'pay' || act.act === 'ask-wallet'
          ? { fact: 'pay-unknown', now: seconds(clock) }
          : barredBy(act, error),
      onChange(state, fact) {
        if (fact?.fact === 'processing') tell({ event: 'processing', by: fact.by })
        if (isEnd(state.state)) queueMicrotask(() => resolveEnd(state))
      },
      onBroken(error) {
        broken = true
        rejectEnd(error)
      },
    })
  }
  // What relays kept while no process was there is told before they say that they are through: it needs an ear at once.
  let mailbox: ReturnType<typeof box> | undefined = options.reopened && box()

  function heard(event: Event, opened: string | undefined, fetched?: string) {
    const by = event.pubkey
    if (event.kind === frame.number) {
      const read = frame.read(event, opened)
      if (!read.ok) return
      const { seq, text, last } = read.value
      if (last && by === mailbox?.job().node) stream.ends(seq)
      mailbox?.send({ fact: 'chunk', by, seq, text })
    } else if (event.kind === results?.number) {
      const read = results.read(event, opened)
      if (!read.ok) return
      asked(event)
      const { model, usage: used, msats, bolt11, sealedUnder, finish } = read.value
      const text = wholeOf(sealedUnder ? undefined : opening.begun, fetched ?? read.value.text)
      if (by === mailbox?.job().node || !mailbox?.job().node) usage = used
      const sealed = sealedUnder && { content: text, ...sealedUnder }
      const { promptTokens = 0, outputTokens = 0 } = used ?? {}
      const answer = {
        text: sealed ? '' : text,
        model: model ?? '',
        promptTokens,
        outputTokens,
        ...present({ finish }),
      }
      const bill = { ...(msats === undefined ? {} : { msats }), ...(bolt11 === undefined ? {} : { bolt11 }) }
      const { creditMsats } = read.value
      mailbox?.send({ fact: 'result', by, answer, bill, ...present({ sealed, creditMsats }) })
    } else if (event.kind === zapReceipt.number) zap.judge(event, mailbox?.job())
    else hearFeedback(event, opened)
  }

  function hearFeedback(event: Event, opened: string | undefined) {
    const read = feedback.read(event, opened)
    if (!read.ok) return
    const by = event.pubkey
    const { status, says, code, msats, bolt11, terms: billed, creditMsats } = read.value
    // Told again, it is a sign of life.
    if (status === 'processing' && mailbox?.job().state === 'running') tell({ event: 'processing', by })
    if (status === 'processing') mailbox?.send({ fact: 'processing', by })
    if (status === 'error')
      mailbox?.send({
        ...{ fact: 'error', by, why: { code: code ?? 'node', says: says || 'The node gave no reason.' } },
        ...(creditMsats === undefined ? {} : { creditMsats }),
      })
    if (status !== 'payment-required') return
    zap.offered(event, opened)
    asked(event)
    mailbox?.send({ fact: 'quote', quote: { by, ...present({ msats, bolt11, terms: billed }) } })
  }

  return {
    begin() {
      mailbox ??= box()
      if (options.reopened) mailbox.send({ fact: 'restart', now: seconds(clock) })
    },
    heard,
    cancel: () => mailbox?.send({ fact: 'cancel' }),
    abandon(why) {
      const job = mailbox?.job()
      if (!mailbox || !job || isEnd(job.state) || job.answer) return
      const { node: by, pay } = job
      if (by === undefined) return mailbox.send({ fact: 'cancel' })
      mailbox.send({ fact: 'error', by, why })
      // What was bought may still come, or is paid back: who has paid does not withdraw.
      if (pay !== 'paid' && pay !== 'unproven') voice.withdraw()
    },
    chosen: () => mailbox?.job().node,
    ended,
    job() {
      mailbox ??= box()
      return mailbox.job()
    },
    receipt: () => zap.receipt(mailbox?.job()),
    voice,
    outcome: job => outcomeOf(job, usage),
    close(settled) {
      // What is in doubt, or could not be written, is taken up by the next process.
      if (settled && mailbox && !broken && isEnd(mailbox.job().state)) keeping.end()
      stream.close()
      mailbox?.close()
    },
  }
}

/** A node that goes on where another one ended may say the whole answer or the rest of it. */
const wholeOf = (begun: string | undefined, text: string): string =>
  begun === undefined || text.startsWith(begun) ? text : begun + text

const selfPay: Why = {
  code: 'self-pay',
  says: 'The quote is signed with your own key: choose another node, or use another key to ask.',
}

const garbage = ({ rule, says }: { rule: string; says: string }): Why => ({
  code: `sealed-${rule}`,
  says: `You paid and the sealed answer is worth nothing: ${says} The signed events and the preimage prove it.`,
})

const barredBy = (act: ClientAct, error: unknown): ClientFact | undefined => {
  const why: Why = { code: 'broken', says: error instanceof Error ? error.message : String(error) }
  if (act.act === 'clear') return { fact: 'barred', why }
  return act.act === 'publish' ? { fact: 'unpublished', why } : undefined
}
