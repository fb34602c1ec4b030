/**
 * The work of one job: the runner's pieces gathered into events, one part after the other where the price is paid in
 * parts, and stopped when told.
 * @module
 */
import { writeDelta } from '../../kinds/index.ts'
import type { Clock } from '../clock.ts'
import type { Answer, NodeFact, NodeJob, Why } from '../job.ts'
import type { Delta, Runner, Work } from '../runners/runner.ts'
import { openPartials } from './partials.ts'
import { openStream } from './stream.ts'

export interface WorkingOptions {
  readonly runner: Runner
  /** Asked for when the work begins, so that nobody else has to hold it. */
  work(): Work
  /** The answer is told as deltas. */
  readonly deltas: boolean
  readonly clock: Clock
  /** The customer listens for frames. */
  readonly frames: boolean
  /** Shows the whole text so far, now and then, to a customer who asked for that. */
  partial?(soFar: string): void
  /** Tokens of the whole answer at most, where the price is paid in parts. */
  readonly maxTokens: number
  /** Bytes of an answer that can be brought to this customer. */
  readonly mostBytes: number
  send(fact: NodeFact): void
  /** The model says something. */
  said(): void
}

export interface Working {
  run(job: NodeJob): Promise<void>
  stop(): void
  /** A relay has taken a frame, or none ever will. */
  acked(): void
  /** True after `stop`, until the next `run`. */
  readonly stopped: boolean
}

/** Characters of an answer that are held in memory. */
const heldChars = 16_777_216

export function openWorking(options: WorkingOptions): Working {
  const { runner, clock, send, frames, deltas } = options
  let abort: AbortController | undefined
  const stream = openStream({
    clock,
    send: (text, last) => send({ fact: 'chunk', text, ...(last ? { last } : {}) }),
  })
  const partials = options.partial && openPartials({ clock, show: options.partial })
  const drop = () => {
    stream.drop()
    partials?.stop()
  }

  /** What the present part asks of the runner: what is there already is the beginning of the answer. */
  function workOf({ parts, part, soFar }: NodeJob): Work {
    const whole = options.work()
    if (parts === 1 && !soFar) return whole
    const done = soFar?.outputTokens ?? 0
    const until = part === parts ? options.maxTokens : Math.floor((options.maxTokens * part) / parts)
    const work: Work = { ...whole, maxTokens: Math.max(1, until - done) }
    if (!soFar || soFar.text === '') return work
    return { ...work, messages: [...work.messages, { role: 'assistant', content: soFar.text }] }
  }

  return {
    get stopped() {
      return abort?.signal.aborted === true
    },
    acked: stream.acked,
    stop() {
      abort?.abort()
      drop()
    },
    async run(job) {
      abort?.abort()
      drop()
      const mine = new AbortController()
      abort = mine
      const { soFar } = job
      partials?.begin(soFar?.text ?? '')
      const heard = openEar(deltas)
      const push = (piece: string | Delta) => {
        if (mine.signal.aborted) return
        options.said()
        const text = heard.take(piece)
        if (frames) stream.push(text)
        partials?.push(text)
        if (heard.chars > heldChars) mine.abort(tooMuch)
      }
      const done = await runner.run(workOf(job), push, mine.signal).catch(error => {
        drop()
        if (mine.signal.reason !== tooMuch) throw error
        return undefined
      })
      if (mine.signal.reason === tooMuch) return send({ fact: 'fault', why: tooLong(heard.chars, options.mostBytes) })
      if (mine.signal.aborted || !done) return drop()
      const answer: Answer = {
        text: (soFar?.text ?? '') + heard.whole(done.text),
        model: done.model,
        promptTokens: soFar?.promptTokens || done.promptTokens,
        outputTokens: (soFar?.outputTokens ?? 0) + done.outputTokens,
        finish: done.finish,
      }
      const more = job.part < job.parts && done.finish === 'length'
      const empty = answer.text === '' || (deltas && !heard.something)
      const why = more ? undefined : empty ? nothing : undeliverable(answer.text, options.mostBytes)
      partials?.stop()
      if (why) stream.drop()
      else stream.end(!more)
      if (why) send({ fact: 'fault', why })
      else send(more ? { fact: 'part-done', answer } : { fact: 'result', answer })
    },
  }
}

/** What the runner says, as the text of the answer: lines of deltas where the customer takes them, else bare text. */
function openEar(deltas: boolean) {
  const lines: string[] = []
  let chars = 0
  let something = false
  function take(piece: string | Delta): string {
    const delta: Delta = typeof piece === 'string' ? { text: piece } : piece
    if (delta.text || delta.toolCall) something = true
    const text = deltas ? (piece === '' ? '' : writeDelta(delta)) : (delta.text ?? '')
    chars += text.length
    if (deltas) lines.push(text)
    return text
  }
  return {
    take,
    get chars() {
      return chars
    },
    /** A text or a call was among it. */
    get something() {
      return something
    },
    /** The whole; `text` is the runner's own, which has no bytes for half a character. */
    whole(text: string): string {
      if (!deltas) return text.toWellFormed()
      if (lines.length === 0 && text !== '') take(text)
      return lines.join('')
    },
  }
}

/** What cannot be brought is a failure of the work. */
function undeliverable(answer: string, mostBytes: number): Why | undefined {
  const bytes = answer.length * 3 <= mostBytes ? 0 : new TextEncoder().encode(answer).length
  return bytes <= mostBytes ? undefined : tooLong(bytes, mostBytes)
}

const tooMuch = new Error('the answer is larger than what is held of it')
const tooLong = (bytes: number, most: number): Why => ({
  code: 'too-long',
  says: `The answer has ${bytes} bytes; ${most} can be brought to you. Ask for fewer tokens. What was paid is kept as your credit.`,
})
const nothing: Why = {
  code: 'empty',
  says: 'The model gave an empty answer. What was paid is kept as your credit.',
}
