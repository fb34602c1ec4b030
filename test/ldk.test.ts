import { handClock, seconds, wallClock } from '../src/clock.ts'
import { ldkPair } from '../src/payments/ldk.ts'
import { channelMsats } from './ldk-world.ts'
import { paymentSuite } from './suites/payments.ts'

paymentSuite('ldk', async () => {
  const clock = wallClock()
  const pair = await ldkPair({ clock })
  const before = channelMsats(pair)
  return {
    ...pair,
    network: 'regtest',
    now: () => seconds(clock),
    conserved: () => channelMsats(pair) === before,
  }
})

paymentSuite('ldk with a clock in hand', async () => {
  const clock = handClock()
  const pair = await ldkPair({ clock })
  const before = channelMsats(pair)
  return {
    ...pair,
    network: 'regtest',
    now: () => seconds(clock),
    pass: ms => clock.advance(ms),
    conserved: () => channelMsats(pair) === before,
  }
})
