import fc from 'fast-check'
import { nip44 } from 'nostr-tools'
import { describe, expect, test } from 'vitest'
import {
  about,
  addressedTo,
  addressees,
  authTemplate,
  committedPow,
  expirationOf,
  feedback,
  isSealed,
  jobIdOf,
  kindClass,
  messagesInput,
  messagesOf,
  offering,
  referencesOf,
  relaysOf,
  relayUrl,
  resultKind,
  schemeOf,
  sealContent,
  sealTags,
  type TextRequest,
  textInput,
  textRequest,
  textResult,
} from '../kinds/index.ts'
import { author, eventOf } from './suites/kinds.ts'

const other = '4f355bdcb7cc0af728ef3cceb9615d90684bb5b2ca5f859ab0f0b704075871aa'
const ask = (parts: Partial<TextRequest>): TextRequest => ({
  inputs: [textInput('secret words')],
  relays: ['wss://relay.example'],
  providers: [other],
  stream: false,
  receipt: false,
  ...parts,
})
const flip = (text: string) => [...text].reverse().join('')

describe('sealing', () => {
  test('a request shows who, where and until when, and nothing else', () => {
    const value = ask({
      model: 'nano',
      bidMsats: 5n,
      expiresAt: 1_800_000_600,
      stream: true,
      receipt: true,
      alt: 'secret too',
    })
    const sealed = sealTags(textRequest.write(value, 1), flip)
    expect(sealed.tags).toEqual([
      ['relays', 'wss://relay.example'],
      ['p', other],
      ['expiration', '1800000600'],
      ['encrypted'],
    ])
    expect(JSON.stringify(sealed)).not.toContain('secret')
    expect(isSealed(sealed)).toBe(true)
    expect(textRequest.read(eventOf(5050, sealed), flip(sealed.content))).toEqual({ ok: true, value })
    expect(textRequest.write(value, 1, flip)).toEqual(sealed)
  })

  test('feedback hides its bill', () => {
    const value = {
      job: other,
      customer: author,
      status: 'payment-required',
      says: 'Pay me',
      content: '',
      msats: 9n,
      bolt11: 'lnbcrt90p1qqqqqqqqqq',
    } as const
    const sealed = feedback.write(value, 1, flip)
    expect(sealed.tags).toEqual([['e', other], ['p', author], ['encrypted']])
    expect(feedback.read(eventOf(7000, sealed), flip(sealed.content))).toMatchObject({
      ok: true,
      value: { ...value, customer: author },
    })
  })

  test('a result hides its text and the digest of it', () => {
    const value = { job: other, customer: author, text: 'an answer', digest: other }
    const sealed = sealContent(textResult.write(value, 1), flip)
    expect(sealed.content).toBe('rewsna na')
    expect(sealed.tags).toEqual([['e', other], ['p', author], ['amount', '0'], ['encrypted']])
  })

  test('what is hidden never overrides who and which job', () => {
    const opened = JSON.stringify([
      ['status', 'success'],
      ['e', author],
      ['p', author],
      ['content', 'x'],
    ])
    const event = { ...eventOf(7000, { tags: [['encrypted'], ['e', other], ['p', other]], content: 'c' }) }
    expect(feedback.read(event, opened)).toMatchObject({ ok: true, value: { job: other, customer: other } })
    expect(feedback.read({ ...event, tags: [['encrypted']] }, opened)).toMatchObject({ ok: false, rule: '7000.e' })
  })

  test('a parameter said differently outside and inside refuses the job', () => {
    const event = eventOf(5050, { tags: [['p', other], ['bid', '1'], ['encrypted']], content: 'c' })
    expect(textRequest.read(event, '[["i","x","text"],["bid","999"]]')).toMatchObject({ ok: false, rule: '5050.bid' })
    expect(textRequest.read(event, '[["i","x","text"],["bid","1"]]')).toMatchObject({
      ok: true,
      value: { bidMsats: 1n },
    })
  })

  test('opened content has limits', () => {
    const event = eventOf(5050, { tags: [['p', other], ['encrypted']], content: 'c' })
    const tags = (count: number) => JSON.stringify(Array.from({ length: count }, () => ['i', 'x', 'text']))
    expect(textRequest.read(event, tags(64)).ok).toBe(true)
    expect(textRequest.read(event, tags(201))).toMatchObject({ ok: false, rule: '5050.opened' })
    expect(textRequest.read(event, 'x'.repeat(65_537))).toMatchObject({ ok: false, rule: '5050.opened' })
    expect(textRequest.read(event, '['.repeat(30_000) + ']'.repeat(30_000))).toMatchObject({
      ok: false,
      rule: '5050.opened',
    })
  })

  test('ciphers are told by their shape', () => {
    fc.assert(
      fc.property(
        fc.string({ minLength: 1, maxLength: 300 }),
        fc.uint8Array({ minLength: 32, maxLength: 32 }),
        (text, key) => {
          expect(schemeOf(nip44.encrypt(text, key))).toBe('nip44')
          expect(schemeOf(text)).toBe('plain')
        },
      ),
      { numRuns: 1000 },
    )
    expect(schemeOf('igO5DqKFxst127yUEU1CfARp5upsuE7GqhAP7VKwXAo=?iv=KS/hw2BJZEgy6iGPHDFJbw==')).toBe('nip04')
    expect(schemeOf('')).toBe('plain')
  })
})

describe('long public words', () => {
  test('over 1,024 bytes are refused in a single-letter tag unless sealed', () => {
    const long = ask({ inputs: [textInput('é'.repeat(513))] })
    expect(() => textRequest.write(long, 1)).toThrow(/1024 bytes.*pass encrypt/)
    expect(textRequest.write(ask({ inputs: [textInput('é'.repeat(512))] }), 1).tags[0]?.[1]).toHaveLength(512)
    const sealed = textRequest.write(long, 1, flip)
    expect(textRequest.read(eventOf(5050, sealed), flip(sealed.content))).toEqual({ ok: true, value: long })
  })

  test('are free in tags of more letters', () => {
    const request = `{"id":"${other}","x":"${'x'.repeat(5_000)}"}`
    expect(textResult.write({ job: other, customer: author, text: '', request }, 1).tags).toContainEqual([
      'request',
      request,
    ])
  })
})

describe('the strict writer throws for', () => {
  const broken: [string, () => unknown][] = [
    [
      'a sealed job too long to be opened',
      () => textRequest.write(ask({ inputs: [textInput('x'.repeat(65_536))] }), 1, flip),
    ],
    ['a job without input', () => textRequest.write(ask({ inputs: [] }), 1)],
    ['a temperature out of range', () => textRequest.write(ask({ temperature: 3 }), 1)],
    ['a number that is none', () => textRequest.write(ask({ topP: Number.NaN }), 1)],
    ['a relay that is none', () => textRequest.write(ask({ relays: ['memory'] }), 1)],
    ['a negative bid', () => textRequest.write(ask({ bidMsats: -1n }), 1)],
    ['a provider that is no key', () => textRequest.write(ask({ providers: ['npub1'] }), 1)],
    ['a digest that is none', () => textResult.write({ job: other, customer: author, text: '', digest: 'abc' }, 1)],
    [
      'a bill without money',
      () => feedback.write({ job: other, status: 'payment-required', says: '', content: '' }, 1),
    ],
    ['an unknown status', () => feedback.write({ job: other, status: 'unknown', says: '', content: '' }, 1)],
    [
      'an invoice that is none',
      () => feedback.write({ job: other, status: 'partial', says: '', content: '', msats: 1n, bolt11: 'me@x.y' }, 1),
    ],
  ]
  test.each(broken)('%s', (_, write) => expect(write).toThrow(TypeError))
})

describe('conversations', () => {
  const turns = [
    { role: 'system', content: 'Be brief.' },
    { role: 'user', content: 'Hi' },
  ] as const

  test('travel as one marked input', () => {
    const template = textRequest.write(ask({ inputs: [messagesInput(turns)] }), 1)
    const read = textRequest.read(eventOf(5050, template))
    expect(read.ok && messagesOf(read.value)).toEqual({ ok: true, value: turns })
  })

  test('are made of texts where there is none, and need some text', () => {
    expect(messagesOf({ inputs: [textInput('a'), textInput('b')] })).toEqual({
      ok: true,
      value: [{ role: 'user', content: 'a\n\nb' }],
    })
    expect(messagesOf({ inputs: [textInput(' ')] })).toMatchObject({ ok: false, rule: '5050.text' })
    expect(messagesOf({ inputs: [{ data: 'https://a.example', type: 'url' }] })).toMatchObject({
      ok: false,
      rule: '5050.text',
    })
    expect(messagesOf({ inputs: [{ ...messagesInput(turns), data: '[]' }] })).toMatchObject({
      ok: false,
      rule: '5050.messages',
    })
    expect(messagesOf({ inputs: [messagesInput(Array.from({ length: 1_025 }, () => turns[1]))] })).toMatchObject({
      ok: false,
    })
  })
})

describe('the outside of events', () => {
  test('classes follow NIP-01', () => {
    const classes = [
      0, 1, 3, 5, 62, 777, 5_050, 9_735, 9_999, 10_002, 19_999, 20_000, 29_999, 30_000, 39_999, 46_000,
    ].map(kindClass)
    expect(classes.join(' ')).toBe(
      'replaceable regular replaceable regular regular regular regular regular regular replaceable replaceable ephemeral ephemeral addressable addressable regular',
    )
  })

  test('an answer to a relay names challenge and relay', () => {
    expect(authTemplate('abc', 'wss://relay.example', 7)).toEqual({
      kind: 22_242,
      created_at: 7,
      tags: [
        ['relay', 'wss://relay.example'],
        ['challenge', 'abc'],
      ],
      content: '',
    })
  })

  test('tags are told without opening', () => {
    const event = eventOf(7000, {
      tags: [
        ['e', 'x'],
        ['e', author, '', 'root'],
        ['e', other, 'wss://a.example', 'job', author],
        ['p', 'npub'],
        ['p', other],
        ['expiration', '12'],
        ['nonce', '1', '20'],
        ['relays', 'wss://A.example/', 'wss://a.example', 'http://b.example'],
        ['relays', 'wss://c.example'],
      ],
    })
    expect(jobIdOf(event)).toBe(other)
    expect(referencesOf(event)).toEqual([author, other])
    expect(addressees(event)).toEqual([other])
    expect(expirationOf(event)).toBe(12)
    expect(committedPow(event)).toBe(20)
    expect(relaysOf(event)).toEqual(['wss://a.example', 'wss://c.example'])
    expect(expirationOf({ tags: [['expiration', 'soon']] })).toBe(undefined)
    expect([4_999, 5_050, 6_000].map(resultKind)).toEqual([undefined, 6_050, undefined])
  })

  test('questions are NIP-01 filters', () => {
    expect(about([other], [7000, 6050], { since: 5 })).toEqual({ kinds: [7000, 6050], '#e': [other], since: 5 })
    expect(addressedTo([other], [5050], { limit: 0 })).toEqual({ kinds: [5050], '#p': [other], limit: 0 })
    expect(offering(5050, [31_990])).toEqual({ kinds: [31_990], '#k': ['5050'] })
  })

  test('a relay has one spelling', () => {
    const spelled = [
      'WSS://Relay.Example:443/',
      'ws://127.0.0.1:80//',
      'wss://a.example/x/?y#z',
      'https://a.example',
      'wss://',
      'relay',
    ].map(relayUrl)
    expect(spelled).toEqual([
      'wss://relay.example',
      'ws://127.0.0.1',
      'wss://a.example/x?y',
      undefined,
      undefined,
      undefined,
    ])
  })
})
