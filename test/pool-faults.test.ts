/** Whatever relays do in whatever order: what one of them kept arrives, and arrives once. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { openPool } from '../relays/pool.ts'
import { wallClock } from '../src/clock.ts'
import type { FakeRelay } from './fake-relay.ts'
import { QUICK } from './relays-casts.ts'
import { type Cast, play, type Stage } from './suites/relays-stage.ts'

const cast: Cast = {
  patienceMs: 6_000,
  open: (urls, admit) =>
    openPool({
      urls,
      clock: wallClock(),
      admit,
      limits: { ...QUICK, publishMs: 300, pingMs: 120, pongMs: 120, backoffMs: [5, 40] },
    }),
}

/** Lets what is on its way move on, without waiting for any time. */
const turns = async (count: number) => {
  for (let i = 0; i < count; i++) await new Promise(resolve => setImmediate(resolve))
}

const RELAYS = 3
const relay = fc.nat(RELAYS - 1)
const act = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant('publish' as const) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('offer' as const), relay }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constantFrom('kill', 'leave'), relay }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('start' as const), relay }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom('closed', 'freeze', 'junk'), relay }) },
)
type Act = typeof act extends fc.Arbitrary<infer A> ? A : never

async function perform(
  stage: Stage,
  one: Act,
  relays: FakeRelay[],
  publish: (event: ReturnType<Stage['event']>) => void,
) {
  if (one.do === 'publish') return publish(stage.event())
  const at = 'relay' in one ? relays[one.relay] : undefined
  if (!at) return
  if (one.do === 'offer') at.offer(stage.event())
  else if (one.do === 'kill') await at.stop('abrupt')
  else if (one.do === 'leave') await at.stop('graceful')
  else if (one.do === 'start') await at.start()
  else if (one.do === 'closed') at.cancel('error: shutting down idle subscription')
  else if (one.do === 'freeze') at.freeze()
  else at.say('["EVENT","s1",{"id":"x"}]')
}

async function survive(acts: readonly (readonly [Act, number])[]) {
  await play(cast, async stage => {
    const relays = await Promise.all(Array.from({ length: RELAYS }, () => stage.fake()))
    const pool = await stage.open(...relays.map(one => one.url))
    const publisher = await stage.open(...relays.map(one => one.url))
    const heard = stage.listen(pool, [{ kinds: [1] }])
    const sent: Promise<unknown>[] = []
    for (const [one, pause] of acts) {
      await perform(stage, one, relays, event => sent.push(publisher.publish(event, { want: RELAYS, keepMs: 200 })))
      await turns(pause)
    }
    for (const one of relays) await one.start()
    await Promise.all(sent)
    const kept = new Map(relays.flatMap(one => one.stored).map(event => [event.id, event]))
    for (const event of kept.values()) await heard.got(event)
    const ids = heard.events.map(event => event.id)
    expect(new Set(ids).size, 'an event came twice').toBe(ids.length)
    expect(ids.every(id => kept.has(id))).toBe(true)
  })
}

test('under a random schedule of faults every kept event reaches the standing subscription exactly once', async () => {
  const schedule = fc.array(fc.tuple(act, fc.nat(8)), { minLength: 10, maxLength: 40 })
  const together = fc.array(schedule, { minLength: 8, maxLength: 8 })
  // Real sockets: few runs, eight worlds at a time, and no shrinking through hours of outages.
  const runs = { numRuns: 6, endOnFailure: true }
  await fc.assert(
    fc.asyncProperty(together, async worlds => void (await Promise.all(worlds.map(survive)))),
    runs,
  )
}, 60_000)
