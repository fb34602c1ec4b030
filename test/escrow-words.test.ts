/** Words between provider, customer and verifier: who may say them, how often, and how long. */
import { expect, test } from 'vitest'
import { type EscrowWord, type Event, ephemeralWrap, escrowWord } from '../kinds/index.ts'
import { seconds } from '../src/clock.ts'
import { openEscrowAsk } from '../src/escrow/asking.ts'
import { openEscrowView } from '../src/escrow/customer.ts'
import { openWords } from '../src/escrow/words.ts'
import { wrapEvent } from '../src/seal.ts'
import { escrowWorld, price, secretOf } from './escrow-world.ts'

test('a customer learns from its verifier alone what a bill holds', async () => {
  const world = await escrowWorld()
  world.verify()
  const { request, verifier, deadline } = world
  const ask = openEscrowAsk(world.side(world.nodeSecret))
  const answer = await world.until(ask.hashFor({ request, verifier, msats: price, deadline }))
  if (!answer.ok) throw new Error(answer.says)
  const view = openEscrowView(world.side(world.customerSecret))
  const bill = { job: request.id, verifier, hash: answer.hash, msats: price }
  expect(await world.until(view.vouched(bill))).toEqual({ ok: true, deadline })
  expect(await world.until(view.vouched({ ...bill, msats: price + 1n }))).toMatchObject({ ok: false })
  const other = openEscrowView(world.side(secretOf(9)))
  expect(await world.until(other.vouched(bill))).toMatchObject({ ok: false, rule: 'refused' })
})

test('a customer pays for no other hash or amount than its own, whatever is answered', async () => {
  const world = await escrowWorld()
  const { request, verifier, deadline, customer } = world
  const bill = { job: request.id, verifier, hash: 'a'.repeat(64), msats: price }
  const view = openEscrowView(world.side(world.customerSecret))
  const answers: Partial<EscrowWord>[] = [{ paymentHash: 'b'.repeat(64) }, { msats: 1n }]
  const words = openWords(world.side(world.verifierSecret), () => {
    const answer = answers.pop()
    const value = {
      job: request.id,
      to: customer,
      status: 'hash',
      paymentHash: bill.hash,
      msats: price,
      says: '',
    } as const
    void words.send(words.sign({ ...value, deadline, ...answer }), customer)
  })
  expect(await world.until(view.vouched(bill))).toMatchObject({ ok: false, rule: 'changed' })
  expect(await world.until(view.vouched(bill))).toMatchObject({ ok: false, rule: 'changed' })
  expect(await world.until(view.vouched(bill))).toEqual({ ok: true, deadline })
})

test('a word counts only when its author signed it: a wrap proves nothing', async () => {
  const world = await escrowWorld()
  const verifier = world.verify(async () => ({ word: 'release', says: '' }))
  const { request: event, verifier: to, deadline, keys, node } = world
  const now = seconds(world.clock)
  const open = { job: event.id, to, status: 'open', msats: price, deadline, event, says: '' } as const
  const signed = keys.sign(escrowWord.write(open, now), secretOf(9))
  const forgeries: Event[] = [
    { ...signed, pubkey: node },
    { ...keys.sign(escrowWord.write(open, now), world.nodeSecret), tags: signed.tags.slice(1) },
    { ...keys.sign(escrowWord.write({ ...open, msats: 1n }, now), world.nodeSecret), tags: signed.tags },
  ]
  for (const forged of forgeries) await world.connect().publish(wrapEvent(keys, forged, to, now))
  await world.clock.advance(1_000)
  expect(verifier.cases()).toEqual([])
  await world.say(world.nodeSecret, open)
  await world.clock.advance(1_000)
  expect(verifier.cases()).toMatchObject([{ node }])
})

test('a key that talks too much is not heard for a while', async () => {
  const world = await escrowWorld()
  const verifier = world.verify(undefined, undefined, { wordsPerMinute: 20 })
  const { request: event, verifier: to, deadline } = world
  for (let n = 0; n < 5; n++) await world.say(world.nodeSecret, { job: event.id, to, status: 'accept', says: '' })
  const open = { job: event.id, to, status: 'open', msats: price, deadline, event, says: '' } as const
  await world.say(world.nodeSecret, open)
  await world.clock.advance(100)
  expect(verifier.cases()).toEqual([])
  await world.clock.advance(60_000)
  await world.say(world.nodeSecret, open)
  await world.clock.advance(100)
  expect(verifier.cases()).toMatchObject([{ state: 'open' }])
})

test('a job and a result that are too long for one word are read from the relays', async () => {
  const world = await escrowWorld({ sealed: true, input: 'why '.repeat(10_000) })
  const verifier = world.verify()
  const relays = world.connect()
  const result = world.resultOf('WHY '.repeat(10_000))
  const { request, verifier: to, deadline } = world
  const ask = openEscrowAsk(world.side(world.nodeSecret))
  await relays.publish(request)
  const answer = await world.until(ask.hashFor({ request, verifier: to, msats: price, deadline }))
  if (!answer.ok) throw new Error(answer.says)
  const found = ask.verdict({ request, verifier: to, hash: answer.hash, deadline, result })
  await world.clock.advance(20_000)
  expect(verifier.cases()).toMatchObject([{ state: 'open' }])
  await relays.publish(result)
  expect(await world.until(found)).toMatchObject({ verdict: 'release' })
  for (const { content, kind } of world.seen)
    if (kind === ephemeralWrap.number) expect(content.length).toBeLessThan(65_000)
})

test('a verifier that is no key is silence, not a crash', async () => {
  const world = await escrowWorld()
  const ask = openEscrowAsk(world.side(world.nodeSecret))
  const { request, deadline } = world
  const found = ask.hashFor({ request, verifier: 'f'.repeat(64), msats: price, deadline })
  expect(await world.until(found)).toMatchObject({ ok: false, rule: 'silent' })
})
