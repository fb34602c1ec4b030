/** Nodes die, relays drop, wallets keep silent: the answer is whole, the budget exact, and nothing is paid twice. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { handClock } from '../src/clock.ts'
import { memoryJournal } from '../src/journal/memory.ts'
import { simNet } from '../src/payments/sim.ts'
import { openSession } from '../src/session/index.ts'
import { walletMsats, words } from './client-grid.ts'
import { answerOf, failureOf, momentsOf, passTime, say, textOf, withSession } from './session-world.ts'
import { inEveryWorld, memoryWorld } from './worlds.ts'

inEveryWorld('session · faults', open => {
  test('a node that fails in the middle is followed by another, and what is read in the end is the answer', () =>
    withSession(
      open,
      [{ priceMsats: 1_000n, echo: { fault: 'dies' } }, {}],
      { policy: 'cheapest' },
      async ({ session, grid }) => {
        const asking = session.ask(say(words))
        const [seen, end] = await Promise.all([momentsOf(asking), answerOf(asking)])
        expect(textOf(seen)).toBe(words)
        expect(end.attempts.map(({ state }) => state)).toEqual(['failed', 'answered'])
        const left = walletMsats - (await grid.payer.balance())
        expect(end.msats).toBe(left)
        expect(session.budget()).toEqual({ spentMsats: left, heldMsats: 0n })
        // The next question knows better.
        const next = await answerOf(session.ask(say('again')))
        expect(next.text).toBe('again')
      },
    ))

  test('a relay that drops in the middle and comes back brings the rest', () =>
    withSession(open, [{ echo: { pieceMs: 20 } }], {}, async ({ session, world, grid }) => {
      const asking = session.ask(say(words))
      for await (const { moment } of asking) if (moment === 'delta') break
      const up = await world.outage()
      await grid.nodes[0]?.told('delivered')
      await up()
      expect(await answerOf(asking)).toMatchObject({ text: words, msats: 2_000n })
      expect(textOf(await momentsOf(asking))).toBe(words)
    }))
})

const open = () => memoryWorld()

test('relays that never answer, and a wallet that is dead, are told when the session opens', async () => {
  const clock = handClock()
  const world = await memoryWorld()
  const { keys } = world
  const gone = { url: 'wss://gone', state: 'waiting', dropped: 0, reconnects: 1, lastError: 'refused' } as const
  const relays = { ...world.connect(), state: () => [gone] }
  const deaf = openSession({ relays, clock, keys })
  const says = expect.stringContaining('wss://gone: refused')
  await expect(passTime(clock, deaf, 50)).rejects.toMatchObject({ code: 'no-relay', message: says })
  const wallet = simNet({ clock }).wallet({ alias: 'dead', msats: 0n })
  for (const info of [() => new Promise<never>(() => {}), () => Promise.reject(new Error('gone'))]) {
    const opening = openSession({
      relays: world.connect(),
      wallet: { ...wallet, info },
      clock,
      keys,
      maxSats: 1,
    })
    await expect(passTime(clock, opening)).rejects.toMatchObject({ code: 'no-wallet' })
  }
  await world.close()
})

test('nobody to ask while no relay answers is told as such', async () => {
  const clock = handClock()
  await withSession(
    () => memoryWorld(clock),
    [{}],
    {},
    async ({ session, world }) => {
      const up = await world.outage()
      const end = await passTime(clock, session.ask({ ...say(words), model: 'other' }).outcome)
      expect(end).toMatchObject({ ok: false, code: 'no-relay' })
      await up()
    },
  )
})

test('a wallet that keeps silent: the money in doubt stays set aside, and the same key does not pay again', async () => {
  const clock = handClock()
  await withSession(
    () => memoryWorld(clock),
    [{}],
    { budgetMsats: 10_000n, ttlSeconds: 30 },
    async ({ session, grid, requests }) => {
      grid.payer.faults = { pay: 'hang' }
      const asking = session.ask({ ...say(words), key: 'k' })
      await passTime(clock, asking.outcome)
      expect(await failureOf(asking)).toMatchObject({ code: 'payment-unknown', msats: 0n })
      expect(session.budget()).toEqual({ totalMsats: 10_000n, spentMsats: 0n, heldMsats: 2_000n })
      expect(await failureOf(session.ask({ ...say(words), key: 'k' }))).toMatchObject({ code: 'payment-unknown' })
      expect(requests()).toBe(1)
      expect(session.jobs()).toMatchObject([{ state: 'awaiting-payment', msats: 0n }])
      await passTime(clock, session.close())
    },
  )
})

test('any crowd of questions under any budget spends what its answers say, and never more', () =>
  fc.assert(
    fc.asyncProperty(
      fc.array(fc.record({ cap: fc.integer({ min: 0, max: 4 }), key: fc.nat(3), leave: fc.boolean() }), {
        minLength: 1,
        maxLength: 6,
      }),
      fc.integer({ min: 0, max: 12 }),
      (crowd, budgetSats) =>
        withSession(open, [{ priceMsats: 2_000n }], { budgetSats, journal: memoryJournal() }, async hall => {
          const { session, grid } = hall
          const left = new Map<number, AbortController>()
          const askings = crowd.map(({ cap, key, leave }, at) => {
            const stop = new AbortController()
            if (leave) left.set(at, stop)
            const question = { ...say(`question ${key}`), capMsats: BigInt(cap) * 1_000n, key: `${key} ${cap}` }
            return session.ask(question, stop.signal)
          })
          for (const stop of left.values()) queueMicrotask(() => stop.abort())
          const ends = await Promise.all(askings.map(({ outcome }) => outcome))
          const spent = walletMsats - (await grid.payer.balance())
          const budget = session.budget()
          expect(budget).toMatchObject({ spentMsats: spent, heldMsats: 0n })
          expect(spent).toBeLessThanOrEqual(BigInt(budgetSats) * 1_000n)
          const paid = new Map(ends.flatMap(end => (end.request ? [[end.request, end.msats] as const] : [])))
          expect([...paid.values()].reduce((sum, one) => sum + one, 0n)).toBe(spent)
        }),
    ),
    { numRuns: 60 },
  ))
