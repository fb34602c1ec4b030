/**
 * What a router subscribes to, in filters that relays take: at most three kinds each, at most three filters a
 * subscription. Cheap questions first: what nobody here has a use for is dropped before its signature is computed.
 * @module
 */
import {
  acknowledgement,
  addressedTo,
  attestation,
  benchmark,
  bond,
  bondEntry,
  type Event,
  faultEvidence,
  faultVerdict,
  feedback,
  handler,
  heartbeat,
  nodeScore,
  nodeState,
  ofKinds,
  priceSheet,
  type Question,
  quote,
  quoteRequest,
  routing,
  textRequest,
  textResult,
  usageReceipt,
  zapReceipt,
} from '../../kinds/index.ts'
import type { Admit, Listening, Relays } from '../../relays/relay.ts'
import { type Clock, seconds } from '../clock.ts'
import { openIntake } from '../intake.ts'
import type { Keys } from '../keys.ts'
import { readBack } from './paging.ts'

export interface HearingOptions {
  readonly relays: Relays
  readonly keys: Keys
  readonly clock: Clock
  readonly me: string
  /** Also requests that name nobody. */
  readonly open: boolean
  /** Of one customer. */
  readonly requestsPerMinute: number
  /** Of one author and subscription, of everything else. */
  readonly wordsPerMinute: number
  /** Whether a key is a node that was heard of. */
  isNode(pubkey: string): boolean
  /** Routers whose labels and routing events are read. */
  peers(): readonly string[]
  onEvent(event: Event): void
  onRequest(event: Event): void
  /** Everybody who is there was heard of: nobody is sent away for want of nodes before. */
  onPresent(): void
}

export interface Hearing {
  /** Resolves when everything is heard. */
  readonly live: Promise<void>
  /** Other routers became known, or left. */
  peersChanged(): void
  close(): void
}

const day = 86_400
const hour = 3_600
/** Largest request for quotes, in bytes: it is embedded in its answer. */
const requestBytes = 16_384
const mostPeers = 64
const changeMs = 2_000
const limit = 500
const morePages = 200

/** What a subscription asks beside its kinds. */
interface Door {
  /** Seconds that an event may be old. */
  readonly past: number
  /** It must name such a key. */
  readonly names?: string | ((pubkey: string) => boolean)
  /** It must be by such a key. */
  readonly by?: (pubkey: string) => boolean
}

/** Subscribes to who is there at once, to requests and to what was done as soon as that is known. */
export function openHearing(options: HearingOptions): Hearing {
  const { relays, keys, clock, me, onEvent, onRequest, wordsPerMinute, requestsPerMinute } = options
  const now = seconds(clock)
  const listening = new Set<Listening>()
  const isNode = (pubkey: string) => options.isNode(pubkey)
  let ofPeers: Listening | undefined
  let stopChange = () => {}
  let closed = false

  function listen(questions: Question[], { past, names, by }: Door, onEose?: () => void): Listening {
    const { admit } = openIntake({
      ...{ verify: keys.signed, clock, kinds: questions.flatMap(({ kinds }) => kinds) },
      windowSeconds: { past, ahead: 60 },
      rate: { perAuthorPerMinute: wordsPerMinute, burst: wordsPerMinute },
      ...(names ? { me: names } : {}),
    })
    const door: Admit = by ? (raw, relay) => (by(authorOf(raw)) ? admit(raw, relay) : undefined) : admit
    const one = relays.listen(questions, { admit: door, onEvent, ...(onEose ? { onEose } : {}) })
    listening.add(one)
    return one
  }

  const closing = new AbortController()
  const everything = Promise.withResolvers<void>()
  const present = Promise.withResolvers<void>()
  listen(
    [
      ofKinds([handler.number], { since: now - 90 * day, limit }),
      ofKinds([heartbeat.number, nodeState.number], { since: now - 900, limit }),
    ],
    { past: 90 * day },
    present.resolve,
  )
  const answers = listen([addressedTo([me], [quote.number, routing.number], { since: now - 60 })], {
    ...{ past: hour, names: me },
  })
  listen([ofKinds([priceSheet.number], { since: now - 7 * day, limit })], { past: 7 * day })
  listen(
    [
      ofKinds([benchmark.number, nodeScore.number], { since: now - 30 * day, limit }),
      ofKinds([bond.number], { since: now - 90 * day, limit }),
      ofKinds([bondEntry.number, faultEvidence.number, faultVerdict.number], { since: now - 90 * day, limit }),
    ],
    { past: 90 * day },
  )

  const hearRequests = () => {
    const one = relays.listen(
      options.open
        ? [ofKinds([quoteRequest.number], { since: now - 60 })]
        : [addressedTo([me], [quoteRequest.number], { since: now - 60 })],
      {
        onEvent: onRequest,
        admit: openIntake({
          ...{
            verify: keys.signed,
            clock,
            kinds: [quoteRequest.number],
            me,
            open: options.open,
            maxBytes: requestBytes,
          },
          windowSeconds: { past: 60, ahead: 60 },
          rate: { perAuthorPerMinute: requestsPerMinute, burst: Math.max(5, requestsPerMinute / 4) },
        }).admit,
      },
    )
    listening.add(one)
    return one
  }

  function hearWork() {
    if (closed) return everything.resolve()
    options.onPresent()
    // Those beyond one answer of a relay; meanwhile the newest are there to be asked.
    const back = openIntake({
      ...{ verify: keys.signed, clock, kinds: [handler.number], windowSeconds: { past: 90 * day, ahead: 60 } },
    })
    const filter = ofKinds([handler.number], { since: now - 90 * day, until: now, limit })
    void readBack({ relays, filter, admit: back.admit, pages: morePages, onEvent }, closing.signal)
    const work = [
      hearRequests(),
      listen([ofKinds([usageReceipt.number], { since: now - day, limit })], { past: day, by: isNode }),
      listen([ofKinds([textResult.number, feedback.number], { since: now - hour, limit })], { past: hour, by: isNode }),
      listen([ofKinds([textRequest.number, acknowledgement.number], { since: now - hour, limit })], {
        ...{ past: day, names: isNode },
      }),
      listen([ofKinds([zapReceipt.number], { since: now - hour, limit })], { past: hour, names: isNode }),
    ]
    hearPeers()
    return Promise.all(work.map(one => one.live)).then(() => everything.resolve())
  }

  function hearPeers() {
    const authors = options.peers().slice(0, mostPeers)
    if (ofPeers) {
      ofPeers.close()
      listening.delete(ofPeers)
    }
    ofPeers = undefined
    if (authors.length === 0 || closed) return
    const known = new Set(authors)
    ofPeers = listen([ofKinds([attestation.number, routing.number], { authors, since: seconds(clock) - day, limit })], {
      past: day,
      by: pubkey => known.has(pubkey),
    })
  }
  void present.promise.then(hearWork)

  return {
    live: Promise.all([answers.live, everything.promise]).then(() => undefined),
    peersChanged() {
      stopChange()
      if (!closed) stopChange = clock.after(changeMs, hearPeers)
    },
    close() {
      closed = true
      closing.abort()
      stopChange()
      for (const one of listening) one.close()
      present.resolve()
    },
  }
}

const authorOf = (raw: unknown): string =>
  typeof raw === 'object' && raw !== null && 'pubkey' in raw && typeof raw.pubkey === 'string' ? raw.pubkey : ''
