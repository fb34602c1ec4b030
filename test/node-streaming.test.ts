/** Streams on the edge: who is listened to when, and what is never divided or shown. */
import { expect, test } from 'vitest'
import { deltasOutput, streamControl } from '../kinds/index.ts'
import type { Filter, Relays } from '../relays/relay.ts'
import { openHidden } from './node-hidden.ts'
import { buy, openTown } from './node-world.ts'

test('wishes about streams are listened for while something streams in the open, and a while after', async () => {
  const town = openTown()
  const relays = town.hub.connect()
  const open = new Set<Filter[]>()
  const watched: Relays = {
    ...relays,
    listen(filters, how, signal) {
      const listening = relays.listen(filters, how, signal)
      if (!how.once) open.add(filters)
      const close = () => {
        open.delete(filters)
        listening.close()
      }
      return { live: listening.live, close }
    },
  }
  const heeds = () => [...open].some(filters => filters.some(({ kinds }) => kinds?.includes(streamControl.number)))
  const node = await town.open({ relays: watched, priceMsats: 0n, echo: { pieceMs: 100 } })
  expect(heeds()).toBe(false)
  const customer = openHidden(town)
  const quiet = customer.send(customer.request('not streamed', 'nip44', { stream: false }))
  const hidden = customer.request('in a wrap', 'nip44', { privacy: 2 })
  customer.wrap(hidden)
  await town.until('both answers', () => {
    const wrapped = customer.heard(hidden, customer.inWraps()).results[0]
    return customer.heard(quiet).results[0] && wrapped ? true : undefined
  })
  expect(heeds()).toBe(false)
  const streamed = customer.send(customer.request('one two three four', 'nip44'))
  await town.until('a frame', () => customer.heard(streamed).frames[0])
  expect(heeds()).toBe(true)
  await town.until('the answer', () => customer.heard(streamed).results[0])
  expect(heeds()).toBe(true)
  await town.clock.advance(29_000)
  expect(heeds()).toBe(true)
  await town.clock.advance(2_000)
  expect(heeds()).toBe(false)
  await node.close()
  expect(open.size).toBe(0)
})

test.each([
  ['deltas', { output: deltasOutput }],
  ['JSON', { responseFormat: { type: 'json_object' as const } }],
])('an answer of %s is not divided: the wish to pay in parts becomes one bill', async (_, more) => {
  const town = openTown()
  const node = await town.open({
    runner: {
      name: 'r',
      kinds: [5050],
      models: async () => [{ name: 'm', contextTokens: 100, about: '' }],
      check: async () => ({ ok: true, model: 'm', promptTokens: 1, maxTokens: 10 }),
      run: async (_work, emit) => {
        emit('{}')
        return { text: '{}', model: 'm', promptTokens: 1, outputTokens: 1, finish: 'stop' }
      },
      close: async () => {},
    },
  })
  const { text, msats } = await buy(town, town.customer().ask('x', { ...more, terms: { word: 'parts', parts: 4 } }))
  expect(msats).toEqual([2_000n])
  expect(text).toContain('{}')
  await node.close()
})

test('what only its payment opens is neither streamed nor shown in parts', async () => {
  const town = openTown()
  const node = await town.open({ echo: { pieceMs: 200 } })
  const customer = openHidden(town)
  const words = Array.from({ length: 30 }, (_, i) => `w${i}`).join(' ')
  const job = customer.send(customer.request(words, 'nip44', { partial: true, terms: { word: 'hold' } }))
  const heard = () => customer.heard(job)
  const bill = await town.until('the bill', () => heard().words.find(({ status }) => status === 'payment-required'))
  expect(bill.terms).toEqual({ word: 'hold' })
  void town.pay(bill)
  const { value } = await town.until('the result', () => heard().results[0])
  expect(value.sealedUnder).toBeDefined()
  expect(heard().frames).toEqual([])
  expect(heard().words.filter(({ status }) => status === 'partial')).toEqual([])
  await node.close()
})
