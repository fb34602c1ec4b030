/**
 * What every driver does for one subscription, whatever brings its events: each once, only through the door, and an
 * end to waiting. Shared by all drivers.
 * @module
 */
import { seenSet } from '../src/bounded.ts'
import type { Clock } from '../src/clock.ts'
import type { Admit, Listening, ListenOptions } from './relay.ts'

export interface SubscriptionOptions {
  readonly clock: Clock
  /** After this the subscription counts as live and its stored events as complete. */
  readonly eoseMs: number
  readonly seenIds: number
  /** The driver's own door. */
  readonly admit: Admit
  readonly listen: ListenOptions
  readonly signal: AbortSignal | undefined
  onDropped(relay: string): void
  /** Called once, by whichever comes first of `close`, the abort and the end of a query. */
  onEnd(): void
}

export interface Subscription extends Listening {
  readonly isEnded: boolean
  readonly isFinished: boolean
  isSeen(id: string): boolean
  /** Hands an event on, once. False when the door refused it. */
  take(raw: { readonly id: string }, relay: string): boolean
  goLive(): void
  /** All stored events came, or will not come. */
  finish(): void
}

/** The EOSE time-out runs from now on. */
export function openSubscription(options: SubscriptionOptions): Subscription {
  const { clock, listen, signal, onDropped } = options
  const admit = listen.admit ?? options.admit
  const seen = seenSet(options.seenIds)
  let isEnded = false
  let isFinished = false
  let goLive = () => {}
  const live = new Promise<void>(resolve => {
    goLive = resolve
  })

  const isSeen = (id: string): boolean => {
    if (!seen.has(id)) return false
    try {
      if (!isEnded) listen.onAgain?.(id)
    } catch {
      // A listener's fault is counted where events are; a repetition is none.
    }
    return true
  }

  const take = (raw: { readonly id: string }, relay: string): boolean => {
    if (isEnded || isSeen(raw.id)) return true
    try {
      const event = admit(raw, relay)
      if (!event) {
        onDropped(relay)
        return false
      }
      if (seen.has(event.id)) return true
      seen.add(event.id)
      listen.onEvent(event, relay)
    } catch {
      onDropped(relay)
    }
    return true
  }

  const finish = () => {
    if (isFinished || isEnded) return
    isFinished = true
    cancel()
    goLive()
    if (listen.once) close()
    listen.onEose?.()
  }

  const close = () => {
    if (isEnded) return
    isEnded = true
    cancel()
    goLive()
    signal?.removeEventListener('abort', close)
    options.onEnd()
  }

  const cancel = clock.after(options.eoseMs, finish)
  signal?.addEventListener('abort', close)
  return {
    live,
    close,
    take,
    goLive,
    finish,
    isSeen,
    get isEnded() {
      return isEnded
    },
    get isFinished() {
      return isFinished
    },
  }
}

/** What `listen` gives back when it is too late for it. */
export const noListening = (): Listening => ({ live: Promise.resolve(), close() {} })
