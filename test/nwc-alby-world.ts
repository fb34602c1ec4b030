/**
 * The most used NIP-47 library on either side of a real socket. For the tests against it.
 * @module
 */
import { NWCWalletService, NWCWalletServiceKeyPair } from '@getalby/sdk/nwc'
import { readInvoice } from '../src/payments/bolt11.ts'
import { toHex } from '../src/payments/hash.ts'
import { rowFields } from '../src/payments/nwc/body.ts'
import { PaymentError, type Wallet } from '../src/payments/payment.ts'
import type { Connection } from './nwc-world.ts'

/** What a stock service may be told to do instead of the truth. */
export interface Lies {
  /** Instead of paying. */
  pay?(): Promise<{ result?: object; error?: { code: string; message: string } }>
}

export interface StockService {
  /** Calls of each handler so far. */
  readonly calls: Map<string, number>
  readonly service: NWCWalletService
  /** Ends it. The library rejects unhandled when it is closed while a reply waits for its OK; OKs come in order, so one more is awaited. */
  close(): Promise<void>
}

/** Serves `wallet` in the library's own way. */
export async function stockService(
  url: string,
  conn: Connection,
  wallet: Wallet,
  lies: Lies = {},
): Promise<StockService> {
  const calls = new Map<string, number>()
  const code = (error: unknown) => (error instanceof PaymentError ? error.code : 'OTHER')
  const wrap = async (name: string, run: () => Promise<object | undefined>) => {
    calls.set(name, (calls.get(name) ?? 0) + 1)
    try {
      const result = await run()
      if (!result) throw new PaymentError('NOT_FOUND', 'unknown')
      return { result: result as never, error: undefined }
    } catch (error) {
      return { result: undefined, error: { code: code(error), message: String(error) } }
    }
  }
  const walletSecret = toHex(conn.walletSecret)
  const service = new NWCWalletService({ relayUrls: [url] })
  const announce = () => service.publishWalletServiceInfoEvent(walletSecret, ['pay_invoice', 'make_invoice'], [])
  await announce()
  const stop = await service.subscribe(new NWCWalletServiceKeyPair(walletSecret, conn.clientPubkey), {
    getInfo: () =>
      wrap('getInfo', async () => ({ alias: 'stock', network: 'regtest', methods: ['pay_invoice'], pubkey: '' })),
    getBalance: () => wrap('getBalance', async () => ({ balance: Number(await wallet.balance()) })),
    makeInvoice: ({ amount, description = '', description_hash: descriptionHash }) =>
      wrap('makeInvoice', async () => {
        const about = descriptionHash ? { descriptionHash } : { description }
        const key = `${amount} ${calls.get('makeInvoice')}`
        const { hash } = await wallet.bill({ key, msats: BigInt(amount), expirySeconds: 600, ...about })
        const row = await wallet.transaction(hash)
        return row && rowFields(row)
      }),
    async payInvoice({ invoice }) {
      if (lies.pay) {
        calls.set('payInvoice', (calls.get('payInvoice') ?? 0) + 1)
        const { result, error } = await lies.pay()
        return { result: result as never, error }
      }
      return wrap('payInvoice', async () => {
        const read = readInvoice(invoice)
        if (!read.ok) throw new Error(read.says)
        const { hash, msats = 0n } = read.invoice
        const state = await wallet.pay({ bolt11: invoice, hash, msats })
        if (state.state !== 'paid') throw new PaymentError(state.state === 'failed' ? state.code : 'INTERNAL', 'no')
        return { preimage: state.preimage, fees_paid: Number(state.feeMsats) }
      })
    },
    lookupInvoice: ({ payment_hash: hash = '' }) =>
      wrap('lookupInvoice', async () => {
        const row = await wallet.transaction(hash)
        return row && { ...rowFields(row), state: row.state.toUpperCase() }
      }),
    listTransactions: () =>
      wrap('listTransactions', async () => ({
        transactions: (await wallet.transactions()).map(row => rowFields(row)),
      })),
  })
  return {
    calls,
    service,
    async close() {
      await announce()
      stop()
      service.close()
    },
  }
}
