/** Levels of privacy: never lowered, neither by who asks wrongly nor by a node that does not keep them. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { handler, type Privacy, privacies } from '../kinds/index.ts'
import { type Came, refuseLevel } from '../src/node/privacy.ts'
import { openHidden } from './node-hidden.ts'
import { openTown } from './node-world.ts'

const ways: readonly Came[] = ['plain', 'sealed', 'wrapped']

describe('a level', () => {
  test('is served only where it came so and is kept so', () => {
    fc.assert(
      fc.property(
        fc.option(fc.constantFrom(...privacies), { nil: undefined }),
        fc.constantFrom(...ways),
        fc.uniqueArray(fc.constantFrom(...privacies)),
        (said, came, kept) => {
          const why = refuseLevel(said, came, kept)
          const way = ways.indexOf(came) as Privacy
          if (why) {
            expect(why.code).toBe('privacy')
            // Refused for a reason: it was said and did not come so, or it is not kept.
            expect((said !== undefined && Math.min(said, 2) > way) || !kept.includes(said === 3 ? 3 : way)).toBe(true)
            return
          }
          expect(kept.some(level => level >= way && Math.min(level, 2) === way)).toBe(true)
          if (said !== undefined) expect(way).toBeGreaterThanOrEqual(Math.min(said, 2))
          if (said === 3) expect(kept).toContain(3)
        },
      ),
      { numRuns: 1_000 },
    )
  })

  test.each<[string, readonly Privacy[], Came, Privacy | undefined, boolean]>([
    ['open, kept', [0, 1, 2], 'plain', undefined, true],
    ['open, not kept', [1, 2], 'plain', undefined, false],
    ['sealed, kept', [0, 1, 2], 'sealed', 1, true],
    ['sealed, not kept', [2], 'sealed', undefined, false],
    ['wrapped, kept', [0, 1, 2], 'wrapped', 2, true],
    ['wrapped, not kept', [0, 1], 'wrapped', 2, false],
    ['sealed is said and it came open', [0, 1, 2], 'plain', 1, false],
    ['wrapped is said and it came sealed', [0, 1, 2], 'sealed', 2, false],
    ['own hardware, which others do not offer', [0, 1, 2], 'wrapped', 3, false],
    ['own hardware', [3], 'wrapped', 3, true],
    ['own hardware, sealed only', [0, 1, 2, 3], 'sealed', 3, false],
  ])('%s', async (_, kept, came, said, served) => {
    const town = openTown()
    const service = { id: 'x', name: 'x', about: '', kinds: [5050], nodeKeys: [], privacy: kept }
    const node = await town.open({ priceMsats: 0n, service })
    const customer = openHidden(town)
    const more = said === undefined ? {} : { privacy: said }
    const job = customer.request('who reads this', came === 'plain' ? 'plain' : 'nip44', more)
    if (came === 'wrapped') customer.wrap(job)
    else customer.send(job)
    const heard = () => customer.heard(job, came === 'wrapped' ? customer.inWraps() : undefined)
    const end = await town.until('an end', () => {
      const { results, words } = heard()
      return results[0]?.value ?? words.find(({ status }) => status === 'error')
    })
    if (served) expect(end).toMatchObject({ text: 'who reads this' })
    else {
      expect(end).toMatchObject({ status: 'error', code: 'privacy' })
      // The word says the way out.
      expect('says' in end && end.says).toMatch(/ask|seal|wrap/)
      expect(node.jobs()).toEqual([])
    }
    const announced = town.read(handler).at(-1)
    expect(announced?.value.privacy).toEqual(kept)
    await node.close()
  })
})
