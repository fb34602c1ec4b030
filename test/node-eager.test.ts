/** A runner that has its words at once, before anybody waited for them. */
import { expect, test } from 'vitest'
import type { Runner } from '../src/runners/runner.ts'
import { openMarket } from './market.ts'
import { memoryWorld } from './worlds.ts'

const eager: Runner = {
  name: 'eager',
  kinds: [5050],
  models: async () => [{ name: 'eager', contextTokens: 100, about: 'answers at once' }],
  check: async () => ({ ok: true, model: 'eager', promptTokens: 1, maxTokens: 10 }),
  run(_work, emit) {
    emit('at ')
    emit('once')
    return Promise.resolve({ text: 'at once', model: 'eager', promptTokens: 1, outputTokens: 2, finish: 'stop' })
  },
  close: async () => {},
}

test.each([0n, 2_000n])('its answer arrives whole, at a price of %s msats', async priceMsats => {
  const world = await memoryWorld()
  const market = await openMarket(world, { priceMsats, node: { runner: eager } })
  const outcome = await market.ask({ text: 'quick?' })
  expect(outcome).toMatchObject({ ok: true, text: 'at once', msats: priceMsats })
  expect(market.nodeEvents.filter(({ event }) => event === 'trouble')).toEqual([])
  await market.close()
})
