/** A session over real nodes: an application asks, reads as many times as it likes or never, and pays within its budget. */
import { expect, test } from 'vitest'
import { memoryJournal } from '../src/journal/memory.ts'
import { openSession } from '../src/session/index.ts'
import { walletMsats, words } from './client-grid.ts'
import { answerOf, failureOf, momentsOf, say, textOf, withSession } from './session-world.ts'
import { inEveryWorld, memoryWorld } from './worlds.ts'

inEveryWorld('session', open => {
  test('a question is found, paid and read, once as it grows, once from its beginning, and never needs a reader', () =>
    withSession(open, [{}], {}, async ({ session, grid, requests }) => {
      const asking = session.ask(say(words))
      const [seen, end] = await Promise.all([momentsOf(asking), answerOf(asking)])
      expect(textOf(seen)).toBe(words)
      expect(seen.map(({ moment }) => moment)).toEqual(expect.arrayContaining(['asked', 'paying', 'paid', 'delta']))
      expect(seen.find(({ moment }) => moment === 'asked')).toMatchObject({ request: end.request, node: end.node })
      expect(end).toMatchObject({ text: words, msats: 2_000n, finish: 'stop', model: 'echo', toolCalls: [] })
      expect(end.usage).toEqual({ promptTokens: 12, outputTokens: 12 })
      expect(await asking.request).toBe(end.request)
      expect(textOf(await momentsOf(asking))).toBe(words)
      expect(session.budget()).toEqual({ spentMsats: 2_000n, heldMsats: 0n })
      expect(await session.balance()).toBe(walletMsats - 2_000n)
      expect(session.jobs()).toMatchObject([{ request: end.request, state: 'delivered', msats: 2_000n, text: words }])
      expect(await session.job(end.request)).toMatchObject({ text: words, node: grid.nodes[0]?.pubkey })
      expect(requests()).toBe(1)
    }))

  test('who serves what is known without asking for it, and what it would cost', () =>
    withSession(open, [{}, { priceMsats: 3_000n }], { maxSats: 2 }, async ({ session, grid }) => {
      const [cheap, dear] = grid.nodes
      expect((await session.nodes()).map(({ pubkey }) => pubkey).sort()).toEqual([cheap?.pubkey, dear?.pubkey].sort())
      const [model, ...others] = await session.models()
      expect(model).toMatchObject({ name: 'echo', kinds: [5050], contextTokens: 8_192 })
      expect(model?.nodes).toHaveLength(2)
      expect(others).toEqual([])
      expect(await session.quote({})).toMatchObject([{ node: cheap?.pubkey, msats: 2_000n }])
    }))

  test('a session that closes withdraws what runs, and its money is accounted for', () =>
    withSession(open, [{ echo: { fault: 'hangs' } }], {}, async ({ session, grid }) => {
      const asking = session.ask(say(words))
      await grid.nodes[0]?.told('running')
      await session.close()
      expect(await failureOf(asking)).toMatchObject({ code: 'cancelled' })
      expect(session.budget().heldMsats).toBe(0n)
      expect(await failureOf(session.ask(say(words)))).toMatchObject({ code: 'closed' })
    }))
})

const open = () => memoryWorld()

test('without an explicit price only free answers are bought', () =>
  withSession(open, [{ priceMsats: 1n }], {}, async ({ another, requests }) => {
    const free = await another({ maxSats: 0 })
    expect(await failureOf(free.ask({ ...say(words), capMsats: 5_000n }))).toMatchObject({
      code: 'over-cap',
      msats: 0n,
    })
    expect(requests()).toBe(0)
  }))

test('a question may lower its cap and never raise it', () =>
  withSession(open, [{ priceMsats: 4_000n }], { maxSats: 3 }, async ({ session, another }) => {
    expect(await failureOf(session.ask({ ...say(words), capMsats: 9_000n }))).toMatchObject({ code: 'over-cap' })
    const rich = await another({ maxSats: 9 })
    expect(await failureOf(rich.ask({ ...say(words), capMsats: 3_999n }))).toMatchObject({ code: 'over-cap' })
    expect(await answerOf(rich.ask({ ...say(words), capMsats: 4_000n }))).toMatchObject({ msats: 4_000n })
  }))

test('of questions at the same time only those are asked that the budget has room for, caps counted whole', () =>
  withSession(open, [{ echo: { pieceMs: 20 } }], { budgetMsats: 12_000n }, async ({ session, requests, grid }) => {
    const askings = [1, 2, 3].map(at => session.ask(say(`${words} ${at}`)))
    expect(session.budget()).toEqual({ totalMsats: 12_000n, spentMsats: 0n, heldMsats: 10_000n })
    const ends = await Promise.all(askings.map(({ outcome }) => outcome))
    expect(ends.map(end => (end.ok ? 'ok' : end.code))).toEqual(['ok', 'ok', 'budget'])
    expect(session.budget()).toEqual({ totalMsats: 12_000n, spentMsats: 4_000n, heldMsats: 0n })
    await answerOf(session.ask(say('fits again')))
    expect(requests()).toBe(3)
    expect(await grid.payer.balance()).toBe(walletMsats - 6_000n)
  }))

test('options that cannot work are refused with the way out', async () => {
  const world = await memoryWorld()
  const base = { relays: world.connect(), keys: world.keys }
  await expect(openSession({ ...base, maxSats: 1 })).rejects.toMatchObject({ code: 'no-wallet' })
  await expect(openSession({ ...base, policy: 'nonsense' })).rejects.toMatchObject({ code: 'options' })
  await expect(openSession({ ...base, node: 'npub1' })).rejects.toMatchObject({ code: 'options' })
  await expect(openSession({ ...base, maxSats: -1 })).rejects.toMatchObject({ code: 'options' })
  await expect(openSession({ ...base, relays: [] })).rejects.toMatchObject({ code: 'options' })
  await expect(openSession({ ...base, relays: ['http://x'] })).rejects.toMatchObject({ code: 'options' })
  const secret = 'nostr+walletconnect://nonsense?secret=SECRETSECRET'
  const refused = openSession({ ...base, wallet: secret, maxSats: 1 })
  await expect(refused).rejects.toMatchObject({ code: 'no-wallet' })
  await expect(refused).rejects.not.toThrow(/SECRETSECRET/)
  await world.close()
})

test('a journal, relays and a wallet that were handed over open stay open', () =>
  withSession(open, [{}], {}, async ({ another, grid, world }) => {
    const journal = memoryJournal()
    const relays = world.connect()
    const one = await another({ journal, relays })
    const { request } = await answerOf(one.ask(say(words)))
    await one.close()
    expect(journal.jobs.find('client', request)).toBeDefined()
    expect(await grid.payer.balance()).toBe(walletMsats - 2_000n)
    const two = await another({ journal, relays })
    expect(await answerOf(two.ask(say(words)))).toMatchObject({ text: words })
  }))
