/** Shares of other nodes' prices at the receiver's door: billed once, receipted once, and no stranger fills the house. */
import { expect, test } from 'vitest'
import { type Event, ephemeralWrap, feedback, zapReceipt } from '../kinds/index.ts'
import { memoryHub } from '../relays/memory.ts'
import { handClock, seconds } from '../src/clock.ts'
import { memoryJournal } from '../src/journal/memory.ts'
import { openKeys } from '../src/keys.ts'
import { openTips } from '../src/node/tips.ts'
import { readInvoice } from '../src/payments/bolt11.ts'
import { simNet } from '../src/payments/sim.ts'
import { descriptionHashOf, zapRequestFor } from '../src/payments/zap.ts'
import { openSeal } from '../src/seal.ts'

const keys = await openKeys()

function receiver() {
  const clock = handClock()
  const hub = memoryHub({ clock, verify: event => keys.verify(event) })
  const seen: Event[] = []
  hub.watch(event => seen.push(event))
  const net = simNet({ clock, pollMs: 100 })
  const wallet = net.wallet({ alias: 'receiver', msats: 0n })
  const payer = net.wallet({ alias: 'payer', msats: 10_000n })
  const journal = memoryJournal()
  const secret = keys.newSecret()
  const customer = keys.newSecret()
  const seal = openSeal({ keys, secret: customer })
  let closing = new AbortController()
  const open = () => {
    closing = new AbortController()
    const relays = hub.connect()
    return openTips({ relays, keys, secret, clock, journal, payee: wallet, tell() {}, signal: closing.signal })
  }
  const node = keys.publicKey(secret)
  const request = (more: Partial<Parameters<typeof zapRequestFor>[0]> = {}, signer = customer) =>
    keys.sign(
      zapRequestFor({ node, job: 'ab'.repeat(32), msats: 700n, relays: ['wss://r.example'], ...more }, seconds(clock)),
      signer,
    )
  /** Bills that the customer was told, oldest first. */
  const bills = () =>
    seen.flatMap(wrap => {
      const mine = wrap.tags.some(([name, to]) => name === 'p' && to === keys.publicKey(customer))
      if (wrap.kind !== ephemeralWrap.number || !mine) return []
      const read = ephemeralWrap.read(wrap, seal.decrypt(wrap.pubkey, wrap.content))
      const bill = read.ok ? feedback.read(read.value.event) : undefined
      return read.ok && bill?.ok && keys.verify(read.value.event) ? [{ event: read.value.event, bill: bill.value }] : []
    })
  const order = (bolt11 = '') => {
    const read = readInvoice(bolt11)
    if (!read.ok) throw new Error(read.says)
    return { bolt11, hash: read.invoice.hash, msats: read.invoice.msats ?? 0n }
  }
  const receipts = () => seen.filter(({ kind }) => kind === zapReceipt.number)
  const die = () => closing.abort()
  return { clock, wallet, payer, journal, open, die, request, bills, receipts, order, node }
}

test('the invoice commits to the request, and the receipt is published once it is paid', async () => {
  const { clock, open, request, bills, order, payer, receipts, journal, node } = receiver()
  const asked = request()
  open().take(asked, JSON.stringify(asked))
  await clock.advance(10)
  const [said] = bills()
  expect(said).toMatchObject({ event: { pubkey: node }, bill: { status: 'payment-required', msats: 700n } })
  const read = readInvoice(said?.bill.bolt11 ?? '')
  expect(read).toMatchObject({
    ok: true,
    invoice: { msats: 700n, descriptionHash: descriptionHashOf(JSON.stringify(asked)) },
  })
  expect(receipts()).toEqual([])
  expect(await payer.pay(order(said?.bill.bolt11))).toMatchObject({ state: 'paid' })
  await clock.advance(1_000)
  expect(receipts().map(receipt => zapReceipt.read(receipt))).toMatchObject([
    { ok: true, value: { recipient: node, event: 'ab'.repeat(32), description: JSON.stringify(asked) } },
  ])
  expect(journal.bills.list()).toMatchObject([{ purpose: 'split', state: 'paid', paidMsats: 700n }])
  expect([...journal.shelf('tips').entries()]).toEqual([])
})

test('the same request again gets the same signed bill, and not within two seconds', async () => {
  const { clock, open, request, bills, journal } = receiver()
  const tips = open()
  const asked = request()
  for (const ms of [0, 0, 500, 2_000]) {
    await clock.advance(ms)
    tips.take(asked, JSON.stringify(asked))
  }
  await clock.advance(10)
  expect(bills().map(({ event }) => event.id)).toHaveLength(2)
  expect(new Set(bills().map(({ event }) => event.id)).size).toBe(1)
  expect(journal.bills.list()).toHaveLength(1)
})

test('a node that is gone between bill and payment is succeeded by one that signs the receipt, once', async () => {
  const { clock, open, die, request, bills, order, payer, receipts } = receiver()
  const asked = request()
  open().take(asked, JSON.stringify(asked))
  await clock.advance(10)
  die()
  await payer.pay(order(bills()[0]?.bill.bolt11))
  await clock.advance(1_000)
  expect(receipts()).toEqual([])
  open().resume()
  await clock.advance(1_000)
  expect(receipts()).toHaveLength(1)
  die()
  open().resume()
  await clock.advance(1_000)
  expect(receipts()).toHaveLength(1)
})

test('a bill that nobody pays is void a minute after its expiry, and its place is free', async () => {
  const { clock, open, request, bills, journal } = receiver()
  const tips = open()
  const all = Array.from({ length: 200 }, () => keys.newSecret())
  for (const signer of all) {
    const asked = request({}, signer)
    tips.take(asked, JSON.stringify(asked))
    await clock.advance(600)
  }
  expect(journal.bills.list({ limit: 500 })).toHaveLength(64)
  expect(journal.shelf('tips').size).toBe(64)
  await clock.advance(360_000)
  expect(journal.bills.list({ state: 'open', limit: 500 })).toEqual([])
  expect(journal.bills.list({ state: 'void', limit: 500 })).toHaveLength(64)
  expect(journal.shelf('tips').size).toBe(0)
  const asked = request()
  tips.take(asked, JSON.stringify(asked))
  await clock.advance(10)
  expect(bills()).toHaveLength(1)
})

test('what is not a zap request for this key and some job is not billed', async () => {
  const { clock, open, request, journal } = receiver()
  const tips = open()
  const honest = request()
  const without = { ...honest, tags: honest.tags.filter(([name]) => name !== 'e') }
  const unpriced = { ...honest, tags: honest.tags.filter(([name]) => name !== 'amount') }
  const wrong = [
    [request({ node: keys.publicKey(keys.newSecret()) })],
    [keys.sign(without, keys.newSecret())],
    [keys.sign(unpriced, keys.newSecret())],
    [request({ msats: 100_000_000_001n })],
    [{ ...honest, sig: '0'.repeat(128) }],
    [honest, `${JSON.stringify(honest)} `.replace('ab', 'cd')],
  ] as const
  for (const [event, json = JSON.stringify(event)] of wrong) tips.take(event, json)
  await clock.advance(1_000)
  expect(journal.bills.list()).toEqual([])
})
