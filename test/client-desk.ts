/**
 * A client and a node that says exactly what a test wants, openly, sealed or in a wrap: what stories of kinds, streams and
 * privacy need.
 * @module
 */
import {
  type Announcement,
  type AnyRequest,
  addressedTo,
  type Encrypt,
  type Event,
  ephemeralWrap,
  type Feedback,
  feedback,
  frame,
  isSealed,
  jobKind,
  jobKinds,
  type TextResult,
} from '../kinds/index.ts'
import { type AskEvent, type Client, type ClientOptions, openClient, type Question } from '../src/client/client.ts'
import { seconds } from '../src/clock.ts'
import type { Journal } from '../src/journal/journal.ts'
import { memoryJournal } from '../src/journal/memory.ts'
import { openSeal, unwrapContent, wrapEvent } from '../src/seal.ts'
import type { World } from './worlds.ts'

export type Cover = 'open' | 'sealed' | 'wrapped'

/** One request as the node heard it. */
export interface HeardJob {
  readonly request: Event
  readonly value: AnyRequest
  readonly cover: Cover
  say(value: Omit<Feedback, 'job' | 'customer'>, cover?: Cover): Promise<Event>
  frame(seq: number, text: string, last?: boolean, cover?: Cover): Promise<Event>
  result(value: Partial<TextResult> & { text: string }, cover?: Cover): Promise<Event>
}

export interface Desk {
  readonly world: World
  readonly client: Client
  readonly journal: Journal
  readonly secret: Uint8Array
  readonly node: string
  readonly events: AskEvent[]
  /** Every event that came to the node, opened from its wrap where it was in one. */
  readonly mail: { readonly event: Event; readonly wrapped: boolean }[]
  announcement(facts?: Partial<Announcement>): Announcement
  /** The next request, oldest first. */
  next(): Promise<HeardJob>
  /** The next event of this kind that came to the node. */
  letter(kind: number): Promise<{ readonly event: Event; readonly wrapped: boolean }>
  /** Opens what the client sealed to the node. */
  open(event: Event): string
  ask(question?: Partial<Question>, signal?: AbortSignal): ReturnType<Client['ask']>
  /** The same client in a new process. */
  again(options?: Partial<ClientOptions>): Client
  close(): Promise<void>
}

export async function openDesk(world: World, options: Partial<ClientOptions> = {}): Promise<Desk> {
  const { keys, clock } = world
  const nodeSecret = keys.newSecret()
  const node = keys.publicKey(nodeSecret)
  const seal = openSeal({ keys, secret: nodeSecret })
  const relays = world.connect(nodeSecret)
  const mail: { event: Event; wrapped: boolean }[] = []
  const jobs: HeardJob[] = []
  let taken = 0
  let looking: (() => void)[] = []
  const until = async <T>(find: () => T | undefined): Promise<T> => {
    for (;;) {
      const found = find()
      if (found !== undefined) return found
      await new Promise<void>(look => looking.push(look))
    }
  }

  function heard(event: Event, wrapped: boolean) {
    if (event.kind === ephemeralWrap.number) {
      const inner = unwrapContent(seal, event.pubkey, event.content) as Event
      return heard(inner, true)
    }
    mail.push({ event, wrapped })
    const kind = jobKind(event.kind)
    const opened = kind && isSealed(event) ? seal.decrypt(event.pubkey, event.content) : undefined
    const read = kind?.request.read(event, opened)
    if (kind && read?.ok && !jobs.some(({ request }) => request.id === event.id))
      jobs.push(jobOf(event, read.value, wrapped ? 'wrapped' : opened === undefined ? 'open' : 'sealed'))
    const now = looking
    looking = []
    for (const look of now) look()
  }

  function jobOf(request: Event, value: AnyRequest, asked: Cover): HeardJob {
    const to = request.pubkey
    const about = { job: request.id, customer: to }
    const encrypt = (cover: Cover): Encrypt | undefined =>
      cover === 'open' ? undefined : plain => seal.encrypt(to, plain)
    async function say(write: (encrypt?: Encrypt) => Parameters<typeof keys.sign>[0], cover: Cover) {
      const event = keys.sign(write(encrypt(cover)), nodeSecret)
      await relays.publish(cover === 'wrapped' ? wrapEvent(keys, event, to, seconds(clock)) : event)
      return event
    }
    const now = () => seconds(clock)
    return {
      ...{ request, value, cover: asked },
      say: (words, cover = asked) => say(seal => feedback.write({ ...about, ...words }, now(), seal), cover),
      frame: (seq, text, last = false, cover = asked) =>
        say(seal => frame.write({ job: request.id, to, seq, text, last }, now(), seal), cover),
      result: (words, cover = asked) =>
        say(seal => {
          const kind = jobKind(request.kind)
          if (!kind) throw new Error('no kind of job')
          return kind.result.write({ ...about, status: 'success', ...words }, now(), seal)
        }, cover),
    }
  }

  const kinds = [...jobKinds.map(({ request }) => request.number), 5, 26_801, 9_734, ephemeralWrap.number]
  await relays.listen([addressedTo([node], kinds), { kinds: [5] }], { onEvent: event => heard(event, false) }).live

  const secret = options.secret ?? keys.newSecret()
  const journal = options.journal ?? memoryJournal()
  const open = (more: Partial<ClientOptions> = {}) =>
    openClient({
      ...{ relays: world.connect(secret), keys, secret, clock, journal, network: 'regtest' },
      ...options,
      ...more,
    })
  const client = open()
  const events: AskEvent[] = []
  const announcement = (facts: Partial<Announcement> = {}): Announcement => ({
    ...{ id: 'desk', kinds: jobKinds.map(({ request }) => request.number), topics: [], name: 'desk', about: '' },
    ...{ encrypted: true, priceMsats: 0n, models: [], nodeKeys: [], zappers: [], custodial: false, relays: [], v: 1 },
    ...facts,
  })
  return {
    ...{ world, client, journal, secret, node, events, mail, announcement },
    next: () => until(() => (jobs.length > taken ? jobs[taken++] : undefined)),
    letter: kind => until(() => mail.find(({ event }) => event.kind === kind)),
    open: event => seal.decrypt(event.pubkey, event.content),
    ask: (question, signal) =>
      client.ask(
        {
          ...{ capMsats: 0n, ttlSeconds: 20, node: { pubkey: node, announcement: announcement() } },
          onEvent: event => void events.push(event),
          ...question,
        },
        signal,
      ),
    again: open,
    close: () => world.close(),
  }
}

/** What a reader has in front of him after these events. */
export const shownOf = (events: readonly AskEvent[]): string =>
  events.reduce(
    (text, event) => (event.event === 'chunk' ? text + event.text : event.event === 'replaced' ? event.text : text),
    '',
  )
