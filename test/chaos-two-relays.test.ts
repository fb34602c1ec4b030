/** Every event kind of a paid job meets every fault on one relay, while an honest second one is there. */
import { expect } from 'vitest'
import { playAndCompare } from './chaos/compare.ts'
import { keeps } from './promises.ts'

keeps(
  'relay.hostile',
  'with an honest second relay every job is paid once and answered, whatever the first one does',
  async () => {
    const runs = await playAndCompare({ relays: [2], events: 'one' })
    const others = runs.filter(({ kind, word }) => word !== (kind === 5 ? 'cancelled' : 'ok'))
    expect(others).toEqual([])
  },
  300_000,
)
