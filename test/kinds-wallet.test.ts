import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { handler, walletNotification, walletRequest, walletResponse, zapReceipt, zapRequest } from '../kinds/index.ts'
import type { Event } from '../kinds/kind.ts'
import { author, eventOf } from './suites/kinds.ts'

const file = (name: string) => readFileSync(new URL(`vectors/${name}`, import.meta.url), 'utf8')
const rows = <T>(name: string): T[] =>
  file(name)
    .trim()
    .split('\n')
    .map(line => JSON.parse(line) as T)

describe('bodies that Alby Hub and the JS SDK exchange', () => {
  const bodies = rows<{ test: string; json: Record<string, unknown> }>('nwc-alby-interop.jsonl')
  const tags = [
    ['p', author],
    ['e', author],
  ]
  const quiet = (text: string) =>
    JSON.parse(text.replace(/"state":"([A-Z]+)"/g, (_, state: string) => `"state":"${state.toLowerCase()}"`)) as unknown

  test('are 45', () => expect(bodies.length).toBe(45))

  test.each(bodies)('$test is read', ({ json }) => {
    const opened = JSON.stringify(json)
    const kind = 'method' in json ? walletRequest : 'notification' in json ? walletNotification : walletResponse
    const read = kind.read(eventOf(kind.number, { tags, content: 'ciphertext' }), opened)
    if (!read.ok) throw new Error(read.says)
    const filled = kind === walletResponse ? { error: null, result: null, ...(quiet(opened) as object) } : quiet(opened)
    expect(read.value.body).toEqual(filled)
  })
})

describe('zap receipts', () => {
  const receipts = rows<{ event: Event }>('zap-receipts-real.jsonl').map(row => row.event)

  test('of two real zappers are read with their request, byte for byte', () => {
    expect(receipts.length).toBe(2)
    for (const event of receipts) {
      const read = zapReceipt.read(event)
      if (!read.ok) throw new Error(read.says)
      const tag = (name: string) => event.tags.find(item => item[0] === name)?.[1]
      expect(read.value).toMatchObject({
        recipient: tag('p'),
        event: tag('e'),
        bolt11: tag('bolt11'),
        description: tag('description'),
      })
      expect(read.value.preimage).toBe(tag('preimage'))
      expect(read.value.sender).toBe(tag('P'))
      expect(read.value.zapRequest).toEqual(JSON.parse(tag('description') ?? ''))
      const asked = zapRequest.read(read.value.zapRequest)
      expect(asked).toMatchObject({ ok: true, value: { recipient: read.value.recipient, event: read.value.event } })
    }
  })

  test('keep the amount that was asked for, where it was', () => {
    const amounts = receipts.map(event => {
      const read = zapReceipt.read(event)
      const asked = read.ok ? zapRequest.read(read.value.zapRequest) : read
      return asked.ok ? asked.value.msats : 'refused'
    })
    expect(amounts).toEqual([21_000n, undefined])
  })
})

test('a real announcement in the old spelling is read', () => {
  const { event } = JSON.parse(file('dvm-31990-real.json')) as { event: Event }
  expect(handler.read(event)).toEqual({
    ok: true,
    value: {
      id: '87416eba5e31cfd6',
      kinds: [5100],
      topics: [],
      name: 'Flat Style',
      about: 'I make images in flat style',
      picture: 'https://image.nostr.build/f3f65b32506bc18e5745d67f0d36f7d9bec7fd287797c371e415a3df0c0896a2.jpg',
      encrypted: true,
      models: [],
      nodeKeys: [],
      zappers: [],
      custodial: false,
      relays: [],
      v: 0,
    },
  })
})

test('an announcement tells its price in both units and both spellings', () => {
  const base = {
    id: 'a',
    kinds: [5050],
    topics: [],
    name: 'n',
    about: '',
    encrypted: true,
    models: [],
    nodeKeys: [],
    zappers: [],
    custodial: false,
    relays: [],
    v: 1,
  }
  const said = (priceMsats?: bigint) =>
    JSON.parse(handler.write(priceMsats === undefined ? base : { ...base, priceMsats }, 1).content) as Record<
      string,
      unknown
    >
  expect(said()).toMatchObject({
    amount: 'flexible',
    supportsEncryption: true,
    encryptionSupported: true,
    acceptsNutZaps: false,
  })
  expect(said(0n)['amount']).toBe('free')
  expect(said(21_000n)['amount']).toBe('21')
  expect(said(20_001n)).toMatchObject({ amount: '21', manifest: { price_msats: '20001' } })
})

test('any error that is not null is an error, whatever its shape, and hides the result beside it', () => {
  const key = 'a'.repeat(64)
  const event = {
    ...{ id: key, pubkey: key, created_at: 1, content: 'x', sig: key + key },
    kind: walletResponse.number,
  }
  const tags = [
    ['p', key],
    ['e', key],
  ]
  for (const error of ['no', false, 0, [], { code: 7 }]) {
    const body = { result_type: 'pay_invoice', error, result: { preimage: key } }
    const read = walletResponse.read({ ...event, tags }, JSON.stringify(body))
    expect(read.ok && read.value.body.error?.code).toBe('OTHER')
    expect(read.ok && read.value.body.result).toBeNull()
  }
})
