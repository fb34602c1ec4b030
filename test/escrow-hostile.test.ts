/** Escrow among liars: verifiers with wrong preimages and two verdicts, providers with hashes of their own, strangers, and words said again. */
import { describe, expect, test } from 'vitest'
import { type EscrowWord, type Event, escrowWord, textRequest, textResult } from '../kinds/index.ts'
import { seconds } from '../src/clock.ts'
import { openEscrowAsk } from '../src/escrow/asking.ts'
import { openWords } from '../src/escrow/words.ts'
import { fromHex, sha256Hex } from '../src/hash.ts'
import { wrapEvent } from '../src/seal.ts'
import { escrowWorld, paid, price, secretOf, unpaid } from './escrow-world.ts'

type World = Awaited<ReturnType<typeof escrowWorld>>
const preimage = '7'.repeat(64)
const hash = sha256Hex(fromHex(preimage))

/** A verifier that says what the test wants. */
function liar(world: World, answer: (word: EscrowWord) => readonly Partial<EscrowWord>[]) {
  const words = openWords(world.side(world.verifierSecret), ({ from, word }) => {
    const { job, msats, deadline } = word
    const money = msats === undefined || deadline === undefined ? {} : { msats, deadline }
    for (const said of answer(word)) {
      const value: EscrowWord = { job, to: from, status: 'refused', says: '', ...money, ...said }
      void words.send(words.sign(value), from)
    }
  })
  return words
}

const hashWord = { status: 'hash', paymentHash: hash } as const
const release = (key: string) => ({ status: 'release', paymentHash: hash, preimage: key }) as const

describe('a verifier that lies', () => {
  const trade = async (world: World) => {
    let buying: Promise<string> = Promise.resolve('unbilled')
    const sold = await world.until(
      world.sell(
        {},
        {
          billed: bill => {
            buying = world.buy(bill)
          },
        },
      ),
    )
    return { sold, bought: await world.until(buying) }
  }

  test('gives a wrong preimage: it settles nothing, and the money goes back', async () => {
    const world = await escrowWorld()
    liar(world, word => (word.status === 'claim' ? [release('8'.repeat(64))] : [hashWord]))
    expect(await trade(world)).toEqual({ sold: 'cancelled: vanished', bought: 'failed' })
    expect(await world.money()).toEqual(unpaid)
  })

  test('gives two verdicts: the first counts, and the money belongs to one', async () => {
    const first = await escrowWorld()
    liar(first, word => (word.status === 'claim' ? [release(preimage), { status: 'refund' }] : [hashWord]))
    expect(await trade(first)).toEqual({ sold: 'settled', bought: 'paid' })
    expect(await first.money()).toEqual(paid)
    const second = await escrowWorld()
    liar(second, word => (word.status === 'claim' ? [{ status: 'refund' }, release(preimage)] : [hashWord]))
    expect(await trade(second)).toEqual({ sold: 'cancelled: refund', bought: 'failed' })
    expect(await second.money()).toEqual(unpaid)
  })

  test('speaks of other money, or of no case: nothing is billed', async () => {
    const world = await escrowWorld()
    liar(world, () => [{ ...hashWord, msats: 1n, deadline: world.deadline }])
    expect(await trade(world)).toEqual({ sold: 'changed', bought: 'unbilled' })
    const other = await escrowWorld()
    liar(other, () => [{ status: 'refused', says: 'no' }])
    expect(await trade(other)).toEqual({ sold: 'refused', bought: 'unbilled' })
  })
})

describe('a provider that lies', () => {
  test('bills with a hash of its own: the customer asks the verifier and pays nothing', async () => {
    const world = await escrowWorld()
    world.verify()
    const hold = await world.holdOf()
    const bill = await hold.holdBill({ key: 'x', msats: price, expirySeconds: 600, hash, description: 'job' })
    expect(await world.until(world.buy(bill))).toBe('refused')
    expect(await world.money()).toEqual(unpaid)
  })

  test('hands over two results: the first counts, and the second is never judged', async () => {
    const world = await escrowWorld()
    let judged = 0
    const verifier = world.verify(async ({ result }) => {
      judged++
      if (result.text === 'first') await new Promise<void>(resolve => world.clock.after(20_000, resolve))
      return result.text === 'first' ? { word: 'refund', says: 'no' } : { word: 'release', says: 'yes' }
    })
    const { request, verifier: to } = world
    const claim = { job: request.id, to, status: 'claim', says: '' } as const
    const ask = openEscrowAsk(world.side(world.nodeSecret))
    await world.until(ask.hashFor({ request, verifier: to, msats: price, deadline: world.deadline }))
    await world.say(world.nodeSecret, { ...claim, event: world.resultOf('first') })
    await world.clock.advance(1_000)
    await world.say(world.nodeSecret, { ...claim, event: world.resultOf('second') })
    await world.clock.advance(60_000)
    await world.say(world.nodeSecret, { ...claim, event: world.resultOf('second') })
    await world.clock.advance(1_000)
    expect([judged, verifier.cases()[0]?.state]).toEqual([1, 'refunded'])
    expect(world.heardBy(world.nodeSecret).some(word => word.preimage !== undefined)).toBe(false)
  })

  test.each<[string, (world: World) => Partial<EscrowWord>]>([
    ['another author', world => ({ event: resign(world, secretOf(9), {}) })],
    ['another job', world => ({ event: resign(world, world.nodeSecret, { job: 'b'.repeat(64) }) })],
    ['another customer', world => ({ event: resign(world, world.nodeSecret, { customer: world.node }) })],
    ['a false digest', world => ({ event: resign(world, world.nodeSecret, { digest: 'c'.repeat(64) }) })],
    ['a changed text', world => ({ event: { ...world.resultOf('WHY IS THE SKY BLUE'), content: 'x' } })],
  ])('hands over a result of %s: it is no claim', async (_, claimOf) => {
    const world = await escrowWorld()
    const verifier = world.verify(async () => ({ word: 'release', says: 'anything goes' }))
    const { request, verifier: to } = world
    const ask = openEscrowAsk(world.side(world.nodeSecret))
    await world.until(ask.hashFor({ request, verifier: to, msats: price, deadline: world.deadline }))
    await world.say(world.nodeSecret, { job: request.id, to, status: 'claim', says: '', ...claimOf(world) })
    await world.clock.advance(1_000)
    expect(verifier.cases()).toMatchObject([{ state: 'open' }])
    expect(world.heardBy(world.nodeSecret).at(-1)).toMatchObject({ status: 'refused' })
  })

  test('opens a sealed job with a key of its own: the ciphertext does not open, and there is no case', async () => {
    const world = await escrowWorld({ sealed: true })
    const verifier = world.verify()
    const { request: event, verifier: to, deadline } = world
    const open = { job: event.id, to, status: 'open', msats: price, deadline, event, says: '' } as const
    await world.say(world.nodeSecret, { ...open, conversationKey: preimage })
    await world.say(world.nodeSecret, open)
    await world.clock.advance(1_000)
    expect(verifier.cases()).toEqual([])
  })

  test('opens what its customer did not wish, or changes what it opened', async () => {
    const world = await escrowWorld()
    const verifier = world.verify()
    const base = { inputs: [{ data: 'x', type: 'text' as const }], relays: [], stream: false, receipt: false }
    const sign = (value: Parameters<typeof textRequest.write>[0]) =>
      world.keys.sign(textRequest.write(value, seconds(world.clock)), world.customerSecret)
    const others = [
      sign({ ...base, providers: [world.node] }),
      sign({ ...base, providers: [world.node], terms: { word: 'escrow', verifier: world.node } }),
      sign({ ...base, providers: [world.customer], terms: { word: 'escrow', verifier: world.verifier } }),
    ]
    const ask = openEscrowAsk(world.side(world.nodeSecret))
    const open = (request: Event, extra: { msats?: bigint; deadline?: number } = {}) =>
      world.until(ask.hashFor({ request, verifier: world.verifier, msats: price, deadline: world.deadline, ...extra }))
    for (const request of others) expect(await open(request)).toMatchObject({ ok: false, rule: 'refused' })
    const open2 = { to: world.verifier, status: 'open', msats: price, deadline: world.deadline, says: '' } as const
    const words = [
      { ...open2, job: 'b'.repeat(64), event: world.request },
      { ...open2, job: world.request.id, event: { ...world.request, sig: 'a'.repeat(128) } },
      { ...open2, job: world.request.id, event: { ...world.request, pubkey: world.node } },
    ]
    for (const word of words) await world.say(world.nodeSecret, word)
    await world.clock.advance(1_000)
    expect(verifier.cases()).toEqual([])
    expect(await open(world.request, { deadline: seconds(world.clock) + 90_000 })).toMatchObject({ rule: 'refused' })
    expect(await open(world.request)).toMatchObject({ ok: true })
    expect(await open(world.request, { msats: 1n })).toMatchObject({ rule: 'refused' })
    expect(verifier.cases()).toMatchObject([{ msats: price, job: world.request.id }])
  })
})

describe('strangers', () => {
  test('cannot claim, complain, ask for or decide the case of others', async () => {
    const world = await escrowWorld()
    let judged = 0
    const verifier = world.verify(async () => {
      judged++
      return { word: 'release', says: '' }
    })
    const { request, verifier: to, deadline, node } = world
    const ask = openEscrowAsk(world.side(world.nodeSecret))
    const answer = await world.until(ask.hashFor({ request, verifier: to, msats: price, deadline }))
    if (!answer.ok) throw new Error(answer.says)
    const mallory = secretOf(9)
    const base = { job: request.id, to, says: '' }
    await world.say(mallory, { ...base, status: 'claim', event: world.resultOf('WHY IS THE SKY BLUE') })
    await world.say(mallory, { ...base, status: 'complain', paymentHash: answer.hash })
    await world.say(mallory, { ...base, status: 'refund' })
    await world.say(mallory, { ...base, status: 'open', msats: price, deadline, event: request })
    await world.say(mallory, { ...base, status: 'hash', paymentHash: answer.hash, msats: price, deadline })
    await world.clock.advance(5_000)
    expect(verifier.cases()).toMatchObject([{ state: 'open', node }])
    expect(verifier.cases()[0]?.said).toBeUndefined()
    expect(judged).toBe(0)
    expect(world.heardBy(mallory).every(word => word.status === 'refused')).toBe(true)
    // Nor does a provider believe a verdict of theirs.
    const verdict = ask.verdict({ request, verifier: to, hash: answer.hash, deadline, result: world.resultOf('x') })
    await world.say(mallory, { ...base, to: node, status: 'refund' })
    await world.say(mallory, { ...base, to: node, status: 'release', paymentHash: answer.hash, preimage })
    expect(await world.until(verdict)).toMatchObject({ verdict: 'release', says: '' })
  })

  test('cannot fill it: cases per provider, words per minute and refusals have an end', async () => {
    const world = await escrowWorld()
    const limits = { perNode: 3, open: 5, refusalsPerMinute: 8, wordsPerMinute: 40 }
    const verifier = world.verify(undefined, undefined, limits)
    const jobOf = (n: number) =>
      world.keys.sign(
        textRequest.write(
          {
            ...{ inputs: [{ data: `${n}`, type: 'text' }], relays: [], providers: [], stream: false, receipt: false },
            terms: { word: 'escrow', verifier: world.verifier },
          },
          seconds(world.clock),
        ),
        world.customerSecret,
      )
    for (let n = 0; n < 60; n++) {
      const event = jobOf(n)
      const word = { job: event.id, to: world.verifier, status: 'open', msats: 1n, says: '' } as const
      await world.say(secretOf(20 + (n % 4)), { ...word, deadline: world.deadline, event })
    }
    await world.clock.advance(1_000)
    expect(verifier.cases().length).toBe(5)
    const told = [0, 1, 2, 3].flatMap(n => world.heardBy(secretOf(20 + n)))
    expect(told.filter(word => word.status === 'refused').length).toBe(2)
    const perNode = verifier.cases().map(one => one.node)
    for (const node of perNode) expect(perNode.filter(one => one === node).length).toBeLessThanOrEqual(3)
    // Their deadline makes room.
    await world.clock.advance(700_000)
    const event = jobOf(99)
    const word = { job: event.id, to: world.verifier, status: 'open', msats: 1n, says: '' } as const
    await world.say(secretOf(20), { ...word, deadline: seconds(world.clock) + 60, event })
    await world.clock.advance(1_000)
    expect(verifier.cases()).toMatchObject([{ job: event.id, state: 'open' }])
  })
})

test('words said again, in the same wrap or a new one, are one word', async () => {
  const world = await escrowWorld()
  let judged = 0
  const verifier = world.verify(async () => {
    judged++
    return { word: 'release', says: '' }
  })
  const { request, verifier: to, deadline, keys } = world
  const relays = world.connect()
  const open = { job: request.id, to, status: 'open', msats: price, deadline, event: request, says: '' } as const
  const claim = { job: request.id, to, status: 'claim', event: world.resultOf('x'), says: '' } as const
  for (const word of [open, claim]) {
    const inner = keys.sign(escrowWord.write(word, seconds(world.clock)), world.nodeSecret)
    const wrap = wrapEvent(keys, inner, to, seconds(world.clock))
    for (let i = 0; i < 5; i++) {
      await relays.publish(wrap)
      await relays.publish(wrapEvent(keys, inner, to, seconds(world.clock)))
      await world.clock.advance(1_000)
    }
  }
  expect(verifier.cases()).toMatchObject([{ state: 'released' }])
  expect(judged).toBe(1)
  const told = world.heardBy(world.nodeSecret)
  expect(new Set(told.map(word => word.paymentHash)).size).toBe(1)
  expect(new Set(told.map(word => word.status))).toEqual(new Set(['hash', 'release']))
})

/** A result with something else in it. */
function resign(world: World, secret: Uint8Array, extra: { job?: string; customer?: string; digest?: string }): Event {
  const value = { job: world.request.id, customer: world.customer, text: 'WHY IS THE SKY BLUE', ...extra }
  return world.keys.sign(textResult.write(value, seconds(world.clock)), secret)
}
