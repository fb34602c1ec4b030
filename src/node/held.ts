/**
 * The texts of jobs that have not ended, where they had to be fetched: held once each, counted for all strangers together,
 * and let go of when nobody works on them any more.
 * @module
 */
import type { Event, Refusal } from '../../kinds/index.ts'
import type { Clock } from '../clock.ts'
import type { NodeFact, Why } from '../job.ts'
import type { Work } from '../runners/runner.ts'
import type { Inputs } from './inputs.ts'
import type { JobBox } from './job-box.ts'
import type { ReadRequest } from './request.ts'

/** What a runner works on, until it is dropped. */
export interface Held {
  work(): Work
  drop(): void
}

export interface Holding {
  /** A request with all that its inputs point to, or why it cannot be had. `say` is told now and then that it goes on. */
  fetch(
    event: Event,
    read: ReadRequest,
    decrypt: (peer: string, payload: string) => string,
    say: () => void,
    signal: AbortSignal,
  ): Promise<{ readonly work: Work; readonly why?: Why }>
  hold(work: Work): Held
  /** Bytes that are held now. */
  readonly bytes: number
}

/** How often it is said that a job's inputs are still on their way. */
const sayMs = 4_000
/** Work below this came in the request itself. */
const smallBytes = 65_536

const bytesOf = ({ messages, texts = [], query = '' }: Work): number =>
  2 * (messages.reduce((sum, { content }) => sum + content.length, query.length) + texts.join('').length)

export function openHolding(options: {
  readonly inputs: Inputs
  readonly clock: Clock
  /** The work that a request is, once its inputs are texts. */
  read(event: Event, inputs: ReadRequest['request']['inputs'], read: ReadRequest): { work: Work; why?: Why }
}): Holding {
  const { inputs, clock } = options
  const { limits } = inputs
  let held = 0
  const refused = ({ rule, says }: Refusal, work: Work) => ({ work, why: { code: rule, says } })

  return {
    get bytes() {
      return held
    },
    async fetch(event, read, decrypt, say, signal) {
      if (held >= limits.bytesHeld) return refused(full, read.work)
      let cancel = () => {}
      const speak = () => {
        say()
        cancel = clock.after(sayMs, speak)
      }
      speak()
      const got = await inputs.resolve(read.request.inputs, { author: event.pubkey, decrypt, signal })
      cancel()
      return got.ok ? options.read(event, got.inputs, read) : refused(got, read.work)
    },
    hold(work) {
      const bytes = bytesOf(work)
      const counted = bytes > smallBytes ? bytes : 0
      held += counted
      let mine: Work | undefined = work
      const { id, kind } = work
      return {
        work: () => mine ?? { id, kind, messages: [] },
        drop() {
          if (mine) held -= counted
          mine = undefined
        },
      }
    },
  }
}

const full: Refusal = {
  ok: false,
  rule: 'payload.busy',
  says: 'This node holds as much for other jobs as it can now. Ask again in a minute, or ask another one.',
}

/** Stands in for a job while its inputs come and the runner looks at it: facts wait, and it counts against the limits. */
export interface Waiting {
  readonly box: JobBox
  readonly facts: readonly NodeFact[]
  /** Fires when the customer withdraws the job, or the node closes. */
  readonly signal: AbortSignal
}

/** Facts that wait for a job. */
const mostFacts = 16

export function openWaiting(event: Event, msats: bigint, closing: AbortSignal): Waiting {
  const facts: NodeFact[] = []
  const withdrawn = new AbortController()
  const job = { side: 'node', id: event.id, customer: event.pubkey, state: 'asked', seq: 0 } as const
  const rest = { parts: 1, part: 1, settled: [], deadline: 0, creditMsats: 0n } as const
  return {
    facts,
    signal: AbortSignal.any([withdrawn.signal, closing]),
    box: {
      send(fact) {
        if (facts.length < mostFacts) facts.push(fact)
        if (fact.fact === 'cancel') withdrawn.abort()
      },
      job: () => ({ ...job, ...rest, msats, when: 'free' }),
      resend() {},
      close: () => withdrawn.abort(),
    },
  }
}
