/** What does not fit into one word between provider and verifier. */
import { expect, test } from 'vitest'
import { ephemeralWrap } from '../kinds/index.ts'
import { openEscrowAsk } from '../src/escrow/asking.ts'
import { escrowWorld, price } from './escrow-world.ts'

test('a job and a result that are too long for one word are read from the relays', async () => {
  const world = await escrowWorld({ sealed: true, input: 'why '.repeat(10_000) })
  const verifier = world.verify()
  const relays = world.connect()
  const result = world.resultOf('WHY '.repeat(10_000))
  const { request, verifier: to, deadline } = world
  const ask = openEscrowAsk(world.side(world.nodeSecret))
  await relays.publish(request)
  const answer = await world.until(ask.hashFor({ request, verifier: to, msats: price, deadline }))
  if (!answer.ok) throw new Error(answer.says)
  const found = ask.verdict({ request, verifier: to, hash: answer.hash, deadline, result })
  await world.clock.advance(20_000)
  expect(verifier.cases()).toMatchObject([{ state: 'open' }])
  await relays.publish(result)
  expect(await world.until(found)).toMatchObject({ verdict: 'release' })
  for (const { content, kind } of world.seen)
    if (kind === ephemeralWrap.number) expect(content.length).toBeLessThan(65_000)
})

test('a verifier that is no key is silence, not a crash', async () => {
  const world = await escrowWorld()
  const ask = openEscrowAsk(world.side(world.nodeSecret))
  const { request, deadline } = world
  const found = ask.hashFor({ request, verifier: 'f'.repeat(64), msats: price, deadline })
  expect(await world.until(found)).toMatchObject({ ok: false, rule: 'silent' })
})
