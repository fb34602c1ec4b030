/**
 * What the wallet kinds of NIP-47 have in common.
 * @module
 */
import { isRecord, parseJson } from './json.ts'
import type { Value } from './values.ts'

/** Ciphers of NIP-47 in its own words. */
export type WalletCipher = 'nip44_v2' | 'nip04'

const isCipher = (word: string): word is WalletCipher => word === 'nip44_v2' || word === 'nip04'

/** Ciphers that a tag offers, unknown ones left out. */
export const ciphers: Value<WalletCipher[]> = {
  form: '<nip44_v2 nip04>',
  read: values => values.flatMap(value => value.slice(0, 256).split(/\s+/)).filter(isCipher),
  write: words => [words.join(' ')],
}

/** Words separated by blanks: at most 64. */
export const words = (text: string): string[] =>
  text
    .slice(0, 4_096)
    .split(/\s+/)
    .filter(word => word !== '')
    .slice(0, 64)

/** The JSON object of an opened wallet message, states in lower case (Alby Hub shouts them); `undefined` for anything else. */
export function readBody(opened: string): Record<string, unknown> | undefined {
  const body = parseJson(opened, { chars: 262_144, depth: 12, nodes: 50_000 })
  if (!isRecord(body)) return undefined
  for (const part of [body['result'], body['notification']]) {
    if (!isRecord(part)) continue
    quieten(part)
    if (Array.isArray(part['transactions'])) part['transactions'].filter(isRecord).forEach(quieten)
  }
  return body
}

const quieten = (part: Record<string, unknown>): void => {
  const state = part['state']
  if (typeof state === 'string') part['state'] = state.toLowerCase()
}

/** The object, or an empty one for what is missing; `undefined` for what is no object. */
export const recordOr = (value: unknown): Record<string, unknown> | undefined =>
  value === undefined || value === null ? {} : isRecord(value) ? value : undefined
