/** An answer that was begun elsewhere: only the rest is made and billed, and two nodes together cost one price. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { frame, messagesInput } from '../kinds/index.ts'
import { openClientJob } from '../src/job/client-side.ts'
import { partMsats } from '../src/job/cost.ts'
import { openNodeJob } from '../src/job/node-side.ts'
import type { Answer, NodeAct, NodeFact, NodeJob } from '../src/job.ts'
import { step } from '../src/job.ts'
import { buy, openTown } from './node-world.ts'

const answer = (text: string): Answer => ({ text, model: 'm', promptTokens: 1, outputTokens: 1 })

/** Lets a node bill, be paid and finish part after part, `most` of them; gives what was billed and the job. */
function work(opening: readonly [NodeJob, readonly NodeAct[]], most = Number.POSITIVE_INFINITY) {
  let [job, acts] = opening
  const bills: { part: number; msats: bigint }[] = []
  const tell = (fact: NodeFact) => {
    ;[job, acts] = step(job, fact)
  }
  for (let done = 0; done < most && job.state === 'quoted'; done++) {
    const act = acts.find(one => one.act === 'bill')
    if (act?.act !== 'bill') throw new Error('a quoted job bills')
    bills.push({ part: act.part, msats: act.msats })
    const bill = { bolt11: 'b', hash: `h${act.part}`, msats: act.msats, expiresAt: 60 }
    tell({ fact: 'billed', bill })
    tell({ fact: 'paid', paid: { hash: bill.hash, msats: act.msats, preimage: 'p' } })
    expect(acts.filter(one => one.act === 'run')).toHaveLength(1)
    if (done + 1 >= most) break
    tell(job.part < job.parts ? { fact: 'part-done', answer: answer('x') } : { fact: 'result', answer: answer('x') })
  }
  return { job, bills, sum: bills.reduce((all, { msats }) => all + msats, 0n) }
}

const deal = { id: 'job', customer: 'C', when: 'parts' as const, now: 0, ttlSeconds: 100 }

describe('the money', () => {
  test('what dies at one node and goes on at another costs the price, and at most one part more', () => {
    const scenes = fc
      .record({ msats: fc.bigInt(64n, 10n ** 12n), parts: fc.integer({ min: 2, max: 64 }) })
      .chain(({ msats, parts }) =>
        fc.record({
          msats: fc.constant(msats),
          parts: fc.constant(parts),
          // The first node is paid for so many parts and dies in the last of them; its words may count or not.
          died: fc.integer({ min: 1, max: parts }),
          lastCounts: fc.boolean(),
        }),
      )
    fc.assert(
      fc.property(scenes, ({ msats, parts, died, lastCounts }) => {
        const first = work(openNodeJob({ ...deal, msats, parts }), died)
        expect(first.bills).toHaveLength(died)
        const from = lastCounts && died < parts ? died : died - 1
        const second = work(openNodeJob({ ...deal, msats, parts, from, soFar: answer('begun') }))
        expect(second.job.state).toBe('delivered')
        expect(second.bills.map(({ part }) => part)).toEqual(
          Array.from({ length: parts - from }, (_, i) => from + 1 + i),
        )
        for (const { part, msats: asked } of second.bills) expect(asked).toBe(partMsats({ msats, parts }, part))
        const onePart = partMsats({ msats, parts }, 1)
        expect(first.sum + second.sum).toBeGreaterThanOrEqual(msats)
        expect(first.sum + second.sum).toBeLessThanOrEqual(msats + onePart)
        if (from === died) expect(first.sum + second.sum).toBe(msats)
      }),
      { numRuns: 1_000 },
    )
  })

  test('any other word of what was bought elsewhere counts for nothing: the whole price is billed', () => {
    const wrong = fc.oneof(
      fc.constantFrom(0, -1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53),
      fc.integer({ min: 8, max: 1_000 }),
    )
    const text = fc.constantFrom(undefined, '')
    const scenes = fc.oneof(
      wrong.map(from => ({ from, soFar: answer('begun') })),
      fc.record({ from: fc.integer({ min: 1, max: 7 }), text }).map(({ from, text: said }) => ({
        from,
        ...(said === undefined ? {} : { soFar: answer(said) }),
      })),
    )
    fc.assert(
      fc.property(scenes, begun => {
        const { sum, job, bills } = work(openNodeJob({ ...deal, msats: 803n, parts: 8, ...begun }))
        expect(job.soFar?.text).not.toBe('begun')
        expect(bills[0]).toEqual({ part: 1, msats: 101n })
        expect(sum).toBe(803n)
      }),
      { numRuns: 1_000 },
    )
  })

  test('a client that has bought the beginning takes no bill for it, and gives up such a node at once', () => {
    const [job] = openClientJob({ id: 'job', node: 'N', capMsats: 9n, parts: 4, from: 2, now: 0, ttlSeconds: 100 })
    const quote = (part: number) => ({
      by: 'N',
      msats: 2n,
      bolt11: 'b',
      terms: { word: 'parts' as const, part, parts: 4 },
    })
    expect(job.partsPaid).toBe(2)
    expect(step(job, { fact: 'quote', quote: quote(3) })).toMatchObject([{ state: 'quoted' }, [{ act: 'clear' }]])
    for (const bill of [quote(1), quote(2), quote(4), { by: 'N', msats: 8n, bolt11: 'b' }])
      expect(step(job, { fact: 'quote', quote: bill })).toMatchObject([
        { state: 'refused', why: { code: 'parts' } },
        [{ act: 'withdraw' }],
      ])
    // A stranger's bill changes nothing.
    expect(step(job, { fact: 'quote', quote: { ...quote(1), by: 'E' } })).toEqual([job, []])
  })
})

describe('at a node', () => {
  const words = 'one two three four five six seven eight'
  const begun = (prefix: string) => [
    messagesInput([
      { role: 'user', content: words },
      { role: 'assistant', content: prefix },
    ]),
  ]
  const wish = (from: number) => ({ maxTokens: 8, terms: { word: 'parts' as const, parts: 4, from } })

  test('the rest is billed and streamed, and the result is whole', async () => {
    const town = openTown()
    await town.open({ priceMsats: 2_003n })
    const job = town.customer().ask('', { inputs: begun('one two three four'), ...wish(2) })
    const { text, msats, result } = await buy(town, job)
    expect(msats).toEqual([501n, 500n])
    expect(town.bills(job).map(({ terms }) => terms)).toEqual([
      { word: 'parts', part: 3, parts: 4 },
      { word: 'parts', part: 4, parts: 4 },
    ])
    expect(text).toBe(words)
    expect(result.usage?.outputTokens).toBe(8)
    const streamed = town.seen.flatMap(event => {
      const read = frame.read(event)
      return event.kind === frame.number && read.ok && read.value.job === job.id ? [read.value.text] : []
    })
    expect(streamed.join('')).toBe(' five six seven eight')
  })

  test('a node that is gone in the middle comes back to the same part and the same words', async () => {
    const town = openTown()
    const node = await town.open({ echo: { delayMs: 1_000 } })
    const job = town.customer().ask('', { inputs: begun('one two'), ...wish(1) })
    const first = await town.until('the bill', () => town.bills(job)[0])
    await town.pay(first)
    await town.until('the work', () => town.told.find(({ event }) => event === 'running'))
    await node.close()
    await town.open()
    const second = await town.until('the second bill', () =>
      town.bills(job).find(({ terms }) => terms !== undefined && 'part' in terms && terms.part === 3),
    )
    await town.pay(second)
    const third = await town.until('the third bill', () =>
      town.bills(job).find(({ terms }) => terms !== undefined && 'part' in terms && terms.part === 4),
    )
    await town.pay(third)
    expect((await town.until('the result', () => town.result(job))).text).toBe(words)
    expect(new Set(town.bills(job).map(({ bolt11 }) => bolt11)).size).toBe(3)
  })

  test('without the last word of an assistant, or with no part left, it is a job from the beginning', async () => {
    const town = openTown()
    await town.open()
    const ask = town.customer()
    const plain = await buy(town, ask.ask(words, wish(2)))
    expect(plain).toMatchObject({ text: words, msats: [500n, 500n, 500n, 500n] })
    const last = ask.ask('', { inputs: begun(''), ...wish(3) })
    expect((await buy(town, last)).msats).toHaveLength(4)
  })

  test('kept money is not spent on a rest, and a free node goes on, too', async () => {
    const town = openTown()
    const customer = town.customer()
    town.journal.bills.credit({
      id: 'x',
      customer: customer.pubkey,
      job: 'ab'.repeat(32),
      msats: 9_000n,
      why: 'late',
      at: 1,
    })
    const node = await town.open()
    const paid = await buy(town, customer.ask('', { inputs: begun('one two three four five six'), ...wish(3) }))
    expect(paid).toMatchObject({ text: words, msats: [500n] })
    expect(town.journal.bills.creditMsats(customer.pubkey)).toBe(9_000n)
    await node.close()
    await town.open({ priceMsats: 0n })
    const free = await buy(town, customer.ask('', { inputs: begun('one two'), ...wish(1) }))
    expect(free).toMatchObject({ text: words, msats: [] })
  })

  test('who offers no parts bills the whole price before, and says so', async () => {
    const town = openTown()
    await town.open({ terms: { parts: false } })
    const job = town.customer().ask('', { inputs: begun('one two'), ...wish(1) })
    const bill = await town.until('the bill', () => town.bills(job)[0])
    expect(bill).toMatchObject({ msats: 2_000n, terms: { word: 'before' } })
  })
})
