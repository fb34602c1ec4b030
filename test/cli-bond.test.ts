/** `gridstr bond`: a bond and its log, never two entries with one number, and honest words. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest'
import { bond, bondEntry, type Event, faultVerdict } from '../kinds/index.ts'
import { type EmbeddedRelay, startRelay } from '../relays/embedded/relay.ts'
import { openPool } from '../relays/pool.ts'
import { query, type Relays } from '../relays/relay.ts'
import { runCommand } from '../src/cli/run.ts'
import { seconds, wallClock } from '../src/clock.ts'
import { sha256Hex } from '../src/hash.ts'
import { nsec, openKeys } from '../src/keys.ts'
import { defaultParams, stakeOf } from '../src/ledger/index.ts'
import { doorOf } from './worlds.ts'

const keys = await openKeys()
const clock = wallClock()
const folder = mkdtempSync(join(tmpdir(), 'gridstr-bond-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
let life = 0
let relay: EmbeddedRelay
let relays: Relays
let secret: Uint8Array
let file: string
let home: string

beforeEach(async () => {
  relay = await startRelay({ port: 0, clock, verify: event => keys.verify(event) })
  relays = openPool({ urls: [relay.url], clock, admit: doorOf(keys) })
  secret = keys.newSecret()
  home = join(folder, `home-${++life}`)
  file = join(folder, `key-${life}`)
  writeFileSync(file, nsec(secret))
})
afterEach(async () => {
  await relays.close()
  await relay.close()
})

async function say(argv: readonly string[], env: Record<string, string> = { GRIDSTR_HOME: home }) {
  const [out, err]: [string[], string[]] = [[], []]
  const code = await runCommand(argv, {
    ...{ out: text => void out.push(text), write: () => {}, err: text => void err.push(text), env, clock },
    ...{ signal: new AbortController().signal, terminal: false, stdin: async () => '' },
  })
  return { code, out, err: err.join(''), json: () => JSON.parse(out.at(-1) ?? '') }
}
const put = (...argv: string[]) => say(['bond', '--key', file, '--relay', relay.url, '--json', ...argv])
const lock = (...more: string[]) => put('--units', '1000', '--days', '30', '--role', 'node', ...more)

/** What relays have, as anybody else folds it. */
async function published() {
  const mine = { authors: [keys.publicKey(secret)] }
  const events = await query(relays, [{ kinds: [bond.number, bondEntry.number], ...mine }])
  const bonds = events.flatMap((event: Event) => {
    const read = event.kind === bond.number ? bond.read(event) : undefined
    return read?.ok ? [read.value] : []
  })
  const entries = events.flatMap((event: Event) => {
    const read = event.kind === bondEntry.number ? bondEntry.read(event) : undefined
    return read?.ok ? [{ id: event.id, value: read.value }] : []
  })
  const worth = (at = seconds(clock)) => bonds.map(one => stakeOf(one, entries, [], defaultParams, at))
  return { bonds, entries: entries.toSorted((a, b) => a.value.seq - b.value.seq), worth }
}

describe('a bond', () => {
  test('is locked, added to, shown and taken back; anybody folds the same', async () => {
    const first = await lock()
    expect([first.code, first.json()]).toMatchObject([
      0,
      { ok: true, bonds: [{ id: 'node', role: 'node', held: 1000 }] },
    ])
    const [value] = (await published()).bonds
    expect(value).toMatchObject({ units: 1_000n, proof: 'abstract', role: 'node' })
    expect((value?.expiresAt ?? 0) - (value?.lockedAt ?? 0)).toBe(30 * 86_400)
    expect((await put('--topup', '500')).json()).toMatchObject({ ok: true, bonds: [{ held: 1500, entries: 2 }] })
    const { entries, bonds, worth } = await published()
    expect(entries.map(one => [one.value.seq, one.value.act, one.value.units])).toEqual([
      [0, 'lock', 1_000n],
      [1, 'topup', 500n],
    ])
    expect(entries[1]?.value.prev).toBe(entries[0]?.id)
    expect(Number(worth()[0]?.units)).toBeGreaterThan(1_490)
    expect(worth(bonds[0]?.expiresAt)).toEqual([{ units: 0n, reason: 'expired' }])
    const [shown] = (await put('--list')).json().bonds
    expect(shown).toMatchObject({ held: 1500, entries: 2 })
    expect((await put('--unlock')).json()).toMatchObject({ bonds: [{ held: 0, units: 0, entries: 3 }] })
    expect((await published()).worth()).toEqual([{ units: 0n }])
    expect((await put('--unlock')).json()).toMatchObject({ ok: false, code: 'no-bond' })
  })

  test('is one for each role at a time, and a new one has a name and a log of its own', async () => {
    await lock()
    expect((await lock()).json()).toMatchObject({ ok: false, code: 'in-force' })
    expect((await put('--units', '7', '--days', '1', '--role', 'router')).code).toBe(0)
    await put('--unlock')
    expect((await lock()).code).toBe(0)
    const { bonds, worth } = await published()
    expect(bonds.map(({ id }) => id).toSorted()).toEqual(['node', 'node-2', 'router'])
    expect(worth().filter(({ reason }) => reason !== undefined)).toEqual([])
  })

  test('goes on from the relays where the journal is gone, and from the journal where the relay is', async () => {
    await lock()
    const elsewhere = await say(['bond', '--key', file, '--relay', relay.url, '--topup', '1', '--json'], {
      GRIDSTR_HOME: join(folder, `other-${life}`),
    })
    expect(elsewhere.json()).toMatchObject({ ok: true, bonds: [{ held: 1001, entries: 2 }] })
    expect((await put('--topup', '2')).json()).toMatchObject({ ok: true, bonds: [{ held: 1003, entries: 3 }] })
    const bare = await startRelay({ port: 0, clock, verify: event => keys.verify(event) })
    const moved = await say(['bond', '--key', file, '--relay', bare.url, '--list', '--json'])
    // The entry that was written elsewhere is on the other relay only, and a log with a gap counts nothing.
    expect(moved.json().bonds).toMatchObject([{ worth: { reason: 'gap' } }])
    const refused = await say(['bond', '--key', file, '--relay', bare.url, '--topup', '1', '--json'])
    expect(refused.json()).toMatchObject({ ok: false, code: 'log' })
    await bare.close()
  })

  test('never gets two entries with one number, whatever is done at once and however often', async () => {
    await lock()
    const ends = await Promise.all([put('--topup', '1'), put('--topup', '2'), put('--topup', '3')])
    expect(ends.filter(({ code }) => code === 0).length).toBeGreaterThan(0)
    const { entries, worth } = await published()
    expect(new Set(entries.map(({ value }) => value.seq)).size).toBe(entries.length)
    expect(worth().every(({ reason }) => reason === undefined)).toBe(true)
  })

  test('of which two entries have one number is not written on any more', async () => {
    await lock()
    const at = seconds(clock)
    const twin = { bond: 'node', act: 'lock', units: 9_000n, at, seq: 0 } as const
    await relays.publish(keys.sign(bondEntry.write(twin, at), secret))
    expect((await put('--topup', '1')).json()).toMatchObject({ ok: false, code: 'log' })
    expect((await put('--list')).json().bonds).toMatchObject([{ worth: { units: 0, reason: 'fork' } }])
  })

  test('is not written where nobody can say what was written before', async () => {
    const dead = await startRelay({ port: 0, clock, verify: event => keys.verify(event) })
    await dead.close()
    const down = await say([
      'bond',
      '--key',
      file,
      '--relay',
      dead.url,
      '--units',
      '1',
      '--days',
      '1',
      '--role',
      'node',
      '--json',
    ])
    expect([down.code, down.json()]).toMatchObject([1, { ok: false, code: 'no-relay' }])
    const half = await say([
      'bond',
      '--key',
      file,
      '--relay',
      relay.url,
      '--relay',
      dead.url,
      '--units',
      '1',
      '--days',
      '1',
      '--role',
      'node',
      '--json',
    ])
    expect(half.json()).toMatchObject({ ok: false, code: 'no-relay' })
    expect((await published()).entries).toEqual([])
  })

  test('shows what judges said of its key', async () => {
    await lock()
    const judge = keys.newSecret()
    const accused = keys.publicKey(secret)
    const verdict = { evidence: sha256Hex('e'), accused, rule: 'E1', proven: true, penalty: 1_000n, says: '' }
    await relays.publish(keys.sign(faultVerdict.write(verdict, seconds(clock)), judge))
    const shown = await put('--list')
    expect(shown.json().verdicts).toMatchObject([{ judge: keys.publicKey(judge), rule: 'E1', penalty: 1000 }])
    expect(shown.err).toContain('E1 proven, takes 1000 units')
  })
})

test('says that units are not money', async () => {
  const { out } = await say(['help', 'bond'])
  expect(out.join('\n')).toContain('Units are not money')
})

test.each([
  [['--units', '5', '--role', 'node'], 'A bond needs --units N, --days D'],
  [['--units', '5', '--days', '91', '--role', 'node'], '--days'],
  [['--units', '5', '--days', '9'], '--role node|router'],
  [['--units', '5', '--days', '9', '--role', 'king'], '--role "king" is unknown'],
  [['--topup', '5', '--unlock'], 'Say one thing'],
  [['--topup', '5', '--days', '5'], '--days belongs to --units'],
  [[], 'Say one thing'],
])('%j is called wrongly', async (argv, says) => {
  const { code, err } = await put(...argv)
  expect([code, err]).toEqual([2, expect.stringContaining(says)])
})
