import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { handClock, seconds } from '../src/clock.ts'
import { type Chain, openChain } from '../src/payments/ldk/chain.ts'
import { openHistory } from '../src/payments/ldk/history.ts'
import { fundingTransaction, readTransaction } from '../src/payments/ldk/transaction.ts'
import { ldkNet } from '../src/payments/ldk.ts'
import type { Transaction } from '../src/payments/payment.ts'

const RUNS = { numRuns: 1_000 }
const bytes = (minLength: number, maxLength = minLength) => fc.uint8Array({ minLength, maxLength })
const hash256 = (data: Uint8Array) =>
  createHash('sha256').update(createHash('sha256').update(data).digest()).digest('hex')
/** Bitcoin's compact size, written here once more and in another way than in the code under test. */
const sized = (data: Uint8Array) =>
  Buffer.concat([
    data.length < 0xfd ? Buffer.of(data.length) : Buffer.of(0xfd, data.length & 255, data.length >> 8),
    data,
  ])

describe('transactions', () => {
  const input = fc.record({ coin: bytes(36), script: bytes(0, 600), sequence: bytes(4), witness: bytes(1, 300) })
  const output = fc.record({ value: bytes(8), script: bytes(0, 300) })
  const shape = fc.record({
    inputs: fc.array(input, { minLength: 1, maxLength: 5 }),
    outputs: fc.array(output, { minLength: 1, maxLength: 5 }),
    lockTime: bytes(4),
  })

  test('id and spent coins are those of the serialisation without witness (BIP 144)', () =>
    fc.assert(
      fc.property(shape, fc.boolean(), ({ inputs, outputs, lockTime }, segwit) => {
        const version = Buffer.of(2, 0, 0, 0)
        const body = Buffer.concat([
          Buffer.of(inputs.length),
          ...inputs.flatMap(({ coin, script, sequence }) => [coin, sized(script), sequence]),
          Buffer.of(outputs.length),
          ...outputs.flatMap(({ value, script }) => [value, sized(script)]),
        ])
        const witness = inputs.flatMap(one => [Buffer.of(1), sized(one.witness)])
        const bare = Buffer.concat([version, body, lockTime])
        const full = Buffer.concat([version, Buffer.of(0, 1), body, ...witness, lockTime])
        const read = readTransaction(segwit ? full : bare)
        expect(read.id).toBe(hash256(bare))
        expect(read.spends).toEqual(inputs.map(({ coin }) => Buffer.from(coin).toString('hex')))
      }),
      RUNS,
    ))

  test('LDK calls a funding transaction of ours by the id that we read', async () => {
    const net = await ldkNet({ clock: handClock() })
    const [a, b] = [net.node('a'), net.node('b')]
    const seen: string[] = []
    net.chain.follow({
      confirmed: (_header, _height, all) => seen.push(...all.map(one => readTransaction(one.bytes).id)),
      tip() {},
    })
    net.open(a, b, { sats: 100_000n })
    const funding = a.channelManager.list_channels().map(one => one.get_funding_txo().get_txid())
    expect(funding.map(id => Buffer.from(id).toString('hex'))).toEqual(seen)
    expect(seen).toHaveLength(1)
    net.close()
  })

  test('a script too long for the writer is an error, not a broken transaction', () => {
    expect(() => fundingTransaction(new Uint8Array(253), 1n, new Uint8Array(36))).toThrow(RangeError)
  })
})

describe('the chain', () => {
  let nonce = 0
  const random = (length: number) => Uint8Array.from({ length }, () => nonce++ & 255)
  const watched = (chain: Chain) => {
    const tips: { header: Buffer; height: number }[] = []
    const ids: string[] = []
    chain.follow({
      confirmed: (_header, _height, all) => ids.push(...all.map(one => readTransaction(one.bytes).id)),
      tip: (header, height) => tips.push({ header: Buffer.from(header), height }),
    })
    return { tips, ids }
  }
  const timeOf = (header: Buffer | undefined) => header?.readUInt32LE(68)

  test('every block names its parent and no block is older than its parent', async () => {
    const clock = handClock()
    const chain = openChain({ clock, random })
    const { tips } = watched(chain)
    for (let i = 0; i < 5; i++) {
      chain.mine(2)
      await clock.advance(700)
    }
    expect(tips.map(({ height }) => height)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
    for (const [i, { header }] of tips.entries()) {
      if (i === 0) continue
      const parent = tips[i - 1]?.header ?? Buffer.alloc(80)
      expect(header.toString('hex', 4, 36)).toBe(hash256(parent))
      expect(timeOf(header)).toBeGreaterThanOrEqual(timeOf(parent) ?? 0)
    }
    expect(Buffer.from(chain.tipHash).toString('hex')).toBe(hash256(tips.at(-1)?.header ?? Buffer.alloc(0)))
  })

  test('a stamp renews an empty tip in place, and never one that holds a transaction', async () => {
    const clock = handClock()
    const chain = openChain({ clock, random })
    const { tips, ids } = watched(chain)
    chain.mine(2)
    chain.stamp()
    expect(tips).toHaveLength(2)
    await clock.advance(5_000)
    chain.stamp()
    expect(tips.at(-1)?.height).toBe(2)
    expect(timeOf(tips.at(-1)?.header)).toBe(seconds(clock))
    expect(tips.at(-1)?.header.toString('hex', 4, 36)).toBe(tips[1]?.header.toString('hex', 4, 36))
    chain.broadcast(fundingTransaction(Uint8Array.of(1), 1n, random(36)))
    chain.mine()
    await clock.advance(5_000)
    chain.stamp()
    expect(chain.height).toBe(4)
    expect(ids).toHaveLength(1)
  })

  test('a coin is spent once, and a transaction is mined once', () => {
    const chain = openChain({ clock: handClock(), random })
    const { ids } = watched(chain)
    const coin = random(36)
    const first = fundingTransaction(Uint8Array.of(1), 1n, coin)
    chain.broadcast(first)
    chain.broadcast(fundingTransaction(Uint8Array.of(1), 2n, coin))
    chain.mine()
    chain.broadcast(first)
    chain.broadcast(fundingTransaction(Uint8Array.of(1), 3n, coin))
    chain.mine()
    expect(ids).toEqual([readTransaction(first).id])
  })
})

describe('the history', () => {
  const row = (hash: string, patch: Partial<Transaction> = {}): Transaction => ({
    ...{ type: 'incoming', state: 'pending', hash, bolt11: '', msats: 1n, feeMsats: 0n, createdAt: 0, expiresAt: 100 },
    ...patch,
  })
  const step = fc.record({
    hash: fc.nat({ max: 12 }).map(String),
    type: fc.constantFrom('incoming' as const, 'outgoing' as const),
    state: fc.constantFrom('pending' as const, 'settled' as const, 'failed' as const),
  })

  test('never holds more than its bound, never forgets an open row, and keeps the newest first', () =>
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), steps => {
        const model: Transaction[] = []
        const history = openHistory({
          bound: 6,
          now: () => 50,
          changed(row, gone) {
            if (!gone) return
            expect(row.state).not.toBe('pending')
            model.splice(
              model.findIndex(one => one.type === row.type && one.hash === row.hash),
              1,
            )
          },
        })
        for (const { hash, type, state } of steps) {
          const next = row(hash, { type, state })
          const old = model.findIndex(one => one.type === type && one.hash === hash)
          if (old >= 0) model.splice(old, 1)
          if (model.length >= 6 && model.every(one => one.state === 'pending'))
            expect(() => history.add(next)).toThrow(/open/)
          else {
            history.add(next)
            model.push(next)
          }
          expect(history.list({ unpaid: true, limit: 100 })).toEqual([...model].reverse())
          expect(model.length).toBeLessThanOrEqual(6)
        }
        expect(history.list({ limit: 100 }).every(one => one.state === 'settled')).toBe(true)
      }),
      RUNS,
    ))

  test('only an open bill expires, at the second after its last', () => {
    let now = 100
    const history = openHistory({ bound: 10, now: () => now })
    history.add(row('bill'))
    history.add(row('payment', { type: 'outgoing' }))
    expect(history.get('incoming', 'bill')?.state).toBe('pending')
    now = 101
    expect(history.get('incoming', 'bill')?.state).toBe('expired')
    expect(history.get('outgoing', 'payment')?.state).toBe('pending')
    expect(history.change('incoming', 'bill', { state: 'settled' })?.state).toBe('settled')
    expect(history.change('incoming', 'nothing', { state: 'settled' })).toBeUndefined()
  })
})
