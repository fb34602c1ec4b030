/**
 * What the tests on lnd share: the two wallets that `run.ts` brought up, and the ways to reach them.
 * @module
 */
import { expect, inject, vi } from 'vitest'
import { startRelay } from '../../../relays/embedded/relay.ts'
import { openPool } from '../../../relays/pool.ts'
import { seconds, wallClock } from '../../../src/clock.ts'
import { fromHex, sha256Hex } from '../../../src/payments/hash.ts'
import type { NwcService } from '../../../src/payments/nwc/service.ts'
import type { NwcWallet } from '../../../src/payments/nwc.ts'
import type { Bill, HoldPayee, PayOrder, Wallet } from '../../../src/payments/payment.ts'
import { admit, connection, join, keys, serve } from '../../nwc-world.ts'
import type { PaymentWorld } from '../../suites/payments.ts'
import { openChain } from './chain.ts'
import { type LndWallet, lndWallet } from './lnd-wallet.ts'
import { listOf, openRest, textOf, toHex, toUrl64 } from './rest.ts'
import type { LndPlace } from './up.ts'

declare module 'vitest' {
  interface ProvidedContext {
    lnd: LndPlace
  }
  interface TaskMeta {
    /** Rows for the table that `run.ts` prints. */
    figures?: Record<string, string>
  }
}

export const clock = wallClock()

/** Where lnd is; `npm run peers:lnd` brings it up. */
export const place = inject('lnd')
export const chain = openChain(place.chain)
export const payerRest = openRest(place.payer)
export const payeeRest = openRest(place.payee)

type HoldWallet = Wallet & HoldPayee

const open = (url: string): LndWallet => lndWallet({ url, clock, pollMs: 500 })
export const openPayer = () => open(place.payer)
export const openPayee = () => open(place.payee)

/**
 * Settling and paying end before the channel has taken it in: a balance is read once nothing that was decided is still
 * between the two. What is held stays where it is.
 */
function quiet<W extends Wallet>(wallet: W): W {
  const undecided = async (): Promise<number> => {
    const rows = await Promise.all([payerRest, payeeRest].map(rest => rest.ask('GET', '/v1/channels')))
    const pending = rows.flatMap(row => listOf(row, 'channels')).flatMap(channel => listOf(channel, 'pending_htlcs'))
    const hashes = new Set(pending.map(one => textOf(one, 'hash_lock')))
    const states = await Promise.all([...hashes].map(invoiceState))
    return states.filter(state => state !== 'ACCEPTED').length
  }
  return {
    ...wallet,
    async balance(signal?: AbortSignal) {
      await vi.waitFor(async () => expect(await undecided()).toBe(0), { timeout: 10_000, interval: 20 })
      return wallet.balance(signal)
    },
  }
}

const invoiceState = async (hash64: string): Promise<string> => {
  const path = `/v2/invoices/lookup?payment_hash=${toUrl64(toHex(hash64))}`
  return textOf(await payeeRest.ask('GET', path).catch(() => ({})), 'state')
}

/** The wallets themselves, with nothing between. */
export async function directWorld(): Promise<PaymentWorld & { payee: HoldWallet }> {
  const [payee, payer] = [quiet(openPayee()), quiet(openPayer())]
  return {
    payee,
    payer,
    network: 'regtest',
    now: () => seconds(clock),
    async close() {
      await payee.close()
      await payer.close()
    },
  }
}

/**
 * The same wallets behind our NIP-47 service, on a relay of ours, as our NIP-47 client sees them. `ran` counts the
 * requests that both services answered.
 */
export async function nwcWorld(): Promise<PaymentWorld & { ran(): number }> {
  const direct = await directWorld()
  const relay = await startRelay({ clock, verify: keys.verify })
  const pool = () => openPool({ urls: [relay.url], clock, admit })
  const pools = [pool(), pool()] as const
  const ends = [
    [direct.payee, pools[0]],
    [direct.payer, pools[1]],
  ] as const
  const services: NwcService[] = []
  const clients: NwcWallet[] = []
  for (const [wallet, own] of ends) {
    const between = connection([relay.url])
    const service = serve(between, wallet, own, clock)
    await service.ready
    services.push(service)
    clients.push(join(between, pool, clock, { pollMs: 500 }))
  }
  const [payee, payer] = clients
  if (!payee || !payer) throw new Error('Two clients were opened.')
  return {
    payee,
    payer,
    ran: () => services.reduce((sum, { counts }) => sum + counts.ran, 0),
    network: 'regtest',
    now: () => seconds(clock),
    async close() {
      await Promise.all(clients.map(client => client.close()))
      await Promise.all(services.map(service => service.close()))
      await Promise.all(pools.map(open => open.close()))
      await relay.close()
      await direct.close()
    },
  }
}

let made = 0
/** A fresh preimage and its hash, different in every run. */
export const newPreimage = () => {
  const preimage = sha256Hex(`${process.pid} ${Date.now()} ${++made}`)
  return { preimage, hash: sha256Hex(fromHex(preimage)) }
}

export const ask = (msats: bigint, expirySeconds = 600) => ({
  key: `job ${process.pid} ${Date.now()} ${++made}`,
  msats,
  expirySeconds,
  description: 'a job',
})

export const orderOf = ({ bolt11, hash, msats }: Bill): PayOrder => ({ bolt11, hash, msats })
