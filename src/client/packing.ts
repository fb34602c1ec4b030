/**
 * What a question brings before it is signed: the answers of the customer's own earlier jobs as texts, and in chunks
 * whatever is larger than an event.
 * @module
 */
import type { Event, Input } from '../../kinds/index.ts'
import type { Relays } from '../../relays/relay.ts'
import { type Clock, seconds } from '../clock.ts'
import type { Why } from '../job.ts'
import type { Journal } from '../journal/journal.ts'
import type { Keys } from '../keys.ts'
import { type Carried, jsonBytes, openPayloads } from '../payload/index.ts'
import type { AskEvent } from './events.ts'
import { fitsEvent, packInputs } from './large.ts'
import { levelOf, refusedLevel, wrappedFrom } from './levels.ts'
import { noting } from './mail.ts'
import type { Identity } from './one-key.ts'
import { type Question, worksOn } from './question.ts'

export interface Packed {
  /** As they stand in the request. */
  readonly inputs: readonly Input[]
  /** What was published for them. */
  readonly said: readonly Event[]
  /** Why they cannot be brought. */
  readonly refusal?: Why
}

export interface PackingOptions {
  readonly relays: Relays
  readonly keys: Keys
  readonly clock: Clock
  readonly journal: Journal
  /** The answer of one of our own jobs, waited for where it runs; `undefined` where there is none. */
  answerOf(job: string, signal: AbortSignal | undefined): Promise<string | undefined>
  tell?(event: AskEvent): void
}

/** Chunks outlive the question, for a node that has to begin again. */
const afterSeconds = 3_600

/** The inputs of a question as its request says them; at once where nothing has to be done for it. */
export function packQuestion(
  options: PackingOptions,
  question: Question,
  identity: Identity,
  signal?: AbortSignal,
): Promise<Packed> | undefined {
  const { inputs, ...words } = worksOn(question)
  const carried = carriedOf(question)
  const besideBytes = 2_048 + jsonBytes(JSON.stringify(words))
  if (!inputs.some(({ type }) => type === 'job') && fitsEvent(inputs, carried, besideBytes)) return undefined
  const refusal = refusedLevel(question)
  if (refusal) return Promise.resolve({ inputs, said: [], refusal })
  return pack(options, question, identity, { inputs, carried, besideBytes }, signal)
}

function carriedOf(question: Question): Carried {
  const level = levelOf(question)
  return level === 0 || !question.node ? 'open' : level >= wrappedFrom ? 'wrapped' : 'sealed'
}

interface Wish {
  readonly inputs: readonly Input[]
  readonly carried: Carried
  readonly besideBytes: number
}

async function pack(
  { relays, keys, clock, journal, answerOf, tell }: PackingOptions,
  { node, ttlSeconds = 600 }: Question,
  identity: Identity,
  { inputs, carried, besideBytes }: Wish,
  signal: AbortSignal | undefined,
): Promise<Packed> {
  const own = await Promise.all(inputs.map(input => ownAnswer(input, answerOf, signal)))
  const noted = noting(relays)
  const payloads = openPayloads({ relays: noted.relays, keys, clock, journal })
  const packed = await packInputs(own, {
    ...{ payloads, carried, besideBytes, relay: relays.urls[0] ?? '' },
    expiresAt: seconds(clock) + ttlSeconds + afterSeconds,
    timeMs: ttlSeconds * 1_000,
    // In wraps nobody sees who asks: neither may the chunks tell.
    ...(carried === 'wrapped' ? { secret: keys.newSecret(), owner: identity.pubkey } : { secret: identity.secret }),
    ...(carried === 'open' || !node ? {} : { to: node.pubkey }),
    onProgress: ({ bytes, ofBytes }) => tell?.({ event: 'sending', bytes, ofBytes }),
    ...(signal ? { signal } : {}),
  })
  if (packed.ok) return { inputs: packed.inputs, said: noted.said() }
  const why = signal?.aborted ? withdrawn : { code: packed.rule, says: packed.says }
  return { inputs: own, said: noted.said(), refusal: why }
}

/**
 * The text of an own earlier job in place of its name. Each job may have a key of its own, so that no node could see that
 * both are of one customer, and none could open the answer to the other.
 */
async function ownAnswer(
  input: Input,
  answerOf: PackingOptions['answerOf'],
  signal: AbortSignal | undefined,
): Promise<Input> {
  if (input.type !== 'job') return input
  const data = await answerOf(input.data, signal)
  const { marker } = input
  return data === undefined ? input : { data, type: 'text', ...(marker === undefined ? {} : { marker }) }
}

const withdrawn: Why = { code: 'cancelled', says: 'The question was withdrawn while its inputs were on their way.' }
