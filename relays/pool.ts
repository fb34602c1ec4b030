/**
 * Many relays as one: every event from whichever relay brings it first, every publication to all of them.
 * @module
 */
import type { Clock } from '../src/clock.ts'
import { openLink, type SignAuth, type Status } from './link.ts'
import { POOL_LIMITS, type PoolLimits } from './pool-limits.ts'
import type { Admit, Filter, Listening, ListenOptions, Relays } from './relay.ts'
import { relayUrl } from './relay.ts'
import { noListening, openSubscription } from './subscription.ts'
import { openTally } from './tally.ts'

export interface PoolOptions {
  /** Spellings of one address are one connection. At least one; throws on what is no ws(s) URL. */
  urls: readonly string[]
  clock: Clock
  admit: Admit
  limits?: Partial<PoolLimits>
  /** Signs NIP-42 AUTH, when a relay demands it; only ever for the address that is connected. */
  sign?: SignAuth
  /** From 0 to below 1. */
  random?: () => number
}

/** Opens connections at once; a relay that is down is tried for ever. */
export function openPool(options: PoolOptions): Relays {
  const { clock, admit, sign, random = Math.random } = options
  const urls = [...new Set(options.urls.map(relayUrl))]
  if (urls.length === 0) throw new Error('no relay given: name at least one address, such as wss://relay.example.com')
  const limits = { ...POOL_LIMITS, ...options.limits }
  const links = urls.map(url => openLink({ url, clock, limits, random, sign }))
  const listening = new Set<() => void>()
  const publishing = new Set<() => void>()
  const dropped = new Map<string, number>()
  let closed = false

  return {
    urls,
    publish(event, { want, keepMs = limits.keepMs, signal } = {}) {
      const tally = openTally({ urls, clock, waitMs: closed ? 0 : limits.publishMs, want, signal })
      if (closed || signal?.aborted) return tally.done
      const stops: (() => void)[] = []
      let left = links.length
      const stop = () => {
        cancel()
        publishing.delete(stop)
        // An outstanding time-out would hold the process for as long.
        if (closed) tally.end()
        signal?.removeEventListener('abort', stop)
        for (const one of stops) one()
      }
      // What is not kept for an outage still waits for its answer.
      const cancel = clock.after(Math.max(keepMs, limits.publishMs), stop)
      const until = clock.now() + keepMs
      publishing.add(stop)
      signal?.addEventListener('abort', stop)
      for (const [index, link] of links.entries()) {
        const relay = urls[index] ?? ''
        const answer = (ok: boolean, says: string) => {
          tally.answer({ relay, ok, says })
          if (--left === 0) stop()
        }
        stops.push(link.publish(event, answer, until))
      }
      return tally.done
    },
    listen(filters, listenOptions, signal) {
      if (closed || signal?.aborted) return noListening()
      return listen(structuredClone(filters), listenOptions, signal)
    },
    state: () =>
      links.map(link => {
        const state = link.state()
        return { ...state, dropped: state.dropped + (dropped.get(state.url) ?? 0) }
      }),
    async close() {
      closed = true
      for (const end of [...listening, ...publishing]) end()
      await Promise.all(links.map(link => link.close()))
    },
  }

  function listen(filters: Filter[], listenOptions: ListenOptions, signal: AbortSignal | undefined): Listening {
    const statuses = new Map<string, Status | undefined>(urls.map(url => [url, undefined]))
    const stops: (() => void)[] = []
    const sub = openSubscription({
      clock,
      eoseMs: limits.eoseMs,
      seenIds: limits.seenIds,
      admit,
      listen: listenOptions,
      signal,
      onDropped: url => void dropped.set(url, (dropped.get(url) ?? 0) + 1),
      onEnd() {
        listening.delete(sub.close)
        for (const stop of stops) stop()
      },
    })

    /** A relay that is down holds nobody up, unless no other has answered. */
    const status = (now: Status, url: string) => {
      if (now === 'eose' || now === 'late') sub.goLive()
      statuses.set(url, now)
      const all = [...statuses.values()]
      const isOver = (one: Status | undefined) => one === 'eose' || one === 'late' || one === 'failed'
      if (all.every(isOver) && all.some(one => one !== 'failed')) sub.finish()
    }

    listening.add(sub.close)
    const interest = { filters, once: listenOptions.once === true, isSeen: sub.isSeen, take: sub.take, status }
    for (const link of links) stops.push(link.subscribe(interest))
    return sub
  }
}
