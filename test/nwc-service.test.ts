import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { addressedTo, type Event, walletInfo, walletRequest, walletResponse } from '../kinds/index.ts'
import { seconds } from '../src/clock.ts'
import { serviceWorld } from './nwc-wire.ts'
import { keys, serve } from './nwc-world.ts'

describe('what is heard', () => {
  test('one subscription, live before the announcement, for this client and this wallet only', async () => {
    const { line, conn, service } = serviceWorld()
    await service.ready
    expect(line.filters).toEqual([
      [addressedTo([conn.uri.wallet], [walletRequest.number], { authors: [conn.clientPubkey] })],
    ])
    const [info] = line.published
    if (!info) throw new Error('no announcement')
    const read = walletInfo.read(info)
    expect(read).toMatchObject({
      ok: true,
      value: {
        encryption: ['nip44_v2', 'nip04'],
        notifications: ['payment_received', 'payment_sent', 'hold_invoice_accepted'],
      },
    })
    expect(info.content.split(' ')).toEqual(expect.arrayContaining(['pay_invoice', 'get_budget', 'notifications']))
    expect(keys.verify(info)).toBe(true)
  })

  const unheard: [string, (world: ReturnType<typeof serviceWorld>) => Event][] = [
    ['expired', ({ request, clock }) => request('get_balance', {}, { expiresAt: seconds(clock) - 1 })],
    ['older than five minutes', ({ request, clock }) => request('get_balance', {}, { at: seconds(clock) - 301 })],
    ['from the future', ({ request, clock }) => request('get_balance', {}, { at: seconds(clock) + 61 })],
    ['from a stranger', ({ request }) => request('get_balance', {}, { secret: keys.newSecret() })],
    ['forged', ({ request }) => ({ ...request('get_balance'), created_at: 1_800_000_001 })],
    ['for another wallet', ({ request }) => request('get_balance', {}, { wallet: keys.publicKey(keys.newSecret()) })],
    ['undecryptable', ({ request }) => request('get_balance', {}, { content: `Ag${'A'.repeat(130)}` })],
    ['of another kind', ({ request }) => ({ ...request('get_balance'), kind: walletResponse.number })],
  ]
  test.each(unheard)('%s: no answer, nothing runs', async (_, make) => {
    const world = serviceWorld()
    await world.service.ready
    world.line.deliver(make(world))
    await world.clock.advance(1_000)
    expect(world.line.published).toHaveLength(1)
    expect(world.service.counts).toMatchObject({ ran: 0, ignored: 1 })
  })

  test('a little late, a little early, or about to expire is answered', async () => {
    const { ask, clock } = serviceWorld()
    for (const over of [{ at: seconds(clock) - 299 }, { at: seconds(clock) + 59 }, { expiresAt: seconds(clock) }])
      expect((await ask('get_balance', {}, over)).result).toEqual({ balance: 1_000_000 })
  })

  test('property: no event of a stranger or of the client throws, and none without its signature is answered', async () => {
    const { line, service, conn, clock, request } = serviceWorld()
    await service.ready
    const good = request('get_balance')
    const odd = fc.record({
      id: fc.constantFrom(good.id, 'ab'.repeat(32)),
      pubkey: fc.constantFrom(conn.clientPubkey, conn.uri.wallet),
      kind: fc.constantFrom(walletRequest.number, 1),
      created_at: fc.oneof(fc.integer(), fc.constant(seconds(clock))),
      tags: fc.oneof(fc.array(fc.array(fc.string())), fc.constant(good.tags)),
      content: fc.oneof(fc.string(), fc.constant(good.content)),
      sig: fc.constantFrom(good.sig, '00'.repeat(64)),
    })
    await fc.assert(
      fc.asyncProperty(odd, async event => {
        const heard = service.counts.ran + service.counts.repeated
        line.deliver(event)
        const whole = keys.verify(event) && event.created_at === seconds(clock)
        expect(service.counts.ran + service.counts.repeated - heard).toBe(whole ? 1 : 0)
      }),
      { numRuns: 1_000 },
    )
    await clock.advance(100)
    expect(line.published.length).toBeLessThanOrEqual(1 + 4)
  })
})

describe('a request runs once', () => {
  test('delivered again: the stored answer, at most three times', async () => {
    const { line, clock, request, answers, service, bill, mine } = serviceWorld()
    const { bolt11 } = await bill('a', 5_000n)
    const event = request('pay_invoice', { invoice: bolt11 })
    line.deliver(event)
    line.deliver(event)
    await clock.advance(100)
    expect(answers(event.id)).toHaveLength(1)
    for (let i = 0; i < 5; i++) line.deliver(event)
    await clock.advance(100)
    const all = answers(event.id)
    expect(all).toHaveLength(4)
    expect(new Set(all.map(body => JSON.stringify(body))).size).toBe(1)
    expect(service.counts).toMatchObject({ ran: 1, repeated: 6 })
    expect(await mine.balance()).toBe(995_000n)
  })

  test('a restart on a relay that replays everything: nothing is paid or made twice', async () => {
    const { line, clock, conn, request, mine, bill, answers } = serviceWorld()
    const { bolt11 } = await bill('a', 5_000n)
    const requests = [
      request('pay_invoice', { invoice: bolt11 }),
      request('make_invoice', { amount: 7_000, description: 'x' }),
      request('get_balance'),
    ]
    for (const event of requests) line.deliver(event)
    await clock.advance(100)
    const first = requests.map(({ id }) => answers(id)[0])
    serve(conn, mine, line.relays, clock)
    for (const event of requests) line.deliver(event)
    await clock.advance(100)
    expect(await mine.balance()).toBe(995_000n)
    expect((await mine.transactions({ unpaid: true })).length).toBe(2)
    for (const [at, { id }] of requests.entries()) for (const body of answers(id)) expect(body).toEqual(first[at])
  })

  test('more than are remembered in five minutes: the rest gets no answer, and may be asked again later', async () => {
    const { line, clock, request, service, answers } = serviceWorld({ remembered: 200 })
    for (let i = 0; i < 200; i++) {
      line.deliver(request('get_budget'))
      if (i % 100 === 0) await clock.advance(0)
    }
    await clock.advance(0)
    const over = request('get_balance', {}, { at: seconds(clock) + 60 })
    line.deliver(over)
    await clock.advance(0)
    expect(answers(over.id)).toEqual([])
    expect(service.counts.ran).toBe(200)
    await clock.advance(301_000)
    line.deliver(over)
    await clock.advance(0)
    expect(answers(over.id)).toHaveLength(1)
  })

  test('more than 256 under way: RATE_LIMITED, which promises that nothing was sent', async () => {
    const { line, clock, request, answers, mine } = serviceWorld()
    mine.balance = () => new Promise(() => {})
    for (let i = 0; i < 256; i++) line.deliver(request('get_balance'))
    const over = request('get_info')
    line.deliver(over)
    await clock.advance(10)
    expect(answers(over.id)).toMatchObject([{ error: { code: 'RATE_LIMITED' } }])
  })
})

describe('ciphers', () => {
  test('NIP-04 without a tag, as rust-nostr 0.44 writes it, is answered in NIP-04', async () => {
    const { ask, line } = serviceWorld()
    expect((await ask('get_balance', {}, { scheme: 'nip04', untagged: true })).result).toEqual({ balance: 1_000_000 })
    expect(line.published.at(-1)?.content).toContain('?iv=')
  })

  test('NIP-04 to a wallet that offers only NIP-44: UNSUPPORTED_ENCRYPTION in NIP-44, once', async () => {
    const { line, clock, request, answers, service } = serviceWorld({ schemes: ['nip44'] })
    const event = request('get_balance', {}, { scheme: 'nip04' })
    line.deliver(event)
    await clock.advance(10)
    expect(answers(event.id)).toMatchObject([{ error: { code: 'UNSUPPORTED_ENCRYPTION' }, result: null }])
    expect(line.published.at(-1)?.content).not.toContain('?iv=')
    expect(service.counts.ran).toBe(0)
  })

  test('an unknown cipher: UNSUPPORTED_ENCRYPTION', async () => {
    expect(await serviceWorld().ask('get_balance', {}, { content: 'rot13:trg_onynapr' })).toMatchObject({
      error: { code: 'UNSUPPORTED_ENCRYPTION' },
    })
  })
})

describe('relays that fail', () => {
  test.each([
    ['refuse', () => ({ accepted: 0, enough: false, acks: [{ relay: 'ws://wire', ok: false, says: 'blocked: no' }] })],
    [
      'throw',
      () => {
        throw new Error('socket gone')
      },
    ],
  ])('that %s the answer are counted; the next request is served', async (_, verdict) => {
    const { line, service, ask } = serviceWorld()
    await service.ready
    const good = line.verdict
    line.verdict = verdict
    await ask('get_balance')
    expect(service.counts.lost).toBe(1)
    line.verdict = good
    expect((await ask('get_balance')).error).toBeNull()
  })

  test('that refuse the announcement do not end the service', async () => {
    const world = serviceWorld()
    world.line.verdict = () => {
      throw new Error('no')
    }
    await world.service.ready
    expect(world.service.counts.lost).toBe(1)
  })

  test('closed while a payment runs: it ends in the wallet, and nothing is said', async () => {
    const { line, service, clock, request, mine, net, bill } = serviceWorld()
    await service.ready
    mine.faults = { pay: 'hang' }
    const { bolt11, hash } = await bill('a', 5_000n)
    line.deliver(request('pay_invoice', { invoice: bolt11 }))
    await clock.advance(10)
    await service.close()
    net.finish(hash, 'paid')
    await clock.advance(10)
    expect(await mine.balance()).toBe(995_000n)
    expect(line.published).toHaveLength(1)
  })

  test('closed: nothing is heard or said any more', async () => {
    const { line, service, clock, request, mine, bill } = serviceWorld()
    await service.ready
    await service.close()
    line.deliver(request('get_balance'))
    const { bolt11, hash, msats } = await bill('a', 5_000n)
    await mine.pay({ bolt11, hash, msats })
    await clock.advance(100)
    expect(line.published).toHaveLength(1)
  })
})
