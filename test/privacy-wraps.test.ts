/** What of a wrapped question shows: to relays nothing but readers of wraps, to wallets no job. */
import { describe, expect, test } from 'vitest'
import { keeps } from './promises.ts'
import { ask, jobEvents, readable, secrets } from './scan/question.ts'

describe('a question', () => {
  keeps(
    'privacy.wrapped',
    'asked in wraps shows not even that it is one, nor whom the node answers',
    async () => {
      const seen = await ask(2)
      expect(seen.text).toBe(secrets.answer)
      expect(seen.level).toBe(2)
      expect(readable(seen)).toEqual([])
      expect(jobEvents(seen)).toEqual([])
      // No frame of any party names the job, and none the key of the customer together with the node's.
      const { frames, kept, request, customer, node } = seen
      expect(frames.filter(({ text }) => text.includes(request))).toEqual([])
      expect(frames.filter(({ text }) => text.includes(customer) && text.includes(node))).toEqual([])
      expect(kept.filter(event => [request, customer].some(name => JSON.stringify(event).includes(name)))).toEqual([])
      // The key is named by the customer's own ear, and by wraps to it from keys that are used once; it signs nothing.
      const told = frames.flatMap(({ party, way, text }) => {
        if (!text.includes(customer)) return []
        const [verb, , event] = [JSON.parse(text)].flat()
        if (verb === 'REQ') return [`${party} ${way} REQ`]
        const said =
          verb === 'EVENT' ? [event, JSON.parse(text)[1]].find(one => typeof one === 'object' && one) : undefined
        return [`${party} ${way} ${said?.kind} ${said?.pubkey === customer ? 'by' : 'to'}`]
      })
      expect([...new Set(told)].sort()).toEqual(['customer down 21059 to', 'customer up REQ', 'node up 21059 to'])
      const wraps = new Map(
        frames.flatMap(({ text }) => {
          const event = [JSON.parse(text)].flat().find(one => one?.kind === 21_059)
          return event ? [[String(event.id), String(event.pubkey)] as const] : []
        }),
      )
      expect(new Set(wraps.values()).size).toBe(wraps.size)
      expect(wraps.size).toBeGreaterThan(3)
    },
    30_000,
  )

  test('that needs chunks both ways tells no more in wraps: nobody sees who wrote them, or for which job', async () => {
    const filler = ' Und noch ein Wort.'.repeat(4_000)
    const seen = await ask(2, filler)
    expect(seen.text).toBe(secrets.answer + filler)
    expect(seen.level).toBe(2)
    expect(readable(seen)).toEqual([])
    const { frames, kept, request, customer, node } = seen
    expect(kept.filter(({ kind }) => kind === 4_635).length).toBeGreaterThanOrEqual(4)
    expect(frames.filter(({ text }) => text.includes(request))).toEqual([])
    expect(frames.filter(({ text }) => text.includes(customer) && text.includes(node))).toEqual([])
    const named = kept.filter(({ kind }) => kind === 4_635 || kind === 38_630)
    const whose = named.map(({ kind, pubkey, tags }) => {
      const of = (key: string) => (key === node ? 'node' : key === customer ? 'customer' : 'nobody')
      return `${kind} by ${of(pubkey)} for ${tags.flatMap(([name, key = '']) => (name === 'p' ? [of(key)] : [])).join()}`
    })
    // As of a wrap: a key that is used for nothing else writes to one reader.
    const each = ['customer', 'node'].flatMap(reader => [38_630, 4_635].map(kind => `${kind} by nobody for ${reader}`))
    expect([...new Set(whose)].sort()).toEqual(each.sort())
    const writers = (reader: string) =>
      new Set(named.flatMap(({ pubkey, tags }) => (tags.some(([, key]) => key === reader) ? [pubkey] : [])))
    expect([...writers(customer)].filter(key => writers(node).has(key))).toEqual([])
  }, 30_000)

  test.each([1, 2] as const)(
    'of level %i does not tell a wallet which job it pays: that would tell whose job it is',
    async level => {
      const { wallets, request, customer } = await ask(level)
      expect(wallets.length).toBeGreaterThan(2)
      expect(wallets.filter(text => text.includes(customer))).toEqual([])
      expect(wallets.filter(text => JSON.stringify(saidAloud(JSON.parse(text))).includes(request))).toEqual([])
    },
    30_000,
  )
})

/** What a wallet is told but the keys by which it tells equal questions apart, which stay in the process. */
const saidAloud = (value: unknown): unknown =>
  Array.isArray(value)
    ? value.map(saidAloud)
    : typeof value === 'object' && value !== null
      ? Object.fromEntries(
          Object.entries(value).flatMap(([name, one]) => (name === 'key' ? [] : [[name, saidAloud(one)]])),
        )
      : value
