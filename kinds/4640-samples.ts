/**
 * Samples of kind 4640.
 * @module
 */
import type { BondEntry } from './4640-bond-entry.ts'
import type { BadSample, Dialect, GoodSample } from './spec.ts'
import { spoiled } from './spoiled.ts'

const id = '1b48aa4b4ca33ed778a1effad3672b058b127c075834cbc3743e3e0dcbcd6b6a'
const verdict = '66687aadf862bd776c8fc18b8e9f8e20089714856ee233b3902a591d0d5f2925'
const at = 1_800_000_000

export const good: readonly GoodSample<BondEntry>[] = [
  { says: 'Locked.', value: { bond: 'first', act: 'lock', units: 1_000n, at, seq: 0 } },
  { says: 'Added.', value: { bond: 'first', act: 'topup', units: 500n, at, seq: 1, prev: id } },
  { says: 'Taken back.', value: { bond: 'first', act: 'unlock', units: 500n, at, seq: 2, prev: id } },
  { says: 'Lost.', value: { bond: 'first', act: 'slash', units: 1_000n, at, seq: 3, prev: id, verdict } },
]

const tags = [
  ['d', 'first'],
  ['act', 'lock'],
  ['units', '1000'],
  ['at', String(at)],
  ['seq', '0'],
]

export const dialects: readonly Dialect<BondEntry>[] = [
  {
    says: 'With a word for people, and a bond named by its address.',
    tags: [...tags, ['a', `38620:${id}:first`]],
    content: 'Here it is.',
    value: { bond: 'first', act: 'lock', units: 1_000n, at, seq: 0 },
  },
]

const spoil = spoiled(tags)

export const bad: readonly BadSample[] = [
  spoil('d', 'Of no bond.', { drop: 'd' }),
  spoil('act', 'An unknown act.', { drop: 'act', add: [['act', 'lend']] }),
  spoil('units', 'Less than nothing.', { drop: 'units', add: [['units', '-1']] }),
  spoil('at', 'No time.', { drop: 'at' }),
  spoil('seq', 'No place.', { drop: 'seq' }),
  spoil('prev', 'Not an id.', {
    drop: 'seq',
    add: [
      ['seq', '1'],
      ['prev', 'the last one'],
    ],
  }),
  spoil('verdict', 'Two verdicts.', {
    add: [
      ['e', id, '', 'verdict'],
      ['e', verdict, '', 'verdict'],
    ],
  }),
  spoil('chain', 'The second of a chain that begins with it.', { drop: 'seq', add: [['seq', '1']] }),
  spoil('chain', 'Something before the first.', { add: [['prev', id]] }),
  spoil('slash', 'Taken without a verdict.', { drop: 'act', add: [['act', 'slash']] }),
  spoil('slash', 'Locked by a verdict.', { add: [['e', verdict, '', 'verdict']] }),
]
