/** What nodes have at stake moves their score by a tenth at most, and only judges that are believed take it away. */
import { describe, expect, test } from 'vitest'
import { bond, bondEntry, faultVerdict, textRequest } from '../kinds/index.ts'
import { sha256Hex } from '../src/hash.ts'
import { bookWorld, pubOf, type World } from './router-book-world.ts'

const kind = textRequest.number
const day = 86_400

/** A bond of 1,000 units, locked now, with its log. */
function lock(world: World, name: string, units = 1_000n) {
  const at = world.now()
  const value = { id: 'b', units, proof: 'abstract', lockedAt: at, expiresAt: at + 90 * day, role: 'node' } as const
  const first = { bond: 'b', act: 'lock', units, at, seq: 0 } as const
  world.hear(world.sign(bond.write(value, at), name), world.sign(bondEntry.write(first, at), name))
}
const scored = (world: World, name: string) => world.book.scored(pubOf(name), kind, 'nano', world.now())

describe('stake', () => {
  test('a bond lifts the score by a tenth at most, less every day', async () => {
    const world = await bookWorld({ stakeRef: 1_000 })
    world.nodes('a', 'b', 'rich')
    lock(world, 'a')
    lock(world, 'rich', 1_000_000n)
    expect([scored(world, 'a').factors.K, scored(world, 'b').factors.K, scored(world, 'rich').factors.K]).toEqual([
      1.1, 1, 1.1,
    ])
    expect(world.book.market(kind, 'nano').get(pubOf('a'))?.factors.K).toBe(1.1)
    const later = world.book.scored(pubOf('a'), kind, 'nano', world.now() + 45 * day)
    expect(later.factors.K).toBeCloseTo(1.05, 2)
  })

  test('counts nothing where the operator gave it no worth', async () => {
    const world = await bookWorld()
    world.nodes('a')
    lock(world, 'a')
    expect(scored(world, 'a').factors.K).toBe(1)
  })

  test('is taken by the verdict of a trusted judge, and by nobody else’s', async () => {
    const world = await bookWorld({ stakeRef: 1_000, trusted: [pubOf('judge')] })
    world.nodes('a')
    lock(world, 'a')
    const verdict = {
      evidence: sha256Hex('e'),
      accused: pubOf('a'),
      rule: 'E1',
      proven: true,
      penalty: 1_000n,
      says: '',
    }
    const signed = (by: string) => world.sign(faultVerdict.write(verdict, world.now()), by)
    world.hear(signed('stranger'))
    expect(scored(world, 'a').factors.K).toBe(1.1)
    world.hear(signed('judge'))
    expect(scored(world, 'a').factors.K).toBe(1)
  })

  test('bonds and logs of one key are bounded', async () => {
    const world = await bookWorld({ stakeRef: 1_000 })
    world.nodes('a')
    const at = world.now()
    for (let i = 0; i < 20; i++) {
      const value = {
        id: `b${i}`,
        units: 1_000n,
        proof: 'abstract',
        lockedAt: at,
        expiresAt: at + 90 * day,
        role: 'node',
      } as const
      const first = { bond: `b${i}`, act: 'lock', units: 1_000n, at, seq: 0 } as const
      world.hear(world.sign(bond.write(value, at), 'a'), world.sign(bondEntry.write(first, at), 'a'))
    }
    for (let i = 0; i < 400; i++)
      world.hear(
        world.sign(
          bondEntry.write({ bond: 'b0', act: 'topup', units: 1n, at, seq: 9 + i, prev: sha256Hex('p') }, at),
          'a',
        ),
      )
    expect(scored(world, 'a').factors.K).toBeGreaterThan(1)
    expect(world.troubles()).toEqual([])
  })
})
