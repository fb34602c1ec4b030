/** Judges, and what a verifier keeps on disk. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { TextRequest } from '../kinds/index.ts'
import { handClock } from '../src/clock.ts'
import { openEscrowAsk } from '../src/escrow/asking.ts'
import { type EscrowCase, type Matter, openCase } from '../src/escrow/escrow.ts'
import { customerSays, matches } from '../src/escrow/judges.ts'
import { openShelves } from '../src/escrow/shelves.ts'
import { memoryJournal, openJournal } from '../src/journal/index.ts'
import { escrowWorld, price, shout } from './escrow-world.ts'

const start = 1_800_000_000
const request: TextRequest = {
  ...{ inputs: [{ data: 'hi', type: 'text' }], relays: [], providers: [], stream: false, receipt: false },
}
const opening = { job: 'j', node: 'n', customer: 'c', hash: 'h', msats: 1n, deadline: start + 600 }

function matterOf(text: string, extra: Partial<EscrowCase> = {}, word?: Promise<'accept' | 'complain'>): Matter {
  return {
    case: { ...openCase(opening)[0], claimedAt: start, ...extra },
    request,
    result: { job: 'j', customer: 'c', text },
    customerWord: signal =>
      word ?? new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
  }
}

const signal = new AbortController().signal

describe('matches', () => {
  test('compares letter for letter', async () => {
    const judge = matches(shout)
    expect(await judge(matterOf('HI'), signal)).toMatchObject({ word: 'release' })
    expect(await judge(matterOf('HI '), signal)).toMatchObject({ word: 'refund' })
    expect(await judge(matterOf(''), signal)).toMatchObject({ word: 'refund' })
  })

  test('does one rerun at a time, and one that fails decides nothing and hinders none', async () => {
    let running = 0
    let most = 0
    const judge = matches(async () => {
      most = Math.max(most, ++running)
      await Promise.resolve()
      running--
      return 'HI'
    })
    const all = await Promise.all([1, 2, 3, 4].map(() => judge(matterOf('HI'), signal)))
    expect([all.length, most]).toEqual([4, 1])
    let broken = true
    const shaky = matches(async () => {
      if (!broken) return 'HI'
      broken = false
      throw new Error('no model')
    })
    const [first, second] = await Promise.allSettled([shaky(matterOf('HI'), signal), shaky(matterOf('HI'), signal)])
    expect([first?.status, second?.status]).toEqual(['rejected', 'fulfilled'])
  })
})

describe('customerSays', () => {
  const clock = handClock(start * 1_000)
  const judge = customerSays({ clock, waitSeconds: 100 })

  test('the word decides', async () => {
    expect(await judge(matterOf('x', {}, Promise.resolve('accept')), signal)).toMatchObject({ word: 'release' })
    expect(await judge(matterOf('x', {}, Promise.resolve('complain')), signal)).toMatchObject({ word: 'refund' })
    expect(clock.waiting).toBe(0)
  })

  test('silence releases: counted from the claim, and ended before the deadline', async () => {
    const ends: string[] = []
    const note = (name: string) => () => void ends.push(name)
    void judge(matterOf('x'), signal).then(note('whole'))
    void judge(matterOf('x', { claimedAt: start - 50 }), signal).then(note('restarted'))
    void judge(matterOf('x', { deadline: start + 30 }), signal).then(note('short'))
    await clock.advance(24_000)
    expect(ends).toEqual([])
    await clock.advance(2_000)
    expect(ends).toEqual(['short'])
    await clock.advance(25_000)
    expect(ends).toEqual(['short', 'restarted'])
    await clock.advance(50_000)
    expect(ends).toEqual(['short', 'restarted', 'whole'])
  })

  test('decides nothing when it is called off', async () => {
    const off = new AbortController()
    const judging = judge(matterOf('x'), off.signal)
    off.abort(new Error('closing'))
    await expect(judging).rejects.toThrow('closing')
    expect(clock.waiting).toBe(0)
  })
})

describe('what a verifier keeps', () => {
  test('comes back from a file, to the same hash and the same signed words', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'gridstr-escrow-'))
    try {
      const path = join(folder, 'journal.sqlite')
      const world = await escrowWorld({ sealed: true })
      const ask = openEscrowAsk(world.side(world.nodeSecret))
      const { request: job, verifier: to, deadline } = world
      const hashes: string[] = []
      for (let life = 0; life < 3; life++) {
        const journal = openJournal(path)
        const verifier = world.verify(undefined, journal)
        const answer = await world.until(ask.hashFor({ request: job, verifier: to, msats: price, deadline }))
        if (answer.ok) hashes.push(answer.hash)
        if (life > 0) {
          const result = world.resultOf('WHY IS THE SKY BLUE')
          const found = ask.verdict({ request: job, verifier: to, hash: hashes[0] ?? '', deadline, result })
          expect(await world.until(found)).toMatchObject({ verdict: 'release' })
        }
        verifier.close()
        journal.close()
      }
      expect([hashes.length, new Set(hashes).size]).toEqual([3, 1])
    } finally {
      rmSync(folder, { recursive: true })
    }
  })

  test('is the first that was handed over, and the first signed word', async () => {
    const { resultOf } = await escrowWorld()
    const shelves = openShelves(memoryJournal())
    const [first, second] = [resultOf('first'), resultOf('second')]
    shelves.hand('k', 'result', { event: first, conversationKey: 'a' })
    shelves.hand('k', 'result', { event: second })
    expect(shelves.handed('k', 'result')).toEqual({ event: first, conversationKey: 'a' })
    expect(shelves.word('k', 'node:hash', () => first)).toEqual(first)
    expect(shelves.word('k', 'node:hash', () => second)).toEqual(first)
    shelves.forget('k')
    expect(shelves.handed('k', 'result')).toBeUndefined()
    expect(shelves.word('k', 'node:hash', () => second)).toEqual(second)
  })

  test('keeps the preimage before its hash leaves', async () => {
    const world = await escrowWorld()
    const journal = memoryJournal()
    const kept: string[] = []
    world.hub.watch(() => {
      for (const [, { one }] of openShelves(journal).all()) kept.push(one.hash)
    })
    world.verify(undefined, journal)
    const ask = openEscrowAsk(world.side(world.nodeSecret))
    const { request: job, verifier: to, deadline } = world
    const answer = await world.until(ask.hashFor({ request: job, verifier: to, msats: price, deadline }))
    expect(answer).toEqual({ ok: true, hash: kept[0] })
  })

  test('is refused when it cannot be read, instead of being decided anew', async () => {
    const world = await escrowWorld()
    const journal = memoryJournal()
    journal.shelf('escrow cases').set('a:b', { preimage: 'x', state: 'maybe' })
    expect(() => world.verify(undefined, journal)).toThrow(/cannot read/)
  })
})
