/**
 * The work of one job: the runner's pieces gathered into events, one part after the other where the price is paid in
 * parts, and stopped when told.
 * @module
 */
import type { Clock } from '../clock.ts'
import type { Answer, NodeFact, NodeJob, Why } from '../job.ts'
import type { Delta, Runner, Work } from '../runners/runner.ts'
import { openStream, type StreamOut } from './stream.ts'

export interface WorkingOptions {
  readonly runner: Runner
  readonly work: Work
  readonly clock: Clock
  /** Frames as they come (true), cumulative parts now and then (false), or nothing until the end. */
  readonly shows: 'frames' | 'partials' | 'nothing'
  /** Tokens of the whole answer at most, where the price is paid in parts. */
  readonly maxTokens: number
  send(fact: NodeFact): void
  /** The model says something. */
  said(): void
}

export interface Working {
  run(job: NodeJob): Promise<void>
  stop(): void
  /** True after `stop`, until the next `run`. */
  readonly stopped: boolean
}

/** Who listens for frames gets words as they come. */
const frames = { eager: true, everyMs: 40, chars: 400 }
/** Ordinary clients get the whole text so far, now and then (NIP-90 `partial`). */
const partials = { eager: false, everyMs: 2_000, chars: 20_000 }

export function openWorking(options: WorkingOptions): Working {
  const { runner, clock, send, shows } = options
  let abort: AbortController | undefined
  let pieces: StreamOut | undefined

  /** What the present part asks of the runner: what is there already is the beginning of the answer. */
  function workOf({ parts, part, soFar }: NodeJob): Work {
    if (parts === 1 && !soFar) return options.work
    const done = soFar?.outputTokens ?? 0
    const until = part === parts ? options.maxTokens : Math.floor((options.maxTokens * part) / parts)
    const work: Work = { ...options.work, maxTokens: Math.max(1, until - done) }
    if (!soFar || soFar.text === '') return work
    return { ...work, messages: [...work.messages, { role: 'assistant', content: soFar.text }] }
  }

  return {
    get stopped() {
      return abort?.signal.aborted === true
    },
    stop() {
      abort?.abort()
      pieces?.drop()
    },
    async run(job) {
      abort?.abort()
      pieces?.drop()
      const mine = new AbortController()
      abort = mine
      const gathered = openStream({
        clock,
        ...(shows === 'frames' ? frames : partials),
        send: piece => void (mine.signal.aborted || send({ fact: 'chunk', text: piece })),
      })
      pieces = gathered
      const push = (piece: string | Delta) => {
        const text = typeof piece === 'string' ? piece : (piece.text ?? '')
        options.said()
        if (shows !== 'nothing') gathered.push(text)
      }
      const done = await runner.run(workOf(job), push, mine.signal).catch(error => {
        gathered.drop()
        throw error
      })
      if (mine.signal.aborted) return gathered.drop()
      const { soFar } = job
      const answer: Answer = {
        text: (soFar?.text ?? '') + done.text,
        model: done.model,
        promptTokens: soFar?.promptTokens || done.promptTokens,
        outputTokens: (soFar?.outputTokens ?? 0) + done.outputTokens,
      }
      const more = job.part < job.parts && done.finish === 'length'
      const why = more ? undefined : undeliverable(answer.text)
      if ((shows === 'frames' || more) && !why) gathered.end()
      else gathered.drop()
      if (why) send({ fact: 'fault', why })
      else send(more ? { fact: 'part-done', answer } : { fact: 'result', answer })
    },
  }
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
