/** Slander before a router: nobody is out for what it did not sign itself, however the words of honest people are arranged. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Event, faultEvidence, textRequest } from '../kinds/index.ts'
import { faultRules } from '../src/ledger/index.ts'
import { keyOf, pool, sealedOnes, stories } from './faults-honest.ts'
import { proven } from './faults-proven.ts'
import { digest, jobOf, keys, preimageOf, pub, resultOf, secretOf } from './faults-world.ts'
import { faultsWorld } from './router-faults-world.ts'
import { pub as pubOf, zapper } from './zap-world.ts'

const rules = [...faultRules.keys()]
const honest = [pub('node'), pub('router'), pubOf(zapper)]
const opening = Object.fromEntries(sealedOnes.map(event => [event.id, keyOf(event)]))
const signed = (events: readonly Event[]) => events.filter(keys.verify)
const keysOf = (events: readonly Event[]) =>
  Object.fromEntries(events.flatMap(({ id }) => (opening[id] === undefined ? [] : [[id, opening[id]]])))

async function court() {
  const world = await faultsWorld({ trusted: ['ear one', 'ear two'].map(pub) })
  world.nodes('node')
  world.routers('router', 'node')
  const isClean = () => {
    for (const one of honest) expect(world.book.offends(one)).toBe(false)
    expect([world.verdicts(), world.faults(), world.stage('node')]).toEqual([[], [], 'new'])
  }
  return { ...world, isClean }
}

describe('honest words', () => {
  test('of whole stories, by every rule', { timeout: 60_000 }, async () => {
    const world = await court()
    for (const story of stories)
      for (const rule of rules)
        for (const accused of [pub('node'), pub('router')]) {
          const events = signed(story).slice(0, 16)
          if (!events.some(({ pubkey }) => pubkey === accused)) continue
          world.hear(world.accusing(rule, events, { accused, keys: keysOf(events), preimage: preimageOf('hold') }))
          await world.settle(600)
        }
    await world.judged()
    world.isClean()
  })

  test('in any selection, with any keys', { timeout: 60_000 }, async () => {
    const world = await court()
    const all = signed(pool)
    const picks = fc.tuple(
      fc.constantFrom(...rules),
      fc.constantFrom(pub('node'), pub('router')),
      fc.uniqueArray(fc.nat(all.length - 1), { minLength: 1, maxLength: 8 }),
      fc.constantFrom(preimageOf('hold'), preimageOf('one'), preimageOf('job 1')),
      fc.boolean(),
    )
    await fc.assert(
      fc.asyncProperty(picks, async ([rule, accused, places, preimage, lies]) => {
        const events = places.flatMap(at => all[at] ?? [])
        fc.pre(events.some(({ pubkey }) => pubkey === accused))
        const opened = lies ? Object.fromEntries(events.map(({ id }) => [id, 'I confess.'])) : {}
        world.hear(world.accusing(rule, events, { accused, keys: keysOf(events), preimage, opened }))
        await world.settle(600)
      }),
      { numRuns: 1_000 },
    )
    await world.judged()
    world.isClean()
  })
})

describe('forged words', () => {
  /** What a liar can do to one event without the key of its author. */
  const forgeries: readonly ((event: Event) => Event)[] = [
    event => ({ ...event, sig: '0'.repeat(128) }),
    event => ({ ...event, sig: `${event.sig.slice(0, -1)}${event.sig.endsWith('0') ? '1' : '0'}` }),
    event => ({ ...keys.sign(event, secretOf('stranger')), pubkey: event.pubkey }),
    event => ({ ...keys.sign(event, secretOf('stranger')), pubkey: event.pubkey, id: event.id }),
    event => ({ ...event, created_at: event.created_at + 1 }),
    event => ({ ...event, id: digest(event.id) }),
  ]

  test.each(proven)(
    '$rule, $says: with any one statement forged nothing is proven',
    async ({ rule, events, change }) => {
      const accused = change?.accused ?? pub('node')
      for (const [at, event] of events.entries()) {
        const world = await court()
        for (const forge of forgeries) {
          const forged = forge(event)
          const shown = events.map((one, place) => (place === at ? forged : one))
          const opens = change?.keys?.[event.id]
          const keyed = { ...change?.keys, ...(opens ? { [forged.id]: opens } : {}) }
          const known = Object.fromEntries(Object.entries(keyed).filter(([id]) => shown.some(one => one.id === id)))
          world.hear(world.accusing(rule, shown, { ...change, accused, keys: known }))
          await world.settle(600)
        }
        await world.judged()
        world.isClean()
      }
    },
  )

  test('a stranger’s lies under the name of a node are nobody’s', async () => {
    const world = await court()
    const { id } = jobOf()
    const lie = { ...resultOf(id, { text: 'Magic.' }, { by: 'stranger' }), pubkey: pub('node') }
    world.hear(world.accusing('E1', [resultOf(id), lie]))
    await world.judged()
    world.isClean()
  })

  test('what a liar signs against himself counts against him alone', async () => {
    const world = await court()
    world.nodes('stranger')
    const { id } = jobOf()
    const own = [resultOf(id, {}, { by: 'stranger' }), resultOf(id, { text: 'Magic.' }, { by: 'stranger' })]
    await world.accuse('E1', [resultOf(id), ...own], { accused: pub('node') })
    world.isClean()
    await world.accuse('E1', [...own, resultOf(id)], { accused: pub('stranger') })
    expect(world.verdicts()).toMatchObject([{ accused: pub('stranger'), proven: true }])
    expect([world.stage('stranger'), world.stage('node')]).toEqual(['banned', 'new'])
  })
})

test('no label of ours names a fault without evidence that proves it', async () => {
  const world = await court()
  for (const { rule, events, change } of proven) await world.accuse(rule, events, change)
  await world.settle(600)
  const shown = new Map(world.heard().map(event => [event.id, event]))
  expect(world.faults().length).toBeGreaterThan(3)
  for (const { evidence, code, node, kind } of world.faults()) {
    const event = shown.get(evidence[0] ?? '')
    const read = event && faultEvidence.read(event)
    expect(read?.ok && [read.value.rule, read.value.accused]).toEqual([code, node])
    const own = read?.ok ? read.value.events.filter(one => evidence.includes(one.id)) : []
    expect(own.length).toBe(evidence.length - 1)
    expect(own.every(({ pubkey }) => pubkey === node)).toBe(true)
    expect(kind === textRequest.number || own.every(one => one.kind === kind)).toBe(true)
  }
})
