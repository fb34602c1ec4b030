/**
 * A conversation in a terminal: turns go to the market one by one, answers stream to stdout, and what each cost and who
 * could read it goes to stderr.
 * @module
 */
import type { Message } from '../../kinds/index.ts'
import type { Answered, Session, SessionQuestion, Unanswered } from '../session/session.ts'
import { comesBack } from './asking.ts'
import { clean, type Io, jsonLine, type Talk } from './command.ts'
import { privacyWords } from './privacy-words.ts'
import { money, type Screen, short } from './screen.ts'

export interface ChatOptions {
  readonly session: Session
  readonly talk: Talk
  readonly io: Io
  readonly screen: Screen
  readonly json: boolean
  /** Members of every question. */
  readonly question: Omit<SessionQuestion, 'messages'>
  readonly system?: string
}

interface Conversation {
  messages: Message[]
  question: Omit<SessionQuestion, 'messages'>
  /** The last turn that got no answer. */
  unanswered?: string
  lastAnswer?: Answered
}

const prompt = 'you> '

/** Talks until the input ends, `/quit`, or Ctrl-C twice. Resolves with the exit status: 1 where the last turn got no answer. */
export async function chat(options: ChatOptions): Promise<number> {
  const { talk, io, screen } = options
  const state: Conversation = { messages: opened(options.system), question: options.question }
  let failed = false
  let leaving = 0
  const ended = new AbortController()
  const idle = talk.onInterrupt(() => {
    leaving += 1
    if (leaving > 1) return ended.abort()
    screen.more('Ctrl-C again, Ctrl-D or /quit leaves; during an answer Ctrl-C withdraws the job and you stay here.')
  })
  try {
    while (!ended.signal.aborted && !io.signal.aborted) {
      const line = await Promise.race([talk.ask(prompt), fired(ended.signal), fired(io.signal)])
      if (line === undefined || ended.signal.aborted) break
      leaving = 0
      const said = line.trim()
      if (said === '') continue
      const done = said.startsWith('/') ? await obey(options, state, said) : await turn(options, state, said)
      if (done === 'quit') break
      if (done !== undefined) failed = !done
    }
  } finally {
    idle()
  }
  const { spentMsats, totalMsats } = options.session.budget()
  screen.line('spent', `${money(spentMsats)}${totalMsats === undefined ? '' : ` of ${money(totalMsats)}`} in all`)
  return failed ? 1 : 0
}

const fired = (signal: AbortSignal): Promise<undefined> =>
  new Promise(resolve => {
    if (signal.aborted) resolve(undefined)
    else signal.addEventListener('abort', () => resolve(undefined), { once: true })
  })

const opened = (system: string | undefined): Message[] =>
  system === undefined ? [] : [{ role: 'system', content: system }]

/** One question and its answer. True where there is one; otherwise the question is kept for `/retry`. */
async function turn(
  { session, talk, io, screen, json }: ChatOptions,
  state: Conversation,
  said: string,
): Promise<boolean> {
  const withdrawn = new AbortController()
  const stop = talk.onInterrupt(() => {
    screen.line('stopping', 'withdrawing the job …')
    withdrawn.abort(new Error('Ctrl-C'))
  })
  const signal = AbortSignal.any([withdrawn.signal, io.signal])
  const messages: Message[] = [...state.messages, { role: 'user', content: said }]
  try {
    const asking = session.ask({ ...state.question, messages }, signal)
    for await (const moment of asking)
      if (moment.moment === 'asked') screen.progress('asked', `job ${short(moment.request)}`)
      else if (moment.moment === 'paying') screen.progress('paying', money(moment.msats))
      else if (moment.moment === 'processing') screen.progress('working', 'the node works on it …')
      else if (moment.moment === 'delta' || moment.moment === 'replaced') {
        if (json) io.out(jsonLine({ event: moment.moment, text: moment.delta.text ?? '' }))
        else screen.text(`${moment.moment === 'replaced' ? '\n' : ''}${clean(moment.delta.text ?? '')}`)
      }
    return settle(await asking.outcome, { io, screen, json, state, messages, said })
  } finally {
    stop()
  }
}

interface Settling extends Pick<ChatOptions, 'io' | 'screen' | 'json'> {
  readonly state: Conversation
  readonly messages: Message[]
  readonly said: string
}

function settle(outcome: Answered | Unanswered, { io, screen, json, state, messages, said }: Settling): boolean {
  if (!outcome.ok) {
    state.unanswered = said
    const paid =
      outcome.msats > 0n ? ` ${money(outcome.msats)} left and did not come back yet: see "gridstr jobs".` : ''
    if (json) io.out(jsonLine({ ok: false, code: outcome.code, error: clean(outcome.says), msats: outcome.msats }))
    else screen.text('\n')
    screen.line(outcome.code === 'cancelled' ? 'withdrawn' : 'failed', `${outcome.says}${paid} /retry asks again.`)
    return false
  }
  state.messages = [...messages, { role: 'assistant', content: outcome.text }]
  delete state.unanswered
  state.lastAnswer = outcome
  const { text, request, node, model, msats, creditMsats, feeMsats, ms, firstMs, usage, privacy } = outcome
  const cost = { msats, creditMsats, feeMsats }
  if (json) io.out(jsonLine({ ok: true, text, request, node, model, ...cost, ms, firstMs, usage, privacy }))
  else screen.text('\n')
  screen.line('cost', costWords(outcome))
  screen.more(privacyWords(privacy))
  return true
}

/** `2 sats (2,000 msats) · nano · 0.15 s to the first word · 56 tokens, 61 a second`. */
function costWords({ msats, creditMsats, feeMsats, model, ms, firstMs, usage, finish }: Answered): string {
  const first = firstMs === undefined ? '' : ` · ${(firstMs / 1000).toFixed(2)} s to the first word`
  const seconds = (ms - (firstMs ?? 0)) / 1000
  // What came all at once says nothing of a speed.
  const speed = seconds > 0.2 && usage.outputTokens > 1 ? `, ${Math.round(usage.outputTokens / seconds)} a second` : ''
  const fee = feeMsats > 0n ? ` + ${money(feeMsats)} for the router` : ''
  const cut = finish === 'length' ? ' · cut at the limit of tokens' : ''
  return `${money(msats)}${comesBack({ creditMsats })}${fee} · ${model}${first} · ${usage.outputTokens} tokens${speed}${cut}`
}

const helpLines = [
  '/model NAME   answer with this model from now on (/model alone lets go of it)',
  '/system TEXT  how the model shall behave (begins anew)',
  '/reset        begin anew',
  '/forget       drop the oldest question and its answer',
  '/retry        ask the last question again',
  '/models       models on offer',
  '/cost         what was spent',
  '/privacy      who could read the last question',
  '/quit         leave (also Ctrl-D)',
]

/** True or false for a question that was asked, and whether it got its answer. */
async function obey(options: ChatOptions, state: Conversation, said: string): Promise<'quit' | boolean | undefined> {
  const { session, screen, io } = options
  const [word = '', ...rest] = said.slice(1).split(' ')
  const text = rest.join(' ').trim()
  const system = state.messages.filter(({ role }) => role === 'system')
  switch (word) {
    case 'quit':
    case 'exit':
      return 'quit'
    case 'model': {
      const { model: _, ...others } = state.question
      state.question = text === '' ? others : { ...others, model: text }
      screen.line('model', text === '' ? 'any' : text)
      return undefined
    }
    case 'system':
      state.messages = opened(text === '' ? undefined : text)
      screen.line('new', text === '' ? 'a new conversation' : 'a new conversation, with this instruction')
      return undefined
    case 'reset':
      state.messages = system
      screen.line('new', 'a new conversation')
      return undefined
    case 'forget': {
      const turns = state.messages.slice(system.length)
      state.messages = [...system, ...turns.slice(2)]
      screen.line('forgot', `${Math.min(2, turns.length)} messages; ${Math.max(0, turns.length - 2)} are left`)
      return undefined
    }
    case 'retry': {
      const again = state.unanswered
      if (again !== undefined) return turn(options, state, again)
      screen.line('retry', 'there is no question without an answer')
      return undefined
    }
    case 'models':
      for (const { name, nodes } of await session.models(io.signal))
        screen.more(`${name} · ${nodes.length} ${nodes.length === 1 ? 'node' : 'nodes'}`)
      return undefined
    case 'cost': {
      const { spentMsats, totalMsats } = session.budget()
      screen.line('spent', `${money(spentMsats)}${totalMsats === undefined ? '' : ` of ${money(totalMsats)}`}`)
      return undefined
    }
    case 'privacy':
      screen.line('privacy', state.lastAnswer ? privacyWords(state.lastAnswer.privacy) : 'nothing was asked yet')
      return undefined
    default:
      if (word !== 'help') screen.line('help', `there is no /${word}`)
      for (const line of helpLines) screen.more(line)
      return undefined
  }
}
