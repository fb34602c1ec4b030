/**
 * One job on the node's side: its mailbox, and the acts of the heart turned into bills, work and words.
 * @module
 */
import type { Event, TextRequest } from '../../kinds/index.ts'
import type { Clock } from '../clock.ts'
import { type NodeAsk, openNodeJob } from '../job/node-side.ts'
import type { NodeAct, NodeFact, NodeJob, Paid, Why } from '../job.ts'
import { isEnd, step, wakeAt } from '../job.ts'
import { type Mailbox, openMailbox } from '../mailbox.ts'
import type { BillState, Payee } from '../payments/payment.ts'
import type { Runner, Work } from '../runners/runner.ts'
import type { Speech } from './speech.ts'
import { openStream, type StreamOut } from './stream.ts'

/** What an operator sees of a job. `says` is for people and never holds a customer's text. */
export interface NodeEvent {
  readonly event:
    | 'accepted'
    | 'refused'
    | 'invoice'
    | 'paid'
    | 'credit'
    | 'running'
    | 'delivered'
    | 'receipt'
    | 'expired'
    | 'failed'
    | 'cancelled'
    | 'announced'
    | 'alive'
    | 'deaf'
    | 'trouble'
  readonly job?: string
  readonly customer?: string
  readonly msats?: bigint
  readonly id?: string
  readonly says?: string
  readonly ms?: number
}

export interface JobBoxOptions {
  readonly ask: NodeAsk
  readonly request: TextRequest
  readonly work: Work
  readonly speech: Speech
  readonly runner: Runner
  readonly payee?: Payee
  readonly clock: Clock
  /** Seconds that an invoice lives. */
  readonly billSeconds: number
  /** Hash that the invoice commits to, once the customer's zap request is here; `undefined` when none came in time. */
  descriptionHash(): Promise<string | undefined>
  /** Signs and publishes the zap receipt; gives its event, or `undefined` when there was no zap request. */
  receipt(paid: Paid, bolt11: string): Event | undefined
  tell(event: NodeEvent): void
  ended(job: NodeJob): void
  /** Fires when the node closes: work stops, and nobody waits for late money any more. */
  readonly signal: AbortSignal
}

export type JobBox = Mailbox<NodeJob, NodeFact>

/** Who listens for frames gets words as they come. */
const frames = { eager: true, everyMs: 40, chars: 400 }
/** How long the wallet is still watched for money that comes after the end. */
const lingerMs = 3_600_000
/** Ordinary clients get the whole text so far, now and then (NIP-90 `partial`). */
const partials = { eager: false, everyMs: 2_000, chars: 20_000 }

export function openJobBox(options: JobBoxOptions): JobBox {
  const { speech, clock, payee, ask, tell } = options
  const began = clock.now()
  const about = { job: ask.id, customer: ask.customer }
  let abort: AbortController | undefined
  let unwatch = () => {}
  let out = ''
  let pieces: StreamOut | undefined
  const [job, acts] = openNodeJob(ask)
  let stopLingering = () => {}
  const close = () => {
    abort?.abort()
    stopLingering()
    forget()
    mailbox.close()
  }
  /** Lets go of the wallet and of the node's signal: a node outlives many jobs. */
  const forget = () => {
    unwatch()
    options.signal.removeEventListener('abort', close)
  }
  options.signal.addEventListener('abort', close)

  const settled = (hash: string, state: Extract<BillState, { state: 'settled' }>): NodeFact => ({
    fact: 'paid',
    paid: { hash, msats: state.msats, preimage: state.preimage },
  })

  async function bill(msats: bigint): Promise<NodeFact> {
    if (!payee)
      return { fact: 'bill-failed', why: { code: 'no-wallet', says: 'This node has no wallet to be paid with.' } }
    const asked = { key: ask.id, msats, expirySeconds: options.billSeconds }
    const descriptionHash = options.request.receipt ? await options.descriptionHash() : undefined
    if (descriptionHash)
      try {
        return { fact: 'billed', bill: await payee.bill({ ...asked, descriptionHash }) }
      } catch (error) {
        // Some wallets cannot commit to a hash: the customer then gets no receipt, but still an answer.
        tell({ ...about, event: 'trouble', says: `No invoice for a zap: ${text(error)}` })
      }
    const description = `gridstr job ${ask.id}`
    return { fact: 'billed', bill: await payee.bill({ ...asked, key: `${ask.id}:plain`, description }) }
  }

  /** Asks until the wallet answers: an unreachable wallet is no proof that nothing was paid. */
  async function finalState(hash: string): Promise<NodeFact> {
    while (!options.signal.aborted) {
      try {
        const state = await payee?.billState(hash, options.signal)
        return state?.state === 'settled' ? settled(hash, state) : { fact: 'unpaid' }
      } catch (error) {
        tell({ ...about, event: 'trouble', says: `The wallet cannot be asked about an invoice: ${text(error)}` })
        await new Promise<void>(resolve => clock.after(5_000, resolve))
      }
    }
    return { fact: 'unpaid' }
  }

  async function run(send: (fact: NodeFact) => void): Promise<void> {
    abort?.abort()
    pieces?.drop()
    const mine = new AbortController()
    abort = mine
    out = ''
    tell({ ...about, event: 'running' })
    const { stream } = options.request
    const gathered = openStream({
      clock,
      ...(stream ? frames : partials),
      send(piece) {
        if (!mine.signal.aborted) send({ fact: 'chunk', text: piece })
      },
    })
    pieces = gathered
    const done = await options.runner.run(options.work, gathered.push, mine.signal).catch(error => {
      gathered.drop()
      throw error
    })
    if (mine.signal.aborted) return gathered.drop()
    const { text: answer, model, promptTokens, outputTokens } = done
    const why = undeliverable(answer)
    if (stream && !why) gathered.end()
    else gathered.drop()
    send(why ? { fact: 'fault', why } : { fact: 'result', answer: { text: answer, model, promptTokens, outputTokens } })
  }

  function say(act: Extract<NodeAct, { act: 'say' }>, now: NodeJob) {
    if (act.status === 'processing') speech.feedback({ status: 'processing', says: 'Working on it.', content: '' })
    if (act.status === 'payment-required' && now.bill) {
      const { bolt11, hash, msats, expiresAt } = now.bill
      const says = `Pay ${msats} msats to begin.`
      speech.feedback({ status: 'payment-required', says, content: '', msats, bolt11, paymentHash: hash, expiresAt })
      tell({ ...about, event: 'invoice', msats })
    }
    if (act.status === 'error' && act.why)
      speech.feedback({ status: 'error', says: act.why.says, content: '', code: act.why.code })
  }

  function flow({ seq, text: piece }: Extract<NodeAct, { act: 'stream' }>): undefined {
    if (options.request.stream) speech.frame(seq, piece)
    else {
      out += piece
      speech.feedback({ status: 'partial', says: '', content: out })
    }
  }

  function perform(act: NodeAct, now: NodeJob, send: (fact: NodeFact) => void): undefined | Promise<void> {
    switch (act.act) {
      case 'bill':
        return bill(act.msats).then(send)
      case 'say':
        say(act, now)
        return undefined
      case 'watch':
        unwatch()
        unwatch = payee?.watch(act.hash, state => send(settled(act.hash, state))) ?? (() => {})
        return undefined
      case 'ask-wallet':
        return finalState(act.hash).then(send)
      case 'run':
        return run(send)
      case 'stop':
        abort?.abort()
        pieces?.drop()
        return undefined
      case 'stream':
        return flow(act)
      case 'deliver':
        return deliver(act)
      case 'receipt': {
        tell({ ...about, event: 'paid', msats: act.paid.msats })
        const event = now.bill && options.receipt(act.paid, now.bill.bolt11)
        if (event) tell({ ...about, event: 'receipt', id: event.id })
        return undefined
      }
      case 'credit':
        tell({ ...about, event: 'credit', msats: act.msats, says: 'Money that bought nothing: it is the customer’s.' })
        return undefined
      case 'repeat':
        speech.repeat()
        return undefined
    }
  }

  function deliver({ answer, bill: due }: Extract<NodeAct, { act: 'deliver' }>): undefined {
    const { model, promptTokens, outputTokens } = answer
    const money = due ? { msats: due.msats, bolt11: due.bolt11 } : {}
    const event = speech.result({ text: answer.text, model, usage: { promptTokens, outputTokens }, ...money })
    tell({ ...about, event: 'delivered', id: event.id, ms: clock.now() - began })
  }

  const mailbox = openMailbox<NodeJob, NodeFact, NodeAct>({
    job,
    acts,
    clock,
    step: (state, fact) => step(state, fact),
    wakeAt,
    timeFact: now => ({ fact: 'time', now }),
    perform,
    onThrow(act, error) {
      if (act.act === 'run' && abort?.signal.aborted) return undefined
      tell({ ...about, event: 'trouble', says: `${act.act}: ${text(error)}` })
      if (act.act === 'bill') return { fact: 'bill-failed', why: walletTrouble }
      return act.act === 'run' ? { fact: 'fault', why: runnerTrouble } : undefined
    },
    onChange(state, fact) {
      if (fact === undefined && state.state !== 'refused') tell({ ...about, event: 'accepted', msats: state.msats })
      if (!isEnd(state.state)) return
      if (state.state !== 'delivered' && fact?.fact !== 'again' && fact?.fact !== 'paid')
        tell({ ...about, event: state.state as NodeEvent['event'], ...(state.why ? { says: state.why.says } : {}) })
      stopLingering()
      if (state.bill && !state.paid) stopLingering = clock.after(lingerMs, forget)
      else forget()
      options.ended(state)
    },
    onBroken: error => tell({ ...about, event: 'trouble', says: text(error) }),
  })
  return mailbox
}

/** One event carries the answer: nothing and too much cannot be sent, so they are failures of the work. */
function undeliverable(answer: string): Why | undefined {
  if (answer === '')
    return { code: 'empty', says: 'The model gave an empty answer. What was paid is kept as your credit.' }
  const bytes = new TextEncoder().encode(answer).length
  if (bytes <= answerBytes) return undefined
  return {
    code: 'too-long',
    says: `The answer has ${bytes} bytes; one event carries ${answerBytes}. Ask for fewer tokens. What was paid is kept as your credit.`,
  }
}

/** What fits into one sealed event with room for its tags. */
const answerBytes = 60_000

const text = (error: unknown): string => (error instanceof Error ? error.message : String(error))
const runnerTrouble: Why = {
  code: 'runner',
  says: 'The work failed on this node. What was paid is kept as your credit.',
}
const walletTrouble: Why = {
  code: 'wallet',
  says: 'This node cannot make an invoice now. Try again later or elsewhere.',
}
