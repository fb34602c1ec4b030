/**
 * Kind 38620: somebody puts something at stake.
 * @module
 */
import { bad, dialects, good } from './38620-samples.ts'
import { defineKind, ok } from './define.ts'
import { one } from './fields.ts'
import { oneOf, units } from './records.ts'
import { seconds, text } from './values.ts'

export type BondProof = 'abstract' | 'custodian' | 'hold-invoice' | 'cashu-p2pk' | 'utxo'

/** A bond in abstract units: what they are worth is for whoever counts them to say. Times are unix seconds. */
export interface Bond {
  readonly id: string
  readonly units: bigint
  /** What stands behind it, as the author says. */
  readonly proof: BondProof
  readonly lockedAt: number
  /** At most 90 days after `lockedAt`. */
  readonly expiresAt: number
  readonly role: 'node' | 'router'
}

/** Longest time that a bond is locked, seconds. */
export const LONGEST_BOND_SECONDS = 90 * 86_400

/** Bond (addressable kind 38620). */
export const bond = defineKind({
  number: 38_620,
  name: 'bond',
  says: 'A provider or router says what it has at stake and until when. Nothing outside enforces an abstract bond: a fault that was proven takes it in the eyes of those who count it.',
  source: 'gridstr',
  alt: 'Bond of a provider or router',
  fields: {
    id: one(
      'd',
      text('<bond id>', 255),
      'Name of the bond under its author.',
      'A bond has one name of 1 to 255 characters.',
    ),
    units: one('units', units, 'How much.', 'Units are whole, in plain digits, said once.'),
    proof: one(
      'proof',
      oneOf<BondProof>('abstract', 'custodian', 'hold-invoice', 'cashu-p2pk', 'utxo'),
      'What stands behind it.',
      'Exactly one of the five proofs is named.',
    ),
    lockedAt: one('locked', seconds, 'Since when.', 'The start is unix seconds, said once.'),
    expiresAt: one('expiration', seconds, 'Until when.', 'The end is unix seconds, said once.'),
    role: one('role', oneOf<Bond['role']>('node', 'router'), 'As what.', 'Exactly one of the two roles is named.'),
  },
  content: 'Empty. From others it is ignored.',
  rules: { term: 'It ends after it starts, and at most 90 days after.' },
  read(found, { refuse }) {
    const term = found.expiresAt - found.lockedAt
    return term <= 0 || term > LONGEST_BOND_SECONDS ? refuse('term') : ok(found)
  },
  write: (value: Bond) => ({ fields: { ...value } }),
  good,
  dialects,
  bad,
})
