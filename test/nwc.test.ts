import { memoryHub } from '../relays/memory.ts'
import { handClock, seconds } from '../src/clock.ts'
import { simNet } from '../src/payments/sim.ts'
import { connection, join, keys, serve } from './nwc-world.ts'
import { paymentSuite } from './suites/payments.ts'

paymentSuite('nwc on sim, memory relay', async () => {
  const clock = handClock()
  const net = simNet({ clock, seed: 'nwc suite' })
  const hub = memoryHub({ clock, verify: keys.verify })
  const ends = [net.wallet({ alias: 'payee', msats: 0n }), net.wallet({ alias: 'payer', msats: 10_000_000n })]
  const [payee, payer] = ends.map(wallet => {
    const conn = connection([hub.url])
    serve(conn, wallet, hub.connect(), clock)
    return join(conn, hub.connect(), clock)
  })
  if (!payee || !payer) throw new Error('two wallets')
  return {
    payee,
    payer,
    network: 'regtest',
    now: () => seconds(clock),
    pass: ms => clock.advance(ms),
    conserved: () => net.conserved(),
    async close() {
      await payee.close()
      await payer.close()
    },
  }
})
