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
  /** Msats that left the payer's and came to the payee's wallet since the start, and whether nothing appeared or vanished. */
  moved(): Promise<{ readonly out: bigint; readonly into: bigint; readonly fees: bigint; readonly conserved: boolean }>
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
  const [payerHad, payeeHad] = [await payer.balance(), await payee.balance()]
  return {
    payer,
    payee,
    async moved() {
      const out = payerHad - (await payer.balance())
      const into = (await payee.balance()) - payeeHad
      const sent = (await rowsOf(payer)).filter(row => row.type === 'outgoing' && row.state === 'settled')
      const fees = sent.reduce((sum, row) => sum + row.feeMsats, 0n)
      // What a channel holds back for its own fees changes with its state, so balances of real nodes are compared by rows.
      const named = sent.reduce((sum, row) => sum + row.msats, 0n)
      if (!net) return { out: named + fees, into: named, fees, conserved: await agrees(payee, sent) }
      return { out, into, fees, conserved: net.conserved() && out === named + fees && into === named }
    },
    close: () => pair.close(),
  }
}

/** What one wallet says it sent is what the other says came. */
async function agrees(payee: Wallet, sent: readonly Transaction[]): Promise<boolean> {
  const came = (await rowsOf(payee)).filter(row => row.type === 'incoming' && row.state === 'settled')
  return (
    came.length === sent.length && sent.every(one => came.some(row => row.hash === one.hash && row.msats === one.msats))
  )
}
