/** The nodes, routers and customers of the house, watched by two routers and accused by everybody who could: nobody is guilty. */
import { expect, test } from 'vitest'
import {
  attestation,
  faultEvidence,
  faultVerdict,
  feedback,
  routing,
  textResult,
  usageReceipt,
} from '../kinds/index.ts'
import type { RoutedQuestion } from '../src/client/client.ts'
import { faultTools } from '../src/router/fault-tools.ts'
import { openRouter, type RouterEvent } from '../src/router/router.ts'
import { openPolicy } from '../src/routing/index.ts'
import { openGrid, words } from './client-grid.ts'
import { memoryWorld } from './worlds.ts'

test('work, refusals, kills and restarts prove nothing against anybody', { timeout: 60_000 }, async () => {
  const world = await memoryWorld()
  const grid = await openGrid(world, {
    nodes: [
      { priceMsats: 0n, echo: { pieceMs: 20 } },
      { priceMsats: 1_000n, node: { limits: { jobs: 1 } }, echo: { pieceMs: 20 } },
      { priceMsats: 1_500n },
    ],
    client: { accuse: faultTools(world.keys.verify), recomputedShare: 1 },
  })
  const events: RouterEvent[] = []
  const open = () => {
    const secret = world.keys.newSecret()
    return openRouter({
      ...{ relays: world.connect(secret), keys: world.keys, secret, clock: world.clock, policy: openPolicy() },
      judging: { network: 'regtest', sampled: 1, trusted: [grid.client.pubkey] },
      onEvent: event => void events.push(event),
    })
  }
  const routers = [open(), open()]
  await Promise.all(routers.map(one => one.ready))
  const ask = (question: Partial<RoutedQuestion> = {}) =>
    grid.client.askRouted({
      ...{ text: words, capMsats: 5_000n, routers: routers.map(({ pubkey }) => pubkey), auctionMs: 100, slackMs: 500 },
      ...{ refundMs: 300, hedge: false, onEvent: grid.onEvent, ...question },
    })
  let seed = 0
  for (const terms of [undefined, { word: 'hold' }, { word: 'parts', parts: 2 }] as const)
    for (const privacy of [0, 1] as const) {
      const outcome = await ask({ privacy, seed: ++seed, ...(terms ? { terms } : {}) })
      expect([outcome.ok, outcome.code]).toEqual([true, undefined])
    }
  // More at once than one of them takes, and a death in the middle.
  const crowd = Array.from({ length: 4 }, () => ask({ seed: ++seed, deny: [grid.nodes[0]?.pubkey ?? ''] }))
  const dying = ask({ seed: ++seed, allow: [grid.nodes[0]?.pubkey ?? ''], capMsats: 0n })
  await grid.onceEvent('attempt', 7)
  await grid.nodes[0]?.kill()
  await grid.nodes[0]?.restart()
  await Promise.allSettled([...crowd, dying])
  await Promise.all(routers.map(one => one.close()))
  const kindsSeen = new Set(world.seen.map(({ kind }) => kind))
  for (const kind of [feedback, textResult, usageReceipt, routing, attestation])
    expect(kindsSeen).toContain(kind.number)
  expect(world.seen.filter(({ kind }) => kind === faultEvidence.number || kind === faultVerdict.number)).toEqual([])
  expect(events.filter(({ event }) => event === 'verdict' || event === 'evidence' || event === 'trouble')).toEqual([])
  expect(grid.net.conserved()).toBe(true)
  await grid.close()
})
