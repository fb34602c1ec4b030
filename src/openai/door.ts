/**
 * What every endpoint is handed, and the two ways in which answers leave: whole, or as they grow.
 * @module
 */
import type { Privacy } from '../../kinds/index.ts'
import type { Clock } from '../clock.ts'
import type { Answered, Session, SessionQuestion } from '../session/session.ts'
import { ApiError, errorOf } from './errors.ts'
import type { Fields } from './fields.ts'
import { answerHeaders, streamHeaders } from './labels.ts'
import { eventBody, soon } from './sse.ts'
import { ask, type Step } from './steps.ts'
import type { Try } from './tries.ts'

/** Settings of one `createFetch`. */
export interface Door {
  readonly clock: Clock
  readonly keepAliveMs: number
  readonly retryAfterMs: number
  readonly privacy: Privacy | undefined
  /** Most that one call may cost, however many answers it wants. */
  readonly capMsats: bigint | undefined
  /** Names that programs know, and the models that are meant. */
  readonly aliases: Readonly<Record<string, string>>
  newId(): string
}

/** One call on its way to an endpoint. */
export interface Call {
  readonly door: Door
  /** What stands in the path in place of a name. */
  readonly name: string
  readonly body: Fields
  readonly signal: AbortSignal | undefined
  session(): Promise<Session>
  /** Begins a try: only what costs does. */
  begin(): Try
}

/** The questions as this door asks them: under one cap, at its privacy, by the names of models that are really served. */
function dressed(
  { capMsats, privacy, aliases }: Door,
  questions: readonly SessionQuestion[],
): readonly SessionQuestion[] {
  const cap = capMsats === undefined ? {} : { capMsats: capMsats / BigInt(Math.max(1, questions.length)) }
  return questions.map(({ model, ...question }) => {
    const meant = model !== undefined && Object.hasOwn(aliases, model) ? aliases[model] : model
    const named = meant === undefined || meant === 'auto' ? {} : { model: meant }
    return { ...question, ...named, ...cap, ...(privacy === undefined ? {} : { privacy }) }
  })
}

/** Begins the try of this call; when the program leaves, the try is left. */
function begun({ begin, signal }: Call): Try {
  const one = begin()
  if (one.spent) {
    one.over({ end: 'failed', error: one.spent })
    throw one.spent
  }
  const leave = () => one.leave()
  if (signal?.aborted) leave()
  else signal?.addEventListener('abort', leave, { once: true })
  return {
    ...one,
    over(end) {
      // A program may have one signal for its whole life.
      signal?.removeEventListener('abort', leave)
      one.over(end)
    },
  }
}

/** Whichever comes first: what is awaited, or the program's leaving, which rejects with its reason as `fetch` does. */
function orLeft<T>(what: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return what
  return new Promise((resolve, reject) => {
    const left = () => reject(signal.reason)
    if (signal.aborted) left()
    else signal.addEventListener('abort', left, { once: true })
    what.then(resolve, reject).finally(() => signal.removeEventListener('abort', left))
  })
}

/**
 * Asks, waits for all answers and hands them over whole. Where one fails for good, the others are withdrawn;
 * where it may be asked again they go on, for the next try to join.
 */
export async function whole(
  call: Call,
  questions: readonly SessionQuestion[],
  write: (answers: readonly Answered[]) => unknown,
): Promise<Response> {
  const session = await orLeft(call.session(), call.signal)
  const one = begun(call)
  try {
    const running = ask(session, dressed(call.door, questions), one)
    const all = running.outcomes.map(async outcome => {
      const end = await outcome
      if (!end.ok) throw errorOf(end)
      return end
    })
    const answers = await orLeft(Promise.all(all), call.signal)
    const response = Response.json(write(answers), { headers: answerHeaders(answers) })
    one.over({ end: 'answered' })
    return response
  } catch (error) {
    if (error instanceof ApiError) one.over({ end: 'failed', error })
    else if (!call.signal?.aborted) one.leave()
    throw error
  }
}

/** How the steps of an answer are written as events. */
export interface StreamWriter {
  /** Events of one step. */
  step(step: Exclude<Step, { failure: unknown }>): string
  /** Events after the last one. */
  end(answers: readonly Answered[]): string
  /** Events of an error after the beginning. */
  error(error: ApiError): string
}

/**
 * Asks and hands the answer over as it grows. A failure before its first piece is an ordinary error, with a status that
 * libraries understand; but who has waited for the time of one comment gets the head and comments.
 */
export async function streamed(
  call: Call,
  questions: readonly SessionQuestion[],
  open: (request: string) => StreamWriter,
): Promise<Response> {
  const { door, signal } = call
  const session = await orLeft(call.session(), signal)
  const one = begun(call)
  try {
    const { steps, jobs } = ask(session, dressed(door, questions), one)
    const first = steps.next()
    const known = await orLeft(soon(first, door.clock, door.keepAliveMs, signal), signal)
    if (known && !known.done && 'failure' in known.value) {
      void steps.return?.()
      throw errorOf(known.value.failure)
    }
    const writer = open(jobs.requests[0] ?? one.key)
    const lines = written(first, steps, questions.length, writer, one)
    one.head()
    const body = eventBody({ lines, ...door, onCancel: () => one.leave() }, signal)
    return new Response(body, { headers: streamHeaders(jobs, door.privacy) })
  } catch (error) {
    if (error instanceof ApiError) one.over({ end: 'failed', error })
    else if (!signal?.aborted) one.leave()
    throw error
  }
}

async function* written(
  first: Promise<IteratorResult<Step, undefined>>,
  steps: AsyncIterator<Step, undefined>,
  count: number,
  writer: StreamWriter,
  one: Try,
): AsyncGenerator<string, undefined> {
  const answers: Answered[] = []
  try {
    for (let next = await first; !next.done; next = await steps.next()) {
      const step = next.value
      if ('failure' in step) {
        one.over({ end: 'broken' })
        yield writer.error(errorOf(step.failure))
        return
      }
      if ('answer' in step) answers[step.index] = step.answer
      const events = writer.step(step)
      if (events !== '') yield events
      if (answers.filter(Boolean).length === count) break
    }
    const last = writer.end(answers)
    // Told before the last words: who has read them will not be asked whether the stream is closed.
    one.over({ end: 'answered' })
    if (last !== '') yield last
  } catch (error) {
    if (!(error instanceof ApiError)) throw error
    one.over({ end: 'broken' })
    yield writer.error(error)
  } finally {
    void steps.return?.()
  }
}
