/**
 * Kind 23194: a client asks a wallet.
 * @module
 */
import { defineKind, ok, present } from './define.ts'
import { loose, maybe, one } from './fields.ts'
import { hex, seconds } from './values.ts'
import { ciphers, readBody, recordOr, type WalletCipher } from './wallets.ts'

/** A wallet request (NIP-47), opened. Amounts in `params` are msats as JSON numbers. */
export interface WalletRequest {
  readonly wallet: string
  readonly encryption: WalletCipher
  /** After this the wallet must not act. */
  readonly expiresAt?: number
  readonly body: { readonly method: string; readonly params: Readonly<Record<string, unknown>> }
}

const key = '4f355bdcb7cc0af728ef3cceb9615d90684bb5b2ca5f859ab0f0b704075871aa'

/** Wallet request (NIP-47 kind 23194, ephemeral, always ciphertext). */
export const walletRequest = defineKind({
  number: 23_194,
  name: 'wallet request',
  says: 'A client tells a wallet what to do. One event is one order: a retry is a new event after asking what became of the first.',
  source: 'NIP-47',
  fields: {
    wallet: one(
      'p',
      hex('<wallet pubkey>'),
      'The wallet service.',
      'Exactly one wallet is named by 64 lower-case hex digits.',
    ),
    encryption: loose('encryption', ciphers, 'The cipher of the content. Absent: `nip04`.'),
    expiresAt: maybe(
      'expiration',
      seconds,
      'After this the wallet must not act.',
      'An expiration is whole unix seconds, said once.',
    ),
  },
  content: 'The ciphertext of JSON `{method, params}`.',
  rules: { body: 'The opened content is a JSON object with a `method` of 1 to 64 characters and an object `params`.' },
  seal: 'content',
  read({ wallet, encryption, expiresAt }, { content, refuse }) {
    const body = readBody(content)
    const params = recordOr(body?.['params'])
    const method = body?.['method']
    if (typeof method !== 'string' || method === '' || method.length > 64 || !params) return refuse('body')
    return ok(present({ wallet, encryption: encryption?.[0] ?? 'nip04', expiresAt, body: { method, params } }))
  },
  write: ({ encryption, body, ...rest }: WalletRequest) => ({
    fields: { ...rest, encryption: [encryption] },
    content: JSON.stringify(body),
  }),
  good: [
    {
      says: 'Pay.',
      value: {
        wallet: key,
        encryption: 'nip44_v2',
        expiresAt: 1_800_000_060,
        body: { method: 'pay_invoice', params: { invoice: 'lnbcrt210n1' } },
      },
    },
    {
      says: 'Make a hold invoice: only the preimage of this hash turns it into money.',
      value: {
        wallet: key,
        encryption: 'nip44_v2',
        body: { method: 'make_hold_invoice', params: { amount: 21_000, payment_hash: key } },
      },
    },
  ],
  dialects: [
    {
      says: 'An old client: no cipher named, no params.',
      tags: [['p', key]],
      content: 'ciphertext',
      opened: '{"method":"get_info"}',
      value: { wallet: key, encryption: 'nip04', body: { method: 'get_info', params: {} } },
    },
  ],
  bad: [
    { breaks: 'p', says: 'No wallet.', tags: [], content: 'ciphertext', opened: '{"method":"get_info"}' },
    {
      breaks: 'expiration',
      says: 'Soon.',
      tags: [
        ['p', key],
        ['expiration', 'soon'],
      ],
      content: 'ciphertext',
      opened: '{"method":"get_info"}',
    },
    { breaks: 'body', says: 'No method.', tags: [['p', key]], content: 'ciphertext', opened: '{"params":{}}' },
    { breaks: 'body', says: 'No JSON.', tags: [['p', key]], content: 'ciphertext', opened: 'pay' },
  ],
})
