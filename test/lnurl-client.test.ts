/** Who has only a Lightning address is paid through it, where the caller allows HTTP, and by the same guard as everybody. */
import { describe, expect, test } from 'vitest'
import {
  type Announcement,
  type Event,
  feedback,
  handler,
  parseEvent,
  profile,
  textRequest,
  textResult,
  zapRequest,
} from '../kinds/index.ts'
import type { ClientOptions, Question } from '../src/client/client.ts'
import { openClient } from '../src/client/client.ts'
import { handClock, seconds, wallClock } from '../src/clock.ts'
import { memoryJournal } from '../src/journal/memory.ts'
import { sha256Hex } from '../src/payments/hash.ts'
import { type SimWallet, simNet } from '../src/payments/sim.ts'
import { json, metadata, payRequest, type Service, service, wellKnown } from './lnurl-world.ts'
import { keeps } from './promises.ts'
import { funds, openSplitTown, passTime } from './splits-town.ts'
import { memoryWorld } from './worlds.ts'

const price = 3_000n

interface Shop {
  /** What the payment service says instead. */
  readonly pay?: Record<string, unknown>
  /** The invoice that it makes, in place of an honest one. */
  readonly invoice?: (wallet: SimWallet, msats: bigint, commitment: string) => Promise<string>
  /** Bills with the result, after the work. */
  readonly after?: boolean
  /** The address is in the profile only. */
  readonly inProfile?: boolean
  /** A Lightning node that it announces beside the address. */
  readonly nodeKey?: string
}

/** A node that knows nothing but NIP-90 and its Lightning address, its payment service, and a client. */
async function shop({ pay = {}, invoice, after = false, inProfile = false, nodeKey }: Shop = {}) {
  const clock = wallClock()
  const world = await memoryWorld(clock)
  const { keys } = world
  const net = simNet({ clock, pollMs: 20 })
  const wallet = net.wallet({ alias: 'shop', msats: 0n })
  const payer = net.wallet({ alias: 'client', msats: funds })
  const journal = memoryJournal()
  const secret = keys.newSecret()
  const node = keys.publicKey(secret)
  const relays = world.connect(secret)
  const say = async (template: Parameters<typeof keys.sign>[0]): Promise<Event> => {
    const event = keys.sign(template, secret)
    await relays.publish(event)
    return event
  }
  const zaps: Event[] = []
  let made = 0
  const host: Service = await service(origin => ({
    [wellKnown]: json(payRequest(`${origin}/cb`, pay)),
    '/cb': (url, answer, request) => {
      const zap = url.searchParams.get('nostr')
      const event = zap === null ? undefined : parseEvent(zap)
      if (event) zaps.push(event)
      const msats = BigInt(url.searchParams.get('amount') ?? 0)
      const commitment = sha256Hex(zap ?? metadata)
      const honest = () => wallet.bill({ key: `${made++}`, msats, expirySeconds: 600, descriptionHash: commitment })
      const bolt11 = invoice ? invoice(wallet, msats, commitment) : honest().then(bill => bill.bolt11)
      void bolt11.then(pr => json({ pr, routes: [] })(url, answer, request))
    },
  }))
  const announcement: Announcement = {
    ...{ id: 'x', kinds: [5050], topics: [], name: 'shop', about: '', encrypted: false, models: [], nodeKeys: [] },
    ...{ zappers: [], custodial: false, relays: [], v: 0, priceMsats: price },
    ...(inProfile ? {} : { lud16: host.address }),
    ...(nodeKey ? { nodeKeys: [nodeKey] } : {}),
  }
  await say(handler.write(announcement, seconds(clock)))
  if (inProfile) await say(profile.write({ name: 'shop', lud16: host.address }, seconds(clock)))
  const bills: Event[] = []
  await relays.listen([{ kinds: [textRequest.number], '#p': [node] }], {
    async onEvent({ id: job, pubkey: customer }) {
      const done = () =>
        textResult.write({ job, customer, text: 'an answer', ...(after ? { msats: price } : {}) }, seconds(clock))
      if (after) return void bills.push(await say(done()))
      const asked = { job, customer, status: 'payment-required' as const, says: '', content: '', msats: price }
      bills.push(await say(feedback.write(asked, seconds(clock))))
      wallet.onSettled(() => void say(done()))
      return undefined
    },
  }).live
  const clientSecret = keys.newSecret()
  const client = (options: Partial<ClientOptions> = {}) =>
    openClient({
      ...{ relays: world.connect(), keys, secret: clientSecret, clock, payer, journal, network: 'regtest' },
      ...{ lnurl: { loopback: true } },
      ...options,
    })
  const plain = ({ lnurl: _, ...options }: ClientOptions): ClientOptions => options
  return {
    ...{ host, node, zaps, bills, journal, payer, wallet, client },
    ask: (more: Partial<Question> = {}, options: Partial<ClientOptions> = {}) =>
      client(options).ask({ text: 'why?', privacy: 0, node: { pubkey: node, announcement }, capMsats: price, ...more }),
    askWithoutHttp: () =>
      openClient(
        plain({ relays: world.connect(), keys, secret: clientSecret, clock, payer, journal, network: 'regtest' }),
      ).ask({ text: 'why?', privacy: 0, node: { pubkey: node, announcement }, capMsats: price }),
    async close() {
      expect(net.conserved()).toBe(true)
      await wallet.close()
      await payer.close()
      await world.close()
      await host.close()
    },
  }
}

describe('a node that has only a Lightning address', () => {
  const within = async (options: Shop, body: (it: Awaited<ReturnType<typeof shop>>) => Promise<void>) => {
    const it = await shop(options)
    try {
      await body(it)
    } finally {
      await it.close()
    }
  }

  test('is paid with a zap of its bill, to which the invoice commits', () =>
    within({}, async ({ ask, zaps, bills, node, payer, journal }) => {
      expect(await ask()).toMatchObject({ ok: true, text: 'an answer', msats: price })
      expect(await payer.balance()).toBe(funds - price)
      expect(zaps.map(zap => zapRequest.read(zap))).toMatchObject([
        { ok: true, value: { recipient: node, event: bills[0]?.id, msats: price } },
      ])
      expect(journal.orders.list()).toMatchObject([{ purpose: 'job', state: 'paid', peer: node, msats: price }])
    }))

  test('is paid by what its service says of itself, where that takes no zaps', () =>
    within({ pay: { allowsNostr: false } }, async ({ ask, zaps, wallet }) => {
      expect(await ask()).toMatchObject({ ok: true, msats: price })
      expect(zaps).toEqual([])
      expect(await wallet.balance()).toBe(price)
    }))

  test('may have it in its profile', () =>
    within({ inProfile: true }, async ({ ask }) => {
      expect(await ask()).toMatchObject({ ok: true, text: 'an answer', msats: price })
    }))

  test('may be paid by a custodian of another name', () =>
    within({ nodeKey: `02${'ab'.repeat(32)}` }, async ({ ask, wallet }) => {
      expect(await ask()).toMatchObject({ ok: true, msats: price })
      expect(await wallet.balance()).toBe(price)
    }))

  test('may ask for its money with the answer', () =>
    within({ after: true }, async ({ ask, zaps, bills, wallet }) => {
      expect(await ask()).toMatchObject({ ok: true, text: 'an answer', msats: price })
      expect(zaps.map(zap => zapRequest.read(zap))).toMatchObject([{ ok: true, value: { event: bills[0]?.id } }])
      expect(await wallet.balance()).toBe(price)
    }))

  test('is asked over HTTP only where the caller allows it', () =>
    within({}, async ({ askWithoutHttp, host, payer }) => {
      const outcome = await askWithoutHttp()
      expect(outcome).toMatchObject({ ok: false, code: 'no-invoice', msats: 0n })
      expect(outcome.says).toContain('--lnurl')
      expect(host.asked).toEqual([])
      expect(await payer.balance()).toBe(funds)
    }))

  keeps('pay.cap', 'the payment service of a bill over the cap is not even asked', () =>
    within({}, async ({ ask, host, payer }) => {
      expect(await ask({ capMsats: price - 1n })).toMatchObject({ ok: false, code: 'over-cap', msats: 0n })
      expect(host.asked).toEqual([])
      expect(await payer.balance()).toBe(funds)
    }),
  )

  keeps('pay.exact', 'a service that bills for something else is not paid', async () => {
    const bill = (msats: bigint, descriptionHash: string) => ({ key: 'k', msats, expirySeconds: 600, descriptionHash })
    const lies: readonly [string, NonNullable<Shop['invoice']>][] = [
      ['lnurl-amount-mismatch', async (wallet, msats, hash) => (await wallet.bill(bill(msats + 1n, hash))).bolt11],
      ['lnurl-description-hash', async (wallet, msats) => (await wallet.bill(bill(msats, sha256Hex('x')))).bolt11],
      ['lnurl-bad-invoice', async () => 'lnbcrt1'],
    ]
    for (const [code, invoice] of lies)
      await within({ invoice }, async ({ ask, payer, journal }) => {
        expect(await ask()).toMatchObject({ ok: false, code, msats: 0n })
        expect(await payer.balance()).toBe(funds)
        expect(journal.orders.list()).toEqual([])
      })
  })

  keeps('pay.once', 'a client that dies after the order is written is succeeded by one that pays that invoice', () =>
    within({}, async ({ ask, client, journal, payer, host }) => {
      const { jobs } = journal
      const fact: typeof jobs.fact = (side, id, said, weight) => {
        if ((said as { fact?: string }).fact === 'cleared') throw new Error('this process is dead')
        jobs.fact(side, id, said, weight)
      }
      await expect(ask({}, { journal: { ...journal, jobs: { ...jobs, fact } } })).rejects.toThrow('dead')
      const [planned] = journal.orders.list()
      expect(planned).toMatchObject({ state: 'planned' })
      const asked = host.asked.length
      const [resumed] = client().resume()
      expect(await resumed?.outcome).toMatchObject({ ok: true, msats: price })
      expect(journal.orders.list()).toMatchObject([{ hash: planned?.hash, state: 'paid' }])
      expect(host.asked).toHaveLength(asked)
      expect(await payer.balance()).toBe(funds - price)
    }),
  )
})

keeps('pay.splits', 'who shares and has only a Lightning address gets its share through it', async () => {
  const clock = handClock()
  const world = await memoryWorld(clock)
  const { keys } = world
  const secret = keys.newSecret()
  const receiver = keys.publicKey(secret)
  const address = { name: 'r', lud16: 'r@wallet.example.com' }
  await world.connect().publish(keys.sign(profile.write(address, seconds(clock)), secret))
  const town = await openSplitTown(world, { weights: [1], strangers: [receiver] })
  const wallet = town.net.wallet({ alias: 'receiver', msats: 0n })
  const get = async (url: URL) => {
    const msats = BigInt(url.searchParams.get('amount') ?? 0)
    const callback = payRequest('https://wallet.example.com/cb')
    if (msats === 0n) return { status: 200, text: JSON.stringify(callback) }
    const descriptionHash = sha256Hex(url.searchParams.get('nostr') ?? '')
    const { bolt11 } = await wallet.bill({ key: 'k', msats, expirySeconds: 600, descriptionHash })
    return { status: 200, text: JSON.stringify({ pr: bolt11 }) }
  }
  const outcome = await passTime(clock, town.ask({}, { lnurl: { get } }))
  expect(outcome).toMatchObject({ ok: true, splits: [{ pubkey: receiver, state: 'paid' }] })
  expect(await wallet.balance()).toBe(outcome.splits?.[0]?.msats)
  expect((await town.gains()).at(-1)).toBe(-outcome.msats)
  await wallet.close()
  await town.close()
})
