/**
 * Kind 4640: what happened to a bond.
 * @module
 */
import { bad, dialects, good } from './4640-samples.ts'
import { defineKind, ok, present } from './define.ts'
import { maybe, one } from './fields.ts'
import { marked, oneOf, place, units } from './records.ts'
import { hex, seconds, text } from './values.ts'

/** One act on a bond, in the chain of its author's acts on it. */
export interface BondEntry {
  /** Name (`d`) of the bond. */
  readonly bond: string
  readonly act: 'lock' | 'topup' | 'unlock' | 'slash'
  /** How much was added or taken. */
  readonly units: bigint
  readonly at: number
  readonly seq: number
  readonly prev?: string
  /** Of slash alone: the verdict (4642). */
  readonly verdict?: string
}

/** Bond entry (regular kind 4640). */
export const bondEntry = defineKind({
  number: 4640,
  name: 'bond entry',
  says: 'What was locked, added, taken back or lost, one entry after another: a bond is the sum of its entries.',
  source: 'gridstr',
  alt: 'Entry in the log of a bond',
  fields: {
    bond: one('d', text('<bond id>', 255), 'The bond.', 'Exactly one bond is named, by 1 to 255 characters.'),
    act: one(
      'act',
      oneOf<BondEntry['act']>('lock', 'topup', 'unlock', 'slash'),
      'What happened.',
      'Exactly one of the four acts is named.',
    ),
    units: one('units', units, 'How much.', 'Units are whole, in plain digits, said once.'),
    at: one('at', seconds, 'When.', 'The time is unix seconds, said once.'),
    seq: one('seq', place, 'Place in the log of this bond, from 0.', 'The place is a whole number, said once.'),
    prev: maybe('prev', hex('<entry id>'), 'The entry before.', 'The entry before is named once, by 64 hex digits.'),
    verdict: marked('verdict', 'Of slash: the verdict.', 'At most one verdict is named, by 64 hex digits.'),
  },
  content: 'Empty. From others it is ignored.',
  rules: {
    chain: 'The first entry (0) names none before it, and every other does.',
    slash: 'Slash names a verdict, and no other act does.',
  },
  read(found, { refuse }) {
    if ((found.seq === 0) !== (found.prev === undefined)) return refuse('chain')
    if ((found.act === 'slash') !== (found.verdict !== undefined)) return refuse('slash')
    return ok(present(found))
  },
  write: (value: BondEntry) => ({ fields: { ...value } }),
  good,
  dialects,
  bad,
})
