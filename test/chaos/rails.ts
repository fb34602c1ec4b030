/**
 * The money of a fault run: simulated, or two real Lightning nodes with a channel.
 * @module
 */
import type { Clock } from '../../src/clock.ts'
import { ldkPair } from '../../src/payments/ldk.ts'
import type { Transaction, Wallet } from '../../src/payments/payment.ts'
import { simNet } from '../../src/payments/sim.ts'

export const RAILS = ['sim', 'ldk'] as const
export type RailName = (typeof RAILS)[number]

export interface Rail {
  readonly payer: Wallet
  readonly payee: Wallet
  /** True while nothing appeared or vanished: what one wallet sent is what the other got, and balances agree with the rows. */
  conserved(): Promise<boolean>
  close(): Promise<void>
}

/** Every row that a wallet knows, unpaid ones included. */
export const rowsOf = (wallet: Wallet): Promise<readonly Transaction[]> =>
  wallet.transactions({ limit: 1_000, unpaid: true })

const START = 1_000_000n

/** Fresh wallets; the payer has a million msats or more. */
export async function openRail(name: RailName, clock: Clock): Promise<Rail> {
  const net = name === 'sim' ? simNet({ clock, pollMs: 2_000 }) : undefined
  const pair = net
    ? {
        payer: net.wallet({ alias: 'payer', msats: START }),
        payee: net.wallet({ alias: 'payee', msats: START }),
        close: async () => {},
      }
    : await ldkPair({ clock })
  const { payer, payee } = pair
  const had = [await payer.balance(), await payee.balance()] as const
  return {
    payer,
    payee,
    async conserved() {
      const [left, right] = [await rowsOf(payer), await rowsOf(payee)]
      if (!sameMoney(left, right) || !sameMoney(right, left)) return false
      // What a channel keeps back for its own fees changes with its state, so balances of real nodes are not compared.
      if (!net) return true
      const holds = [await payer.balance(), await payee.balance()] as const
      return net.conserved() && holds[0] === had[0] + changeOf(left) && holds[1] === had[1] + changeOf(right)
    },
    close: () => pair.close(),
  }
}

const settled = (rows: readonly Transaction[], type: Transaction['type']) =>
  rows.filter(row => row.type === type && row.state === 'settled')

/** What one wallet sent is what the other says came. */
function sameMoney(from: readonly Transaction[], to: readonly Transaction[]): boolean {
  const [sent, came] = [settled(from, 'outgoing'), settled(to, 'incoming')]
  const isThere = (row: Transaction) => came.some(one => one.hash === row.hash && one.msats === row.msats)
  return sent.length === came.length && sent.every(isThere)
}

/** What the rows say that a balance changed by. */
const changeOf = (rows: readonly Transaction[]): bigint =>
  settled(rows, 'incoming').reduce((sum, row) => sum + row.msats, 0n) -
  rows
    .filter(row => row.type === 'outgoing' && (row.state === 'settled' || row.state === 'pending'))
    .reduce((sum, row) => sum + row.msats + row.feeMsats, 0n)
