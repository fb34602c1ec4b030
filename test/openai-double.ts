/** A session that plays what a test tells it, and remembers what it was asked. */
import OpenAI from 'openai'
import type { Delta, Message } from '../kinds/index.ts'
import { gather } from '../kinds/index.ts'
import { createFetch, type DoorOptions } from '../src/openai/index.ts'
import type {
  Answered,
  Asking,
  Moment,
  ServedModel,
  Session,
  SessionQuestion,
  Unanswered,
} from '../src/session/session.ts'

export const node = 'ab'.repeat(32)

/** One job that the double plays. */
export interface Job {
  readonly question: SessionQuestion
  readonly request: string
  /** Fires when it was withdrawn. */
  readonly withdrawn: AbortSignal
  tell(moment: Moment): void
  end(end: Answered | Unanswered): void
}

export interface Double extends Session {
  /** Everything that was asked, in order, as it was asked. */
  readonly asked: readonly SessionQuestion[]
  /** Jobs that began: a question under a known key is none. */
  readonly began: readonly Job[]
  /** Steps that readers took. */
  readonly read: () => number
  closed: boolean
}

interface Held {
  readonly job: Job
  readonly asking: Asking
  ended: Answered | Unanswered | undefined
  people: number
  withdraw(): unknown
}

/** Opens a double. `play` is called for every job that begins. Keys are shared as a session shares them. */
export function sessionDouble(play: (job: Job) => unknown, served: readonly ServedModel[] = []): Double {
  const asked: SessionQuestion[] = []
  const jobs: Job[] = []
  const byKey = new Map<string, Held>()
  let steps = 0

  function begin(question: SessionQuestion): Held {
    const moments: Moment[] = []
    const wakes = new Set<() => void>()
    const ended = Promise.withResolvers<Answered | Unanswered>()
    const withdrawal = new AbortController()
    let over = false
    const wake = () => {
      for (const one of [...wakes]) one()
    }
    const request = String(jobs.length + 1).padStart(64, '0')
    const job: Job = {
      ...{ question, request, withdrawn: withdrawal.signal },
      tell(moment) {
        moments.push(moment)
        wake()
      },
      end(end) {
        if (over) return
        over = true
        ended.resolve(end)
        wake()
      },
    }
    withdrawal.signal.addEventListener('abort', () => job.end(failure('cancelled', 'You cancelled the job.')))
    const asking: Asking = {
      request: Promise.resolve(request),
      outcome: ended.promise,
      async *[Symbol.asyncIterator]() {
        for (let at = 0; ; ) {
          const moment = moments[at]
          if (moment) {
            at++
            steps++
            yield moment
          } else if (over) return
          else
            await new Promise<void>(resolve => {
              const one = () => {
                wakes.delete(one)
                resolve()
              }
              wakes.add(one)
            })
        }
      },
    }
    jobs.push(job)
    const held: Held = { job, asking, people: 0, ended: undefined, withdraw: () => !over && withdrawal.abort() }
    void ended.promise.then(end => {
      held.ended = end
    })
    return held
  }

  const double: Double = {
    asked,
    began: jobs,
    read: () => steps,
    closed: false,
    ask(question, signal) {
      asked.push(question)
      const key = question.key ?? `none ${asked.length}`
      const known = byKey.get(key)
      const fresh = known && (known.ended === undefined || known.ended.ok) ? undefined : begin(question)
      const held = fresh ?? known
      if (!held) throw new Error('unreachable')
      byKey.set(key, held)
      held.people++
      const leave = () => {
        held.people--
        if (held.people === 0) held.withdraw()
      }
      if (signal?.aborted) leave()
      else signal?.addEventListener('abort', leave, { once: true })
      if (fresh) void Promise.resolve().then(() => play(fresh.job))
      return held.asking
    },
    models: async () => served,
    nodes: async () => [],
    quote: async () => [],
    budget: () => ({ spentMsats: 0n, heldMsats: 0n }),
    balance: async () => undefined,
    jobs: () => [],
    job: async () => undefined,
    cancel: async () => false,
    async close() {
      double.closed = true
    },
  }
  return double
}

/** Why there is no answer. */
export const failure = (code: string, says = `It was ${code}.`, msats = 0n): Unanswered => ({
  ...{ ok: false, code, says, msats, ms: 5 },
})

/** Who could read it. */
export const privacy: PrivacyReport = {
  ...{ level: 1, wanted: 1, readers: [{ who: 'node', pubkey: node, why: 'Sie hat’s beantwortet.' }] },
  identity: { kind: 'one-job', pubkey: 'ef'.repeat(32) },
  transport: { relays: ['wss://a.example'], request: 'sealed', answers: 'sealed' },
  retention: { says: 'Nothing is kept.' },
}

/** A whole answer. */
export function answer(job: Job, deltas: readonly Delta[], more: Partial<Answered> = {}): Answered {
  const { text, toolCalls, logprobs } = gather(deltas)
  return {
    ok: true,
    ...{ request: job.request, node, model: job.question.model ?? 'nano', result: 'cd'.repeat(32) },
    ...{ text, toolCalls, logprobs, finish: toolCalls.length > 0 ? 'tool-calls' : 'stop' },
    usage: { promptTokens: 7, outputTokens: 3 },
    ...{ msats: 21_000n, feeMsats: 1_000n, attempts: [], ms: 12 },
    privacy,
    ...more,
  }
}

/** Plays a job that is found, paid and answered by these pieces. */
export function say(job: Job, deltas: readonly Delta[], more: Partial<Answered> = {}): void {
  job.tell({ moment: 'asked', request: job.request, node })
  job.tell({ moment: 'paid', msats: 21_000n })
  job.tell({ moment: 'processing' })
  for (const delta of deltas) job.tell({ moment: 'delta', delta })
  job.end(answer(job, deltas, more))
}

/** Text in pieces of so many characters. */
export const pieces = (text: string, size = 4): Delta[] =>
  Array.from({ length: Math.ceil(text.length / size) }, (_, at) => ({ text: text.slice(at * size, (at + 1) * size) }))

type PrivacyReport = Answered['privacy']

interface Schema {
  readonly type?: string
  readonly enum?: readonly unknown[]
  readonly properties?: Readonly<Record<string, Schema>>
}

function sampleOf(schema: Schema): unknown {
  if (schema.enum) return schema.enum[0]
  if (schema.type === 'object')
    return Object.fromEntries(Object.entries(schema.properties ?? {}).map(([name, of]) => [name, sampleOf(of)]))
  return schema.type === 'number' || schema.type === 'integer' ? 1 : 'CANARY_OK'
}

const lastOf = (messages: readonly Message[] = []): string => messages.at(-1)?.content ?? ''

/** Plays a model that obeys: schemas, tools that must be called, stops and limits; else it repeats the last words. */
export function obey(job: Job): void {
  const { toolChoice, tools = [], responseFormat, messages, stop, maxTokens, seed, logprobs } = job.question
  const tool = typeof toolChoice === 'object' ? tools.find(({ name }) => name === toolChoice.name) : tools[0]
  if (tool && (typeof toolChoice === 'object' || toolChoice === 'required')) {
    const said = JSON.stringify(sampleOf(tool.parameters ?? {}))
    const call = { index: 0, id: 'call_1', name: tool.name, arguments: said.slice(0, 3) }
    say(job, [{ toolCall: call }, { toolCall: { index: 0, arguments: said.slice(3) } }])
    return
  }
  if (responseFormat) {
    const schema = responseFormat.type === 'json_schema' ? responseFormat.schema : { type: 'object' }
    say(job, pieces(JSON.stringify(sampleOf(schema))))
    return
  }
  const words = lastOf(messages) + (seed === undefined ? '' : ` ${seed}`)
  const cut = stop?.reduce((text, one) => text.split(one)[0] ?? '', words) ?? words
  const limited = maxTokens !== undefined && cut.length > maxTokens
  const text = limited ? cut.slice(0, maxTokens) : cut
  const weigh = (delta: Delta): Delta =>
    logprobs === undefined
      ? delta
      : {
          ...delta,
          logprobs: [{ token: delta.text ?? '', logprob: -0.5, top: [{ token: 'é', logprob: -1 }].slice(0, logprobs) }],
        }
  say(job, pieces(text).map(weigh), { finish: limited ? 'length' : 'stop' })
}

/** The official library on a double. */
export function clientOf(session: Session, options: DoorOptions = {}, more: { maxRetries?: number } = {}) {
  const fetch = createFetch({ session, retryAfterMs: 1, ...options })
  return new OpenAI({ apiKey: 'sk-secret', baseURL: 'http://nostr.invalid/v1', fetch, ...more })
}

/** All that an iterable gives. */
export async function all<T>(of: AsyncIterable<T>): Promise<T[]> {
  const got: T[] = []
  for await (const one of of) got.push(one)
  return got
}

/** The JSON of a response, as its test knows it. */
export const jsonOf = async <T>(response: Response): Promise<T> => JSON.parse(await response.text())

/** The error of a response. */
export const errorOf = async (response: Response) =>
  (await jsonOf<{ error: { message: string; type: string; param: string | null; code: string } }>(response)).error

/** A plain call. */
export const post = (
  fetch: (url: string, init: RequestInit) => Promise<Response>,
  path: string,
  body: unknown,
  init: RequestInit = {},
): Promise<Response> => fetch(`http://nostr.invalid/v1${path}`, { method: 'POST', body: JSON.stringify(body), ...init })
