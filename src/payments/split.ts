/**
 * Divides money among several receivers by weight (NIP-57 appendix G), to the msat.
 * @module
 */

/** Who shares. `weight` is a whole number; left out where nobody has one, or to get nothing beside those who have. */
export interface Receiver {
  readonly pubkey: string
  readonly weight?: number
}

export type Share<R extends Receiver = Receiver> = R & { readonly msats: bigint }

/** Each share is a payment with a fee of its own: later receivers are left out. */
export const maxReceivers = 8

/**
 * One share for each receiver who gets at least one msat, in the order given; together exactly `totalMsats`. What
 * cannot be divided goes msat by msat to the largest remainders, among equals to the lower public key, so that everybody
 * who divides gets the same shares. Weights that are no whole number above 0 count as none. Without anybody to pay the
 * list is empty: the money stays where it is. Throws `RangeError` for a total below 0.
 */
export function splitShares<R extends Receiver>(totalMsats: bigint, receivers: readonly R[]): readonly Share<R>[] {
  if (totalMsats < 0n) throw new RangeError('totalMsats is at least 0.')
  const few = receivers.slice(0, maxReceivers)
  const equal = few.every(({ weight }) => weight === undefined)
  const weighed = few.map(receiver => ({ receiver, weight: equal ? 1n : weightOf(receiver) }))
  const whole = weighed.reduce((sum, { weight }) => sum + weight, 0n)
  if (whole === 0n) return []
  const shares = weighed.map(({ receiver, weight }) => ({
    receiver,
    msats: (totalMsats * weight) / whole,
    rest: (totalMsats * weight) % whole,
  }))
  const left = totalMsats - shares.reduce((sum, { msats }) => sum + msats, 0n)
  const lucky = new Set(
    shares
      .toSorted((a, b) => order(b.rest, a.rest) || order(a.receiver.pubkey, b.receiver.pubkey))
      .slice(0, Number(left)),
  )
  return shares
    .map(share => ({ ...share.receiver, msats: lucky.has(share) ? share.msats + 1n : share.msats }))
    .filter(({ msats }) => msats > 0n)
}

/** What falls to one of them: everything where nobody is named, nothing to who is not. */
export const shareOf = (totalMsats: bigint, receivers: readonly Receiver[], pubkey: string): bigint =>
  receivers.length === 0
    ? totalMsats
    : (splitShares(totalMsats, receivers).find(share => share.pubkey === pubkey)?.msats ?? 0n)

const weightOf = ({ weight = 0 }: Receiver): bigint =>
  Number.isSafeInteger(weight) && weight > 0 ? BigInt(weight) : 0n

const order = <T extends bigint | string>(a: T, b: T): number => (a < b ? -1 : a > b ? 1 : 0)
