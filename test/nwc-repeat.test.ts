/** A question to a wallet that is not listening yet: ephemeral, so gone, unless it is asked again. */
import { expect, test } from 'vitest'
import { walletRequest } from '../kinds/index.ts'
import { startRelay } from '../relays/embedded/relay.ts'
import { openPool } from '../relays/pool.ts'
import { wallClock } from '../src/clock.ts'
import { simNet } from '../src/payments/sim.ts'
import { admit, connection, join, keys, serve } from './nwc-world.ts'

test('a wallet that comes late still answers: what is asked is asked anew', async () => {
  const clock = wallClock()
  const relay = await startRelay({ clock, verify: keys.verify })
  const pool = () => openPool({ urls: [relay.url], clock, admit })
  const conn = connection([relay.url])
  const spy = pool()
  const ids: string[] = []
  let asked = () => {}
  const first = new Promise<void>(resolve => {
    asked = resolve
  })
  const hear = (id: string) => {
    ids.push(id)
    asked()
  }
  const kinds = [walletRequest.number]
  await spy.listen([{ kinds }], { onEvent: event => hear(event.id) }).live
  const client = join(conn, pool, clock, { repeatMs: 50 })
  const balance = client.balance()
  await first
  const own = pool()
  const service = serve(conn, simNet({ clock }).wallet({ alias: 'late', msats: 7_000n }), own, clock)
  expect(await balance).toBe(7_000n)
  expect(ids.length).toBeGreaterThan(1)
  await Promise.all([client.close(), service.close(), own.close(), spy.close()])
  await relay.close()
})
