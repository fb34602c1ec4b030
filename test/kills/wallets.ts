/**
 * Two real Lightning nodes with a channel, kept in a journal and served over NIP-47.
 * @module
 */
import { fromHex } from '../../src/hash.ts'
import { type LdkStore, ldkPair } from '../../src/payments/ldk.ts'
import { serveNwc } from '../../src/payments/nwc/service.ts'
import type { Transaction, Wallet } from '../../src/payments/payment.ts'
import { openSeal } from '../../src/seal.ts'
import { crossingWallet } from './crossing-parts.ts'
import type { Answers, Parts } from './setting.ts'

/** What both wallets say, newest rows first. */
export interface Books {
  readonly payer: readonly Transaction[]
  readonly payee: readonly Transaction[]
  /** Nothing appeared or vanished in the channel. */
  readonly conserved: boolean
}

export async function openWallets(parts: Parts): Promise<Answers> {
  const { setting, clock, keys, relays, journal, points } = parts
  const { secrets } = setting
  const shelf = journal.shelf('ldk')
  const store: LdkStore = {
    get: key => shelf.get(key),
    set: (key, value) => shelf.set(key, value),
    delete: key => shelf.delete(key),
    entries: prefix => shelf.entries(prefix),
    atomically: write => journal.atomically(write),
  }
  const pair = await ldkPair({ clock, store })
  const serve = (wallet: Wallet, secret: string, client: string) =>
    serveNwc({
      ...{ relays, clock, keys },
      wallet: crossingWallet(wallet, points),
      seal: own => openSeal({ keys, secret: own }),
      secret: fromHex(secret),
      clientPubkey: keys.publicKey(fromHex(client)),
    })
  const services = [
    serve(pair.payer, secrets.payerWallet, secrets.payerClient),
    serve(pair.payee, secrets.nodeWallet, secrets.nodeClient),
  ]
  await Promise.all(services.map(one => one.ready))

  const rows = (wallet: Wallet, limit: number) => wallet.transactions({ limit, unpaid: true })
  const underWay = async () =>
    (await rows(pair.payer, 50)).some(row => row.type === 'outgoing' && row.state === 'pending') ||
    (await rows(pair.payee, 50)).some(row => row.type === 'outgoing' && row.state === 'pending')
  return {
    async books({ limit }): Promise<Books> {
      return {
        payer: await rows(pair.payer, Number(limit)),
        // Invoices that nobody paid stand between those that somebody did.
        payee: await rows(pair.payee, 5 * Number(limit)),
        conserved: pair.conserved(),
      }
    },
    quiet: () =>
      new Promise<void>(resolve => {
        const again = async () => ((await underWay()) ? void clock.after(500, again) : resolve())
        void again()
      }),
  }
}
