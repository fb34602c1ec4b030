/** What nodes send back is in the budget again when it comes, and holds up no answer. */
import { expect, test } from 'vitest'
import type { Notice } from '../src/session/index.ts'
import { walletMsats, words } from './client-grid.ts'
import { answerOf, failureOf, say, withSession } from './session-world.ts'
import { memoryWorld } from './worlds.ts'

const open = () => memoryWorld()
/** 10 msats for each token of the prompt, 100 for each of the answer: 12 and 12 of them cost 1,320. */
const tariff = { promptMsatsPer1k: 10_000n, answerMsatsPer1k: 100_000n }
const metered = (pieceMs = 0) => ({ priceMsats: 0n, node: { tariff }, ...(pieceMs > 0 ? { echo: { pieceMs } } : {}) })

/** Notices, and a way to wait for one. */
function notices() {
  const came = Promise.withResolvers<string>()
  return {
    onNotice: ({ code, says }: Notice) => void (code === 'refund' && came.resolve(says)),
    came: came.promise,
  }
}

test('an answer does not wait for what its node sends back, and the budget has it when it comes', async () => {
  const { onNotice, came } = notices()
  await withSession(open, [metered()], { onNotice, maxSats: 100, budgetMsats: 101_320n }, async ({ session, grid }) => {
    const end = await answerOf(session.ask({ ...say(words), maxTokens: 20 }))
    expect(end).toMatchObject({ text: words, msats: 2_120n, creditMsats: 800n })
    expect(session.budget()).toEqual({ totalMsats: 101_320n, spentMsats: 2_120n, heldMsats: 0n })
    expect(await came).toBe('800 msats came back.')
    expect(session.budget()).toEqual({ totalMsats: 101_320n, spentMsats: 1_320n, heldMsats: 0n })
    expect(await grid.payer.balance()).toBe(walletMsats - 1_320n)
    // Without it there would be no room.
    expect((await answerOf(session.ask({ ...say(words), maxTokens: 12 }))).ok).toBe(true)
  })
})

test('a question that is left while it is answered costs what was made', async () => {
  const { onNotice, came } = notices()
  await withSession(open, [metered(30)], { onNotice, maxSats: 100 }, async ({ session, grid }) => {
    const leave = new AbortController()
    const asking = session.ask({ ...say(words), maxTokens: 20 }, leave.signal)
    for await (const { moment } of asking) if (moment === 'delta') leave.abort()
    expect(await failureOf(asking)).toMatchObject({ code: 'cancelled', msats: 2_120n })
    await came
    const { spentMsats, heldMsats } = session.budget()
    expect([heldMsats, spentMsats >= 220n && spentMsats < 1_320n]).toEqual([0n, true])
    expect(await grid.payer.balance()).toBe(walletMsats - spentMsats)
  })
})

test('a session that closes waits for it, within bounds', async () => {
  await withSession(open, [metered(30)], { maxSats: 100 }, async ({ session, grid }) => {
    const asking = session.ask({ ...say(words), maxTokens: 20 })
    for await (const { moment } of asking) if (moment === 'delta') break
    await session.close()
    expect(await failureOf(asking)).toMatchObject({ code: 'cancelled' })
    const { spentMsats } = session.budget()
    expect(spentMsats >= 220n && spentMsats < 1_320n).toBe(true)
    expect(await grid.payer.balance()).toBe(walletMsats - spentMsats)
  })
})

test('jobs that cost nothing are listed with their texts after their end, too', async () => {
  await withSession(open, [{ priceMsats: 0n }], { maxSats: 0 }, async ({ session }) => {
    const { request } = await answerOf(session.ask(say(words)))
    expect(session.jobs()).toMatchObject([{ request, state: 'delivered', msats: 0n, text: words }])
  })
})
