/** Faults that bytes prove, and what becomes of the proof when one byte of it is another. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Event, faultEvidence, faultVerdict } from '../kinds/index.ts'
import { faultRules, penaltyOf } from '../src/ledger/index.ts'
import { proven } from './faults-proven.ts'
import { evidenceOf, judge, NOW, pub, sign, tools } from './faults-world.ts'

describe('what bytes prove', () => {
  test.each(proven)('$rule: $says', async ({ rule, events, change }) => {
    const finding = await judge(rule, events, change)
    expect(finding).toMatchObject({ ok: true, rule, offender: change?.accused ?? pub('node') })
    expect(finding.checks.every(({ ok }) => ok)).toBe(true)
    expect(finding.says).toBe(faultRules.get(rule)?.says)
  })

  test('every rule has a proven case', () => {
    expect([...new Set(proven.map(({ rule }) => rule))]).toEqual([...faultRules.keys()])
  })

  test.each(proven)('$rule: $says, travels as an event and is judged the same', async ({ rule, events, change }) => {
    const template = faultEvidence.write(evidenceOf(rule, events, change), NOW)
    const read = faultEvidence.read({ ...template, id: '', pubkey: '', sig: '' })
    if (!read.ok) throw new Error(read.rule)
    expect(await judge(rule, [...read.value.events], read.value)).toEqual(await judge(rule, events, change))
  })

  test.each(proven)(
    '$rule: $says, is no fault of anybody else and of no other rule',
    async ({ rule, events, change }) => {
      for (const accused of [pub('customer'), pub('ear one'), pub('nobody')])
        expect((await judge(rule, events, { ...change, accused })).ok).toBe(false)
      for (const other of faultRules.keys())
        if (other !== rule) expect((await judge(other, events, change)).ok).toBe(false)
    },
  )

  test('only a threshold rule or a replaceable promise needs a witness, and says so', async () => {
    const { witness: _, ...alone } = tools
    for (const { rule, says, events, change } of proven) {
      const finding = await judge(rule, events, change)
      const without = await judge(rule, events, change, alone)
      const witnessed = rule === 'E4' || says === 'a bill to a foreign Lightning node'
      expect([says, finding.basis, without.ok]).toEqual([says, witnessed ? 'witnessed' : 'signed', !witnessed])
    }
  })
})

/** One character of a text is another; hex stays hex. */
const flipped = (text: string, at: number): string => {
  const spot = at % Math.max(1, text.length)
  const other = text[spot] === '1' ? '2' : '1'
  return text.slice(0, spot) + other + text.slice(spot + 1)
}

/** Every way to change one signed byte of an event. */
function spoiled(event: Event, where: number, at: number): Event {
  const strings = event.tags.flatMap((tag, row) => tag.map((_, column) => [row, column] as const))
  const spot = where % (strings.length + 6)
  const pick = strings[spot - 6]
  if (pick === undefined)
    return [
      { ...event, id: flipped(event.id, at) },
      { ...event, pubkey: flipped(event.pubkey, at) },
      { ...event, sig: flipped(event.sig, at) },
      { ...event, created_at: event.created_at + 1 + (at % 100) },
      { ...event, kind: event.kind + 1 },
      { ...event, content: event.content === '' ? '1' : flipped(event.content, at) },
    ][spot] as Event
  const [row, column] = pick
  return {
    ...event,
    tags: event.tags.map((tag, i) =>
      i === row ? tag.map((said, j) => (j === column ? flipped(said, at) : said)) : tag,
    ),
  }
}

test('a proof with one other signed byte proves nothing', async () => {
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...proven), fc.nat(), fc.nat(), fc.nat(), async (one, which, where, at) => {
      const { rule, change } = one
      const events = one.events.map((event, index) =>
        index === which % one.events.length ? spoiled(event, where, at) : event,
      )
      const finding = await judge(rule, events, change)
      expect(finding).toMatchObject({ ok: false, checks: [{ name: 'signatures', ok: false }] })
    }),
    { numRuns: 1_500 },
  )
})

describe('what a proof takes', () => {
  test('a share of the largest bond, rounded up, and a quarter at most where others may have heard more', () => {
    const bonds = [{ units: 999n }, { units: 10n }]
    expect([...faultRules.keys()].map(rule => [rule, penaltyOf(rule, bonds)])).toEqual([
      ...[
        ['E1', 999n],
        ['E2', 999n],
        ['E3', 500n],
        ['E4', 250n],
      ],
      ...[
        ['E7', 500n],
        ['E8', 999n],
        ['E9', 999n],
        ['E10', 250n],
      ],
    ])
    expect(penaltyOf('E7', bonds, 'witnessed')).toBe(250n)
    expect(penaltyOf('E4', bonds, 'witnessed')).toBe(250n)
    expect(penaltyOf('E1', [])).toBe(0n)
  })

  test('nothing for what nobody can prove', async () => {
    for (const rule of ['E5', 'E6', 'E11', 'slow', '__proto__']) {
      expect(penaltyOf(rule, [{ units: 1_000n }])).toBe(0n)
      for (const { events, change } of proven)
        expect(await judge(rule, events, change)).toMatchObject({ ok: false, checks: [{ name: 'rule', ok: false }] })
    }
  })

  test('the verdict is an event that says the same', async () => {
    for (const { rule, events, change } of proven) {
      const { ok: found, offender: accused, says, basis } = await judge(rule, events, change)
      const penalty = penaltyOf(rule, [{ units: 100n }], basis)
      const event = sign(
        faultVerdict,
        { evidence: events[0]?.id ?? '', accused, rule, proven: found, penalty, says },
        'router',
      )
      expect(faultVerdict.read(event)).toMatchObject({ ok: true, value: { proven: true, penalty } })
    }
  })

  test('no share is more than all', () => {
    for (const { share } of faultRules.values()) expect(share > 0 && share <= 1_000).toBe(true)
  })
})
