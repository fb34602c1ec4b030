import { describe, expect, test } from 'vitest'
import { memoryHub } from '../relays/memory.ts'
import { handClock } from '../src/clock.ts'
import { sha256Hex } from '../src/payments/hash.ts'
import { type Asked, connection, join, keys, nwcWorld, scripted, until } from './nwc-world.ts'

/** A client of a wallet that answers as told. */
function told(answer: (asked: Asked) => void) {
  const clock = handClock()
  const hub = memoryHub({ clock, verify: keys.verify })
  const conn = connection([hub.url])
  const asked = scripted(conn, hub.connect(), clock, answer)
  return { clock, asked, client: join(conn, hub.connect(), clock) }
}
const say = (asked: Asked, result: object) => asked.reply({ result_type: asked.method, error: null, result })

describe('bills', () => {
  const ask = { key: 'job', msats: 21_000n, expirySeconds: 600, description: 'a job' }

  test('a caller who stops waiting does not take the bill from the other', async () => {
    const { client, until, mine } = nwcWorld()
    const stop = new AbortController()
    const both = [client.bill(ask, stop.signal), client.bill(ask)]
    stop.abort()
    const ends = await until(Promise.allSettled(both))
    expect(ends.map(({ status }) => status)).toEqual(['rejected', 'fulfilled'])
    expect(ends[0]).toMatchObject({ reason: { name: 'PaymentError', code: 'ABORTED' } })
    expect(await mine.transactions({ unpaid: true })).toHaveLength(1)
  })

  test('a bill that could not be made is asked for again', async () => {
    const { client, until, mine } = nwcWorld()
    mine.faults = { reach: 'down' }
    await expect(until(client.bill(ask))).rejects.toMatchObject({ name: 'PaymentError' })
    mine.faults = {}
    expect(await until(client.bill(ask))).toMatchObject({ msats: 21_000n })
  })

  test.each([
    ['over another amount', { msats: 20_000n, description: 'x' }, /another amount/],
    ['without the description hash', { msats: 21_000n, description: 'x' }, /description hash/],
  ])('an invoice %s is not taken', async (what, made, says) => {
    const { shop } = nwcWorld()
    const wrong = await shop.bill({ key: 'w', expirySeconds: 60, ...made })
    const { client, clock } = told(asked => say(asked, { invoice: wrong.bolt11, amount: 21_000 }))
    const order = what.includes('hash')
      ? { key: 'job', msats: 21_000n, expirySeconds: 600, descriptionHash: sha256Hex('z') }
      : ask
    await expect(until(clock, client.bill(order))).rejects.toThrow(says)
  })

  test('no invoice at all is a PaymentError', async () => {
    for (const result of [{}, { invoice: 5 }, { invoice: 'lnbc1' }]) {
      const { client, clock } = told(asked => say(asked, result))
      await expect(until(clock, client.bill(ask))).rejects.toMatchObject({ name: 'PaymentError', code: 'OTHER' })
    }
  })
})

describe('watching', () => {
  const bill = { key: 'w', msats: 5_000n, expirySeconds: 86_400, description: 'x' }

  test('lost notifications: polling finds it, with pauses that grow to thirty seconds', async () => {
    const { client, clock, mine, shop, until, hub } = nwcWorld()
    mine.faults = { notify: 'lost' }
    const made = await until(client.bill(bill))
    const asked: number[] = []
    hub.watch(event => event.content !== '' && asked.push(clock.now()))
    const settled: unknown[] = []
    client.watch(made.hash, state => settled.push(state))
    const start = clock.now()
    await clock.advance(300_000)
    expect(settled).toEqual([])
    const pauses = asked.filter((_, at) => at % 2 === 0).map((at, index, all) => at - (all[index - 1] ?? start))
    expect(pauses.slice(0, 4)).toEqual([2_000, 3_000, 4_500, 6_750])
    expect(Math.max(...pauses)).toBe(30_000)
    expect(asked.length).toBeLessThan(40)
    await shop.pay(made)
    await clock.advance(31_000)
    expect(settled).toMatchObject([{ state: 'settled', msats: 5_000n }])
    const before = asked.length
    await clock.advance(120_000)
    expect(asked).toHaveLength(before)
    expect(clock.waiting).toBe(0)
  })

  test('at most four questions at one time, and all are asked in the end', async () => {
    let open = 0
    let most = 0
    const late: (() => void)[] = []
    const { client, clock } = told(asked => {
      most = Math.max(most, ++open)
      late.push(() => {
        open--
        say(asked, { type: 'incoming', state: 'settled', settled_at: 5, amount: 1 })
      })
    })
    let settled = 0
    for (let i = 0; i < 30; i++) client.watch(sha256Hex(`${i}`), () => settled++)
    for (let i = 0; i < 100 && settled < 30; i++) {
      await clock.advance(2_000)
      for (const answer of late.splice(0)) answer()
      await clock.advance(1)
    }
    expect(settled).toBe(30)
    expect(most).toBe(4)
  })

  test('the wallet is down for an hour and restarted: the watch still ends', async () => {
    const { client, clock, mine, shop, until, hub } = nwcWorld()
    const made = await until(client.bill(bill))
    const settled: unknown[] = []
    client.watch(made.hash, state => settled.push(state))
    hub.down()
    await shop.pay(made)
    await clock.advance(3_600_000)
    expect(settled).toEqual([])
    hub.up()
    await clock.advance(60_000)
    expect(settled).toHaveLength(1)
    expect(await mine.billState(made.hash)).toMatchObject({ state: 'settled' })
  })

  test('closed: no timer is left', async () => {
    const { client, clock } = nwcWorld()
    client.watch('ab'.repeat(32), () => {})
    await clock.advance(100)
    await client.close()
    await clock.advance(100_000)
    expect(clock.waiting).toBe(0)
  })
})

describe('wallets of other makes', () => {
  test('a history that does not know offset is read once', async () => {
    const rows = [1, 2, 3].map(n => ({
      type: 'incoming',
      payment_hash: `${n}`,
      state: 'settled',
      amount: n,
      created_at: n,
    }))
    const { client, clock, asked } = told(request => say(request, { transactions: rows }))
    const found = await until(clock, client.transactions({ limit: 100 }))
    expect(found.map(({ hash }) => hash)).toEqual(['1', '2', '3'])
    expect(asked.length).toBeLessThanOrEqual(2)
  })

  test('sixty rows are read in pages of twenty', async () => {
    const { client, clock, asked } = told(({ params, ...request }) => {
      const from = Number(params['offset'])
      const size = Math.min(Number(params['limit']), 60 - from)
      const row = (_: unknown, at: number) => ({
        type: 'incoming',
        payment_hash: `${from + at}`,
        amount: 1,
        created_at: 1,
      })
      say({ params, ...request }, { transactions: Array.from({ length: Math.max(0, size) }, row) })
    })
    expect(await until(clock, client.transactions({ limit: 50 }))).toHaveLength(50)
    expect(asked.map(({ params }) => params['limit'])).toEqual([20, 20, 10])
  })

  test.each([
    [
      { alias: 'x', network: 'bitcoin', methods: ['a', 5] },
      { alias: 'x', network: 'mainnet', methods: ['a'] },
    ],
    [{}, { alias: '', network: 'mainnet', methods: [] }],
    [
      { network: 'REGTEST', pubkey: `02${'AB'.repeat(32)}`, methods: [] },
      { alias: '', network: 'regtest', nodeKey: `02${'ab'.repeat(32)}`, methods: [] },
    ],
  ])('info %j', async (said, info) => {
    const { client, clock } = told(asked => say(asked, said))
    expect(await until(clock, client.info())).toEqual(info)
  })

  test.each([{}, { balance: 'x' }, { balance: 1.5 }, { balance: -1 }])('balance %j is no balance', async said => {
    const { client, clock } = told(asked => say(asked, said))
    await expect(until(clock, client.balance())).rejects.toMatchObject({ name: 'PaymentError' })
  })

  test('without notifications, its own payments are still told to listeners', async () => {
    const { client, clock, mine, shop, until } = nwcWorld()
    mine.faults = { notify: 'lost' }
    const heard: unknown[] = []
    client.onSettled(row => heard.push([row.type, row.hash, row.msats]))
    const made = await shop.bill({ key: 'a', msats: 5_000n, expirySeconds: 60, description: '' })
    await until(client.pay(made))
    await until(client.payState(made.hash))
    await clock.advance(100)
    expect(heard).toEqual([['outgoing', made.hash, 5_000n]])
  })
})
