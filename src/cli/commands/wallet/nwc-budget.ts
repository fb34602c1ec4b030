/**
 * What a wallet says of the budget of our connection (NIP-47 `get_budget`).
 * @module
 */
import { amount, type Fields, text } from '../../../payments/nwc/body.ts'
import { inSats, oneLine, utc } from './words.ts'

export interface NwcBudgetView {
  readonly usedMsats: bigint
  readonly totalMsats: bigint
  /** Unix seconds. */
  readonly renewsAt?: number
  readonly period?: string
}

/** Reads an answer; `undefined` for a connection without a budget, and for what is none. */
export function readBudget(fields: Fields): NwcBudgetView | undefined {
  const usedMsats = amount(fields['used_budget'])
  const totalMsats = amount(fields['total_budget'])
  if (usedMsats === undefined || totalMsats === undefined) return undefined
  const renews = fields['renews_at']
  const period = text(fields['renewal_period'])
  return {
    usedMsats,
    totalMsats,
    // Past the year 9999 no date can be written.
    ...(Number.isSafeInteger(renews) && Number(renews) > 0 && Number(renews) < 253_402_300_800
      ? { renewsAt: Number(renews) }
      : {}),
    ...(period === undefined ? {} : { period: oneLine(period).slice(0, 20) }),
  }
}

/** The same for people. */
export function wordsOfBudget(budget: NwcBudgetView | undefined): string {
  if (!budget)
    return 'none told: this connection may spend what the wallet holds, so set caps ("gridstr wallet budget")'
  const { usedMsats, totalMsats, renewsAt, period } = budget
  const renewal =
    renewsAt === undefined ? (period && period !== 'never' ? ` · renews ${period}` : '') : ` · renews ${utc(renewsAt)}`
  return `${inSats(usedMsats)} of ${inSats(totalMsats)} used, says the wallet${renewal}`
}
