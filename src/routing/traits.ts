/**
 * What most conditions look at, packed into one number per node, so that a walk past ten thousand unfit nodes touches
 * nothing but a row of numbers. Traits are in the order in which a node falls: the lowest wrong bit names the reason.
 * @module
 */
import type { TermsWord } from '../../kinds/index.ts'
import type { Candidate } from './policy.ts'

/** Bits that must be set. Region and determinism class are a few bits of a hash: right ones pass, wrong ones mostly fall. */
export const trait = {
  unbanned: 1,
  answering: 1 << 1,
  alive: 1 << 2,
  withinCredit: 1 << 3,
  proven: 1 << 4,
  free: 1 << 29,
} as const

const privacyAt = 5
const termsAt = 9
const regionAt = 14
const regionBits = 0xff
const determinismAt = 22
const determinismBits = 0x7f

const words: readonly TermsWord[] = ['before', 'after', 'parts', 'hold', 'escrow']

/** Some bits of a candidate: which are looked at, and what they must be. */
export interface Bits {
  readonly mask: number
  readonly want: number
}

const set = (mask: number): Bits => ({ mask, want: mask })

/** FNV-1a over UTF-16 units (Fowler, Noll and Vo), folded to a few bits. */
function hashed(word: string, bits: number): number {
  let hash = 0x811c9dc5
  for (let i = 0; i < word.length; i++) hash = Math.imul(hash ^ word.charCodeAt(i), 0x01000193)
  return (hash ^ (hash >>> 15)) & bits
}

export const mustBe = {
  unbanned: set(trait.unbanned),
  answering: set(trait.answering),
  alive: set(trait.alive),
  withinCredit: set(trait.withinCredit),
  proven: set(trait.proven),
  keeping: (level: number): Bits => set(1 << (privacyAt + level)),
  paid: (word: TermsWord): Bits => set(1 << (termsAt + words.indexOf(word))),
  in: (region: string): Bits => ({ mask: regionBits << regionAt, want: hashed(region, regionBits) << regionAt }),
  of: (determinism: string): Bits => ({
    mask: determinismBits << determinismAt,
    want: hashed(determinism, determinismBits) << determinismAt,
  }),
} as const

/** The traits of a candidate. Who names no terms is paid before the work, as NIP-90 has it. */
export function traitsOf(one: Candidate): number {
  let bits = 0
  if (one.stage !== 'banned') bits |= trait.unbanned
  if (one.stage !== 'ejected') bits |= trait.answering
  if (one.status === 'alive') bits |= trait.alive
  if (one.overCredit !== true) bits |= trait.withinCredit
  if (one.stage === 'proven') bits |= trait.proven
  if (one.inflight < one.slots) bits |= trait.free
  for (const level of one.privacy) if (level >= 0 && level <= 3) bits |= 1 << (privacyAt + level)
  if (one.terms.length === 0) bits |= 1 << termsAt
  for (const word of one.terms) bits |= 1 << (termsAt + words.indexOf(word))
  if (one.region !== undefined) bits |= hashed(one.region, regionBits) << regionAt
  if (one.determinism !== undefined) bits |= hashed(one.determinism, determinismBits) << determinismAt
  return bits
}
