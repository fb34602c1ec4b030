/** `gridstr router` as a process: ready, one line per event, an end without fuss, and the same chain after a restart. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { handler, heartbeat, quoteRequest, type Routing, routing } from '../kinds/index.ts'
import { startRelay } from '../relays/embedded/relay.ts'
import { openPool } from '../relays/pool.ts'
import { query } from '../relays/relay.ts'
import { runCommand } from '../src/cli/run.ts'
import { seconds, wallClock } from '../src/clock.ts'
import { openKeys } from '../src/keys.ts'
import { freshHome, gridstr } from './spawn.ts'
import { doorOf } from './worlds.ts'

async function say(argv: readonly string[]) {
  const err: string[] = []
  const code = await runCommand(argv, {
    ...{ out: () => {}, write: () => {}, err: text => void err.push(text), env: {}, clock: wallClock() },
    ...{ signal: new AbortController().signal, terminal: false, stdin: async () => '' },
  })
  return { code, err: err.join('') }
}

test('routes, says so in JSON, ends on SIGTERM and comes back to its chain', { timeout: 60_000 }, async () => {
  const keys = await openKeys()
  const clock = wallClock()
  const relay = await startRelay({ port: 0, clock, verify: event => keys.verify(event) })
  const relays = openPool({ urls: [relay.url], clock, admit: doorOf(keys) })
  const now = seconds(clock)
  const node = keys.newSecret()
  const service = {
    ...{ id: 'n', kinds: [5050], topics: [], name: '', about: '', encrypted: true, priceMsats: 1_000n, models: [] },
    ...{ nodeKeys: [], zappers: [], custodial: false, relays: [], v: 1 },
  }
  await relays.publish(keys.sign(handler.write(service, now), node))
  await relays.publish(
    keys.sign(heartbeat.write({ service: 'n', status: '', expiresAt: now + 600, text: '' }, now), node),
  )

  const env = { GRIDSTR_HOME: freshHome() }
  const asker = keys.newSecret()
  const ask = async (router: string) => {
    const at = seconds(clock)
    const request = {
      ...{ kind: 5050, privacy: 0 as const, allow: [], deny: [], auctionMs: 250, hops: 0, relays: [], to: [router] },
      expiresAt: at + 50,
    }
    const event = keys.sign(quoteRequest.write(request, at), asker)
    await relays.publish(event)
    return event.id
  }
  const lives: { pubkey: unknown; seq: number | undefined }[] = []
  for (let life = 0; life < 2; life++) {
    const router = gridstr(['router', '--relay', relay.url, '--policy', 'cheapest', '--json'], env)
    const ready = await router.row(row => row['ready'] === true)
    expect(ready).toMatchObject({ ready: true, npub: expect.stringMatching(/^npub1/) })
    const { pubkey } = ready
    const request = await ask(String(pubkey))
    const row = await router.row(({ event, request: of }) => event === 'routing' && of === request)
    expect(row).toMatchObject({ kind: 5050, candidates: [keys.publicKey(node)], asker: keys.publicKey(asker) })
    const [event] = await query(relays, [{ ids: [String(row['id'])] }])
    const read = event && routing.read(event)
    const value: Routing | undefined = read?.ok ? read.value : undefined
    expect(value?.policy).toBe('cheapest')
    lives.push({ pubkey, seq: value?.seq })
    expect(await router.stop()).toBe(0)
    expect(router.err.join('\n')).toContain('asked for kind 5050')
  }
  const [first, second] = lives
  expect(second?.pubkey).toBe(first?.pubkey)
  expect(second?.seq).toBeGreaterThan(first?.seq ?? Number.POSITIVE_INFINITY)
  await relays.close()
  await relay.close()
})

test.each([
  [['router'], 'No relay given'],
  [['router', '--relay', 'ws://127.0.0.1:9', '--policy', 'dearest'], 'there is no policy "dearest"'],
  [['router', '--relay', 'ws://127.0.0.1:9', '--fee-msats', '5'], 'needs a wallet'],
  [['router', '--relay', 'ws://127.0.0.1:9', '--peer', 'npub1x'], '--peer: needs a key'],
  [['router', '--relay', 'ws://127.0.0.1:9', '--network', 'moonnet'], '--network "moonnet" is unknown'],
])('says the way out of %j', async (argv, words) => {
  const wrong = await say(argv)
  expect(wrong.code).toBe(2)
  expect(wrong.err).toContain(words)
})

test('keeps no key without its log', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'gridstr-router-cli-'))
  const argv = ['router', '--relay', 'ws://127.0.0.1:9', '--key', join(folder, 'key')]
  const wrong = await say(argv)
  expect(wrong.code).toBe(2)
  expect(wrong.err).toContain('add --journal FILE')
  rmSync(folder, { recursive: true, force: true })
})
