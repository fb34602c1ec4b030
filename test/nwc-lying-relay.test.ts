/** Relays that ignore filters, keep old events and pass on what nobody signed: a client must not need honest ones. */
import { beforeEach, describe, expect, test } from 'vitest'
import { type Event, walletInfo, walletNotification, walletRequest, walletResponse } from '../kinds/index.ts'
import { type HandClock, handClock, seconds } from '../src/clock.ts'
import { sha256Hex, toHex } from '../src/payments/hash.ts'
import { resultBody, rowFields } from '../src/payments/nwc/body.ts'
import type { NwcWallet } from '../src/payments/nwc.ts'
import { type Wire, wire } from './nwc-wire.ts'
import { type Connection, connection, join, keys, seal, until } from './nwc-world.ts'

const stranger = keys.newSecret()
const broken = '00'.repeat(64)
let clock: HandClock
let line: Wire
let conn: Connection
let client: NwcWallet

beforeEach(() => {
  clock = handClock()
  line = wire()
  conn = connection(['ws://wire'])
  client = join(conn, line.relays, clock)
})

const toClient = (text: string) => seal(conn.walletSecret).encrypt(conn.clientPubkey, text)
const reply = (request: string, msats: number, by = conn.walletSecret, to = conn.clientPubkey): Event => {
  const body = resultBody('get_balance', { balance: msats })
  return keys.sign(walletResponse.write({ client: to, request, body }, seconds(clock), toClient), by)
}
const announcement = (encryption: ('nip44_v2' | 'nip04')[], at: number, by = conn.walletSecret): Event =>
  keys.sign(walletInfo.write({ methods: ['pay_invoice'], encryption, notifications: [] }, at), by)

/** Asks for the balance and gives the request to `answer`. */
async function asked(answer: (request: Event) => void): Promise<bigint | string> {
  const asking = client.balance().catch((error: { code: string }) => error.code)
  await clock.advance(10)
  const request = line.published.at(-1)
  if (request?.kind !== walletRequest.number) throw new Error('nothing was asked')
  answer(request)
  return until(clock, asking)
}

describe('replies', () => {
  test('the true one counts', async () => {
    expect(await asked(({ id }) => line.deliver(reply(id, 5)))).toBe(5n)
  })

  test.each<[string, (id: string) => Event]>([
    ['the wallet’s words, signed by a stranger', id => reply(id, 5, stranger)],
    ['the wallet’s key, a broken signature', id => ({ ...reply(id, 5), sig: broken })],
    ['the wallet’s signature, another id in the event', id => ({ ...reply(id, 5), created_at: 1 })],
    ['addressed to another client', id => reply(id, 5, conn.walletSecret, keys.publicKey(stranger))],
    ['of another kind', id => ({ ...reply(id, 5), kind: walletInfo.number })],
  ])('%s: dropped', async (_, make) => {
    expect(await asked(({ id }) => line.deliver(make(id)))).toBe('TIMEOUT')
    expect(client.dropped).toBe(1)
  })
})

describe('announcements', () => {
  const cipher = async () => {
    await asked(({ id }) => line.deliver(reply(id, 5)))
    return line.published.at(-1)?.content.includes('?iv=') ? 'nip04' : 'nip44'
  }
  test.each<[string, () => Event, string]>([
    ['newer, of NIP-04 alone', () => announcement(['nip04'], seconds(clock) + 1), 'nip04'],
    ['older', () => announcement(['nip04'], seconds(clock) - 1), 'nip44'],
    ['newer, of a stranger', () => announcement(['nip04'], seconds(clock) + 1, stranger), 'nip44'],
    ['newer, unsigned', () => ({ ...announcement(['nip04'], seconds(clock) + 1), sig: broken }), 'nip44'],
    ['newer, of a cipher that nobody knows', () => ({ ...announcement([], seconds(clock) + 1) }), 'nip44'],
  ])('%s', async (_, make, expected) => {
    line.deliver(announcement(['nip44_v2', 'nip04'], seconds(clock)))
    line.deliver(make())
    expect(await cipher()).toBe(expected)
  })

  test('of one second: the lower id counts, whatever the order', async () => {
    const both = [announcement(['nip04'], seconds(clock)), announcement(['nip44_v2'], seconds(clock))]
    const lower = (both[0]?.id ?? '') < (both[1]?.id ?? '') ? 'nip04' : 'nip44'
    for (const event of both) line.deliver(event)
    expect(await cipher()).toBe(lower)
    client = join(conn, line.relays, clock)
    for (const event of both.reverse()) line.deliver(event)
    expect(await cipher()).toBe(lower)
  })
})

test('notifications: the true one settles, an unsigned, a stranger’s or one for another does not', async () => {
  const preimage = new Uint8Array(32).fill(3)
  const row = rowFields({
    ...{ type: 'incoming', state: 'settled', hash: sha256Hex(preimage), preimage: toHex(preimage), bolt11: '' },
    ...{ msats: 5n, feeMsats: 0n, createdAt: 1, expiresAt: 2, settledAt: 3 },
  })
  const note = (by = conn.walletSecret, to = conn.clientPubkey) => {
    const value = { client: to, body: { notification_type: 'payment_received', notification: row } }
    return keys.sign(walletNotification.write(value, seconds(clock), toClient), by)
  }
  const settled: unknown[] = []
  client.watch(sha256Hex(preimage), state => settled.push(state))
  for (const lie of [{ ...note(), sig: broken }, note(stranger), note(conn.walletSecret, keys.publicKey(stranger))])
    line.deliver(lie)
  await clock.advance(10)
  expect(settled).toEqual([])
  expect(client.dropped).toBe(3)
  line.deliver(note())
  await clock.advance(10)
  expect(settled).toHaveLength(1)
})

test('a relay that refuses the request: told at once, and a payment stays unknown', async () => {
  line.verdict = () => ({ accepted: 0, enough: false, acks: [{ relay: 'ws://wire', ok: false, says: 'blocked: no' }] })
  await expect(client.balance()).rejects.toThrow(/no relay took the request \(blocked: no\)/)
})
