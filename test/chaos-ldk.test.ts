/** The money's own events meet every fault, over two real Lightning nodes. */
import { expect } from 'vitest'
import { playAndCompare } from './chaos/compare.ts'
import { keeps } from './promises.ts'

keeps(
  'pay.once',
  'wallet requests, answers, notices and bills that are lost, doubled, late or forged pay once, over real channels',
  async () => {
    const runs = await playAndCompare({ rail: 'ldk', relays: [1], kinds: [23194, 23195, 23197, 7000], events: 'some' })
    expect(runs.filter(({ kind, word }) => kind !== 7000 && word !== 'ok')).toEqual([])
  },
  300_000,
)
