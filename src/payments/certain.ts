/**
 * One order, sent once and asked about until the wallet is certain: for payments that no job waits for.
 * @module
 */
import { aborted, type Clock, pause, seconds } from '../clock.ts'
import { readInvoice } from './bolt11.ts'
import type { Payer, PayOrder, PayState } from './payment.ts'

/** How the payment ended. `unsent`: the wallet never heard of it, and nothing of it can reach the wallet any more. */
export type Certain = Extract<PayState, { state: 'paid' | 'unproven' | 'failed' | 'unsent' }>

export interface CertainOptions {
  readonly payer: Payer
  readonly clock: Clock
  /** An earlier process may have sent it: the wallet is asked first. */
  readonly sentBefore: boolean
  /** Seconds between two questions, and after the invoice's expiry until a request for it is dead. */
  readonly askSeconds: number
  readonly deadSeconds: number
}

/** Resolves with `undefined` when `signal` fires first: the payment may go on. Rejects with what `payer` throws. */
export async function payUntilCertain(
  { bolt11, hash, msats }: Pick<PayOrder, 'bolt11' | 'hash' | 'msats'>,
  { payer, clock, sentBefore, askSeconds, deadSeconds }: CertainOptions,
  signal: AbortSignal,
): Promise<Certain | undefined> {
  const read = readInvoice(bolt11)
  const expiresAt = read.ok ? read.invoice.expiresAt : 0
  const stopped = aborted(signal)
  let again = sentBefore
  let send = !sentBefore
  while (!signal.aborted) {
    const order = { bolt11, hash, msats, ...(again ? { again } : {}) }
    const said = await Promise.race([send ? payer.pay(order) : payer.payState(hash), stopped])
    if (said === undefined) return undefined
    again = true
    if (said.state === 'paid' || said.state === 'unproven' || said.state === 'failed') return said
    const now = seconds(clock)
    // A wallet that slept may still begin an older request until its own life is over.
    if (said.state === 'unsent' && now >= expiresAt + deadSeconds) return said
    send = said.state === 'unsent' && now < expiresAt
    if (!send) await pause(clock, askSeconds * 1_000, signal)
  }
  return undefined
}
