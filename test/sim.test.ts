import { handClock, seconds } from '../src/clock.ts'
import { simNet } from '../src/payments/sim.ts'
import { paymentSuite } from './suites/payments.ts'

paymentSuite('sim', async () => {
  const clock = handClock()
  const net = simNet({ clock, seed: 'suite' })
  const payee = net.wallet({ alias: 'payee', msats: 0n })
  const payer = net.wallet({ alias: 'payer', msats: 10_000_000n })
  return {
    payee,
    payer,
    network: 'regtest',
    now: () => seconds(clock),
    pass: ms => clock.advance(ms),
    loseNotifications(lost) {
      payee.faults = { notify: lost ? 'lost' : 'ok' }
    },
    conserved: () => net.conserved(),
    async close() {
      await payee.close()
      await payer.close()
    },
  }
})

paymentSuite('sim with delays', async () => {
  const clock = handClock()
  const net = simNet({ clock, seed: 'slow' })
  net.faults = { delayMs: 1_500 }
  const payee = net.wallet({ alias: 'payee', msats: 5_000n })
  const payer = net.wallet({ alias: 'payer', msats: 10_000_000n })
  return {
    payee,
    payer,
    network: 'regtest',
    now: () => seconds(clock),
    pass: ms => clock.advance(ms),
    conserved: () => net.conserved(),
    close: async () => {},
  }
})
