/** Zap requests at the node's door: who may speak for a job, and which receipt is worth signing. */
import { expect, test } from 'vitest'
import { handClock, seconds } from '../src/clock.ts'
import { memoryJournal } from '../src/journal/memory.ts'
import { openKeys } from '../src/keys.ts'
import { openZaps } from '../src/node/zaps.ts'
import { simNet } from '../src/payments/sim.ts'
import { descriptionHashOf, zapRequestFor } from '../src/payments/zap.ts'

const keys = await openKeys()
const clock = handClock()
const secret = keys.newSecret()
const customer = keys.newSecret()
const stranger = keys.newSecret()
const node = keys.publicKey(secret)
const relays = ['wss://relay.example.com']
const open = () => openZaps({ keys, secret, clock, journal: memoryJournal() })
const job = keys.sign({ kind: 5050, created_at: seconds(clock), tags: [['p', node]], content: '' }, customer)
const request = (signer: Uint8Array) =>
  keys.sign(zapRequestFor({ node, job: job.id, msats: 2_000n, relays }, seconds(clock)), signer)

test('a stranger who comes first does not take the place of the customer', async () => {
  const zaps = open()
  const foreign = request(stranger)
  zaps.take(foreign, JSON.stringify(foreign))
  const own = request(customer)
  const json = JSON.stringify(own)
  zaps.take(own, json)
  expect(await zaps.wait(job, 2_000n)).toBe(descriptionHashOf(json))
})

test('a request that comes late is waited for, and one that never comes costs three seconds', async () => {
  const zaps = open()
  const waited = zaps.wait(job, 2_000n)
  await clock.advance(1_000)
  const own = request(customer)
  zaps.take(own, JSON.stringify(own))
  expect(await waited).toBe(descriptionHashOf(JSON.stringify(own)))

  let hash: string | undefined | 'waiting' = 'waiting'
  void open()
    .wait(job, 2_000n)
    .then(found => {
      hash = found
    })
  await clock.advance(2_999)
  expect(hash).toBe('waiting')
  await clock.advance(1)
  expect(hash).toBeUndefined()
})

test('a receipt is signed only for the invoice that commits to the request', async () => {
  const zaps = open()
  const own = request(customer)
  const json = JSON.stringify(own)
  zaps.take(own, json)
  const wallet = simNet({ clock }).wallet({ alias: 'node', msats: 0n })
  const ask = { msats: 2_000n, expirySeconds: 60 }
  const committed = await wallet.bill({ ...ask, key: 'a', descriptionHash: descriptionHashOf(json) })
  const plain = await wallet.bill({ ...ask, key: 'b', description: 'plain' })
  const paid = { hash: committed.hash, msats: 2_000n, preimage: 'ab'.repeat(32) }
  const settled = { job, paid, msats: 2_000n, opens: false }
  expect(zaps.receipt({ ...settled, bolt11: plain.bolt11 })).toBeUndefined()
  const { bolt11 } = committed
  expect(zaps.receipt({ ...settled, bolt11 })?.pubkey).toBe(node)
  // Another price than the one that was asked for.
  expect(zaps.receipt({ ...settled, bolt11, msats: 1_999n })).toBeUndefined()
  await wallet.close()
})
