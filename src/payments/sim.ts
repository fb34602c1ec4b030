/**
 * Lightning simulated in this process: real invoices (regtest), real preimages, no fees, and time and faults in hand.
 * For tests, stories and demos; no money is moved.
 * @module
 */
import { type Clock, seconds } from '../clock.ts'
import { fromHex, sha256Hex, toHex } from './hash.ts'
import type { Wallet } from './payment.ts'
import { arrive } from './sim-hold.ts'
import { SimLedger, type SimPayment } from './sim-ledger.ts'
import { SimMember } from './sim-wallet.ts'

/** What goes wrong. A wallet's own faults win over those of the net. */
export interface SimFaults {
  /**
   * `fail`: refused, nothing left. `hang`: under way until `finish` says how it ends. `unknown-then-paid` and
   * `unknown-then-failed`: the answer is lost and the payment ends after `delayMs`. `unproven`: paid, preimage withheld.
   * A payment of a hold bill that ends as paid has arrived: it is held until its payee settles or cancels.
   */
  readonly pay: 'ok' | 'fail' | 'hang' | 'unknown-then-paid' | 'unknown-then-failed' | 'unproven'
  /** `lost`: no listener hears of a settlement, only polling finds it. */
  readonly notify: 'ok' | 'lost'
  /** `down`: the wallet cannot be asked; `pay` comes back unknown and nothing was sent. */
  readonly reach: 'ok' | 'down'
  /** How long a payment is under way. */
  readonly delayMs: number
}

export interface SimWallet extends Wallet {
  faults: Partial<SimFaults>
}

export interface SimNet {
  faults: Partial<SimFaults>
  /** A wallet with money out of nothing. `holds: false` gives one that knows no hold bills. */
  wallet(options: { alias: string; msats: bigint; holds?: boolean }): SimWallet
  /** Ends the payment of `hash` that is under way; throws when none is, and for money that is held: its payee ends that. */
  finish(hash: string, end: 'paid' | 'failed'): void
  /** True while balances and money under way add up to what the wallets were given. */
  conserved(): boolean
}

/** A network of simulated wallets. The same `seed` gives the same keys, preimages and so the same invoices. */
export function simNet(options: { clock: Clock; seed?: string; pollMs?: number }): SimNet {
  const { clock, pollMs = 2_000 } = options
  const seed = options.seed ?? toHex(crypto.getRandomValues(new Uint8Array(16)))
  const ledger = new SimLedger()
  const members: SimMember[] = []
  const finish = (payment: SimPayment, end: 'paid' | 'failed') => {
    if (payment.state !== 'pending') return
    if (end === 'paid' && payment.bill?.preimage === undefined) {
      if (!arrive(payment, clock, () => finish(payment, 'failed'))) return finish(payment, 'failed')
      for (const member of members) member.arrived(payment)
      return
    }
    if (end === 'paid') ledger.settle(payment, seconds(clock))
    else ledger.release(payment, 'PAYMENT_FAILED', 'The payment found no way and came back.')
    for (const member of members) member.ended(payment)
  }
  const net: SimNet = {
    faults: {},
    wallet({ alias, msats, holds = true }) {
      if (msats < 0n) throw new TypeError('A wallet starts with 0 msats or more.')
      const own = `${seed}|${members.length}`
      const account = ledger.open(alias, fromHex(sha256Hex(`${own}|key`)), msats)
      const faults = (mine: Partial<SimFaults>): SimFaults => ({
        ...{ pay: 'ok', notify: 'ok', reach: 'ok', delayMs: 0 },
        ...net.faults,
        ...mine,
      })
      const member = new SimMember({ ledger, clock, pollMs, account, seed: own, holds, faults, finish })
      members.push(member)
      return member
    },
    finish(hash, end) {
      const payment = ledger.pending(hash)
      if (!payment) throw new Error('No payment of this hash is under way.')
      if (payment.bill?.hold?.money) throw new Error('This money is held: settle or cancel its bill.')
      finish(payment, end)
    },
    conserved: () => ledger.conserved(),
  }
  return net
}
