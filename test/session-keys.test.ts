/** The same key is the same question: it is asked once, paid once, read by all, also by the next process. */
import { expect, test } from 'vitest'
import type { Relays } from '../relays/relay.ts'
import { memoryJournal } from '../src/journal/memory.ts'
import { walletMsats, words } from './client-grid.ts'
import { keeps } from './promises.ts'
import { answerOf, failureOf, momentsOf, say, textOf, withSession } from './session-world.ts'
import { memoryWorld } from './worlds.ts'

const open = () => memoryWorld()
const slow = { echo: { pieceMs: 10 } }
const keyed = { ...say(words), key: 'one' }

test('all who ask under a key read one job from its beginning, and one payment leaves', () =>
  withSession(open, [slow], {}, async ({ session, requests, grid }) => {
    const first = session.ask(keyed)
    const reader = first[Symbol.asyncIterator]()
    for (let words = 0; words < 3; ) if ((await reader.next()).value?.moment === 'delta') words++
    const second = session.ask(keyed)
    const [seen, one, two] = await Promise.all([momentsOf(second), answerOf(first), answerOf(second)])
    expect(textOf(seen)).toBe(words)
    expect(two).toEqual(one)
    expect(await answerOf(session.ask(keyed))).toEqual(one)
    expect(textOf(await momentsOf(session.ask(keyed)))).toBe(words)
    expect(requests()).toBe(1)
    expect(session.budget().spentMsats).toBe(2_000n)
    expect(await grid.payer.balance()).toBe(walletMsats - 2_000n)
    await answerOf(session.ask({ ...keyed, key: 'two' }))
    expect(requests()).toBe(2)
  }))

test('one reader of several who leaves takes nothing with it; the last one takes the job', () =>
  withSession(open, [{ echo: { pieceMs: 10 } }, {}], {}, async ({ session, requests, world }) => {
    const [one, two] = [new AbortController(), new AbortController()]
    const first = session.ask(keyed, one.signal)
    const second = session.ask(keyed, two.signal)
    await first.request
    one.abort()
    expect(await failureOf(first)).toMatchObject({ code: 'cancelled', msats: 0n })
    expect(await answerOf(second)).toMatchObject({ text: words })
    expect(requests()).toBe(1)
    expect(world.seen.some(({ kind }) => kind === 5)).toBe(false)
  }))

test('the last reader who leaves withdraws the job, and who asks then asks anew', () =>
  withSession(open, [{ echo: { fault: 'hangs' } }], { hedge: false }, async ({ session, requests, grid }) => {
    const [one, two] = [new AbortController(), new AbortController()]
    const askings = [session.ask(keyed, one.signal), session.ask(keyed, two.signal)]
    await grid.nodes[0]?.told('running')
    one.abort()
    two.abort()
    const again = session.ask(keyed)
    for (const asking of askings) expect(await failureOf(asking)).toMatchObject({ code: 'cancelled' })
    const request = await again.request
    expect(request).not.toBe(await askings[0]?.request)
    expect(requests()).toBe(2)
    expect(await session.cancel(request ?? '')).toBe(true)
    expect(await failureOf(again)).toMatchObject({ code: 'cancelled' })
    expect(await session.cancel(request ?? '')).toBe(false)
  }))

test('a refused question is asked anew under its key: nothing was bought', () =>
  withSession(open, [{ priceMsats: 3_000n }], { budgetMsats: 5_000n }, async ({ session }) => {
    expect(await failureOf(session.ask({ ...keyed, capMsats: 2_000n }))).toMatchObject({ code: 'over-cap' })
    expect(await answerOf(session.ask(keyed))).toMatchObject({ msats: 3_000n })
  }))

test('a bought answer is handed out again by the next process, as long as it is young', () =>
  withSession(open, [slow], {}, async ({ another, requests, grid }) => {
    const journal = memoryJournal()
    const before = await another({ journal })
    const one = await answerOf(before.ask(keyed))
    await before.close()
    const after = await another({ journal })
    const asking = after.ask(keyed)
    expect(textOf(await momentsOf(asking))).toBe(words)
    const { text, msats, request, node, model, usage } = one
    expect(await answerOf(asking)).toMatchObject({ text, msats, request, node, model, usage })
    expect(requests()).toBe(1)
    expect(after.budget().spentMsats).toBe(0n)
    const later = await another({ journal, keySeconds: -1 })
    await answerOf(later.ask(keyed))
    expect(requests()).toBe(2)
    expect(await grid.payer.balance()).toBe(walletMsats - 4_000n)
  }))

keeps('session.once', 'a job that an earlier process paid and left is gone on with under its key, and paid once', () =>
  withSession(open, [{ echo: { pieceMs: 25 } }], {}, async ({ another, requests, grid, world }) => {
    const journal = memoryJournal()
    const relays = world.connect()
    const killed = await another({ journal, relays })
    const lost = killed.ask(keyed)
    for await (const { moment } of lost) if (moment === 'delta') break
    // The process is gone: it hears nothing more.
    await relays.close()
    const after = await another({ journal })
    expect(await answerOf(after.ask(keyed))).toMatchObject({ text: words, request: await lost.request })
    expect(requests()).toBe(1)
    expect(await grid.payer.balance()).toBe(walletMsats - 2_000n)
    expect(after.jobs()).toMatchObject([{ state: 'delivered', text: words }])
  }),
)

test('a payment that leaves before a relay has taken note of the job is linked to its key all the same', () =>
  withSession(open, [{ echo: { pieceMs: 25 } }], {}, async ({ another, requests, grid, world }) => {
    const journal = memoryJournal()
    const relays = world.connect()
    const { promise: slow, resolve } = Promise.withResolvers<void>()
    const publish: Relays['publish'] = async (event, options) => {
      const done = relays.publish(event, options)
      if (event.kind === 5050) await slow
      return done
    }
    const killed = await another({ journal, relays: { ...relays, publish } })
    const asking = killed.ask(keyed)
    for await (const { moment } of asking) {
      expect(moment).not.toBe('asked')
      if (moment === 'delta') break
    }
    await relays.close()
    const after = await another({ journal })
    expect(await answerOf(after.ask(keyed))).toMatchObject({ text: words, request: await asking.request })
    expect(requests()).toBe(1)
    expect(await grid.payer.balance()).toBe(walletMsats - 2_000n)
    resolve()
  }))
