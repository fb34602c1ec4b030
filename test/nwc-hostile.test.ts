import { inspect } from 'node:util'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type Event, walletInfo, walletNotification, walletRequest } from '../kinds/index.ts'
import { type MemoryHub, memoryHub } from '../relays/memory.ts'
import { type HandClock, handClock, seconds } from '../src/clock.ts'
import { sha256Hex, toHex } from '../src/payments/hash.ts'
import { rowFields } from '../src/payments/nwc/body.ts'
import { writeNwcUri } from '../src/payments/nwc/uri.ts'
import type { NwcWallet } from '../src/payments/nwc.ts'
import { simNet } from '../src/payments/sim.ts'
import { type Asked, type Connection, connection, join, keys, scripted, seal, until } from './nwc-world.ts'

const balance = (msats: number) => ({ result_type: 'get_balance', error: null, result: { balance: msats } })

let clock: HandClock
let hub: MemoryHub
let conn: Connection
let client: NwcWallet
let asked: Asked[]
let answer: (request: Asked) => void

beforeEach(() => {
  clock = handClock()
  // No check of its own: the client must not need an honest relay.
  hub = memoryHub({ clock })
  conn = connection([hub.url])
  answer = () => {}
  asked = scripted(conn, hub.connect(), clock, request => answer(request))
  client = join(conn, hub.connect(), clock)
})
afterEach(() => client.close())

const wait = <T>(promise: Promise<T>) => until(clock, promise)

/** Publishes an announcement of the wallet. */
const announce = (encryption: ('nip44_v2' | 'nip04')[], at: number, secret = conn.walletSecret) => {
  const template = walletInfo.write({ methods: ['pay_invoice'], encryption, notifications: [] }, at)
  return hub.connect().publish(keys.sign(template, secret))
}

describe('a reply counts only when it is the wallet’s answer to this request', () => {
  const stranger = keys.newSecret()
  const bad: [string, (request: Asked) => void][] = [
    ['signed by a stranger', request => request.reply(balance(1), { secret: stranger })],
    ['undecryptable', request => request.reply('', { content: 'A'.repeat(200) })],
    ['not sealed at all', request => request.reply('', { content: JSON.stringify(balance(1)) })],
    ['cut off', request => request.reply('{"result_type":"get_balance","result":{"bal')],
    ['an array', request => request.reply([balance(1)])],
    ['of another method', request => request.reply({ ...balance(1), result_type: 'get_info' })],
    ['without a method', request => request.reply({ result: { balance: 1 } })],
    ['without error and result', request => request.reply({ result_type: 'get_balance' })],
    ['to another request', request => request.reply(balance(1), { request: 'ab'.repeat(32) })],
    ['for another client', request => request.reply(balance(1), { client: keys.publicKey(stranger) })],
  ]
  test.each(bad)('%s: dropped, and the true one still counts', async (_, lie) => {
    answer = request => {
      lie(request)
      request.reply(balance(7))
    }
    expect(await wait(client.balance())).toBe(7n)
  })

  test.each(bad)('%s and nothing else: time-out, no exception', async (_, lie) => {
    answer = lie
    await expect(wait(client.balance())).rejects.toMatchObject({ name: 'PaymentError', code: 'TIMEOUT' })
  })

  test('the wallet’s own old words under a new request are dropped: the signature is checked', async () => {
    const old: Event[] = []
    const stop = hub.watch(event => event.pubkey === conn.uri.wallet && old.push(event))
    answer = request => request.reply(balance(1))
    expect(await wait(client.balance())).toBe(1n)
    stop()
    const [first] = old
    if (!first) throw new Error('no reply seen')
    answer = ({ id }) => {
      const tags = first.tags.map(tag => tag.map(part => (part === asked[0]?.id ? id : part)))
      expect(tags).not.toEqual(first.tags)
      void hub.connect().publish({ ...first, tags, id: 'cd'.repeat(32) })
    }
    await expect(wait(client.balance())).rejects.toMatchObject({ code: 'TIMEOUT' })
    expect(client.dropped).toBe(1)
  })

  test('doubled and late answers change nothing', async () => {
    answer = request => {
      request.reply(balance(7))
      request.reply(balance(8))
    }
    expect(await wait(client.balance())).toBe(7n)
    answer = () => {}
    await expect(wait(client.balance())).rejects.toMatchObject({ code: 'TIMEOUT' })
    asked.at(-1)?.reply(balance(9))
    await clock.advance(1_000)
    answer = request => request.reply(balance(10))
    expect(await wait(client.balance())).toBe(10n)
  })

  test('property: whatever the wallet’s plaintext is, the client answers or refuses, and goes on', async () => {
    const part = fc.constantFrom('result_type', 'error', 'result', 'balance')
    const text = fc.oneof(
      fc.dictionary(part, fc.oneof(fc.jsonValue(), fc.constant('get_balance'))).map(value => JSON.stringify(value)),
      fc.string({ minLength: 1 }).filter(value => value.isWellFormed()),
    )
    await fc.assert(
      fc.asyncProperty(text, async lie => {
        answer = request => {
          request.reply(lie)
          request.reply(balance(7))
        }
        const got = await wait(client.balance()).catch((error: unknown) => error)
        expect(typeof got === 'bigint' || (got instanceof Error && got.name === 'PaymentError')).toBe(true)
      }),
      { numRuns: 300 },
    )
  }, 20_000)
})

describe('one subscription, made before the first request', () => {
  test('each request carries expiration, cipher and its own event', async () => {
    answer = request => request.reply(balance(7))
    await wait(client.balance())
    await wait(client.balance())
    expect(new Set(asked.map(({ id }) => id)).size).toBe(2)
    for (const { event } of asked) {
      const read = walletRequest.read(event, '{"method":"x"}')
      if (!read.ok) throw new Error(read.says)
      expect(read.value).toMatchObject({ wallet: conn.uri.wallet, encryption: 'nip44_v2' })
      expect(read.value.expiresAt).toBe(event.created_at + 20)
    }
  })

  test('requests wait until the subscription is live', async () => {
    const late = handClock()
    const other = memoryHub({ clock: late })
    other.down()
    const seen: string[] = []
    other.watch(event => seen.push(event.id))
    const wallet = join(conn, other.connect(), late)
    scripted(conn, other.connect(), late, request => request.reply(balance(7)))
    const asking = wallet.balance()
    await late.advance(1_000)
    expect(seen).toEqual([])
    other.up()
    expect(await until(late, asking)).toBe(7n)
    await wallet.close()
  })

  test('more than 1,000 waiting requests are refused at once, and nothing of them left', async () => {
    const waiting = Array.from({ length: 1_000 }, () => client.balance().catch((error: unknown) => error))
    await expect(client.balance()).rejects.toMatchObject({ code: 'BUSY' })
    await client.close()
    for (const end of await Promise.all(waiting)) expect(end).toMatchObject({ name: 'PaymentError' })
  })
})

describe('cipher', () => {
  const sealedWith = async (): Promise<string> => {
    answer = request => request.reply(balance(7))
    await wait(client.balance())
    return asked.at(-1)?.event.content.includes('?iv=') ? 'nip04' : 'nip44'
  }

  test('NIP-44 without an announcement, and where both are offered', async () => {
    expect(await sealedWith()).toBe('nip44')
    await announce(['nip04', 'nip44_v2'], seconds(clock))
    await clock.advance(10)
    expect(await sealedWith()).toBe('nip44')
  })

  test('NIP-04 where the newest announcement offers nothing else', async () => {
    await announce(['nip04'], seconds(clock))
    await clock.advance(10)
    expect(await sealedWith()).toBe('nip04')
  })

  test('an old announcement, or a stranger’s, does not talk the client down', async () => {
    await announce(['nip44_v2'], seconds(clock))
    await clock.advance(10)
    await announce(['nip04'], seconds(clock) - 1_000)
    await announce(['nip04'], seconds(clock) + 10, keys.newSecret())
    await clock.advance(10)
    expect(await sealedWith()).toBe('nip44')
  })
})

describe('notifications', () => {
  const shop = simNet({ clock: handClock(), seed: 'bill' }).wallet({ alias: 'x', msats: 0n })
  const preimage = toHex(new Uint8Array(32).fill(9))
  const hash = sha256Hex(new Uint8Array(32).fill(9))
  const row = (more: object = {}) => ({
    ...rowFields({
      ...{ type: 'incoming', state: 'settled', hash, bolt11: '', msats: 5_000n, feeMsats: 0n, preimage },
      ...{ createdAt: 1, expiresAt: 2, settledAt: 3 },
    }),
    ...more,
  })
  const note = (body: { notification_type: string; notification: object }, secret = conn.walletSecret) => {
    const value = { client: conn.clientPubkey, body: { ...body, notification: { ...body.notification } } }
    const encrypt = (text: string) => seal(secret).encrypt(conn.clientPubkey, text)
    return hub.connect().publish(keys.sign(walletNotification.write(value, seconds(clock), encrypt), secret))
  }
  const watched = () => {
    const settled: unknown[] = []
    client.watch(hash, state => settled.push(state))
    return settled
  }

  test('a true one settles a watch without asking, once', async () => {
    const settled = watched()
    await note({ notification_type: 'payment_received', notification: row() })
    await note({ notification_type: 'payment_received', notification: row() })
    await clock.advance(100)
    expect(settled).toEqual([{ state: 'settled', msats: 5_000n, preimage, at: 3 }])
    expect(asked).toEqual([])
    await shop.close()
  })

  test.each([
    ['a stranger’s', { notification_type: 'payment_received', notification: row() }, keys.newSecret()],
    [
      'one of a payment sent',
      { notification_type: 'payment_sent', notification: row({ type: 'outgoing' }) },
      undefined,
    ],
    [
      'one with the wrong direction',
      { notification_type: 'payment_received', notification: row({ type: 'outgoing' }) },
      undefined,
    ],
    ['a held one', { notification_type: 'hold_invoice_accepted', notification: row({ state: 'accepted' }) }, undefined],
    [
      'one of another hash',
      { notification_type: 'payment_received', notification: row({ payment_hash: 'aa' }) },
      undefined,
    ],
    ['an empty one', { notification_type: 'payment_received', notification: {} }, undefined],
  ])('%s settles nothing', async (_, body, secret) => {
    const settled = watched()
    await note(body, secret)
    await clock.advance(100)
    expect(settled).toEqual([])
  })

  test('one without a true preimage makes the client ask', async () => {
    const settled = watched()
    answer = request =>
      request.reply({ result_type: 'lookup_invoice', error: null, result: row({ preimage: 'pid-1' }) })
    await note({ notification_type: 'payment_received', notification: row({ preimage: 'pid-1' }) })
    await clock.advance(100)
    expect(asked.map(({ method }) => method)).toEqual(['lookup_invoice'])
    expect(settled).toEqual([{ state: 'settled', msats: 5_000n, preimage: '', at: 3 }])
  })
})

test('no secret in anything that is shown', async () => {
  answer = request => request.reply({ result_type: 'get_balance', error: { code: 'UNAUTHORIZED', message: 'no' } })
  const error = await wait(client.balance()).catch((failed: unknown) => failed)
  const secret = toHex(conn.uri.secret)
  for (const shown of [
    inspect(error, { depth: 9 }),
    JSON.stringify(error),
    inspect(client, { depth: 9 }),
    JSON.stringify(client),
  ])
    expect(shown).not.toContain(secret)
  expect(writeNwcUri(conn.uri)).toContain(secret)
})
