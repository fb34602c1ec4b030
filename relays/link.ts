/**
 * One relay, for ever: connects again and again, asks again from where it left off, authenticates when told to.
 * @module
 */
import type { Event, Template } from '../kinds/kind.ts'
import { type Clock, seconds } from '../src/clock.ts'
import { openBackoff } from './backoff.ts'
import { type Connection, openConnection } from './connection.ts'
import { standingFilters } from './cursor.ts'
import { ClientAuth, matches } from './embedded/matching.ts'
import type { Frame } from './frames.ts'
import { openOutbox } from './outbox.ts'
import type { PoolLimits } from './pool-limits.ts'
import type { Filter, RelayState } from './relay.ts'

/** Signs the NIP-42 event; may throw. */
export type SignAuth = (template: Template) => Event

/** `asked`: the REQ went out. `late`: no EOSE in time. `failed`: the relay is not there, or closed the subscription. */
export type Status = 'asked' | 'eose' | 'late' | 'failed'

export interface Interest {
  readonly filters: readonly Filter[]
  readonly once: boolean
  isSeen(id: string): boolean
  /** Returns false when the event was not admitted. */
  take(event: Event, url: string): boolean
  status(status: Status, url: string): void
}

export interface LinkOptions {
  readonly url: string
  readonly clock: Clock
  readonly limits: PoolLimits
  readonly random: () => number
  readonly sign?: SignAuth | undefined
}

export interface Link {
  state(): RelayState
  /** Sends now or when the relay is back, until the returned way to stop is taken. Answers at most once. */
  publish(event: Event, answer: (ok: boolean, says: string) => void, until: number): () => void
  /** Returns the way to end it. */
  subscribe(interest: Interest): () => void
  close(): Promise<void>
}

interface Wanted {
  readonly id: string
  readonly interest: Interest
  readonly pause: ReturnType<typeof openBackoff>
  /** Unix second up to which this relay surely sent everything; unset until its first EOSE. */
  alive: number | undefined
  isLive: boolean
  needsAuth: boolean
  events: number
  cancel: () => void
}

/** True for NIP-42's prefix, also behind the `ERROR:` that strfry writes before it. */
const isAuthRequired = (says: string) => /^(error:\s*)?auth-required\b/i.test(says)

/** Starts connecting at once and never gives up before `close`. */
export function openLink(options: LinkOptions): Link {
  const { url, clock, limits, random, sign } = options
  const wanted = new Map<string, Wanted>()
  const pause = openBackoff(clock, limits, random)
  let connection: Connection | undefined
  let state: RelayState['state'] = 'connecting'
  let dropped = 0
  let reconnects = 0
  let lastError = ''
  let serial = 0
  let cancelRetry = () => {}
  let challenge = ''
  let authId = ''
  let isAuthed = false

  const outbox = openOutbox({
    clock,
    limits,
    isAuthRequired: says => sign !== undefined && !isAuthed && isAuthRequired(says),
  })

  const request = (sub: Wanted) => {
    if (state !== 'open' || !connection) return
    const { filters, once } = sub.interest
    sub.cancel()
    sub.needsAuth = false
    sub.events = 0
    sub.pause.started()
    connection.request(sub.id, once ? filters : standingFilters(filters, seconds(clock), sub.alive, limits))
    sub.interest.status('asked', url)
    sub.cancel = clock.after(limits.eoseMs, () => settle(sub, 'late'))
  }

  const forget = (sub: Wanted) => {
    sub.cancel()
    wanted.delete(sub.id)
    connection?.release(sub.id)
  }

  const settle = (sub: Wanted, status: Status) => {
    sub.cancel()
    if (sub.interest.once) forget(sub)
    sub.interest.status(status, url)
  }

  /** Moves the mark from which an outage is asked for again; it stays where it is while the subscription is not live. */
  const lost = (sub: Wanted, aliveMs: number) => {
    sub.cancel()
    if (sub.isLive) sub.alive = Math.floor(aliveMs / 1000)
    sub.isLive = false
  }

  const onClosed = (id: string, says: string) => {
    const sub = wanted.get(id)
    if (!sub) return
    lost(sub, clock.now())
    lastError = says || 'subscription closed'
    sub.needsAuth = sign !== undefined && !isAuthed && isAuthRequired(says)
    if (sub.interest.once && !sub.needsAuth) return settle(sub, 'failed')
    sub.interest.status(sub.needsAuth ? 'asked' : 'failed', url)
    sub.cancel = clock.after(sub.pause.next(), () => (sub.interest.once ? settle(sub, 'failed') : request(sub)))
    authenticate()
  }

  const authenticate = () => {
    if (!sign || !challenge || authId || isAuthed || !connection) return
    if (!outbox.needsAuth() && ![...wanted.values()].some(sub => sub.needsAuth)) return
    // The address is the one that we connected to, whatever the relay says: a signature for another relay is worth
    // something to whoever asks for it.
    const tags = [
      ['relay', url],
      ['challenge', challenge],
    ]
    try {
      const event = sign({ kind: ClientAuth, created_at: seconds(clock), tags, content: '' })
      authId = event.id
      connection.send(`["AUTH",${JSON.stringify(event)}]`)
    } catch (error) {
      lastError = `cannot sign AUTH: ${error instanceof Error ? error.message : String(error)}`
      outbox.authenticated(false, lastError, connection)
    }
  }

  const onFrame = (frame: Frame) => {
    if (frame.type === 'NOTICE') lastError = frame.says
    else if (frame.type === 'AUTH') {
      if (frame.challenge === challenge) return
      challenge = frame.challenge
      authId = ''
      isAuthed = false
      authenticate()
    } else if (frame.type === 'OK' && authId !== '' && frame.id === authId) {
      authId = ''
      isAuthed = frame.ok
      if (!frame.ok) {
        challenge = ''
        lastError = frame.says
      }
      if (connection) outbox.authenticated(frame.ok, frame.says, connection)
      if (frame.ok) for (const sub of wanted.values()) if (sub.needsAuth) request(sub)
    } else if (frame.type === 'OK') {
      outbox.answered(frame.id, frame.ok, frame.says)
      authenticate()
    }
  }

  const onEvent = (id: string, event: Event): boolean => {
    const sub = wanted.get(id)
    // A REQ that was just ended may still be answered.
    if (!sub) return true
    const isMatch = matches(sub.interest.filters, event)
    if (!isMatch) dropped++
    const isGood = isMatch && sub.interest.take(event, url)
    if (sub.interest.once && ++sub.events >= limits.queryEvents) settle(sub, 'late')
    return isGood
  }

  const onEnd = (reason: string, gone: Connection | undefined) => {
    connection = undefined
    challenge = ''
    authId = ''
    isAuthed = false
    if (state === 'closed') return
    state = 'waiting'
    lastError = reason
    for (const sub of [...wanted.values()]) {
      lost(sub, gone?.heardMs ?? clock.now())
      sub.interest.status('failed', url)
    }
    cancelRetry = clock.after(pause.next(), connect)
  }

  const connect = () => {
    state = 'connecting'
    const mine: Connection = openConnection({
      url,
      clock,
      limits,
      onOpen() {
        state = 'open'
        if (serial++ > 0) reconnects++
        pause.started()
        for (const sub of [...wanted.values()]) request(sub)
        outbox.opened(mine)
      },
      onEnd: reason => onEnd(reason, mine),
      isSeen: (id, event) => wanted.get(id)?.interest.isSeen(event) ?? true,
      onEvent,
      onEose(id) {
        const sub = wanted.get(id)
        if (!sub) return
        sub.isLive = true
        settle(sub, 'eose')
      },
      onClosed,
      onFrame,
      onJunk: () => void dropped++,
    })
    connection = mine
  }

  let names = 0
  connect()

  return {
    state: () => ({ url, state, dropped, reconnects, lastError }),
    publish: (event, answer, until) => outbox.add(event, answer, state === 'open' ? connection : undefined, until),
    subscribe(interest) {
      const none = () => {}
      const sub: Wanted = {
        id: `s${++names}`,
        interest,
        pause: openBackoff(clock, limits, random),
        alive: undefined,
        isLive: false,
        needsAuth: false,
        events: 0,
        cancel: none,
      }
      wanted.set(sub.id, sub)
      if (state === 'open') request(sub)
      else if (state === 'waiting') interest.status('failed', url)
      return () => forget(sub)
    },
    async close() {
      if (state === 'closed') return
      state = 'closed'
      cancelRetry()
      outbox.close()
      for (const sub of [...wanted.values()]) forget(sub)
      await connection?.close()
    },
  }
}
