/** The package ships no types; this is what the driver uses of it. */
declare module 'nostr-relaypool' {
  import type { Event } from '../kinds/kind.ts'

  interface Publication {
    on(type: 'ok', run: () => void): void
    on(type: 'failed', run: (reason: string) => void): void
  }

  interface PoolRelay {
    readonly url: string
    readonly status: number
    publish(event: Event): Publication
  }

  export class RelayPool {
    constructor(
      relays?: string[],
      options?: {
        autoReconnect?: boolean
        logErrorsAndNotices?: boolean
        skipVerification?: boolean
        useEventCache?: boolean
      },
    )
    readonly relayByUrl: Map<string, PoolRelay>
    addOrGetRelay(url: string): PoolRelay
    subscribe(
      filters: object[],
      relays: string[],
      onEvent: (event: Event, afterEose: boolean, url: string | undefined) => void,
      maxDelayms: number | undefined,
      onEose: (url: string) => void,
      options?: { unsubscribeOnEose?: boolean; allowDuplicateEvents?: boolean; allowOlderEvents?: boolean },
    ): () => void
    onerror(run: (url: string, says: string) => void): void
    onnotice(run: (url: string, says: string) => void): void
    close(): Promise<unknown>
  }
}
