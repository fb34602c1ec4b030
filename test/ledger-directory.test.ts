/** The directory: leases end, generations count, claims are no measurements, and order does not matter. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { benchmark, type Event } from '../kinds/index.ts'
import { type Directory, openDirectory } from '../src/ledger/index.ts'
import { announces, answers, beats, by, key, leases, measures, says, T, view } from './ledger-directory-world.ts'

const [ann, bob, eve] = [key(1), key(2), key(3)]
const told = (events: readonly Event[], now = T, directory: Directory = openDirectory()): Directory => {
  for (const event of events) directory.heard(event, now)
  directory.sweep(now)
  return directory
}

describe('leases', () => {
  test('who announces and says no more is unknown', () => {
    expect(told([announces(ann, T - 9)]).get(ann)).toMatchObject({
      ...{ node: ann, status: 'unknown', leaseUntil: 0, announcedAt: T - 9, lastSeen: T - 9 },
      announcement: { name: 'N' },
    })
  })

  test('a heartbeat makes alive, until it ends to the second', () => {
    const directory = told([announces(ann, T - 9), beats(ann, T, T + 300)])
    expect(directory.get(ann)).toMatchObject({ status: 'alive', leaseUntil: T + 300 })
    directory.sweep(T + 299)
    expect(directory.get(ann)?.status).toBe('alive')
    directory.sweep(T + 300)
    expect(directory.get(ann)).toMatchObject({ status: 'unknown', leaseUntil: T + 300 })
  })

  test('a state is a lease too, and is shown only while it holds', () => {
    const directory = told([announces(ann, T), leases(ann, T, T - 60, { until: T + 90, busy: 3 })])
    expect(directory.get(ann)).toMatchObject({ status: 'alive', state: { slots: { busy: 3 } } })
    directory.sweep(T + 90)
    expect(directory.get(ann)?.status).toBe('unknown')
    expect(directory.get(ann)).not.toHaveProperty('state')
  })

  test('nobody is alive for ever by saying so once', () => {
    const directory = told([
      announces(ann, T),
      beats(ann, T, T + 1_000_000),
      leases(ann, T, T, { until: T + 1_000_000 }),
    ])
    expect(directory.get(ann)?.leaseUntil).toBe(T + 900)
  })

  test('a lease that had ended when it came is none', () => {
    expect(told([announces(ann, T), beats(ann, T - 900, T - 600)]).get(ann)?.status).toBe('unknown')
  })

  test('the last word counts: a farewell ends what an earlier heartbeat held', () => {
    const directory = told([announces(ann, T - 9), beats(ann, T - 5, T + 295), leases(ann, T, T - 60, { until: T })])
    expect(directory.get(ann)).toMatchObject({ status: 'unknown', leaseUntil: T })
    directory.heard(beats(ann, T + 1), T + 1)
    expect(directory.get(ann)?.status).toBe('alive')
  })

  test('a state of an older generation is ignored, however late it was signed', () => {
    const fresh = leases(ann, T, T - 10, { busy: 1 })
    const old = leases(ann, T + 5, T - 9_000, { busy: 4, until: T + 800 })
    for (const order of [
      [fresh, old],
      [old, fresh],
    ]) {
      const directory = told([announces(ann, T - 9), ...order], T + 6)
      expect(directory.get(ann)).toMatchObject({ leaseUntil: T + 180, state: { slots: { busy: 1 } } })
    }
  })

  test('a newer generation counts, even signed by a clock that went back', () => {
    const directory = told([announces(ann, T - 9), leases(ann, T, T - 500), leases(ann, T - 30, T - 40, { busy: 2 })])
    expect(directory.get(ann)?.state?.slots.busy).toBe(2)
  })

  test('a generation from the future is no generation', () => {
    const directory = told([announces(ann, T), leases(ann, T, T + 100_000)])
    expect(directory.get(ann)).not.toHaveProperty('state')
  })

  test('a heartbeat holds the service that it names, one without a name all of them', () => {
    const two = [announces(ann, T), announces(ann, T, { id: 'speech', kinds: [5000] })]
    const named = told([...two, beats(ann, T, T + 300, 'speech')])
    expect(named.get(ann, 'text')?.status).toBe('unknown')
    expect(named.get(ann, 'speech')?.status).toBe('alive')
    expect(named.get(ann)?.announcement.id).toBe('speech')
    const nameless = told([...two, beats(ann, T, T + 300, '')])
    expect(view(nameless.entries()).map(({ status }) => status)).toEqual(['alive', 'alive'])
    expect(nameless.size).toBe(1)
  })
})

describe('who was seen', () => {
  test('results and feedback say when their author was there, and nothing of anybody else', () => {
    const directory = told([announces(ann, T - 90), announces(bob, T - 90), says(ann, T - 30), answers(ann, T - 20)])
    expect(directory.get(ann)?.lastSeen).toBe(T - 20)
    expect(directory.get(bob)?.lastSeen).toBe(T - 90)
    expect(told([says(eve, T)]).get(eve)).toBeUndefined()
  })

  test('what comes from the future is not believed', () => {
    expect(told([announces(ann, T + 901)]).size).toBe(0)
    expect(told([announces(ann, T + 900)]).size).toBe(1)
  })

  test('who said nothing for 90 days is forgotten', () => {
    const directory = told([announces(ann, T - 50 * 86_400), announces(bob, T)])
    directory.sweep(T + 41 * 86_400)
    expect([directory.size, directory.get(ann), directory.offering(5050).length]).toEqual([1, undefined, 1])
  })
})

describe('benchmarks', () => {
  test('what a node claims is kept apart from what others measured', () => {
    const directory = told([
      announces(ann, T),
      measures(ann, ann, T, { tokensPerSecond: 900 }),
      measures(bob, ann, T, { tokensPerSecond: 30 }),
      measures(bob, ann, T - 60, { tokensPerSecond: 50 }),
    ])
    const entry = directory.get(ann)
    expect(entry?.claims.map(one => one.tokensPerSecond)).toEqual([900])
    expect(entry?.measured.map(one => [one.by, one.tokensPerSecond])).toEqual([[bob, 30]])
    expect(entry?.lastSeen).toBe(T)
  })

  test('to be measured is not to be there', () => {
    expect(told([announces(ann, T - 500), measures(bob, ann, T)]).get(ann)?.lastSeen).toBe(T - 500)
  })

  test('what has expired is not shown', () => {
    const directory = told([announces(ann, T), measures(bob, ann, T, { expiresAt: T + 60 })])
    expect(directory.get(ann)?.measured.length).toBe(1)
    directory.sweep(T + 60)
    expect(directory.get(ann)?.measured.length).toBe(0)
  })

  test('strangers cannot push out whom we trust', () => {
    const directory = openDirectory({ trusts: author => author === bob })
    const crowd = Array.from({ length: 200 }, (_, at) => measures(key(100 + at), ann, T + at))
    told([announces(ann, T), measures(bob, ann, T - 500), ...crowd], T + 300, directory)
    expect(directory.get(ann)?.measured.length).toBe(16)
    expect(directory.get(ann)?.measured.some(one => one.by === bob)).toBe(true)
  })
})

describe('offers', () => {
  const nano = announces(ann, T)
  const any = announces(bob, T, { models: [], kinds: [5050, 5001] })

  test('by kind and by model; who names no models may have any', () => {
    const directory = told([nano, any])
    const who = (kind: number, model?: string) => directory.offering(kind, model).map(entry => entry.node)
    expect(who(5050)).toEqual([ann, bob])
    expect(who(5050, 'nano')).toEqual([ann, bob])
    expect(who(5050, 'other')).toEqual([bob])
    expect(who(5001)).toEqual([bob])
    expect(who(5100)).toEqual([])
  })

  test('the newest announcement alone counts, and a lease may take a kind back', () => {
    const directory = told([any, announces(bob, T + 1, { kinds: [5001, 5002] })])
    expect([5050, 5001, 5002].map(kind => directory.offering(kind).length)).toEqual([0, 1, 1])
    directory.heard(leases(bob, T + 2, T, { kinds: [5002] }), T + 2)
    expect([5001, 5002].map(kind => directory.offering(kind).length)).toEqual([0, 1])
  })

  test('what cannot be read is not kept, and what came before stays', () => {
    const directory = told([nano, by(ann, { ...announces(ann, T + 1), content: 'no JSON' })])
    expect(directory.get(ann)?.announcementId).toBe(nano.id)
  })
})

const node = fc.constantFrom(ann, bob, eve)
const at = fc.oneof(fc.integer({ min: T - 400, max: T + 400 }), fc.integer({ min: T - 1, max: T + 1 }))
const service = fc.constantFrom('text', 'speech', '')
const event: fc.Arbitrary<Event> = fc.oneof(
  fc
    .tuple(node, at, service, fc.subarray([5050, 5001, 5000], { minLength: 1 }))
    .map(([who, when, id, kinds]) => announces(who, when, { id, kinds })),
  fc
    .tuple(node, at, fc.integer({ min: -50, max: 1_200 }), service)
    .map(([who, when, holds, id]) => beats(who, when, when + holds, id)),
  fc
    .tuple(node, at, at, fc.integer({ min: 0, max: 600 }), fc.constantFrom('text', 'speech'), fc.nat({ max: 4 }))
    .map(([who, when, generation, holds, id, busy]) =>
      leases(who, when, generation, { until: when + holds, service: id, busy }),
    ),
  fc
    .tuple(node, node, at, fc.constantFrom('nano', 'mega'))
    .map(([who, whom, when, model]) => measures(who, whom, when, { model })),
  fc.tuple(node, at).map(([who, when]) => says(who, when)),
  fc.tuple(node, at).map(([who, when]) => answers(who, when)),
)

const isOfAnother = (author: string, kind: number, tags: Event['tags']): boolean =>
  kind === benchmark.number && !tags.some(tag => tag[0] === 'p' && tag[1] === author)

describe('whatever comes', () => {
  test('the order of arrival does not matter, nor when time was told', () => {
    fc.assert(
      fc.property(
        fc
          .array(event, { maxLength: 40 })
          .chain(events => fc.tuple(fc.constant(events), fc.shuffledSubarray(events, { minLength: events.length }))),
        // Time is told more than once, and never goes back.
        fc.integer({ min: T + 3, max: T + 1_500 }),
        ([events, shuffled], end) => {
          const [one, other] = [told(events, T), told(shuffled, T)]
          one.sweep(end)
          other.sweep(T + 3)
          other.sweep(end)
          expect(view(other.entries())).toEqual(view(one.entries()))
          for (const kind of [5050, 5001, 5000])
            expect(view(other.offering(kind, 'nano'))).toEqual(view(one.offering(kind, 'nano')))
        },
      ),
      { numRuns: 1000 },
    )
  })

  test('replays change nothing and are no news', () => {
    fc.assert(
      fc.property(fc.array(event, { maxLength: 30 }), events => {
        const directory = told(events)
        const before = view(directory.entries())
        for (const again of events) expect(directory.heard(again, T)).toBe(false)
        expect(view(directory.entries())).toEqual(before)
      }),
      { numRuns: 1000 },
    )
  })

  test('a snapshot heard again gives the same view, but for who was only seen', () => {
    fc.assert(
      fc.property(fc.array(event, { maxLength: 30 }), events => {
        const directory = told(events)
        const again = openDirectory()
        again.restore(JSON.parse(JSON.stringify(directory.snapshot())) as Event[], T)
        const unseen = (of: Directory) => view(of.entries()).map(entry => ({ ...entry, lastSeen: 0 }))
        expect(unseen(again)).toEqual(unseen(directory))
      }),
      { numRuns: 1000 },
    )
  })

  test('an expired lease is never alive, and only its own words move a node', () => {
    fc.assert(
      fc.property(fc.array(event, { maxLength: 30 }), fc.integer({ min: T, max: T + 3_000 }), (events, end) => {
        const directory = told(events, T)
        directory.sweep(end)
        for (const entry of directory.entries()) {
          expect(entry.status).toBe(entry.leaseUntil > end ? 'alive' : 'unknown')
          expect(entry.leaseUntil - entry.lastSeen).toBeLessThanOrEqual(900)
          const own = events.filter(
            ({ pubkey, kind, tags }) => pubkey === entry.node && !isOfAnother(pubkey, kind, tags),
          )
          expect(entry.lastSeen).toBe(Math.max(...own.map(({ created_at }) => created_at)))
          if (entry.status === 'alive') expect(end).toBeLessThan(entry.lastSeen + 900)
        }
      }),
      { numRuns: 1000 },
    )
  })
})
