/**
 * Optional driver over @nostr-dev-kit/ndk, for programs that hold an NDK already. What it cannot keep of the contract
 * is listed in `NDK_BREAKS`; long-lived roles belong on `openPool`.
 * @module
 */
import type { NDKEvent, NDKFilter, NDKRelay, NostrEvent } from '@nostr-dev-kit/ndk'
import type { Event } from '../kinds/kind.ts'
import type { Clock } from '../src/clock.ts'
import { importDriver } from './optional.ts'
import { POOL_LIMITS, type PoolLimits } from './pool-limits.ts'
import type { Admit, RelayState, Relays } from './relay.ts'
import { relayUrl } from './relay.ts'
import { noListening, openSubscription } from './subscription.ts'
import { openTally } from './tally.ts'

/** Promises of the shared suite that this driver does not keep, and what happens instead. */
export const NDK_BREAKS: Readonly<Record<string, string>> = {
  'outage.abrupt': 'not back 3 s after one failed attempt to reconnect',
  'outage.graceful': 'not back 3 s after one failed attempt to reconnect',
  'outage.far-future': 'not back 3 s after one failed attempt to reconnect',
  'outage.limit-zero': 'not back 3 s after one failed attempt to reconnect',
  'outage.overlap': 'not back 3 s after one failed attempt to reconnect',
  'down-at-start': 'not there 3 s after a first attempt that failed',
  'resubscribe-after-closed': 'a CLOSED subscription stays closed, and nobody is told',
  'forged-twin.same-relay': 'remembers an id before anybody verified it',
  'forged-twin.other-relay': 'remembers an id before anybody verified it',
  'publish.when-back': 'fails with the connection instead of waiting for it',
}

export interface NdkOptions {
  urls: readonly string[]
  clock: Clock
  admit: Admit
  limits?: Partial<Pick<PoolLimits, 'connectMs' | 'eoseMs' | 'publishMs' | 'keepMs' | 'seenIds'>>
}

/** Rejects with the way to install the package when it is missing. */
export async function openNdk({ urls: given, clock, admit, limits: own }: NdkOptions): Promise<Relays> {
  const lib = await importDriver('@nostr-dev-kit/ndk', '3.0.3', () => import('@nostr-dev-kit/ndk'))
  const limits = { ...POOL_LIMITS, ...own }
  const urls = [...new Set(given.map(relayUrl))]
  const ndk = new lib.default({ explicitRelayUrls: urls, enableOutboxModel: false, autoConnectUserRelays: false })
  const relaySet = lib.NDKRelaySet.fromRelayUrls(urls, ndk)
  const relays = () => [...ndk.pool.relays.values()]
  const open = new Set<() => void>()
  const dropped = new Map<string, number>()
  let isClosed = false
  await ndk.connect(limits.connectMs)

  return {
    urls,
    publish(event, { want, keepMs = limits.keepMs, signal } = {}) {
      const tally = openTally({ urls, clock, waitMs: isClosed ? 0 : limits.publishMs, want, signal })
      if (isClosed || signal?.aborted) return tally.done
      open.add(tally.end)
      void tally.done.then(() => open.delete(tally.end))
      for (const one of relays()) {
        const relay = relayUrl(one.url)
        one.publish(toNdk(new lib.NDKEvent(ndk), event), keepMs).then(
          () => tally.answer({ relay, ok: true, says: '' }),
          (reason: unknown) => tally.answer({ relay, ok: false, says: words(reason) }),
        )
      }
      return tally.done
    },
    listen(filters, listen, signal) {
      if (isClosed || signal?.aborted) return noListening()
      const asked = listen.once ? filters : filters.map(({ limit: _, ...rest }) => rest)
      const theirs = ndk.subscribe(structuredClone(asked) as NDKFilter[], {
        closeOnEose: listen.once === true,
        groupable: false,
        skipVerification: true,
        relaySet,
        onEvent: (event, relay) => void sub.take(event.rawEvent(), relay ? relayUrl(relay.url) : ''),
        onEose: () => sub.finish(),
      })
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
          theirs.stop()
        },
      })
      open.add(sub.close)
      return sub
    },
    state: () =>
      relays().map((relay): RelayState => {
        const url = relayUrl(relay.url)
        const reconnects = Math.max(0, relay.connectionStats.success - 1)
        return { url, state: stateOf(relay), dropped: dropped.get(url) ?? 0, reconnects, lastError: '' }
      }),
    async close() {
      isClosed = true
      for (const end of [...open]) end()
      for (const relay of relays()) relay.disconnect()
    },
  }

  function stateOf(relay: NDKRelay): RelayState['state'] {
    if (isClosed) return 'closed'
    if (relay.status >= lib.NDKRelayStatus.CONNECTED) return 'open'
    return relay.status === lib.NDKRelayStatus.CONNECTING ? 'connecting' : 'waiting'
  }
}

function toNdk(into: NDKEvent, event: Event): NDKEvent {
  const { tags, ...rest }: Event = event
  return Object.assign(into, rest satisfies Omit<NostrEvent, 'tags'>, { tags: tags.map(tag => [...tag]) })
}

const words = (reason: unknown): string => (reason instanceof Error ? reason.message : String(reason)).slice(0, 500)
