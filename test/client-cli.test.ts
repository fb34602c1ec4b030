/** `gridstr trust` and the routed `gridstr ask`: what people and scripts see of routes, of nodes that fail, and of lists. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { trustedProviders } from '../kinds/index.ts'
import { startRelay } from '../relays/embedded/relay.ts'
import { openPool } from '../relays/pool.ts'
import { query } from '../relays/relay.ts'
import type { Io } from '../src/cli/command.ts'
import { askCommand } from '../src/cli/commands/ask.ts'
import { trustCommand } from '../src/cli/commands/trust.ts'
import { runCommand } from '../src/cli/run.ts'
import { wallClock } from '../src/clock.ts'
import { npub, nsec, openKeys } from '../src/keys.ts'
import { type Grid, openGrid, words } from './client-grid.ts'
import { doorOf, type World } from './worlds.ts'

const clock = wallClock()
const folder = mkdtempSync(join(tmpdir(), 'gridstr-trust-'))
const keys = await openKeys()
let url = ''
let world: World
let grid: Grid

beforeAll(async () => {
  const relay = await startRelay({ port: 0, clock, verify: event => keys.verify(event) })
  url = relay.url
  const connect = () => openPool({ urls: [url], clock, admit: doorOf(keys) })
  world = {
    ...{ name: 'socket', clock, keys, connect, seen: [] },
    outage: async () => async () => {},
    close: () => relay.close(),
  }
  grid = await openGrid(world, { nodes: [{ priceMsats: 0n }, { priceMsats: 0n }, { priceMsats: 5_000n }] })
})
afterAll(async () => {
  await grid.close()
  rmSync(folder, { recursive: true, force: true })
})

const keyFile = (name: string): { file: string; pubkey: string; secret: Uint8Array } => {
  const file = join(folder, name)
  const secret = keys.newSecret()
  writeFileSync(file, `${nsec(secret)}\n`)
  return { file, secret, pubkey: keys.publicKey(secret) }
}

async function say(command: 'ask' | 'trust', argv: readonly string[]) {
  const [out, err]: [string[], string[]] = [[], []]
  const io: Io = {
    out: text => void out.push(`${text}\n`),
    write: text => void out.push(text),
    err: text => void err.push(text),
    ...{ env: {}, clock, signal: new AbortController().signal, terminal: false },
    stdin: async () => '',
  }
  const code = await runCommand([command, '--relay', url, ...argv], io)
  const text = out.join('')
  const rows = text
    .split('\n')
    .filter(line => line.startsWith('{'))
    .map(line => JSON.parse(line) as Record<string, unknown>)
  return { code, out: text, err: err.join(''), rows, last: rows.at(-1) }
}

describe('gridstr trust', () => {
  test('adds, lists and removes; the list is sealed to its owner', async () => {
    const { file, pubkey, secret } = keyFile('own')
    const [one, two] = [keyFile('one').pubkey, keyFile('two').pubkey]
    const added = await say('trust', [npub(one), two, '--key', file, '--json'])
    expect(added).toMatchObject({ code: 0, last: { ok: true, routers: [{ key: one }, { key: two }] } })
    expect((await say('trust', [npub(one), '--key', file, '--json'])).last).toMatchObject({
      routers: [{ key: one }, { key: two }],
    })
    const list = await say('trust', ['--list', '--key', file])
    expect(list.out.split('\n').map(line => line.split(' ')[0])).toEqual([npub(one), npub(two), ''])
    const relays = world.connect()
    const stored = await query(relays, [{ kinds: [trustedProviders.number], authors: [pubkey] }])
    expect(stored).toHaveLength(1)
    expect(JSON.stringify(stored)).not.toContain(one)
    const removed = await say('trust', [one, '--remove', '--key', file, '--json'])
    expect(removed.last).toMatchObject({ ok: true, routers: [{ key: two }] })
    const open = await say('trust', [one, '--public', '--key', file, '--json'])
    expect(open.code).toBe(0)
    const [shown] = await query(relays, [{ kinds: [trustedProviders.number], authors: [pubkey] }])
    expect(JSON.stringify(shown)).toContain(one)
    expect(JSON.stringify([added, list, removed, open])).not.toContain(nsec(secret))
    await relays.close()
  })

  test('who slips is told the way out, and never his own words', async () => {
    const { file, secret } = keyFile('slip')
    const none = await say('trust', ['--key', file])
    expect(none).toMatchObject({ code: 2 })
    expect(none.err).toContain('--list')
    expect((await say('trust', [npub(keys.publicKey(secret))])).err).toContain('--key')
    const pasted = await say('trust', [nsec(secret), '--key', file])
    expect(pasted.code).toBe(2)
    expect(pasted.err).not.toContain(nsec(secret).slice(5, 20))
  })

  test('a list that the key cannot read is left alone', async () => {
    const { file, secret } = keyFile('torn')
    const relays = world.connect()
    const sealed = trustedProviders.write({ assertions: [], routers: [] }, Math.floor(Date.now() / 1000), () => 'AAAA')
    await relays.publish(keys.sign(sealed, secret))
    const refused = await say('trust', [keyFile('x').pubkey, '--key', file, '--json'])
    expect(refused).toMatchObject({ code: 1, last: { ok: false, code: 'unreadable' } })
    await relays.close()
  })
})

describe('gridstr ask, routed', () => {
  test('a newcomer is tried only on whoever says so', async () => {
    const router = await grid.router({ order: [0, 1] })
    const by = ['--router', npub(router.pubkey)]
    await say('ask', [...by, words])
    await say('ask', [...by, '--explore', words])
    expect(router.asked.map(({ explore }) => explore)).toEqual([undefined, true])
    router.close()
  })

  test('by a router: a person sees who and why, a script the route, the attempts and the acknowledgement', async () => {
    const router = await grid.router({ order: [1, 0] })
    const by = ['--router', npub(router.pubkey)]
    const seen = await say('ask', [...by, words])
    expect(seen).toMatchObject({ code: 0, out: `${words}\n` })
    expect(seen.err).toContain(`route     ${npub(grid.nodes[1]?.pubkey ?? '')} · free · score 50 · drawn`)
    expect(seen.err).toContain(`${npub(router.pubkey)} is unbonded`)
    const { last, rows } = await say('ask', [...by, '--json', words])
    expect(last).toMatchObject({ ok: true, text: words, msats: 0, feeMsats: 0, route: { by: 'routers' } })
    expect(last?.['attempts']).toMatchObject([{ node: grid.nodes[1]?.pubkey, state: 'answered', msats: 0 }])
    expect(last?.['acknowledged']).toHaveLength(1)
    expect(rows.find(row => row['event'] === 'route')).toMatchObject({
      by: 'routers',
      candidates: [{ reasons: ['drawn'] }, {}],
    })
    router.close()
  })

  test('routers of the own list are asked without --router', async () => {
    const { file } = keyFile('listed')
    const router = await grid.router({ order: [0] })
    await say('trust', [npub(router.pubkey), '--key', file])
    const { last } = await say('ask', ['--key', file, '--json', words])
    expect(last).toMatchObject({ ok: true, route: { by: 'routers', routers: [{ router: router.pubkey }] } })
    router.close()
  })

  test('without any router, by a policy of its own', async () => {
    const { code, err } = await say('ask', ['--policy', 'cheapest', '--deny', npub(grid.nodes[0]?.pubkey ?? ''), words])
    expect(code).toBe(0)
    expect(err).toContain(`route     ${npub(grid.nodes[1]?.pubkey ?? '')}`)
    expect(err).toContain('by this client')
  })

  test('--to leaves one choice, whose price says what to allow', async () => {
    const dear = npub(grid.nodes[2]?.pubkey ?? '')
    const { code, last } = await say('ask', ['--policy', 'default', '--to', dear, '--json', words])
    expect(code).toBe(1)
    expect(last).toMatchObject({ ok: false, code: 'over-cap', msats: 0, attempts: [] })
  })

  test.each([
    [['--policy', 'best'], '--policy'],
    [['--router', 'npub1x'], '--router'],
    [['--deny', 'me'], '--deny'],
    [['--privacy', '4'], '--privacy'],
    [['--min-score', '101'], '--min-score'],
  ])('%j is refused with the way out', async (argv, named) => {
    const { code, err } = await say('ask', [...argv, words])
    expect(code).toBe(2)
    expect(err).toContain(named)
  })

  test.each([
    ['1', 'sealed'],
    ['2', 'wrapped'],
  ])('--privacy %s is kept, and told to a script and on the screen', async (level, cover) => {
    const { code, last, err } = await say('ask', ['--privacy', level, '--json', words])
    expect(code).toBe(0)
    expect(last).toMatchObject({
      ok: true,
      privacy: {
        ...{ level: Number(level), wanted: Number(level), identity: { kind: 'one-job' } },
        transport: { request: cover, answers: cover },
      },
    })
    expect(err).toContain('a key of this job only')
  })

  test('without any of it a question is sealed, under a key of one job; with --key under that', async () => {
    const plain = await say('ask', ['--json', words])
    expect(plain.last).toMatchObject({ ok: true, privacy: { level: 1, identity: { kind: 'one-job' } } })
    const { file, pubkey } = keyFile('known')
    const named = await say('ask', ['--key', file, '--json', words])
    expect(named.last).toMatchObject({ privacy: { level: 1, identity: { kind: 'own', pubkey } } })
  })

  test("--privacy 3 wants nodes of one's own, and asks no other", async () => {
    expect(await say('ask', ['--privacy', '3', words])).toMatchObject({ code: 2, out: '' })
    const own = npub(keyFile('mine').pubkey)
    expect((await say('ask', ['--privacy', '3', '--own', own, '--json', words])).last).toMatchObject({ ok: false })
  })

  test('every option is in the help', () => {
    const help = [...askCommand.help, ...trustCommand.help].join('\n')
    for (const option of [
      'router',
      'router-fee-msats',
      'policy',
      'privacy',
      'region',
      'min-score',
      'deny',
      'explore',
      'no-hedge',
    ])
      expect(help).toContain(`--${option}`)
  })
})
