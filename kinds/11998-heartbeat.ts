/**
 * Kind 11998: a service says that it is alive.
 * @module
 */
import { defineKind, ok } from './define.ts'
import { loose, one } from './fields.ts'
import { seconds, text } from './values.ts'

/** Alive until `expiresAt`. `service` is the `d` of the announcement (31990), empty where the service has only one. */
export interface Heartbeat {
  readonly service: string
  /** Free words. */
  readonly status: string
  readonly expiresAt: number
  readonly text: string
}

/** Service heartbeat (kind 11998, replaceable: one per key). */
export const heartbeat = defineKind({
  number: 11_998,
  name: 'heartbeat',
  says: 'A service is alive until it expires. The number is replaceable whatever `d` says, so a key beats for one service.',
  source: 'NIP-90 pull request 2465, as Amethyst and nostr-dvm speak it',
  fields: {
    service: loose('d', text('<d of the 31990>'), 'Which service.'),
    status: loose('status', text('<free words>', 256), 'How it is.'),
    expiresAt: one(
      'expiration',
      seconds,
      'Clients wait 300 seconds for the next beat.',
      'A heartbeat says once, in unix seconds, how long it holds.',
    ),
  },
  content: 'A sentence for people.',
  rules: {},
  read: ({ service = '', status = '', expiresAt }, { content }) => ok({ service, status, expiresAt, text: content }),
  write: ({ service, status, expiresAt, text: content }: Heartbeat) => ({
    fields: { service: service || undefined, status: status || undefined, expiresAt },
    content,
  }),
  good: [
    {
      says: 'Alive.',
      value: { service: 'text', status: 'online', expiresAt: 1_800_000_300, text: 'Alive and kicking' },
    },
  ],
  dialects: [
    {
      says: 'The pull request knows only the expiration.',
      tags: [['expiration', '1800000300']],
      value: { service: '', status: '', expiresAt: 1_800_000_300, text: '' },
    },
    {
      says: 'nostr-dvm.',
      tags: [
        ['status', 'My heart keeps beating like a hammer'],
        ['d', '87416eba5e31cfd6'],
        ['expiration', '1800000300'],
      ],
      value: {
        service: '87416eba5e31cfd6',
        status: 'My heart keeps beating like a hammer',
        expiresAt: 1_800_000_300,
        text: '',
      },
    },
  ],
  bad: [{ breaks: 'expiration', says: 'Alive for ever.', tags: [['d', 'text']] }],
})
