/**
 * How much a customer may owe: a pure fold of what it paid and did not pay.
 * @module
 */
export interface CreditPolicy {
  readonly startMsats: bigint
  readonly maxMsats: bigint
}
export interface CreditRow {
  readonly state: 'open' | 'paid' | 'void' | 'defaulted'
  readonly msats: bigint
  readonly at: number
}
export function creditLine(rows: readonly CreditRow[], policy: Partial<CreditPolicy> & { readonly now?: number } = {}) {
  let lineMsats = policy.startMsats ?? 0n
  let openMsats = 0n
  for (const { state, msats } of rows) {
    if (state === 'paid') lineMsats += msats
    if (state === 'defaulted') lineMsats /= 2n
    if (state === 'open') openMsats += msats
  }
  return { lineMsats, openMsats, freeMsats: lineMsats > openMsats ? lineMsats - openMsats : 0n }
}
