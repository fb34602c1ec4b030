/**
 * Optional driver over nostr-relaypool. What it cannot keep of the contract is listed in `RELAYPOOL_BREAKS`; it ends a
 * process that does not catch unhandled rejections, so it is fit for short reading only.
 * @module
 */
import type { Clock } from '../src/clock.ts'
import { importDriver } from './optional.ts'
import { POOL_LIMITS, type PoolLimits } from './pool-limits.ts'
import type { Admit, RelayState, Relays } from './relay.ts'
import { relayUrl } from './relay.ts'
import { noListening, openSubscription } from './subscription.ts'
import { openTally } from './tally.ts'

/** Promises of the shared suite that this driver does not keep, and what happens instead. */
export const RELAYPOOL_BREAKS: Readonly<Record<string, string>> = {
  'outage.overlap': 'asks for the whole past again after each outage',
  'resubscribe-after-closed': 'a CLOSED subscription stays closed, and nobody is told',
  'no-crash': 'a refused connection and a message `null` are errors that nobody catches: Node ends the process',
}

const STATES: readonly RelayState['state'][] = ['connecting', 'open', 'waiting', 'waiting']

export interface RelayPoolOptions {
  urls: readonly string[]
  clock: Clock
  admit: Admit
  limits?: Partial<Pick<PoolLimits, 'eoseMs' | 'publishMs' | 'seenIds'>>
}

/** Rejects with the way to install the package when it is missing. */
export async function openRelayPool(options: RelayPoolOptions): Promise<Relays> {
  const { clock, admit } = options
  const lib = await importDriver('nostr-relaypool', '0.6.30', () => import('nostr-relaypool'))
  const limits = { ...POOL_LIMITS, ...options.limits }
  const urls = [...new Set(options.urls.map(relayUrl))]
  const pool = new lib.RelayPool(urls, { autoReconnect: true, logErrorsAndNotices: false, skipVerification: true })
  const open = new Set<() => void>()
  const dropped = new Map<string, number>()
  const errors = new Map<string, string>()
  let isClosed = false
  pool.onerror((url, says) => void errors.set(url, `connection failed: ${String(says ?? '')}`))
  pool.onnotice((url, says) => void errors.set(url, String(says).slice(0, 500)))

  return {
    urls,
    publish(event, { want, signal } = {}) {
      const tally = openTally({ urls, clock, waitMs: isClosed ? 0 : limits.publishMs, want, signal })
      if (isClosed || signal?.aborted) return tally.done
      open.add(tally.end)
      void tally.done.then(() => open.delete(tally.end))
      for (const relay of urls) {
        const sent = pool.addOrGetRelay(relay).publish(event)
        sent.on('ok', () => tally.answer({ relay, ok: true, says: '' }))
        sent.on('failed', says => tally.answer({ relay, ok: false, says: String(says).slice(0, 500) }))
      }
      return tally.done
    },
    listen(filters, listen, signal) {
      if (isClosed || signal?.aborted) return noListening()
      const asked = listen.once ? filters : filters.map(({ limit: _, ...rest }) => rest)
      const left = new Set(urls)
      const sub = openSubscription({
        clock,
        eoseMs: limits.eoseMs,
        seenIds: limits.seenIds,
        admit,
        listen,
        signal,
        onDropped: url => void dropped.set(url, (dropped.get(url) ?? 0) + 1),
        onEnd() {
          open.delete(sub.close)
          stop()
        },
      })
      let stop = () => {}
      stop = pool.subscribe(
        structuredClone(asked),
        urls,
        (event, _, url) => void sub.take(event, url ?? ''),
        undefined,
        url => {
          sub.goLive()
          left.delete(url)
          if (left.size === 0) sub.finish()
        },
        { allowDuplicateEvents: true, allowOlderEvents: true },
      )
      open.add(sub.close)
      return sub
    },
    state: () =>
      urls.map(url => {
        const status = pool.relayByUrl.get(url)?.status ?? 3
        const state = isClosed ? 'closed' : (STATES[status] ?? 'waiting')
        return { url, state, dropped: dropped.get(url) ?? 0, reconnects: 0, lastError: errors.get(url) ?? '' }
      }),
    async close() {
      isClosed = true
      for (const end of [...open]) end()
      // Its promise never settles for a relay that is down.
      void pool.close()
    },
  }
}
