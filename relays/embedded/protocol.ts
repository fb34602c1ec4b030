/**
 * What the embedded relay does with each message of NIP-01, 42 and 45. Knows no socket: a connection is handed in.
 * @module
 */
import type { Event } from '../../kinds/kind.ts'
import type { Clock } from '../../src/clock.ts'
import { openAsking } from './asking.ts'
import type { Connection } from './connection.ts'
import type { Limits } from './limits.ts'
import { openPublishing } from './publishing.ts'
import type { Store } from './store.ts'
import { openSubscriptions, type Subscriptions } from './subscriptions.ts'
import { readMessage } from './wire.ts'

export interface ProtocolOptions {
  readonly store: Store
  readonly clock: Clock
  readonly limits: Limits
  readonly verify: (event: Event) => boolean
  readonly authToRead: ReadonlySet<number>
  readonly onError: (says: string) => void
}

/** What publishing and asking share. */
export interface Desk extends ProtocolOptions {
  readonly subscriptions: Subscriptions<Connection>
}

export interface Protocol {
  readonly counts: { readonly accepted: number; readonly refused: number; readonly subscriptions: number }
  opened(connection: Connection): void
  message(connection: Connection, text: string): void
  closed(connection: Connection): void
  /** Commits what is open and sends the OKs that wait for it. */
  flush(): void
}

/** Starts with no connection. */
export function openProtocol(options: ProtocolOptions): Protocol {
  const subscriptions = openSubscriptions<Connection>()
  const desk: Desk = { ...options, subscriptions }
  const publishing = openPublishing(desk)
  const asking = openAsking(desk)

  const onJunk = (connection: Connection, says: string) => {
    if (connection.admit()) connection.send(JSON.stringify(['NOTICE', `invalid: ${says}`]))
  }

  return {
    get counts() {
      const { accepted, refused } = publishing
      return { accepted, refused, subscriptions: subscriptions.size }
    },
    opened: connection => connection.send(JSON.stringify(['AUTH', connection.challenge])),
    message(connection, text) {
      const read = readMessage(text)
      if (!read.ok) return onJunk(connection, read.says)
      const [verb, ...words] = read.value
      const [first] = words
      if (verb === 'EVENT') publishing.event(connection, first)
      else if (verb === 'REQ') asking.req(connection, words)
      else if (verb === 'CLOSE' && typeof first === 'string') asking.unsubscribe(connection, first)
      else if (verb === 'COUNT') asking.count(connection, words)
      else if (verb === 'AUTH') publishing.auth(connection, first)
      else onJunk(connection, 'unknown message')
    },
    closed(connection) {
      for (const id of [...connection.subscriptions.keys()]) asking.unsubscribe(connection, id)
    },
    flush: publishing.flush,
  }
}
