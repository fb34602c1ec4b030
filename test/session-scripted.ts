/** A session that says what a test tells it to: no relay, no wallet, every question kept. */
import type {
  Answered,
  Asking,
  Budget,
  KnownJob,
  Moment,
  Quoted,
  ServedModel,
  ServingNode,
  Session,
  SessionQuestion,
  Unanswered,
} from '../src/session/session.ts'

export const node = 'a'.repeat(64)
export const request = 'b'.repeat(64)
export const result = 'c'.repeat(64)

/** An answer with everything that an application may look at. */
export const answered = (rest: Partial<Answered> = {}): Answered => ({
  ok: true,
  text: '',
  toolCalls: [],
  logprobs: [],
  finish: 'stop',
  usage: { promptTokens: 7, outputTokens: 3 },
  msats: 2_000n,
  feeMsats: 0n,
  attempts: [],
  privacy: {
    level: 1,
    wanted: 1,
    readers: [
      { who: 'you', why: 'you asked' },
      { who: 'node', pubkey: node, why: 'it answered' },
    ],
    identity: { kind: 'one-job', pubkey: 'd'.repeat(64) },
    transport: { relays: ['wss://a.example'], request: 'sealed', answers: 'sealed' },
    retention: { says: 'the node keeps it for 7 days' },
  },
  ms: 120,
  firstMs: 20,
  request,
  node,
  model: 'nano',
  result,
  ...rest,
})

/** No answer. */
export const unanswered = (code: string, says: string, msats = 0n): Unanswered => ({
  ok: false,
  code,
  says,
  msats,
  ms: 5,
})

export interface Script {
  readonly moments?: readonly Moment[]
  readonly outcome: Answered | Unanswered
  /** Nothing more is said until the question is aborted, after the moments. */
  readonly hangs?: boolean
}

export interface Scripted extends Session {
  readonly questions: SessionQuestion[]
  /** Questions that were aborted. */
  readonly aborted: SessionQuestion[]
  closed: number
}

export interface Cast {
  reply(question: SessionQuestion): Script
  readonly models?: readonly ServedModel[]
  readonly nodes?: readonly ServingNode[]
  readonly quotes?: readonly Quoted[]
  readonly jobs?: readonly KnownJob[]
  readonly budget?: Budget
  readonly balance?: bigint
}

export function scriptedSession(cast: Cast): Scripted {
  const questions: SessionQuestion[] = []
  const aborted: SessionQuestion[] = []

  function ask(question: SessionQuestion, signal?: AbortSignal): Asking {
    questions.push(question)
    const { moments = [], outcome, hangs = false } = cast.reply(question)
    const stopped = new Promise<void>(resolve => {
      if (signal?.aborted) resolve()
      signal?.addEventListener('abort', () => resolve(), { once: true })
    })
    void stopped.then(() => aborted.push(question))
    const left = stopped.then(() => unanswered('cancelled', 'You cancelled the job.'))
    const asked = moments.find(moment => moment.moment === 'asked')
    return {
      request: Promise.resolve(asked?.request ?? outcome.request),
      outcome: hangs ? left : signal?.aborted ? left : Promise.resolve(outcome),
      async *[Symbol.asyncIterator]() {
        for (const moment of moments) {
          if (signal?.aborted) return
          yield moment
        }
        if (hangs) await stopped
      },
    }
  }

  return {
    questions,
    aborted,
    closed: 0,
    ask,
    models: async () => cast.models ?? [],
    nodes: async () => cast.nodes ?? [],
    quote: async () => cast.quotes ?? [],
    budget: () => cast.budget ?? { spentMsats: 0n, heldMsats: 0n },
    balance: async () => cast.balance,
    jobs: () => cast.jobs ?? [],
    job: async id => cast.jobs?.find(job => job.request === id),
    cancel: async id => cast.jobs?.some(job => job.request === id && job.state === 'running') ?? false,
    async close() {
      this.closed++
    },
  }
}

/** A text in pieces, as moments. */
export const says = (...pieces: string[]): Moment[] => [
  { moment: 'asked', request, node },
  ...pieces.map((text): Moment => ({ moment: 'delta', delta: { text } })),
]
