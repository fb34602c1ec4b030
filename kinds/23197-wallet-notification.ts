/**
 * Kind 23197: a wallet tells of a payment.
 * @module
 */
import { defineKind, ok } from './define.ts'
import { one } from './fields.ts'
import { isRecord } from './json.ts'
import { hex } from './values.ts'
import { readBody } from './wallets.ts'

/** A wallet notification (NIP-47), opened. It may be lost: poll beside it. */
export interface WalletNotification {
  readonly client: string
  readonly body: { readonly notification_type: string; readonly notification: Readonly<Record<string, unknown>> }
}

const key = '4f355bdcb7cc0af728ef3cceb9615d90684bb5b2ca5f859ab0f0b704075871aa'

/** Wallet notification (NIP-47 kind 23197, ephemeral, always NIP-44 ciphertext). */
export const walletNotification = defineKind({
  number: 23_197,
  name: 'wallet notification',
  says: 'A wallet tells a client that money came or went. It is ephemeral, so a client that must know polls too.',
  source: 'NIP-47',
  fields: {
    client: one(
      'p',
      hex('<client pubkey>'),
      'Who is told.',
      'Exactly one client is named by 64 lower-case hex digits.',
    ),
  },
  content: 'The ciphertext of JSON `{notification_type, notification}`; states in capitals are read in small letters.',
  rules: { body: 'The opened content is a JSON object with a `notification_type` and an object `notification`.' },
  seal: 'content',
  read({ client }, { content, refuse }) {
    const { notification_type: type, notification } = readBody(content) ?? {}
    if (typeof type !== 'string' || !isRecord(notification)) return refuse('body')
    return ok({ client, body: { notification_type: type, notification } })
  },
  write: ({ client, body }: WalletNotification) => ({ fields: { client }, content: JSON.stringify(body) }),
  good: [
    {
      says: 'Money came.',
      value: {
        client: key,
        body: {
          notification_type: 'payment_received',
          notification: { type: 'incoming', state: 'settled', amount: 21_000 },
        },
      },
    },
    {
      says: 'Money waits at a hold invoice, until it is settled, cancelled, or goes back by itself at a block height.',
      value: {
        client: key,
        body: {
          notification_type: 'hold_invoice_accepted',
          notification: { type: 'incoming', state: 'accepted', amount: 21_000, settle_deadline: 840_000 },
        },
      },
    },
  ],
  dialects: [
    {
      says: 'A state in capitals.',
      tags: [['p', key]],
      content: 'ciphertext',
      opened: '{"notification_type":"payment_sent","notification":{"state":"SETTLED"}}',
      value: { client: key, body: { notification_type: 'payment_sent', notification: { state: 'settled' } } },
    },
  ],
  bad: [
    {
      breaks: 'p',
      says: 'For nobody.',
      tags: [],
      content: 'ciphertext',
      opened: '{"notification_type":"x","notification":{}}',
    },
    {
      breaks: 'body',
      says: 'Nothing told.',
      tags: [['p', key]],
      content: 'ciphertext',
      opened: '{"notification_type":"x"}',
    },
  ],
})
