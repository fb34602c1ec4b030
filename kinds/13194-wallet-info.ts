/**
 * Kind 13194: what a wallet service can do.
 * @module
 */
import { defineKind, ok } from './define.ts'
import { loose } from './fields.ts'
import type { Value } from './values.ts'
import { ciphers, type WalletCipher, words } from './wallets.ts'

/** Capabilities of a wallet service (NIP-47). Old services name no cipher: `nip04`. */
export interface WalletInfoEvent {
  readonly methods: readonly string[]
  readonly encryption: readonly WalletCipher[]
  readonly notifications: readonly string[]
}

const oldCiphers: readonly WalletCipher[] = ['nip04']
const wordList: Value<string[]> = {
  form: '<words>',
  read: values => words(values.join(' ')),
  write: list => [list.join(' ')],
}

/** Wallet info (NIP-47 kind 13194, replaceable). */
export const walletInfo = defineKind({
  number: 13_194,
  name: 'wallet info',
  says: 'A wallet service says which methods, ciphers and notifications it knows.',
  source: 'NIP-47',
  fields: {
    encryption: loose('encryption', ciphers, 'Ciphers, best first. Absent: `nip04`.'),
    notifications: loose('notifications', wordList, 'Notifications that it sends.'),
  },
  content: 'Methods, separated by blanks.',
  rules: { methods: 'At least one method is named.' },
  read({ encryption = oldCiphers, notifications = [] }, { content, refuse }) {
    const methods = words(content).filter(word => word !== 'notifications')
    return methods.length === 0 ? refuse('methods') : ok({ methods, encryption, notifications })
  },
  write: ({ methods, encryption, notifications }: WalletInfoEvent) => ({
    fields: {
      encryption: [...encryption],
      notifications: notifications.length === 0 ? undefined : [...notifications],
    },
    content: methods.join(' '),
  }),
  good: [
    {
      says: 'A wallet of today.',
      value: {
        methods: ['pay_invoice', 'make_invoice', 'lookup_invoice'],
        encryption: ['nip44_v2', 'nip04'],
        notifications: ['payment_received'],
      },
    },
  ],
  dialects: [
    {
      says: 'A wallet of 2023: no tags.',
      tags: [],
      content: 'pay_invoice get_balance notifications',
      value: { methods: ['pay_invoice', 'get_balance'], encryption: ['nip04'], notifications: [] },
    },
  ],
  bad: [{ breaks: 'methods', says: 'It can do nothing.', tags: [['encryption', 'nip44_v2']] }],
})
