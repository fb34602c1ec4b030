/**
 * Bills for the guard: signed invoices beside what was put into them, so that a test never has to read one to know it.
 * @module
 */
import { nodeKeyOf, writeInvoice } from '../src/payments/bolt11.ts'
import { fromHex, sha256Hex } from '../src/payments/hash.ts'
import type { Network } from '../src/payments/payment.ts'

const secretOf = (name: string) => fromHex(sha256Hex(name))
export const announcedKey = nodeKeyOf(secretOf('announced'))
export const ownKey = nodeKeyOf(secretOf('own'))
export const request = sha256Hex('zap request')
export const start = 1_800_000_000

export interface Made {
  readonly bolt11: string
  readonly hash: string
  readonly msats?: bigint
  readonly network: Network
  readonly payee: string
  readonly descriptionHash?: string
  readonly cltv: number
  readonly expiresAt: number
}

interface Twist {
  readonly msats?: bigint | 'open'
  readonly network?: Network
  readonly by?: 'announced' | 'own' | 'stranger'
  readonly text?: boolean
  readonly cltv?: number
  readonly expirySeconds?: number
}

/** An invoice, signed. The reader remembers 64 of them: tests of many runs make fewer. */
export function make(name: string, twist: Twist = {}): Made {
  const { by = 'announced', network = 'regtest', cltv = 18, expirySeconds = 600 } = twist
  const amount = twist.msats === 'open' ? {} : { msats: twist.msats ?? 20_000n }
  const hash = sha256Hex(name)
  const described = twist.text ? { description: request } : { descriptionHash: request }
  const fields = { network, hash, secret: hash, timestamp: start, minFinalCltvDelta: cltv, expirySeconds }
  const bolt11 = writeInvoice({ ...fields, ...amount, ...described }, secretOf(by))
  const { description: _text, ...commits } = { description: '', ...described }
  return {
    bolt11,
    hash,
    ...amount,
    network,
    payee: nodeKeyOf(secretOf(by)),
    ...commits,
    cltv,
    expiresAt: start + expirySeconds,
  }
}
