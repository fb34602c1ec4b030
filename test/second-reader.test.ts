/** The foreign reader that people see beside ours. */
import { expect, test } from 'vitest'
import { handClock } from '../src/clock.ts'
import { readInvoice } from '../src/payments/bolt11.ts'
import { secondReading } from '../src/payments/second-reader.ts'
import { simNet } from '../src/payments/sim.ts'

test('a second reader sees the amount and the hash that ours sees', async () => {
  const wallet = simNet({ clock: handClock() }).wallet({ alias: 'a', msats: 0n })
  for (const msats of [1n, 999n, 21_000n, 123_456_789n]) {
    const { bolt11, hash } = await wallet.bill({ key: String(msats), msats, expirySeconds: 60, description: 'for tea' })
    expect(await secondReading(bolt11)).toEqual({ msats, hash, description: 'for tea' })
    expect(readInvoice(bolt11)).toMatchObject({ ok: true, invoice: { msats, hash } })
  }
  await wallet.close()
})

test('what it cannot read is undefined and no error', async () => {
  expect(await secondReading('lnbc1nonsense')).toBeUndefined()
  expect(await secondReading('')).toBeUndefined()
})
