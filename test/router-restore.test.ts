/** A router whose journal is behind its word: it takes its log back from the relays, or says nothing at all. */
import { describe, expect, test } from 'vitest'
import { type Attestation, attestation, type Event } from '../kinds/index.ts'
import { memoryHub } from '../relays/memory.ts'
import { handClock, seconds } from '../src/clock.ts'
import type { Journal } from '../src/journal/journal.ts'
import { memoryJournal } from '../src/journal/memory.ts'
import { openKeys } from '../src/keys.ts'
import { openChain } from '../src/router/chain.ts'
import { openLabels } from '../src/router/labels.ts'
import { restoreLog } from '../src/router/restore.ts'
import { doorOf } from './worlds.ts'

const keys = await openKeys()
const clock = handClock()
const secret = new Uint8Array(32).fill(7)
const node = keys.publicKey(new Uint8Array(32).fill(9))
const job = 'ab'.repeat(32)
const label: Omit<Attestation, 'seq' | 'prev' | 'commit'> = {
  ...{ topic: 'outcome', label: 'served', node, job, evidence: [], kind: 5050, model: 'm' },
  ...{ checks: [], failed: [], at: 1_800_000_000, says: '' },
}

function town() {
  const hub = memoryHub({ clock, verify: event => keys.verify(event) })
  const connect = () => hub.connect({ admit: doorOf(keys, clock) })
  /** Writes so many entries on a journal; gives their events. */
  const speak = async (journal: Journal, count: number, by = secret): Promise<Event[]> => {
    const options = { journal, keys, secret: by, clock, relays: connect(), onEntry() {}, onTrouble() {} }
    const chain = openChain(options)
    const said: Event[] = []
    for (let i = 0; i < count; i++)
      said.push(
        await chain.append(({ seq, prev, commit }) =>
          attestation.write({ ...label, says: `entry ${i}`, seq, prev, commit }, seconds(clock)),
        ),
      )
    await chain.close()
    return said
  }
  const restore = (journal: Journal, by = secret) =>
    restoreLog({ relays: connect(), journal, pubkey: keys.publicKey(by), keys, clock }, new AbortController().signal)
  const logOf = (journal: Journal) => [...journal.shelf('router-log').entries()]
  return { hub, connect, speak, restore, logOf }
}

describe('the log of a router', () => {
  test('brings back what must not be said twice: judgements of jobs, attested hashes, answered requests', async () => {
    const { connect, restore } = town()
    const old = memoryJournal()
    const chain = openChain({
      ...{ journal: old, keys, secret, clock, relays: connect(), onEntry() {}, onTrouble() {} },
    })
    const paid = { ...label, topic: 'payment' as const, hash: 'cd'.repeat(32), customer: node }
    const drafts = [
      label,
      { ...paid, label: 'receipt-valid', checks: ['zapper'] },
      { ...paid, label: 'settled', checks: ['zapper'] },
      { ...paid, label: 'settled', hash: 'ef'.repeat(32), checks: ['acknowledgement'] },
      { ...label, topic: 'audit' as const, label: 'passed' },
    ]
    for (const draft of drafts)
      await chain.append(at =>
        attestation.write({ ...draft, seq: at.seq, prev: at.prev, commit: at.commit }, seconds(clock)),
      )
    await chain.close()
    const fresh = memoryJournal()
    expect(await restore(fresh)).toEqual({ ok: true, entries: 5 })
    const labels = openLabels({
      journal: fresh,
      clock,
      chain: openChain({
        ...{ journal: fresh, keys, secret, clock, relays: connect(), onEntry() {}, onTrouble() {} },
      }),
      limits: { perNodePerMinute: 60, perMinute: 60, badPerMinute: 60 },
      onWritten() {},
      onTrouble() {},
    })
    expect(labels.isJudged('outcome', job)).toBe(true)
    expect(labels.isJudged('audit', job)).toBe(true)
    expect(labels.attestedFor('cd'.repeat(32), 'zap')).toBe(job)
    expect(labels.attestedFor('ef'.repeat(32), 'zap')).toBeUndefined()
    expect(labels.attestedFor('ef'.repeat(32), 'proof')).toBe(job)
    // Known already: taken, and nothing is written.
    const before = fresh.shelf('router-log').size
    expect(labels.payment({ ...paid, label: 'settled', checks: ['zapper'] }, 'zap')).toBe(true)
    expect(fresh.shelf('router-log').size).toBe(before)
  })

  test('comes back whole from the relays when the journal is lost, and goes on after its last entry', async () => {
    const { speak, restore, logOf } = town()
    const old = memoryJournal()
    await speak(old, 5)
    const fresh = memoryJournal()
    expect(await restore(fresh)).toEqual({ ok: true, entries: 5 })
    expect(logOf(fresh)).toEqual(logOf(old))
    const [next] = await speak(fresh, 1)
    const read = next && attestation.read(next)
    expect(read).toMatchObject({ ok: true, value: { seq: 5, prev: JSON.parse(String(logOf(old)[4]?.[1])).id } })
  })

  test('is filled up where the journal is an old copy, and left alone where it is whole', async () => {
    const { speak, restore, logOf } = town()
    const journal = memoryJournal()
    const backup = memoryJournal()
    await speak(journal, 3)
    for (const [key, value] of logOf(journal)) backup.shelf('router-log').set(key, value)
    await speak(journal, 2)
    expect(await restore(backup)).toEqual({ ok: true, entries: 2 })
    expect(logOf(backup)).toEqual(logOf(journal))
    expect(await restore(journal)).toEqual({ ok: true, entries: 0 })
  })

  test('is nobody else’s, and begins where nothing was said', async () => {
    const { speak, restore, logOf } = town()
    await speak(memoryJournal(), 3, new Uint8Array(32).fill(8))
    const journal = memoryJournal()
    expect(await restore(journal)).toEqual({ ok: true, entries: 0 })
    expect(logOf(journal)).toEqual([])
  })

  test('with a hole is not continued: the way out is said, and nothing is written', async () => {
    const { connect, restore, logOf } = town()
    const elsewhere = town()
    const said = await elsewhere.speak(memoryJournal(), 4)
    for (const [i, event] of said.entries()) if (i !== 2) await connect().publish(event)
    const journal = memoryJournal()
    expect(await restore(journal)).toEqual({
      ok: false,
      says: expect.stringContaining('up to 3, and entry 2 is missing here and there. Use the journal'),
    })
    expect(logOf(journal)).toEqual([])
  })

  test('of two journals is given up: no entry could be true', async () => {
    const { speak, restore } = town()
    await speak(memoryJournal(), 2)
    await clock.advance(1_000)
    await speak(memoryJournal(), 2)
    expect(await restore(memoryJournal())).toEqual({
      ok: false,
      says: expect.stringContaining('signed two entries 0 of its log'),
    })
  })
})
