/**
 * Why a candidate stands where it stands, in plain short words for the people who pay.
 * @module
 */

import type { Entry } from '../ledger/directory.ts'
import type { Params } from '../ledger/params.ts'
import { auditsAt, oneFailed } from '../ledger/track.ts'
import type { Candidate } from '../routing/policy.ts'
import type { Quoted } from './auction.ts'
import type { Scored } from './book-contract.ts'

export interface Grounds {
  readonly candidate: Candidate
  readonly scored: Scored
  readonly entry: Entry
  readonly kind: number
  readonly quoted: Quoted | undefined
  /** Nobody who is named asks less. */
  readonly cheapest: boolean
  readonly at: number
  readonly params: Params
}

/** At most ten lines of at most 128 characters each. */
export function reasonsOf({ candidate, scored, entry, kind, quoted, cheapest, at, params }: Grounds): string[] {
  const { factors, score, stage, track } = scored
  const lines = [`score ${hundredths(score)}: ${factorsOf(factors)}`]
  const { node, msats, model, status } = candidate
  const price = msats === 0 ? 'free' : `${grouped(msats)} msats`
  lines.push(cheapest ? `cheapest, ${price}` : price)
  if (quoted?.firm) lines.push(`firm quote until ${clockTime(quoted.expiresAt)}`)
  else lines.push(quoted ? 'quote, not firm' : 'posted price, no quote')
  if (stage !== 'proven') {
    const packed = auditsAt(track, params, at)
    const [passed, failed] = [packed % oneFailed, Math.floor(packed / oneFailed)]
    lines.push(`unproven: ${passed} of ${params.probationJobs} audited jobs${failed > 0 ? `, ${failed} failed` : ''}`)
  }
  const measured = track.tokenUs > 0 ? 1_000_000 / track.tokenUs : undefined
  const claim = entry.claims.find(one => one.kind === kind && one.node === node && (!model || one.model === model))
  if (claim && measured !== undefined)
    lines.push(`claims ${whole(claim.tokensPerSecond)} tokens/s, measured ${whole(measured)}`)
  else if (claim) lines.push(`claims ${whole(claim.tokensPerSecond)} tokens/s, not measured yet`)
  else if (measured !== undefined) lines.push(`measured ${whole(measured)} tokens/s`)
  if (track.firstUs > 0) lines.push(`first word after ${Math.round(track.firstUs / 1_000)} ms, measured`)
  if (status !== 'alive') lines.push('its lease has run out')
  return lines.map(line => line.slice(0, 128))
}

const factorsOf = (factors: Scored['factors']): string =>
  (['R', 'V', 'Q', 'T', 'K', 'L'] as const).map(name => `${name} ${decimals(factors[name])}`).join(' ')

/** A score of 0 to 100; small ones with two digits, so that newcomers can be told apart. */
const hundredths = (score: number): string =>
  String(score >= 0.1 ? Math.round(score * 100) : Number((score * 100).toPrecision(2)))

/** `.93`, `1`, `1.04`. */
const decimals = (value: number): string => {
  const text = String(Math.round(value * 100) / 100)
  return text.startsWith('0.') ? text.slice(1) : text
}

const whole = (value: number): string => (value < 10 ? String(Math.round(value * 10) / 10) : grouped(value))
const grouped = (value: number): string => String(Math.round(value)).replace(/\B(?=(\d{3})+$)/g, ',')
const clockTime = (at: number): string => `${new Date(at * 1_000).toISOString().slice(11, 19)} UTC`
