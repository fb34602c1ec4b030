/** Real Lightning behind NIP-47 on both sides: the suite of every rail, holding included. */
import { memoryHub } from '../relays/memory.ts'
import { handClock, seconds } from '../src/clock.ts'
import { ldkPair } from '../src/payments/ldk.ts'
import { channelMsats } from './ldk-world.ts'
import { connection, join, keys, serve } from './nwc-world.ts'
import { paymentSuite } from './suites/payments.ts'

paymentSuite('nwc on ldk, memory relay', async () => {
  const clock = handClock()
  const pair = await ldkPair({ clock })
  const before = channelMsats(pair)
  const hub = memoryHub({ clock, verify: keys.verify })
  const [payee, payer] = [pair.payee, pair.payer].map(wallet => {
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
    conserved: () => channelMsats(pair) === before,
    async close() {
      await Promise.all([payee.close(), payer.close()])
      await pair.close()
    },
  }
})
