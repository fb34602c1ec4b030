/**
 * What a bond is worth now: the sum of its log, less what verdicts took, falling in a line to nothing at its expiry. A log
 * that contradicts itself is worth nothing, and says why.
 * @module
 */
import type { Bond, BondEntry, FaultVerdict } from '../../kinds/index.ts'
import type { Params } from './params.ts'

/** A read event with its id. */
export interface Kept<T> {
  readonly id: string
  readonly value: T
}

export interface Stake {
  readonly units: bigint
  /**
   * Why it is worth nothing: `not-yet`, `expired`, `too-long`, `no-log`, `fork`, `gap`, `prev`, `order`, `first`, `overdrawn`.
   * Nothing where it is worth something, or where all was taken.
   */
  readonly reason?: string
}

/**
 * Folds the bond of one author at `now`, unix seconds. `entries` are that author's entries for any of its bonds, in any
 * order; `verdicts` are those of judges whom the caller believes, about that author. One piece of evidence takes once
 * from each bond, as much as the hardest verdict on it, whether or not the log admits it.
 */
export function stakeOf(
  bond: Bond,
  entries: readonly Kept<BondEntry>[],
  verdicts: readonly Kept<FaultVerdict>[],
  params: Params,
  now: number,
): Stake {
  const worthless = (reason: string): Stake => ({ units: 0n, reason })
  const term = bond.expiresAt - bond.lockedAt
  if (term <= 0 || term > params.stakeSeconds) return worthless('too-long')
  if (now < bond.lockedAt) return worthless('not-yet')
  if (now >= bond.expiresAt) return worthless('expired')

  const chain = chainOf(bond.id, entries)
  if (typeof chain === 'string') return worthless(chain)
  const penalties = new Map(verdicts.filter(({ value }) => value.proven).map(({ id, value }) => [id, value]))
  const taken = new Map<string, bigint>()
  const take = (what: string, units: bigint) => taken.set(what, most(units, taken.get(what) ?? 0n))
  let sum = 0n
  for (const { value: entry } of chain) {
    if (entry.at > now) break
    if (entry.act === 'lock' || entry.act === 'topup') sum += entry.units
    else if (entry.act === 'unlock') sum -= entry.units
    else {
      // A log may admit a verdict of a judge whom the caller does not know.
      const verdict = entry.verdict ?? ''
      take(penalties.get(verdict)?.evidence ?? verdict, entry.units)
    }
    if (sum < 0n) return worthless('overdrawn')
  }
  for (const verdict of penalties.values()) take(verdict.evidence, verdict.penalty)
  for (const units of taken.values()) sum -= units
  const held = sum < bond.units ? sum : bond.units
  if (held <= 0n) return { units: 0n }
  return { units: (held * BigInt(bond.expiresAt - now)) / BigInt(term) }
}

/** The entries of one bond in order, or what is wrong with them. */
function chainOf(bond: string, entries: readonly Kept<BondEntry>[]): readonly Kept<BondEntry>[] | string {
  const own = new Map<number, Kept<BondEntry>>()
  for (const entry of entries) {
    if (entry.value.bond !== bond) continue
    const same = own.get(entry.value.seq)
    if (same && same.id !== entry.id) return 'fork'
    own.set(entry.value.seq, entry)
  }
  const chain = [...own.values()].toSorted((a, b) => a.value.seq - b.value.seq)
  if (chain.length === 0) return 'no-log'
  for (const [at, { value }] of chain.entries()) {
    const before = chain[at - 1]
    if (value.seq !== at) return 'gap'
    if (value.prev !== before?.id) return 'prev'
    if ((value.act === 'lock') !== (at === 0)) return 'first'
    if (before && value.at < before.value.at) return 'order'
  }
  return chain
}

const most = (a: bigint, b: bigint): bigint => (a > b ? a : b)
