/** Jobs in gift wraps: the same door, and not one word about them outside of wraps. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { cancel, ephemeralWrap, zapReceipt } from '../kinds/index.ts'
import { seconds } from '../src/clock.ts'
import { sha256Hex } from '../src/hash.ts'
import { openHidden } from './node-hidden.ts'
import { keys, openTown, type Town } from './node-world.ts'

const text = (value: string): string => sha256Hex(new TextEncoder().encode(value))

/** Pays the bill of a wrapped job once it is there. */
async function paid(town: Town, look: () => { bolt11?: string } | undefined) {
  const bill = await town.until('the bill', look)
  if (bill.bolt11 !== undefined) await town.pay({ bolt11: bill.bolt11 })
}

describe('a job in a wrap', () => {
  test('is billed, streamed and answered in wraps, and nothing else tells of it', async () => {
    const town = openTown()
    const node = await town.open({ usage: 'all', echo: { pieceMs: 20 } })
    const before = town.seen.length
    const customer = openHidden(town)
    const job = customer.request('the sky is blue at noon', 'nip44', { privacy: 2, partial: true })
    customer.wrap(job)
    const heard = () => customer.heard(job, customer.inWraps())
    await paid(town, () => heard().words.find(({ status }) => status === 'payment-required'))
    const { value, event } = await town.until('the result', () => heard().results[0])
    expect(value).toMatchObject({ text: 'the sky is blue at noon', finish: 'stop' })
    expect(value.request).toBeUndefined()
    const { frames } = heard()
    expect(text(frames.map(({ text: piece }) => piece).join(''))).toBe(text(value.text))
    expect(event.created_at).toBe(seconds(town.clock))
    await town.clock.advance(5_000)
    const after = town.seen.slice(before)
    const names = [job.id, customer.pubkey]
    const telling = after.filter(one => names.some(name => JSON.stringify(one).includes(name)))
    // The customer's key is named by the wraps to it, and by nothing else; the job by nothing at all.
    expect(telling.length).toBeGreaterThan(3)
    expect(telling.every(one => one.kind === ephemeralWrap.number && !JSON.stringify(one).includes(job.id))).toBe(true)
    expect(new Set(after.filter(one => one.kind === ephemeralWrap.number).map(one => one.pubkey)).size).toBe(
      after.filter(one => one.kind === ephemeralWrap.number).length,
    )
    expect(after.some(({ kind }) => kind === 4632 || kind === 6050 || kind === 7000 || kind === 26_800)).toBe(false)
    await node.close()
  })

  test('is told again in fresh wraps to who asks again, and by a process that comes back', async () => {
    const town = openTown()
    const node = await town.open({ priceMsats: 0n })
    const customer = openHidden(town)
    const job = customer.request('again', 'nip44', { privacy: 2 })
    customer.wrap(job)
    const results = () => customer.heard(job, customer.inWraps()).results
    const first = await town.until('the result', () => results()[0])
    await town.clock.advance(11_000)
    customer.wrap(job)
    const second = await town.until('it again', () => results()[1])
    expect(second.event).toEqual(first.event)
    await node.close()
    const reborn = await town.open({ priceMsats: 0n })
    await town.clock.advance(11_000)
    const known = results().length
    customer.wrap(job)
    await town.until('it after a restart', () => results()[known])
    // Whoever has the request and asks in the open hears nothing there.
    await town.clock.advance(11_000)
    customer.send(job)
    await town.clock.advance(2_000)
    expect(town.seen.some(one => one.pubkey === town.me && one.kind === 6050)).toBe(false)
    await reborn.close()
  })

  test('goes on in wraps where a killed process left it, its kept words included', async () => {
    const town = openTown()
    const node = await town.open()
    const customer = openHidden(town)
    const job = customer.request('killed between bill and payment', 'nip44', { privacy: 2 })
    customer.wrap(job)
    const heard = () => customer.heard(job, customer.inWraps())
    await town.until('the bill', () => heard().words.find(({ status }) => status === 'payment-required'))
    // What the process says now no relay takes: it is in the outbox, and the next process says it.
    town.hub.down()
    await paid(town, () => heard().words.find(({ status }) => status === 'payment-required'))
    await town.until('the delivery', () => town.told.find(({ event }) => event === 'delivered'))
    await node.close()
    expect(heard().results).toEqual([])
    town.hub.up()
    const reborn = await town.open()
    const { value } = await town.until('the result', () => heard().results[0])
    expect(value.text).toBe('killed between bill and payment')
    await town.clock.advance(2_000)
    expect(town.seen.some(one => one.pubkey === town.me && JSON.stringify(one).includes(job.id))).toBe(false)
    await reborn.close()
  })

  test('may be as large as the ciphertext of a ciphertext leaves room for', async () => {
    const town = openTown()
    const node = await town.open({ priceMsats: 0n })
    const [small, large] = [openHidden(town), openHidden(town)]
    const fits = small.request('x'.repeat(28_000), 'nip44', { privacy: 2, stream: false })
    const not = large.request('x'.repeat(28_001), 'nip44', { privacy: 2, stream: false })
    small.wrap(fits)
    large.wrap(not)
    await town.until('the answer', () => small.heard(fits, small.inWraps()).results[0])
    const pieces = await town.until('the answer in chunks', () => large.heard(not, large.inWraps()).results[0])
    expect(pieces.value.chunked).toMatch(/^[0-9a-f]{64}$/)
    const mine = town.seen.filter(one => one.tags.some(([, key]) => key === small.pubkey))
    expect(mine.length).toBeGreaterThan(0)
    for (const one of town.seen) expect(JSON.stringify(one).length).toBeLessThan(65_536)
    await node.close()
  })

  test('ends when its cancel comes in a wrap, from its own key only', async () => {
    const town = openTown()
    const node = await town.open({ priceMsats: 0n, echo: { pieceMs: 100 } })
    const customer = openHidden(town)
    const job = customer.request('one two three four five six seven eight nine ten', 'nip44', { privacy: 2 })
    customer.wrap(job)
    await town.until('a frame', () => customer.heard(job, customer.inWraps()).frames[0])
    const withdraw = (own: Uint8Array) =>
      keys.sign(cancel.write({ events: [job.id], kinds: [5050], reason: '' }, seconds(town.clock)), own)
    customer.wrap(withdraw(keys.newSecret()))
    await town.clock.advance(200)
    expect(node.jobs()).toHaveLength(1)
    customer.wrap(withdraw(customer.own))
    await town.until('the end', () => (node.jobs().length === 0 ? true : undefined))
    await town.clock.advance(5_000)
    expect(customer.heard(job, customer.inWraps()).results).toEqual([])
    await node.close()
  })

  test('has no zap receipt outside of wraps', async () => {
    const town = openTown()
    const node = await town.open()
    const customer = openHidden(town)
    const job = customer.request('receipt?', 'nip44', { privacy: 2, receipt: true })
    customer.wrap(job)
    await paid(town, () =>
      customer.heard(job, customer.inWraps()).words.find(({ status }) => status === 'payment-required'),
    )
    await town.until('the result', () => customer.heard(job, customer.inWraps()).results[0])
    await town.clock.advance(2_000)
    expect(town.seen.some(({ kind }) => kind === zapReceipt.number)).toBe(false)
    await node.close()
  })

  test.each([
    ['that named no level comes late: it was asked in the open before', {}, 15],
    ['says that it is less private than its way', { privacy: 1 as const }, 0],
  ])('%s: only known jobs are told again', async (_, more, age) => {
    const town = openTown()
    const node = await town.open({ priceMsats: 0n })
    const customer = openHidden(town)
    const job = customer.request('lost on its way', 'nip44', more)
    await town.clock.advance(age * 1_000)
    customer.wrap(job)
    await town.clock.advance(3_000)
    expect(customer.inWraps()).toEqual([])
    expect(node.jobs()).toEqual([])
    customer.send(job)
    await town.until('the answer in the open', () => customer.heard(job).results[0])
    await node.close()
  })
})

describe('the door of wraps', () => {
  test('takes what an open one takes: no old, forged, misaddressed or expired jobs, and not too many', async () => {
    const town = openTown()
    const node = await town.open({ priceMsats: 0n, limits: { requestsPerMinute: 15 } })
    const customer = openHidden(town)
    const good = customer.request('good', 'nip44', { privacy: 2 })
    const other = keys.publicKey(keys.newSecret())
    const stale = keys.sign({ ...good, created_at: good.created_at - 700 }, customer.own)
    const ahead = keys.sign({ ...good, created_at: good.created_at + 300 }, customer.own)
    const misaddressed = keys.sign({ ...good, tags: [['p', other], ['encrypted']] }, customer.own)
    const expired = keys.sign(
      { ...good, tags: [...good.tags, ['expiration', String(good.created_at - 1)]] },
      customer.own,
    )
    const forged = { ...good, id: 'f'.repeat(64) }
    const unsigned = { ...good, sig: 'e'.repeat(128) }
    for (const one of [stale, ahead, misaddressed, expired, forged, unsigned]) customer.wrap(one)
    await town.clock.advance(3_000)
    expect(customer.inWraps()).toEqual([])
    expect(town.told.filter(({ event }) => event === 'accepted' || event === 'refused')).toEqual([])
    const busy = openHidden(town)
    const jobs = Array.from({ length: 8 }, (_, i) => busy.request(`job ${i}`, 'nip44', { privacy: 2 }))
    for (const job of jobs) busy.wrap(job)
    await town.clock.advance(2_000)
    // A fifth of the rate at once.
    expect(jobs.filter(job => busy.heard(job, busy.inWraps()).results.length > 0)).toHaveLength(3)
    await node.close()
  })

  test('stands whatever bytes strangers wrap', async () => {
    const town = openTown()
    const node = await town.open({ priceMsats: 0n })
    const stranger = openHidden(town)
    const nasty = fc.oneof(
      fc.string(),
      fc.json(),
      fc
        .record({
          kind: fc.constantFrom(5, 5050, 26_801, 4637, 9734),
          tags: fc.array(fc.array(fc.string())),
          content: fc.string(),
        })
        .map(e => JSON.stringify(e)),
      fc
        .record({
          kind: fc.constantFrom(5, 5050, 26_801, 4637, 9734, 6050, 1),
          tags: fc.array(
            fc.array(fc.oneof(fc.string(), fc.constantFrom('p', 'e', 'i', 'param', 'encrypted', town.me))),
            {
              maxLength: 6,
            },
          ),
          content: fc.string(),
        })
        .map(template => JSON.stringify(keys.sign({ ...template, created_at: seconds(town.clock) }, stranger.own))),
    )
    await fc.assert(
      fc.asyncProperty(nasty, async bytes => {
        const once = keys.newSecret()
        const content = bytes === '' ? 'x' : openHidden(town, once).seal.encrypt(town.me, bytes.toWellFormed())
        const wrap = { kind: ephemeralWrap.number, created_at: seconds(town.clock), tags: [['p', town.me]], content }
        stranger.send(keys.sign(wrap, once))
        await new Promise(resolve => setImmediate(resolve))
      }),
      { numRuns: 1_000 },
    )
    await town.clock.advance(1_000)
    const customer = openHidden(town)
    const job = customer.request('still there?', 'nip44', { privacy: 2 })
    customer.wrap(job)
    await town.until('the answer', () => customer.heard(job, customer.inWraps()).results[0])
    expect(town.told.filter(({ event, says = '' }) => event === 'trouble' && !says.includes('cannot open'))).toEqual([])
    await node.close()
  })
})
