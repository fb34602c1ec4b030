/** One standing key: an open claim and another job want the same kept money. One gets it, and neither waits for ever. */
import { expect, test } from 'vitest'
import { feedback, leftOfCredit } from '../kinds/index.ts'
import { openClaims } from '../src/client/claims.ts'
import { type AskEvent, chooseNode, openClient, readMarket } from '../src/client/client.ts'
import { seconds, timeLimit } from '../src/clock.ts'
import { memoryJournal } from '../src/journal/memory.ts'
import { wrapEvent } from '../src/seal.ts'
import { keys, openTown, type Town } from './node-world.ts'

const words = 'one two three four'
/** 10 msats for each token of the prompt, 100 for each of the answer. */
const tariff = { promptMsatsPer1k: 10_000n, answerMsatsPer1k: 100_000n }

async function openShop() {
  const town = openTown()
  const refunder = { payer: town.payee, network: async () => 'regtest' as const }
  await town.open({ priceMsats: 0n, tariff, refunder })
  const secret = keys.newSecret()
  const journal = memoryJournal()
  const relays = town.hub.connect()
  const base = { relays, keys, secret, clock: town.clock, network: 'regtest', journal } as const
  const events: AskEvent[] = []
  async function ask(maxTokens: number, payee?: Town['payer']) {
    const client = openClient({ ...base, payer: town.payer, ...(payee ? { payee } : {}) })
    const choice = chooseNode(await readMarket(relays, seconds(town.clock)), { capMsats: 5_000n })
    if (!choice.ok) throw new Error(choice.says)
    const onEvent = (event: AskEvent) => void events.push(event)
    const asked = client.ask({ text: words, node: choice.offer, capMsats: 5_000n, ttlSeconds: 60, onEvent, maxTokens })
    return { client, outcome: await town.until('the outcome', settled(asked)) }
  }
  const claims = openClaims({ relays, keys, clock: town.clock, journal, payee: town.payer })
  return { town, journal, ask, claims, events, secret }
}

/** A look at a promise: what it brought, or nothing yet. */
function settled<T>(promise: Promise<T>): () => T | undefined {
  let found: T | undefined
  void promise.then(value => {
    found = value
  })
  return () => found
}

test.each([
  // The second job costs 140 or 440: what is left of the 600 comes back.
  [1, 'some'],
  [5, 'nothing'],
] as const)('a second job of %i tokens is paid from the kept money: the claim gets the rest', async (tokens, left) => {
  const { town, journal, ask, claims, secret } = await openShop()
  const first = await ask(10)
  expect(first.outcome).toMatchObject({ ok: true, msats: 1_040n, creditMsats: 600n })
  const had = await town.payer.balance()
  const second = await ask(tokens)
  expect(second.outcome).toMatchObject({ ok: true, msats: 0n })
  const rest = town.journal.bills.creditMsats(first.outcome.request.pubkey)
  expect(rest < 600n && rest > 0n).toBe(true)
  if (left === 'nothing') {
    // Another claim of the same key took it.
    const other = claims.claim(
      { job: second.outcome.request.id, node: town.me, msats: rest, secret },
      AbortSignal.any([]),
    )
    expect(await town.until('the rest', settled(other))).toBe(rest)
  }
  const late = timeLimit(town.clock, 60_000)
  const claim = claims.claim({ job: first.outcome.request.id, node: town.me, msats: 600n, secret }, late.signal)
  const back = await town.until('an end', settled(claim.then(came => ({ came }))), 70_000)
  late.stop()
  expect(back).toEqual({ came: left === 'nothing' ? 0n : rest })
  expect(await town.payer.balance()).toBe(had + rest)
  expect([journal.shelf('claims').size, town.journal.bills.creditMsats(first.outcome.request.pubkey)]).toEqual([0, 0n])
})

test('who never bought anything here is told nothing, and one who claims again and again is told now and then', async () => {
  const { town, ask, claims, secret, journal } = await openShop()
  const { outcome } = await ask(4)
  expect(outcome).toMatchObject({ ok: true, msats: 440n })
  const wraps = () => town.seen.filter(({ kind }) => kind === 21_059).length
  const claim = async (job: string, own: Uint8Array, ms: number) => {
    const late = timeLimit(town.clock, ms)
    const made = claims.claim({ job, node: town.me, msats: 5_000n, secret: own }, late.signal)
    const end = await town.until('an end', settled(made.then(came => ({ came }))), ms + 1_000)
    late.stop()
    return end
  }
  const before = wraps()
  expect(await claim(outcome.request.id, keys.newSecret(), 40_000)).toEqual({ came: undefined })
  // Three times claimed, and never answered.
  expect(wraps() - before).toBe(3)
  journal.shelf('claims').delete(outcome.request.id)
  expect(await claim(outcome.request.id, secret, 40_000)).toEqual({ came: 0n })
})

test('an invoice that ran out is made anew, and a claim of a month is given up', async () => {
  const { town, ask, claims, secret, journal } = await openShop()
  const { outcome } = await ask(10)
  const claim = { job: outcome.request.id, node: town.me, msats: 600n, secret }
  expect(await claims.claim(claim, AbortSignal.abort())).toBeUndefined()
  expect(claims.open()).toHaveLength(1)
  // As an earlier process made it.
  await town.payer.bill({ key: `refund:${claim.job}`, msats: 600n, expirySeconds: 3_600, description: '' })
  await town.clock.advance(3_600_000)
  expect(await town.until('the money', settled(claims.claim(claim, AbortSignal.any([]))), 60_000)).toBe(600n)
  expect(await claims.claim({ ...claim, job: 'ab'.repeat(32) }, AbortSignal.abort())).toBeUndefined()
  const shelf = journal.shelf('claims')
  expect(shelf.size).toBe(1)
  await town.clock.advance(0)
  const [key = '', row] = [...shelf.entries()][0] ?? []
  shelf.set(key, { ...(row as object), at: seconds(town.clock) - 31 * 86_400 })
  expect(claims.open()).toEqual([])
  expect(shelf.size).toBe(0)
})

test('only the node itself says what is left, and not while it works or again and again', async () => {
  const town = openTown()
  const refunder = { payer: town.payee, network: async () => 'regtest' as const }
  const node = await town.open({ priceMsats: 2_000n, refunder, echo: { pieceMs: 10_000 } })
  const own = keys.newSecret()
  const customer = town.customer(own)
  const job = customer.ask(words)
  await town.pay(await town.until('the bill', () => town.bills(job)[0]))
  await town.until('the work', () => node.jobs().find(({ state }) => state === 'running'))
  const journal = memoryJournal()
  const claims = openClaims({ relays: town.hub.connect(), keys, clock: town.clock, journal, payee: town.payer })
  const claim = async (ms: number) => {
    const late = timeLimit(town.clock, ms)
    const made = claims.claim({ job: job.id, node: town.me, msats: 2_000n, secret: own }, late.signal)
    return town.until('an end', settled(made.then(came => ({ came }))), ms + 1_000)
  }
  const stranger = keys.newSecret()
  const at = seconds(town.clock)
  const word = { job: job.id, status: 'error', says: '', content: '', code: leftOfCredit, creditMsats: 0n } as const
  const lie = wrapEvent(keys, keys.sign(feedback.write(word, at), stranger), customer.pubkey, at)
  const stop = town.clock.after(1_000, () => void town.hub.connect().publish(lie, { want: 1 }))
  expect(await claim(8_000)).toEqual({ came: undefined })
  stop()
  await town.until('the answer', () => town.result(job), 60_000)
  expect(await claim(8_000)).toEqual({ came: 0n })
  expect(await claim(5_000)).toEqual({ came: undefined })
})
