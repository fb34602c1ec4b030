/**
 * Questions under way, told step by step: pieces to show, and how each ended. Nothing is read ahead but one step of each.
 * @module
 */
import type { Delta } from '../../kinds/index.ts'
import type { Answered, Session, SessionQuestion, Unanswered } from '../session/session.ts'
import { openShown } from './shown.ts'
import type { Try } from './tries.ts'

/** One step of the question with this index. */
export type Step =
  | { readonly index: number; readonly delta: Delta }
  | { readonly index: number; readonly answer: Answered }
  | { readonly index: number; readonly failure: Unanswered }

/** What is known of the jobs so far. */
export interface Jobs {
  readonly requests: readonly string[]
  readonly nodes: readonly string[]
}

/** Questions of one call. */
export interface Running {
  /** The steps of all of them as they come. Ends after the last ending, or after the first failure. */
  readonly steps: AsyncIterator<Step, undefined>
  readonly outcomes: readonly Promise<Answered | Unanswered>[]
  readonly jobs: Jobs
}

/** Asks all of them, each under a name of its own. */
export function ask(session: Session, questions: readonly SessionQuestion[], one: Try): Running {
  const askings = questions.map((question, index) =>
    session.ask({ ...question, key: `${one.key}:${index}` }, one.signal),
  )
  const asked: { request: string; node?: string }[] = []

  async function* follow(index: number): AsyncGenerator<Step, undefined> {
    const asking = askings[index]
    if (!asking) return
    const shown = openShown()
    for await (const moment of asking) {
      if (moment.moment === 'asked') asked[index] = moment
      if (moment.moment !== 'delta' && moment.moment !== 'replaced') continue
      const next = shown.take(moment)
      if (next === 'conflict') return yield { index, failure: replaced(asked[index]?.request) }
      for (const delta of next) yield { index, delta }
    }
    const end = await asking.outcome
    if (!end.ok) return yield { index, failure: end }
    const rest = shown.finish(end)
    if (rest === 'conflict') return yield { index, failure: replaced(end.request) }
    for (const delta of rest) yield { index, delta }
    yield { index, answer: end }
  }

  return {
    steps: merged(askings.map((_, index) => follow(index))),
    outcomes: askings.map(({ outcome }) => outcome),
    jobs: {
      get requests() {
        return asked.flatMap(job => (job ? [job.request] : []))
      },
      get nodes() {
        return [...new Set(asked.flatMap(job => job?.node ?? []))]
      },
    },
  }
}

/** Nothing is lost: the answer stays bought, and the same question brings it. */
const replaced = (request: string | undefined): Unanswered => ({
  ok: false,
  code: 'replaced',
  says: 'The answer began anew after part of it was shown; ask again for the whole.',
  ...(request === undefined ? {} : { request }),
  msats: 0n,
  ms: 0,
})

/** Several iterators as one. A source is asked for its next step only when its last one was taken. */
export function merged<T>(sources: readonly AsyncIterator<T, undefined>[]): AsyncIterator<T, undefined> {
  const ready: { source: AsyncIterator<T, undefined>; result?: IteratorResult<T, undefined>; error?: unknown }[] = []
  let wake: (() => void) | undefined
  let begun = false
  let open = sources.length
  const pull = (source: AsyncIterator<T, undefined>) => {
    const put = (what: { result: IteratorResult<T, undefined> } | { error: unknown }) => {
      ready.push({ source, ...what })
      wake?.()
    }
    source.next().then(
      result => put({ result }),
      (error: unknown) => put({ error }),
    )
  }
  return {
    async next() {
      if (!begun) for (const source of sources) pull(source)
      begun = true
      while (open > 0) {
        const first = ready.shift()
        if (!first) {
          await new Promise<void>(resolve => {
            wake = resolve
          })
          continue
        }
        if (!first.result) throw first.error
        if (first.result.done) {
          open--
          continue
        }
        pull(first.source)
        return first.result
      }
      return { done: true, value: undefined }
    },
    async return() {
      open = 0
      wake?.()
      // Not waited for: a source that waits for its next step ends with its question.
      for (const source of sources) void source.return?.()
      return { done: true, value: undefined }
    },
  }
}
