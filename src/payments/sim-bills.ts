/**
 * How a simulated wallet makes its bills: plain ones for a preimage of its own, hold bills for a hash that it was given.
 * @module
 */
import { type Clock, seconds } from '../clock.ts'
import { writeInvoice } from './bolt11.ts'
import { fromHex, isHash, sha256Hex } from './hash.ts'
import { type Bill, type BillAsk, type HoldAsk, PaymentError } from './payment.ts'
import type { SimAccount, SimBill, SimLedger } from './sim-ledger.ts'
import { billOf } from './sim-rows.ts'

export interface SimBillParts {
  readonly ledger: SimLedger
  readonly clock: Clock
  readonly account: SimAccount
  /** Where preimages and payment secrets come from. */
  readonly seed: string
}

/** Blocks that the payee of a hold bill has to decide where it does not ask for more or less. */
const DELTA_BLOCKS = 24

/** Makes bills; the same key and amount get the same one. Throws `PaymentError`. */
export function simBills({ ledger, clock, account, seed }: SimBillParts): (ask: BillAsk | HoldAsk) => Bill {
  let made = 0
  return ask => {
    const asked = 'hash' in ask ? ask : undefined
    const key = `${ask.msats}|${ask.key}`
    const known = account.billsByKey.get(key)
    if (known && (asked ? known.hold && known.hash === asked.hash : !known.hold)) return billOf(known)
    if (known || (asked && account.bills.has(asked.hash)))
      throw new PaymentError('OTHER', 'This key or this hash has another bill already: use new ones.')
    if (asked && !isHash(asked.hash)) throw new PaymentError('OTHER', 'A payment hash is 64 lower-case hex digits.')
    const { minFinalCltvDelta: deltaBlocks = DELTA_BLOCKS } = asked ?? {}
    if (!Number.isSafeInteger(deltaBlocks) || deltaBlocks < 1 || deltaBlocks > 2_016)
      throw new PaymentError('OTHER', 'minFinalCltvDelta is 1 to 2016 blocks.')
    const preimage = asked ? undefined : sha256Hex(`${seed}|preimage|${made}`)
    const hash = asked?.hash ?? sha256Hex(fromHex(preimage ?? ''))
    const described = {
      ...(ask.description === undefined ? {} : { description: ask.description }),
      ...(ask.descriptionHash === undefined ? {} : { descriptionHash: ask.descriptionHash }),
    }
    const createdAt = seconds(clock)
    let bolt11: string
    try {
      if (ask.expirySeconds <= 0) throw new TypeError('expirySeconds is more than 0.')
      bolt11 = writeInvoice(
        {
          network: 'regtest',
          msats: ask.msats,
          hash,
          secret: sha256Hex(`${seed}|secret|${made}`),
          timestamp: createdAt,
          expirySeconds: ask.expirySeconds,
          ...(ask.descriptionHash === undefined ? { description: '' } : {}),
          ...described,
        },
        account.secretKey,
      )
    } catch (cause) {
      throw new PaymentError('OTHER', `No invoice can be made of this. ${(cause as Error).message}`, { cause })
    }
    const expiresAt = createdAt + ask.expirySeconds
    const bill: SimBill = {
      ...{ payee: account, bolt11, hash, msats: ask.msats, createdAt, expiresAt, taken: false },
      ...(preimage === undefined ? { hold: { deltaBlocks, cancelled: false } } : { preimage }),
      ...described,
    }
    if (!ledger.enter(key, bill))
      throw new PaymentError('QUOTA_EXCEEDED', 'Too many bills are open: wait until some are paid or expire.')
    made++
    return billOf(bill)
  }
}
