/** `gridstr verify` as people and scripts call it, over real sockets; and that its checks run in a browser. */
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { neventEncode, noteEncode } from 'nostr-tools/nip19'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { type Event, nodeScore, routing } from '../kinds/index.ts'
import { type EmbeddedRelay, startRelay } from '../relays/embedded/relay.ts'
import type { Io } from '../src/cli/command.ts'
import { runCommand } from '../src/cli/run.ts'
import { handClock, wallClock } from '../src/clock.ts'
import { connectRelays } from '../src/connect.ts'
import { keys, secretOf } from './router-book-world.ts'
import { reworded, routerKey, type VerifyWorld, verifyWorld } from './verify-world.ts'

let world: VerifyWorld
let relay: EmbeddedRelay
let route: Event
let lie: Event
let shiftMs = 0
/** Real timers in the time of the world. */
const wall = wallClock()
const clock = { ...wall, now: () => wall.now() + shiftMs }
const esc = '\u001b'

async function say(argv: readonly string[], given: Partial<Io> = {}) {
  const [out, err]: [string[], string[]] = [[], []]
  const code = await runCommand(['verify', ...argv], {
    out: text => void out.push(text),
    write: text => void out.push(text),
    err: text => void err.push(text),
    ...{ env: {}, clock, signal: new AbortController().signal, terminal: false },
    stdin: async () => '',
    ...given,
  })
  return { code, out, err: err.join('') }
}

beforeAll(async () => {
  world = await verifyWorld()
  route = await world.live()
  shiftMs = world.now() * 1_000 - wall.now()
  relay = await startRelay({ port: 0, clock, verify: event => keys.verify(event) })
  lie = reworded(route, of => ({
    candidates: [...of.candidates].reverse().map(one => ({ ...one, reasons: [`${esc}[31mred${esc}[0m`] })),
  }))
  const relays = connectRelays({ urls: [relay.url], keys, clock })
  for (const event of [...world.events(), lie]) await relays.publish(event)
  await relays.close()
})
afterAll(async () => {
  await relay.close()
  await world.close()
})

describe('for scripts', () => {
  test('a routing event, by id, note and nevent; its relay from the nevent', async () => {
    const { code, out, err } = await say([route.id, '--relay', relay.url, '--json'])
    expect({ err, lines: out.length }).toEqual({ err: '', lines: 1 })
    const report = JSON.parse(out[0] ?? '') as {
      ok: boolean
      kind: number
      what: string
      checks: { name: string; ok: boolean }[]
    }
    expect(Object.keys(report)).toEqual(['ok', 'kind', 'what', 'checks'])
    // The lie stands in the same place of the log.
    expect(report.checks.filter(({ ok }) => ok === false).map(({ name }) => name)).toEqual(['alone'])
    expect({ code, ok: report.ok, kind: report.kind, what: report.what }).toEqual({
      code: 1,
      ok: false,
      kind: 4631,
      what: 'routing event',
    })
    for (const name of [noteEncode(route.id), `nostr:${neventEncode({ id: route.id })}`])
      expect((await say([name, '--relay', relay.url, '--json'])).out).toEqual(out)
    expect((await say([neventEncode({ id: route.id, relays: [relay.url, 'nonsense'] }), '--json'])).out).toEqual(out)
  })

  test('0 for what holds, 1 for what does not, 3 for what is open', async () => {
    // The relay keeps the newest announcements only, and they were written anew since the first route.
    const [first] = world.by(routing, routerKey)
    expect((await say([first?.event.id ?? '', '--relay', relay.url, '--json'])).code).toBe(3)
    const score = [...world.everything.values()].find(({ kind }) => kind === nodeScore.number)
    expect((await say([score?.id ?? '', '--relay', relay.url, '--json'])).code).toBe(0)
    expect((await say([lie.id, '--relay', relay.url, '--json'])).code).toBe(1)
    const sheet = [...world.everything.values()]
      .filter(({ kind, pubkey }) => kind === 38_610 && pubkey === routerKey)
      .at(-1)
    const open = await say([sheet?.id ?? '', '--relay', relay.url, '--json'])
    expect(open.code).toBe(3)
    expect(JSON.parse(open.out[0] ?? '')).toMatchObject({ ok: null, kind: 38_610 })
  })
})

describe('for people', () => {
  test('one line per check, a last line, and nothing that paints the terminal', async () => {
    const { code, out } = await say([lie.id, '--relay', relay.url])
    expect(code).toBe(1)
    expect(out.slice(0, -1).every(line => /^[✓✗?] [a-z-]+ +\S/.test(line))).toBe(true)
    expect(out.find(line => /^. order /.test(line))).toMatch(/^✗ order +It does not come out again/)
    expect(out.at(-1)).toMatch(/^✗ routing event \(kind 4631\): something does not hold · \d+ ✓ [23] ✗ 0 \?$/)
    expect(out.join('')).not.toContain(esc)
  })

  test('strangers’ words are cleaned', async () => {
    const dirty = keys.sign({ kind: 4641, created_at: world.now(), tags: [], content: `${esc}[2J` }, secretOf('x'))
    const policy = reworded(route, () => ({ policy: `${esc}[31mred\nblue` }))
    const relays = connectRelays({ urls: [relay.url], keys, clock })
    for (const event of [dirty, policy]) await relays.publish(event)
    await relays.close()
    for (const { id } of [dirty, policy]) {
      const { out, code } = await say([id, '--relay', relay.url])
      expect(code).toBe(1)
      expect(out.join('')).not.toContain(esc)
      expect(out.join('')).not.toContain('\n')
    }
  })
})

describe('slips and silence', () => {
  test('what is no event, no relay, no time', async () => {
    expect(await say(['--relay', relay.url])).toMatchObject({ code: 2 })
    expect(await say(['zzz', '--relay', relay.url])).toMatchObject({ code: 2 })
    expect((await say([route.id])).err).toContain('No relay given')
    expect((await say([route.id, route.id, '--relay', relay.url])).code).toBe(2)
    expect((await say([route.id, '--relay', relay.url, '--timeout', '0'])).code).toBe(2)
    expect((await say([route.id, '--relay', relay.url, '--network', 'moon'])).err).toContain('mainnet')
    const secret = await say([`nsec1${'q'.repeat(58)}`, '--relay', relay.url])
    expect(secret.code).toBe(2)
    expect(secret.err).toContain('SECRET')
    expect(secret.err).not.toContain('qqqq')
  })

  test('no such event, and no relay that answers', async () => {
    const none = await say(['0'.repeat(64), '--relay', relay.url, '--json'])
    expect(none.code).toBe(1)
    expect(JSON.parse(none.out[0] ?? '')).toMatchObject({ ok: false, checks: [{ name: 'event', ok: false }] })
    const hand = handClock()
    const asked = say([route.id, '--relay', 'ws://127.0.0.1:9', '--timeout', '3'], { clock: hand })
    await vi.waitUntil(() => hand.waiting > 0, { interval: 1 })
    for (let at = 0; at < 10; at++) await hand.advance(1_000)
    const gone = await asked
    expect(gone.code).toBe(1)
    expect(gone.err).toContain('No relay answered')
  })
})

test('the checks reach no node: module, so that a browser can make them', () => {
  const root = join(import.meta.dirname, '..')
  const seen = new Set<string>()
  const tainted: string[] = []
  const visit = (file: string) => {
    if (seen.has(file) || !existsSync(file)) return
    seen.add(file)
    const text = readFileSync(file, 'utf8').replace(/\/\*[\s\S]*?\*\//g, '')
    for (const [, typeOnly, from = ''] of text.matchAll(
      /^(?:import|export)\s+(type\s)?[^'"]*?from\s+['"]([^'"]+)['"]/gm,
    )) {
      if (typeOnly) continue
      if (from.startsWith('node:')) tainted.push(`${file} → ${from}`)
      else if (from.startsWith('.')) visit(join(dirname(file), from))
    }
  }
  for (const name of ['verify.ts', 'deep.ts']) visit(join(root, 'src/cli/verifying', name))
  expect(seen.size).toBeGreaterThan(50)
  expect(tainted).toEqual([])
})
