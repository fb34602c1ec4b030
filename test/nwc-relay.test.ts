import { startRelay } from '../relays/embedded/relay.ts'
import { openPool } from '../relays/pool.ts'
import { wallClock } from '../src/clock.ts'
import { simNet } from '../src/payments/sim.ts'
import { admit, connection, join, keys, serve } from './nwc-world.ts'
import { paymentSuite } from './suites/payments.ts'

paymentSuite('nwc on sim, embedded relay and pool', async () => {
  const clock = wallClock()
  const net = simNet({ clock, seed: 'nwc suite' })
  const relay = await startRelay({ clock, verify: keys.verify })
  const pool = () => openPool({ urls: [relay.url], clock, admit })
  const pools = [pool(), pool()]
  const ends = [net.wallet({ alias: 'payee', msats: 0n }), net.wallet({ alias: 'payer', msats: 10_000_000n })]
  const [payee, payer] = ends.map((wallet, at) => {
    const conn = connection([relay.url])
    const own = pools[at]
    if (!own) throw new Error('one pool each')
    serve(conn, wallet, own, clock)
    return join(conn, pool, clock, { pollMs: 200 })
  })
  if (!payee || !payer) throw new Error('two wallets')
  return {
    payee,
    payer,
    network: 'regtest',
    now: () => Math.floor(Date.now() / 1000),
    conserved: () => net.conserved(),
    async close() {
      await Promise.all([payee.close(), payer.close(), ...pools.map(open => open.close())])
      await relay.close()
    },
  }
})
