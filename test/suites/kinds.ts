/**
 * What every kind must keep: its samples read as they say, each rule is broken by a sample, strangers never make the
 * reader throw, and what the writer writes the reader gives back.
 * @module
 */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { generalRules } from '../../kinds/define.ts'
import type { Event } from '../../kinds/kind.ts'
import { alwaysSealed, publicTags } from '../../kinds/seal.ts'
import type { Definition, Spelling } from '../../kinds/spec.ts'

/** Author of all samples: the generator point, whose secret key is 1. */
export const author = '79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798'
const zero = '0'.repeat(64)

/** A sample as a reader gets it; ids and signatures are not a reader's business. */
export const eventOf = (kind: number, { tags, content = '' }: Pick<Spelling, 'tags' | 'content'>): Event => ({
  id: zero,
  pubkey: author,
  created_at: 1_800_000_000,
  kind,
  tags,
  content,
  sig: zero + zero,
})

const cipher = (plain: string): string => `sealed:${plain}`
const decipher = (content: string): string => content.slice('sealed:'.length)

/** Strings that break parsers: prototype keys, numbers that are none, nesting, controls, money, hex. */
const nasty = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.constantFrom(
    '',
    '__proto__',
    'constructor',
    'hasOwnProperty',
    'toString',
    'NaN',
    '-0',
    '1e999',
    '0x10',
    '100_000',
  ),
  fc.constantFrom(
    '[['.repeat(20_000),
    '{"a":'.repeat(500),
    '[["i",{}]]',
    '[["__proto__","x"]]',
    '{"__proto__":{"v":1}}',
    'null',
  ),
  fc.constantFrom(
    'lnbc1',
    'lightning:lnbc10n1pxxxxxxxxxxxx',
    author,
    author.toUpperCase(),
    'wss://',
    'wss://[::1',
    'job',
  ),
  fc.bigInt().map(String),
  fc.double().map(String),
  fc.json(),
)

/** Tags of strangers: any, or with the names that this kind listens to. */
const strangeTags = (kind: Definition<unknown>): fc.Arbitrary<string[][]> => {
  const heads = kind.fields.map(field => (field.form.match(/"[^"<]*"/g) ?? []).map(part => part.slice(1, -1)))
  const known = fc.tuple(fc.constantFrom(...heads, ['encrypted']), fc.array(nasty, { maxLength: 5 }))
  return fc.array(
    fc.oneof(
      fc.array(nasty, { maxLength: 6 }),
      known.map(([head, values]) => [...head, ...values]),
    ),
    { maxLength: 12 },
  )
}

/** Runs all promises of the room against one kind. */
export function kindSuite(kind: Definition<unknown>): void {
  const { number } = kind
  const ids = [...generalRules, ...kind.rules].map(rule => rule.id)

  describe(`kind ${number}: ${kind.name}`, () => {
    test.each(kind.good)('is written and read back: $says', ({ value }) => {
      const template = kind.write(value, 1_700_000_000)
      expect(template).toMatchObject({ kind: number, created_at: 1_700_000_000 })
      const wire: unknown = JSON.parse(JSON.stringify(template.tags))
      expect(wire).toEqual(template.tags)
      expect(kind.read(eventOf(number, template), template.content)).toStrictEqual({ ok: true, value })
    })

    test.each(kind.seal ? kind.good : [])('is sealed and read back: $says', ({ value }) => {
      const plain = kind.write(value, 1_700_000_000)
      const sealed = kind.write(value, 1_700_000_000, cipher)
      expect(sealed.content.startsWith('sealed:')).toBe(true)
      expect(sealed.tags.some(tag => tag[0] === 'encrypted')).toBe(!alwaysSealed.has(number))
      const event = eventOf(number, sealed)
      expect(kind.read(event)).toMatchObject({ ok: false, rule: 'sealed' })
      const read = kind.read(event, decipher(sealed.content))
      const { digest: _, ...told } = Object(value) as Record<string, unknown>
      expect(read).toStrictEqual({ ok: true, value: told })
      const outside = JSON.stringify(sealed.tags)
      if (kind.seal === 'tags')
        for (const [name = ''] of plain.tags) expect(outside.includes(`["${name}"`)).toBe(publicTags.has(name))
    })

    test.each(kind.seal ? [] : kind.good)('is never sealed: $says', ({ value }) => {
      expect(() => kind.write(value, 1, cipher)).toThrow(TypeError)
    })

    test.each(kind.dialects)('reads what others write: $says', sample => {
      expect(kind.read(eventOf(number, sample), sample.opened)).toStrictEqual({ ok: true, value: sample.value })
    })

    test.each(kind.bad)('refuses by rule $breaks: $says', sample => {
      const read = kind.read(eventOf(number, sample), sample.opened)
      expect(read).toStrictEqual({
        ok: false,
        rule: `${number}.${sample.breaks}`,
        says: kind.rules.find(rule => rule.id === `${number}.${sample.breaks}`)?.says,
      })
    })

    test('has a sample for each of its rules, and each rule once', () => {
      const broken = new Set(kind.bad.map(sample => `${number}.${sample.breaks}`))
      expect(kind.rules.map(rule => rule.id).filter(id => !broken.has(id))).toEqual([])
      expect(new Set(ids).size).toBe(ids.length)
    })

    test('keeps the general rules', () => {
      const [first] = kind.good
      const template = kind.write(first?.value, 1)
      const event = eventOf(number, template)
      expect(kind.read({ ...event, kind: number + 1 })).toMatchObject({ ok: false, rule: 'kind' })
      const crowd = Array.from({ length: 2_001 }, () => ['x', 'y'])
      expect(kind.read({ ...event, tags: crowd })).toMatchObject({ ok: false, rule: 'size' })
      expect(kind.read({ ...event, content: 'x'.repeat(524_289) })).toMatchObject({ ok: false, rule: 'size' })
      expect(kind.read({ ...event, tags: [...event.tags, ['encrypted']] })).toMatchObject({ ok: false, rule: 'sealed' })
    })

    test('never throws, refuses by known rules only, and touches no prototype', () => {
      const before = Object.getOwnPropertyNames(Object.prototype).length
      fc.assert(
        fc.property(strangeTags(kind), nasty, fc.option(nasty, { nil: undefined }), (tags, content, opened) => {
          const event = eventOf(number, { tags, content })
          const frozen = JSON.stringify(event)
          const read = kind.read(event, opened)
          if (!read.ok) expect(ids).toContain(read.rule)
          expect(JSON.stringify(event)).toBe(frozen)
        }),
        { numRuns: 1000 },
      )
      expect(Object.getOwnPropertyNames(Object.prototype).length).toBe(before)
    })

    test('never throws on a good event with one tag or the content replaced', () => {
      const events = kind.good.map(({ value }) => kind.write(value, 1))
      fc.assert(
        fc.property(
          fc.constantFrom(...events),
          fc.nat(),
          fc.array(nasty, { maxLength: 4 }),
          nasty,
          (event, at, values, text) => {
            const spot = at % (event.tags.length + 1)
            const tags = event.tags.map((tag, index) => (index === spot ? [tag[0] ?? '', ...values] : tag))
            const content = spot === event.tags.length ? text : event.content
            const read = kind.read(eventOf(number, { tags, content }), content)
            if (!read.ok) expect(ids).toContain(read.rule)
          },
        ),
        { numRuns: 1000 },
      )
    })
  })
}
