import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  type Feedback,
  feedback,
  frame,
  handler,
  type TextRequest,
  type TextResult,
  textRequest,
  textResult,
} from '../kinds/index.ts'
import { relayUrl } from '../kinds/values.ts'
import { eventOf } from './suites/kinds.ts'

const runs = { numRuns: 1000 }
const hex64 = fc.uint8Array({ minLength: 32, maxLength: 32 }).map(bytes => Buffer.from(bytes).toString('hex'))
const money = fc.bigInt({ min: 1n, max: 2_100_000_000_000_000_000n })
const url = fc
  .webUrl({ validSchemes: ['ws', 'wss'] })
  .map(relayUrl)
  .filter(text => text !== undefined)
const words = fc.string({ minLength: 1, maxLength: 60, unit: 'binary' })
const time = fc.nat(4_000_000_000)
const invoice = fc.stringMatching(/^ln(bc|tb|bcrt)[0-9]{1,6}n1[02-9ac-hj-np-z]{20,80}$/)
const zero = '0'.repeat(64)
const flip = (text: string) => JSON.stringify(text)
const plainTerms = fc.record(
  { word: fc.constantFrom('before' as const, 'after' as const, 'hold' as const) },
  { noNullPrototype: true },
)
const escrowed = fc.record({ word: fc.constant('escrow' as const), verifier: hex64 }, { noNullPrototype: true })
const wish = fc.oneof(
  plainTerms,
  escrowed,
  fc.record({ word: fc.constant('parts' as const), parts: fc.integer({ min: 1, max: 64 }) }, { noNullPrototype: true }),
  fc.integer({ min: 2, max: 64 }).chain(parts =>
    fc.record(
      {
        word: fc.constant('parts' as const),
        parts: fc.constant(parts),
        from: fc.integer({ min: 1, max: parts - 1 }),
      },
      { noNullPrototype: true },
    ),
  ),
)
const billed = fc.oneof(
  plainTerms,
  escrowed,
  fc
    .tuple(fc.integer({ min: 1, max: 64 }), fc.integer({ min: 1, max: 64 }))
    .map(([a, b]) => ({ word: 'parts' as const, part: Math.min(a, b), parts: Math.max(a, b) })),
)

const requests: fc.Arbitrary<TextRequest> = fc.record(
  {
    inputs: fc.array(
      fc.oneof(
        fc.record({ data: words, type: fc.constant('text' as const) }, { noNullPrototype: true }),
        fc.record(
          { data: hex64, type: fc.constantFrom('event' as const, 'job' as const), relay: url },
          { noNullPrototype: true },
        ),
        fc.record(
          {
            data: hex64,
            type: fc.constant('job' as const),
            marker: fc.constantFrom('background', 'wss://odd.example'),
          },
          { noNullPrototype: true },
        ),
      ),
      { minLength: 1, maxLength: 6 },
    ),
    model: words,
    maxTokens: fc.integer({ min: 1, max: 1_000_000 }),
    temperature: fc.double({ min: 0, max: 2, noNaN: true }).map(Math.abs),
    topP: fc.double({ min: 0, max: 1, noNaN: true }).map(Math.abs),
    topK: fc.nat(1_000_000),
    frequencyPenalty: fc.integer({ min: -200, max: 200 }).map(n => n / 100 + 0),
    seed: fc.maxSafeNat(),
    output: words,
    bidMsats: money,
    relays: fc.uniqueArray(url, { maxLength: 10 }),
    providers: fc.array(hex64, { maxLength: 4 }),
    expiresAt: time,
    stream: fc.boolean(),
    receipt: fc.boolean(),
    alt: words,
    terms: wish,
    stop: fc.array(fc.string({ minLength: 1, maxLength: 20, unit: 'binary' }), { minLength: 1, maxLength: 16 }),
    presencePenalty: fc.integer({ min: -200, max: 200 }).map(n => n / 100 + 0),
    tools: fc.constantFrom([{ name: 'a' }], [{ name: 'b', description: 'x', parameters: { type: 'object' } }]),
    toolChoice: fc.constantFrom('auto' as const, 'none' as const, 'required' as const, { name: 'a' }),
    parallelToolCalls: fc.boolean(),
    responseFormat: fc.constantFrom(
      { type: 'json_object' as const },
      { type: 'json_schema' as const, schema: { a: [1, { b: 2 }] } },
    ),
    logprobs: fc.nat(20),
    partial: fc.boolean(),
    privacy: fc.constantFrom(0 as const, 1 as const, 2 as const, 3 as const),
  },
  { noNullPrototype: true, requiredKeys: ['inputs', 'relays', 'providers', 'stream', 'receipt'] },
)

const results: fc.Arbitrary<TextResult> = fc.record(
  {
    job: hex64,
    customer: hex64,
    text: fc.string({ maxLength: 300, unit: 'binary' }),
    msats: money,
    bolt11: invoice,
    model: words,
    usage: fc
      .record({ promptTokens: fc.nat(), outputTokens: fc.nat() }, { noNullPrototype: true })
      .filter(u => u.promptTokens < 1e9 && u.outputTokens < 1e9),
    digest: hex64,
    status: fc.constant('success' as const),
    finish: fc.constantFrom('stop' as const, 'length' as const, 'tool-calls' as const),
    creditMsats: money,
    chunked: hex64,
    hidden: fc.constant(true as const),
  },
  { noNullPrototype: true, requiredKeys: ['job', 'customer', 'text'] },
)

const answers: fc.Arbitrary<Feedback> = fc
  .record(
    {
      job: hex64,
      customer: hex64,
      status: fc.constantFrom(
        'payment-required' as const,
        'processing' as const,
        'partial' as const,
        'success' as const,
        'error' as const,
      ),
      content: fc.oneof(fc.constant(''), words),
      says: fc.oneof(fc.constant(''), words),
      msats: money,
      code: words,
      retryAfterSeconds: fc.nat(31_536_000),
      paymentHash: hex64,
      expiresAt: time,
      terms: billed,
      creditMsats: money,
    },
    { noNullPrototype: true, requiredKeys: ['job', 'status', 'content', 'says', 'msats'] },
  )
  .map(value => ({ ...value, says: value.content === '' ? value.says : value.content }))

const text = (value: string | undefined) => JSON.parse(value ?? '""') as string

describe('what is written is read back', () => {
  test('requests, sealed', () => {
    fc.assert(
      fc.property(requests, value => {
        const sealed = textRequest.write(value, 1, flip)
        expect(textRequest.read(eventOf(5050, sealed), text(sealed.content))).toStrictEqual({ ok: true, value })
      }),
      runs,
    )
  })

  test('requests, public', () => {
    fc.assert(
      fc.property(requests, value => {
        expect(textRequest.read(eventOf(5050, textRequest.write(value, 1)))).toStrictEqual({ ok: true, value })
      }),
      runs,
    )
  })

  test('results, public and sealed', () => {
    fc.assert(
      fc.property(results, value => {
        expect(textResult.read(eventOf(6050, textResult.write(value, 1)))).toStrictEqual({ ok: true, value })
        const sealed = textResult.write(value, 1, flip)
        const { digest: _, ...told } = value
        expect(textResult.read(eventOf(6050, sealed), text(sealed.content))).toStrictEqual({ ok: true, value: told })
        // Whoever knows no hidden tags reads the bare text; whoever asked for them shows relays nothing else.
        if (value.hidden) expect(sealed.tags.map(([name]) => name)).toEqual(['e', 'p', 'hidden', 'encrypted'])
        else expect(text(sealed.content)).toBe(value.text)
      }),
      runs,
    )
  })

  test('results under a preimage, public and sealed, where relays see neither hash nor digest', () => {
    const under = fc.record({ hash: hex64, digest: hex64 }, { noNullPrototype: true })
    const cipher = fc.uint8Array({ minLength: 28, maxLength: 90 }).map(bytes => Buffer.from(bytes).toString('base64'))
    fc.assert(
      fc.property(results, under, cipher, ({ digest: _, ...rest }, sealedUnder, text64) => {
        const value = { ...rest, text: text64, sealedUnder }
        expect(textResult.read(eventOf(6050, textResult.write(value, 1)))).toStrictEqual({ ok: true, value })
        const sealed = textResult.write(value, 1, flip)
        expect(JSON.stringify(sealed.tags)).not.toContain(sealedUnder.digest)
        expect(JSON.stringify(sealed.tags)).not.toContain(sealedUnder.hash)
        expect(textResult.read(eventOf(6050, sealed), text(sealed.content))).toStrictEqual({ ok: true, value })
      }),
      runs,
    )
    expect(() =>
      textResult.write({ job: zero, customer: zero, text: 'plain', sealedUnder: { hash: zero, digest: zero } }, 1),
    ).toThrow(TypeError)
  })

  test('feedback, public and sealed', () => {
    fc.assert(
      fc.property(answers, value => {
        expect(feedback.read(eventOf(7000, feedback.write(value, 1)))).toStrictEqual({ ok: true, value })
        const sealed = feedback.write(value, 1, flip)
        expect(feedback.read(eventOf(7000, sealed), text(sealed.content))).toStrictEqual({ ok: true, value })
      }),
      runs,
    )
  })

  test('splits: whole weights, the same shares as said, at most eight', () => {
    const weight = fc.oneof(
      fc.integer({ min: 0, max: 9_999_999 }).map(String),
      fc.tuple(fc.nat(999), fc.nat(999_999)).map(([a, b]) => `${a}.${String(b).padStart(6, '0')}`),
      fc.constantFrom('', '-1', '1e3', 'half', 'NaN'),
    )
    const tags = fc.uniqueArray(fc.tuple(hex64, weight), { maxLength: 12, selector: ([pubkey]) => pubkey })
    fc.assert(
      fc.property(tags, said => {
        const event = { tags: [['k', '5050'], ...said.map(([key, part]) => ['zap', key, '', part])], content: '{}' }
        const read = handler.read(eventOf(31_990, event))
        if (!read.ok) throw new Error(read.says)
        const kept = said.slice(0, 8)
        const { splits = [] } = read.value
        expect(splits.every(({ weight: part }) => Number.isSafeInteger(part) && part > 0)).toBe(true)
        if (kept.every(([, part]) => part === '')) {
          expect(splits.map(split => split.weight)).toEqual(kept.map(() => 1))
          return
        }
        const valued = kept.filter(([, part]) => /^[0-9.]+$/.test(part) && Number(part) > 0)
        expect(splits.map(split => split.pubkey)).toEqual(valued.map(([key]) => key))
        const [first] = splits
        const scale = first ? first.weight / Number(valued[0]?.[1]) : 1
        for (const [index, split] of splits.entries())
          expect(split.weight / (Number(valued[index]?.[1]) * scale)).toBeCloseTo(1, 9)
      }),
      runs,
    )
  })

  test('frames and prices', () => {
    fc.assert(
      fc.property(hex64, hex64, fc.nat(1_000_000), words, money, (job, to, seq, said, priceMsats) => {
        const value = { job, to, seq, text: said }
        expect(frame.read(eventOf(26_800, frame.write(value, 1)))).toStrictEqual({ ok: true, value })
        const base = {
          id: 'a',
          kinds: [5050],
          topics: [],
          name: said,
          about: said,
          encrypted: true,
          models: [],
          nodeKeys: [],
          zappers: [],
          custodial: false,
          relays: [],
          v: 1,
        }
        const read = handler.read(eventOf(31_990, handler.write({ ...base, priceMsats }, 1)))
        expect(read).toStrictEqual({ ok: true, value: { ...base, priceMsats } })
      }),
      runs,
    )
  })
})
