import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import {
  cancel,
  committedPow,
  type Event,
  feedback,
  jobIdOf,
  kinds,
  messagesOf,
  parseEvent,
  relaysOf,
  schemeOf,
  textRequest,
  textResult,
} from '../kinds/index.ts'

const lines = readFileSync(new URL('vectors/dvm-real-events.jsonl', import.meta.url), 'utf8')
  .trim()
  .split('\n')
const events = lines.map(line => (JSON.parse(line) as { event: Event }).event)

/** Real events of a kind, read as if they had come under the number of the reader. */
const real = (kind: number): Event[] => events.filter(event => event.kind === kind)
const as = (kind: number, event: Event | undefined): Event => {
  if (!event) throw new Error('no such vector')
  return { ...event, kind }
}
const request = (kind: number, at = 0) => textRequest.read(as(5050, real(kind)[at]))
const result = (kind: number, at = 0) => textResult.read(as(6050, real(kind)[at]))
const said = (start: string): Event =>
  as(
    7000,
    real(7000).find(event => event.id.startsWith(start)),
  )
const heard = (start: string) => {
  const read = feedback.read(said(start))
  if (!read.ok) throw new Error(read.says)
  return read.value
}

test('every real event is read by every kind without a throw, under its own number and under the reader’s', () => {
  expect(events.length).toBe(131)
  for (const event of events)
    for (const kind of kinds) {
      expect(kind.read(event).ok && event.kind !== kind.number).toBe(false)
      for (const opened of [undefined, event.content, JSON.stringify(event.tags)])
        expect(typeof kind.read({ ...event, kind: kind.number }, opened).ok).toBe('boolean')
    }
})

test('every real event survives the parser of single events', () => {
  for (const event of events) expect(parseEvent(JSON.stringify(event))).toEqual(event)
})

describe('odd cases of real traffic', () => {
  test('1: an amount with an underscore and a lightning address is unknown money and no invoice', () => {
    for (const id of ['6ed9c0f5', '3f4aa1b5']) {
      const value = heard(id)
      expect(value.status).toBe('success')
      expect(value).not.toHaveProperty('msats')
      expect(value).not.toHaveProperty('bolt11')
    }
  })

  test('2: amount and invoice that disagree are both reported, for the reader of invoices to judge', () => {
    const { msats, bolt11, status, says } = heard('f9fe21e8')
    expect({ msats, status, says }).toEqual({ msats: 28_125n, status: 'payment-required', says: '🍋' })
    expect(bolt11?.startsWith('lnbc250n1')).toBe(true)
  })

  test('3: a bill in msats only has no invoice', () => {
    expect(heard('f98a57bb')).toMatchObject({ status: 'payment-required', msats: 51_000n })
    expect(heard('f98a57bb')).not.toHaveProperty('bolt11')
    expect(heard('2e933bdb').msats).toBe(1_599_000n)
    expect(heard('2e933bdb')).not.toHaveProperty('bolt11')
  })

  test('4: a result may bill too', () => {
    const read = result(6500)
    expect(read).toMatchObject({ ok: true, value: { msats: 1_000n } })
    expect(read.ok && read.value.bolt11?.startsWith('lnbc10n1')).toBe(true)
  })

  test('5: a result kind with a status tag `s` is no result', () => {
    expect(result(6600)).toMatchObject({ ok: false, rule: '6050.s' })
  })

  test('6: a request copied in Python spelling is ignored, the result stands', () => {
    const read = result(6250)
    expect(read.ok).toBe(true)
    expect(read.ok && 'request' in read.value).toBe(false)
  })

  test('7: a copied request is text of a stranger, and of a sealed result nothing is read unopened', () => {
    expect(result(6202)).toMatchObject({ ok: false, rule: 'sealed' })
    const read = textResult.read(as(6050, real(6202)[0]), 'https://a.example/video.mp4')
    expect(read).toMatchObject({ ok: true, value: { text: 'https://a.example/video.mp4' } })
    expect(read.ok && typeof read.value.request).not.toBe('object')
  })

  test('8: a result kind used as a request is no result', () => {
    expect(result(6304)).toMatchObject({ ok: false, rule: '6050.e' })
  })

  test('9: a Python list of 27 kB is opaque text, and amount "0" is no bill', () => {
    const read = result(6305)
    expect(read.ok && read.value.text.length).toBeGreaterThan(20_000)
    expect(read.ok && 'msats' in read.value).toBe(false)
  })

  test('10: garbage is opaque text', () => {
    const read = result(6002)
    expect(read.ok && read.value.text.startsWith('"("536f5c7e')).toBe(true)
  })

  test('11: the customer named twice is one customer', () => {
    expect(result(6100)).toMatchObject({
      ok: true,
      value: { customer: real(6100)[0]?.tags.find(tag => tag[0] === 'p')?.[1] },
    })
  })

  test('12: provider and customer both named, marker at index 3, NIP-04: matched by its job', () => {
    const event = said('f6862613')
    expect(jobIdOf(event)?.startsWith('196ebec7')).toBe(true)
    expect(schemeOf(event.content)).toBe('nip04')
    const read = feedback.read(event, '[["status","success"]]')
    const others = event.tags.flatMap(tag => (tag[0] === 'p' && tag[1] !== event.pubkey ? [tag[1]] : []))
    expect(read).toMatchObject({ ok: true, value: { status: 'success', job: jobIdOf(event), customer: others[0] } })
  })

  test('13: an empty relay before the marker is fine', () => {
    expect(heard('6a4ab1a5')).toMatchObject({ status: 'processing', says: 'Stamping sent to blockchain' })
    expect(heard('6a4ab1a5').job.startsWith('7ec664cc')).toBe(true)
  })

  test('14: a tag named by a url is ignored', () => {
    const event = as(5050, real(5304)[0])
    expect(relaysOf(event)).toEqual([])
    expect(textRequest.read({ ...event, tags: [...event.tags, ['i', 'Hi', 'text']] })).toMatchObject({
      ok: true,
      value: { relays: [] },
    })
  })

  test('15: an empty request is refused by rule 5050.input', () => {
    for (const kind of [5305, 5500]) expect(request(kind)).toMatchObject({ ok: false, rule: '5050.input' })
  })

  test('16: five inputs keep their markers', () => {
    const read = request(5068)
    expect(read.ok && read.value.inputs.map(input => input.marker)).toEqual([
      'zap_target',
      'payload_size',
      'zap_threshold',
      'encryption_pubkey',
      'encrypted_payload',
    ])
  })

  test('17: an input of two elements is text', () => {
    for (const kind of [5950, 5988]) {
      const read = request(kind)
      expect(read.ok && read.value.inputs.map(input => input.type)).toEqual(['text'])
    }
  })

  test('18: JSON inside a text input is opaque', () => {
    const read = request(5107)
    expect(read.ok && read.value.inputs[0]?.data.startsWith('[{"method"')).toBe(true)
    expect(read.ok && messagesOf(read.value)).toMatchObject({ ok: true, value: [{ role: 'user' }] })
  })

  test('19: proof of work without a target commits to nothing; a marker in the relay’s place is one', () => {
    expect(committedPow(as(5102, real(5102)[0]))).toBe(0)
    const read = request(5102)
    expect(read.ok && read.value.inputs[1]).toEqual({
      data: real(5102)[0]?.tags[1]?.[1],
      type: 'job',
      marker: 'background',
    })
  })

  test('20: parameters without input are no text job; feedback may expire', () => {
    expect(request(5999)).toMatchObject({ ok: false, rule: '5050.input' })
    expect(heard('66c25eaa')).toMatchObject({ status: 'payment-required', msats: 1_545_000n, expiresAt: 1_742_817_964 })
  })

  test('21: chat and ciphertext under job numbers are refused, not answered with a bill', () => {
    for (const kind of [5555, 5663, 5151, 5389, 5546, 5124, 5805]) {
      expect(real(kind).length).toBeGreaterThan(0)
      expect(request(kind)).toMatchObject({ ok: false, rule: '5050.input' })
    }
  })

  test('22: other protocols under these numbers are refused', () => {
    for (const kind of [5132, 5183, 5391, 5392, 5393, 5394])
      expect(request(kind)).toMatchObject({ ok: false, rule: '5050.input' })
    for (const kind of [6006, 6007, 6013, 6015, 6016, 6153, 6275, 6276, 6277, 6503, 6703, 6927])
      expect(result(kind)).toMatchObject({ ok: false, rule: '6050.e' })
  })

  test('23: sealed feedback says nothing until it is opened', () => {
    const sealed = real(7000).filter(event => event.tags.some(tag => tag[0] === 'encrypted'))
    expect(sealed.length).toBe(6)
    for (const event of sealed) {
      expect(feedback.read(event)).toMatchObject({ ok: false, rule: 'sealed' })
      const read = feedback.read(event, '[["status","error"],["amount","7"],["content","No"],["e","00"],["p","00"]]')
      expect(read).toMatchObject({ ok: true, value: { status: 'error', msats: 7n, says: 'No', job: jobIdOf(event) } })
    }
  })

  test('24: a key that everybody knows is a customer like any other', () => {
    expect(heard('66c25eaa').customer?.startsWith('79be667e')).toBe(true)
  })

  test('25: content discovery has no input: no text job, its relays can be read', () => {
    const bare = real(5300).find(event => !event.tags.some(tag => tag[0] === 'i'))
    expect(textRequest.read(as(5050, bare))).toMatchObject({ ok: false, rule: '5050.input' })
    expect(relaysOf(as(5300, bare)).length).toBeGreaterThan(0)
  })

  test('26: a JSON list of lists as content is text', () => {
    const read = result(6300)
    expect(read.ok && read.value.text.startsWith('[["e",')).toBe(true)
  })
})

test('ciphers of real sealed events are told apart', () => {
  const sealed = events.filter(event => event.tags.some(tag => tag[0] === 'encrypted'))
  const count = (scheme: string) => sealed.filter(event => schemeOf(event.content) === scheme).length
  expect([count('nip44') + count('nip04'), count('plain')]).toEqual([sealed.length, 0])
  for (const event of events.filter(({ kind }) => [5050, 6050, 6305, 6300].includes(kind)))
    expect(schemeOf(event.content)).toBe('plain')
})

test('a cancellation is told from a request by its number alone', () => {
  for (const event of events) expect(cancel.read(event)).toMatchObject({ ok: false, rule: 'kind' })
})
