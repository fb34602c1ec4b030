/** `gridstr router --trials` as a process: a newcomer is tried without any customer, and the way out of wrong options. */
import { expect, test } from 'vitest'
import { attestation, isSealed } from '../kinds/index.ts'
import { startRelay } from '../relays/embedded/relay.ts'
import { openPool } from '../relays/pool.ts'
import { query } from '../relays/relay.ts'
import { runCommand } from '../src/cli/run.ts'
import { wallClock } from '../src/clock.ts'
import { openKeys } from '../src/keys.ts'
import { freshHome, gridstr } from './spawn.ts'
import { doorOf } from './worlds.ts'

test('tries a free node and says publicly what came of it', { timeout: 60_000 }, async () => {
  const keys = await openKeys()
  const clock = wallClock()
  const relay = await startRelay({ port: 0, clock, verify: event => keys.verify(event) })
  const relays = openPool({ urls: [relay.url], clock, admit: doorOf(keys) })
  const node = gridstr(['node', '--relay', relay.url, '--runner', 'echo', '--json'], { GRIDSTR_HOME: freshHome() })
  const { pubkey } = await node.row(row => row['ready'] === true)
  const router = gridstr(['router', '--relay', relay.url, '--trials', '--runner', 'echo', '--json'], {
    GRIDSTR_HOME: freshHome(),
  })
  await router.row(row => row['ready'] === true)
  const row = await router.row(({ event, says }) => event === 'attestation' && String(says).startsWith('audit'))
  expect(row['says']).toContain('audit passed')
  const [event] = await query(relays, [{ ids: [String(row['id'])] }])
  const read = event && attestation.read(event)
  if (!read?.ok) throw new Error('no label')
  expect(read.value).toMatchObject({ node: pubkey, topic: 'audit', label: 'passed', model: 'echo' })
  const [job] = await query(relays, [{ ids: [read.value.job] }])
  expect(job && isSealed(job)).toBe(true)
  // Whoever asks can try the label from relay data alone.
  const verify = gridstr(['verify', String(row['id']), '--relay', relay.url, '--json'], { GRIDSTR_HOME: freshHome() })
  const verdict = await verify.row(one => 'checks' in one)
  // What the auditor computed is its own; nothing that can be tried is wrong.
  expect(verdict['ok']).toBe(null)
  expect(verdict['checks']).not.toContainEqual(expect.objectContaining({ ok: false }))
  expect(verdict['checks']).toContainEqual(expect.objectContaining({ name: 'drawn', ok: true }))
  expect(await router.stop()).toBe(0)
  expect(await node.stop()).toBe(0)
  await relays.close()
  await relay.close()
})

test.each([
  [['--trial-msats-per-day', '9'], 'add --trials'],
  [['--trials', '--trial-msats-per-day', '9'], 'try free nodes only'],
  [['--trust', 'npub1x'], '--trust: needs a key'],
])('says the way out of %j', async (argv, words) => {
  const err: string[] = []
  const code = await runCommand(['router', '--relay', 'ws://127.0.0.1:9', ...argv], {
    ...{ out: () => {}, write: () => {}, err: (text: string) => void err.push(text), env: {}, clock: wallClock() },
    ...{ signal: new AbortController().signal, terminal: false, stdin: async () => '' },
  })
  expect(code).toBe(2)
  expect(err.join('')).toContain(words)
})
