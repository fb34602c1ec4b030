/**
 * Samples of kind 38620.
 * @module
 */
import type { Bond } from './38620-bond.ts'
import type { BadSample, Dialect, GoodSample } from './spec.ts'
import { spoiled } from './spoiled.ts'

const lockedAt = 1_800_000_000
const expiresAt = lockedAt + 90 * 86_400

export const good: readonly GoodSample<Bond>[] = [
  {
    says: 'A provider, as long as may be.',
    value: { id: 'first', units: 1_000n, proof: 'abstract', lockedAt, expiresAt, role: 'node' },
  },
  {
    says: 'A router whose custodian keeps it.',
    value: { id: 'router', units: 0n, proof: 'custodian', lockedAt, expiresAt: lockedAt + 1, role: 'router' },
  },
]

const tags = [
  ['d', 'first'],
  ['units', '1000'],
  ['proof', 'abstract'],
  ['locked', String(lockedAt)],
  ['expiration', String(expiresAt)],
  ['role', 'node'],
]

export const dialects: readonly Dialect<Bond>[] = [
  {
    says: 'With a word for people.',
    tags,
    content: 'All I have.',
    value: { id: 'first', units: 1_000n, proof: 'abstract', lockedAt, expiresAt, role: 'node' },
  },
]

const spoil = spoiled(tags)

export const bad: readonly BadSample[] = [
  spoil('d', 'No name.', { drop: 'd' }),
  spoil('d', 'A name of 256 characters.', { drop: 'd', add: [['d', 'x'.repeat(256)]] }),
  spoil('units', 'Part of a unit.', { drop: 'units', add: [['units', '0.5']] }),
  spoil('proof', 'A promise.', { drop: 'proof', add: [['proof', 'my word']] }),
  spoil('locked', 'Since always.', { drop: 'locked' }),
  spoil('expiration', 'For ever.', { drop: 'expiration' }),
  spoil('role', 'Neither.', { drop: 'role', add: [['role', 'client']] }),
  spoil('term', 'It ends before it starts.', { drop: 'expiration', add: [['expiration', String(lockedAt)]] }),
  spoil('term', 'One second too long.', { drop: 'expiration', add: [['expiration', String(expiresAt + 1)]] }),
]
