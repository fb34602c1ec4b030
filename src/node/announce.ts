/**
 * How a node is found: its announcement and relay list, and a heartbeat that is published only after a probe of its own
 * came back through the relays, because a process that runs may well be deaf.
 * @module
 */
import type { Event, PostedPrice, Privacy, Split, TermsWord } from '../../kinds/index.ts'
import { frame, handler, heartbeat, ofKinds, present, relayList } from '../../kinds/index.ts'
import { query, type Relays } from '../../relays/relay.ts'
import type { Clock } from '../clock.ts'
import { seconds } from '../clock.ts'
import type { Keys } from '../keys.ts'
import type { ModelInfo } from '../runners/runner.ts'
import { wrapEvent } from '../seal.ts'
import type { NodeEvent } from './node-event.ts'

/** What an operator says of the service. */
export interface ServiceFacts {
  /** Stable name of the service under its key (`d`). */
  readonly id: string
  readonly name: string
  readonly about: string
  readonly kinds: readonly number[]
  /** Lightning node keys that invoices come from; empty when the wallet does not tell. */
  readonly nodeKeys: readonly string[]
  /** Addresses to announce; default the relays' own. */
  readonly relayHints?: readonly string[]
  /** How customers may pay. */
  readonly terms?: readonly TermsWord[]
  /** Who shares in the price (NIP-57 zap splits), this node included: it bills its own share, clients pay the others. */
  readonly splits?: readonly Split[]
  /** Where it is, in a word: `eu`. */
  readonly region?: string
  /** Levels of privacy that it keeps. Default 0 to 2: public jobs, and such as are sealed to it or wrapped. */
  readonly privacy?: readonly Privacy[]
  /** How far the same question gets the same answer, in a word. */
  readonly determinism?: string
  /** Jobs that the runner works on at once. Default 2. */
  readonly slots?: number
  /** Seconds for which it keeps a job after its end. */
  readonly retentionSeconds?: number
}

export interface AnnouncerOptions {
  readonly relays: Relays
  readonly keys: Keys
  readonly secret: Uint8Array
  readonly clock: Clock
  /** Of a whole job. Absent where its tokens are counted. */
  readonly priceMsats?: bigint
  readonly models: readonly ModelInfo[]
  readonly service: ServiceFacts
  /** What is announced that it asks. */
  readonly prices: readonly PostedPrice[]
  /** A heartbeat went out that holds until then. */
  beaten(expiresAt: number): void
  tell(event: NodeEvent): void
}

export interface Announcer {
  /** Announces, probes, and keeps beating. Resolves with whether the first probe came back. */
  start(): Promise<boolean>
  /** An event of our own came through the relays. */
  heard(event: Event): void
  /** True for the id of the wrap in which a probe is under way. */
  isProbe(id: string): boolean
  close(): void
}

const beatSeconds = 300
const probeEveryMs = 60_000
const probeWaitMs = 10_000
const tickMs = 5_000
const announceEveryMs = 7 * 24 * 3_600_000

export function openAnnouncer(options: AnnouncerOptions): Announcer {
  const { relays, keys, secret, clock, service, tell } = options
  const me = keys.publicKey(secret)
  const urls = service.relayHints ?? relays.urls
  let closed = false
  let stopTimer = () => {}
  let announcedId: string | undefined
  let foundId: string | undefined
  let expected: { id: string; wrap: string; came: (back: boolean) => void } | undefined
  let beatAt = 0
  let announcedAt = 0
  let nextProbeAt = 0
  let metBefore = 0

  function announce() {
    const now = seconds(clock)
    const models = options.models.map(({ name, contextTokens, sha256, kinds, dimensions }) =>
      present({ name, contextTokens, sha256, kinds, dimensions }),
    )
    const announcement = handler.write(
      {
        id: service.id,
        kinds: service.kinds,
        topics: ['ai'],
        name: service.name,
        about: service.about,
        encrypted: true,
        models,
        nodeKeys: service.nodeKeys,
        zappers: [me],
        custodial: false,
        relays: urls,
        ...present({ priceMsats: options.priceMsats, terms: service.terms, splits: service.splits }),
        ...present({ region: service.region, privacy: service.privacy, determinism: service.determinism }),
        ...present({ slots: service.slots, retentionSeconds: service.retentionSeconds }),
        prices: options.prices,
        v: 1,
      },
      now,
    )
    const event = keys.sign(announcement, secret)
    void relays.publish(event, { want: 1, keepMs: announceEveryMs })
    void relays.publish(keys.sign(relayList.write({ read: urls, write: urls }, now), secret), {
      want: 1,
      keepMs: 600_000,
    })
    announcedAt = clock.now()
    announcedId = event.id
    tell({ event: 'announced', id: event.id })
  }

  /** A wrap from a key of one use to ourselves: it must travel as a customer's would. */
  async function probe(): Promise<boolean> {
    const now = seconds(clock)
    const inner = keys.sign(frame.write({ job: randomId(), to: me, seq: 0, text: 'probe', last: true }, now), secret)
    const wrap = wrapEvent(keys, inner, me, now)
    const back = new Promise<boolean>(resolve => {
      const cancel = clock.after(probeWaitMs, () => resolve(false))
      expected = {
        id: inner.id,
        wrap: wrap.id,
        came(back) {
          cancel()
          resolve(back)
        },
      }
    })
    void relays.publish(wrap, { want: 1, keepMs: 0 })
    const came = await back
    expected = undefined
    return came
  }

  function beat() {
    const now = seconds(clock)
    const value = {
      service: service.id,
      status: 'ready',
      expiresAt: now + beatSeconds,
      text: 'Alive: heard my own probe.',
    }
    void relays.publish(keys.sign(heartbeat.write(value, now), secret), { want: 1, keepMs: 0 })
    beatAt = clock.now()
    options.beaten(value.expiresAt)
    tell({ event: 'alive' })
  }

  async function round(): Promise<boolean> {
    const came = await probe()
    if (closed) return came
    if (clock.now() - announcedAt >= announceEveryMs) announce()
    if (came) void readBack()
    if (!came)
      tell({
        event: 'deaf',
        says: `A probe did not come back within ${probeWaitMs / 1000} s: no heartbeat until one does.`,
      })
    else if (clock.now() - beatAt >= (beatSeconds * 1000 * 2) / 3) beat()
    nextProbeAt = clock.now() + (came ? probeEveryMs : 0)
    stopTimer = clock.after(tickMs, tick)
    return came
  }

  /** A relay may say that it took the announcement and have lost it: then nobody could find who is alive. */
  async function readBack() {
    const mine = announcedId
    if (mine === undefined || mine === foundId) return
    const found = await query(relays, [ofKinds([handler.number], { authors: [me], limit: 10 })])
    if (closed || mine !== announcedId) return
    if (found.some(event => event.id === mine)) foundId = mine
    else announce()
  }

  /** A relay that came back may have forgotten everything: it is told again, and we are heard through it again. */
  function tick() {
    const met = meetings()
    if (met !== metBefore) {
      metBefore = met
      beatAt = 0
      announce()
    } else if (clock.now() < nextProbeAt) {
      stopTimer = clock.after(tickMs, tick)
      return
    }
    void round()
  }

  const meetings = () => relays.state().reduce((sum, { reconnects }) => sum + reconnects, 0)

  /** 64 hex digits that name no job: the public half of a key of one use. */
  const randomId = (): string => keys.publicKey(keys.newSecret())

  return {
    start() {
      metBefore = meetings()
      announce()
      return round()
    },
    heard(event) {
      if (event.id === expected?.id) expected.came(true)
    },
    isProbe: id => id === expected?.wrap,
    close() {
      closed = true
      stopTimer()
      // A probe under way would keep the process for its whole patience.
      expected?.came(false)
    },
  }
}
