/**
 * What a verifier keeps: each case with its preimage, what was handed over for it, and what was said, signed.
 * @module
 */
import { type Event, parseEvent } from '../../kinds/index.ts'
import type { Plain, Shelf } from '../journal/journal.ts'
import type { EscrowCase } from './escrow.ts'
import type { Handed } from './matter.ts'

/** The part of a journal that a verifier needs. */
export interface Shelves {
  shelf(name: string): Shelf
}

export interface KeptCase {
  readonly one: EscrowCase
  readonly preimage: string
}

/** One case per provider and job. */
export const caseKey = (node: string, job: string): string => `${node}:${job}`

export interface EscrowShelves {
  /** On the disk when it returns. */
  keep(key: string, kept: KeptCase): void
  all(): IterableIterator<readonly [key: string, kept: KeptCase]>
  /** The first one that is handed over for a slot stays. */
  hand(key: string, slot: 'request' | 'result', handed: Handed): void
  handed(key: string, slot: 'request' | 'result'): Handed | undefined
  /** The signed word of a slot: made once, the same bytes for ever. */
  word(key: string, slot: string, sign: () => Event): Event
  forget(key: string): void
}

const slots = ['node:hash', 'request', 'result', 'node:release', 'node:refund', 'customer:hash']

export function openShelves(journal: Shelves): EscrowShelves {
  const cases = journal.shelf('escrow cases')
  const papers = journal.shelf('escrow papers')
  return {
    keep: (key, { one, preimage }) => cases.set(key, { ...one, preimage }, 'money'),
    *all() {
      for (const [key, value] of cases.entries()) yield [key, caseOf(value)] as const
    },
    hand(key, slot, { event, conversationKey }) {
      papers.claim(`${key}:${slot}`, { event: JSON.stringify(event), conversationKey }, 'money')
    },
    handed(key, slot) {
      const paper = papers.get(`${key}:${slot}`)
      if (!isRecord(paper)) return undefined
      const { event: json, conversationKey } = paper
      const event = parseEvent(text(json))
      if (!event) throw unreadable()
      return conversationKey === undefined ? { event } : { event, conversationKey: text(conversationKey) }
    },
    word(key, slot, sign) {
      const paper = papers.get(`${key}:${slot}`)
      const known = paper === undefined ? undefined : parseEvent(text(paper))
      if (known) return known
      const signed = sign()
      papers.set(`${key}:${slot}`, JSON.stringify(signed), 'money')
      return signed
    },
    forget(key) {
      cases.delete(key)
      for (const slot of slots) papers.delete(`${key}:${slot}`)
    },
  }
}

const isRecord = (value: Plain | undefined): value is { readonly [key: string]: Plain | undefined } =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Uint8Array)
const text = (value: Plain | undefined): string => {
  if (typeof value === 'string') return value
  throw unreadable()
}
const whole = (value: Plain | undefined): number => {
  if (typeof value === 'number' && Number.isSafeInteger(value)) return value
  throw unreadable()
}
const unreadable = () =>
  new Error('The journal keeps an escrow case that this version cannot read: use the version that wrote it.')

function stateOf(value: Plain | undefined): EscrowCase['state'] {
  if (value === 'open' || value === 'judging' || value === 'released' || value === 'refunded') return value
  throw unreadable()
}

function caseOf(value: Plain): KeptCase {
  if (!isRecord(value)) throw unreadable()
  const { job, node, customer, hash, msats, deadline, state, result, claimedAt, said, says, preimage } = value
  if (typeof msats !== 'bigint') throw unreadable()
  const one: EscrowCase = {
    ...{ job: text(job), node: text(node), customer: text(customer), hash: text(hash), says: text(says) },
    ...{ msats, deadline: whole(deadline), state: stateOf(state) },
    ...(result === undefined ? {} : { result: text(result) }),
    ...(claimedAt === undefined ? {} : { claimedAt: whole(claimedAt) }),
    ...(said === 'accept' || said === 'complain' ? { said } : {}),
  }
  return { one, preimage: text(preimage) }
}
