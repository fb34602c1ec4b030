/** `gridstr market`: what people and scripts see of relays that are full, empty, hostile or gone. */
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { nodeScore, priceSheet, type Template } from '../kinds/index.ts'
import { type EmbeddedRelay, startRelay } from '../relays/embedded/relay.ts'
import type { Io } from '../src/cli/command.ts'
import { marketCommand } from '../src/cli/commands/market.ts'
import { handClock, seconds, wallClock } from '../src/clock.ts'
import { npub, openKeys } from '../src/keys.ts'
import { announces, key, leases, measures } from './ledger-directory-world.ts'

const clock = wallClock()
const keys = await openKeys()
const secret = (at: number) => new Uint8Array(32).fill(at)
const pub = (at: number) => keys.publicKey(secret(at))
const esc = '\u001b'

interface Said {
  readonly code: number
  readonly out: string
  readonly err: string
}

/** Runs the command; `until` is looked for in what a person sees, and ends it. */
async function say(argv: readonly string[], given: Partial<Io> = {}, until?: string): Promise<Said> {
  const [out, err]: [string[], string[]] = [[], []]
  const stop = new AbortController()
  const code = await marketCommand.run(argv, {
    out: text => void out.push(`${text}\n`),
    write: text => void out.push(text),
    err(text) {
      err.push(text)
      if (until !== undefined && text.includes(until)) stop.abort()
    },
    ...{ env: {}, clock, signal: stop.signal, terminal: false },
    stdin: async () => '',
    ...given,
  })
  return { code, out: out.join(''), err: err.join('') }
}

const price = { kind: 5050, model: 'nano', unit: 'job' } as const
const sheet = (service: string) =>
  priceSheet.write(
    {
      ...{ id: 'gridstr', feeMsats: 10n, policy: 'default', params: key(1), commit: { seq: 0, hash: key(2) }, service },
      rows: [
        {
          ...price,
          lowMsats: 900n,
          medianMsats: 1_000n,
          highMsats: 2_000n,
          settledMsats: 950n,
          nodes: 2,
          surge: 1_250,
        },
      ],
      ...{ relays: [], expiresAt: seconds(clock) + 600 },
    },
    seconds(clock),
  )
const score = (node: string, rank: number) => nodeScore.write({ node, rank, markets: [] }, seconds(clock))

let relay: EmbeddedRelay
let empty: EmbeddedRelay

beforeAll(async () => {
  ;[relay, empty] = (await Promise.all(
    [1, 2].map(() => startRelay({ port: 0, clock, verify: event => keys.verify(event) })),
  )) as [EmbeddedRelay, EmbeddedRelay]
  const now = seconds(clock)
  const put = async (at: number, template: Template): Promise<void> => {
    const { publish, close } = await socketOf(relay.url)
    await publish(keys.sign(template, secret(at)))
    close()
  }
  const strip = ({ kind, created_at, tags, content }: Template): Template => ({ kind, created_at, tags, content })
  await put(1, strip(announces(pub(1), now - 9, { name: 'Ann', slots: 4 })))
  await put(1, strip(leases(pub(1), now, now - 60, { busy: 1 })))
  await put(1, strip(measures(pub(1), pub(1), now, { firstMs: 5 })))
  await put(3, strip(measures(pub(3), pub(1), now, { firstMs: 412 })))
  await put(2, strip(announces(pub(2), now - 7_200, { name: `${esc}[31mEve${esc}[0m\n\ngone\u202e` })))
  await put(4, strip(announces(pub(4), now, { name: 'Speech', kinds: [5000] })))
  await put(9, sheet(pub(8)))
  for (const [node, rank] of [
    [1, 61],
    [2, 7],
  ] as const)
    await put(8, score(pub(node), rank))
  await put(7, score(pub(2), 100))
})
afterAll(() => Promise.all([relay.close(), empty.close()]))

async function socketOf(url: string) {
  const { connectRelays } = await import('../src/connect.ts')
  const relays = connectRelays({ urls: [url], keys, clock })
  return { publish: relays.publish, close: () => void relays.close() }
}

describe('for scripts', () => {
  test('one line per service, best first, then it ends', async () => {
    const { code, out, err } = await say(['--relay', relay.url, '--json'])
    expect({ code, err }).toEqual({ code: 0, err: '' })
    const lines = out
      .trim()
      .split('\n')
      .map(line => JSON.parse(line) as Record<string, unknown>)
    expect(lines).toMatchObject([
      {
        ...{ node: pub(1), npub: npub(pub(1)), name: 'Ann', status: 'alive', priceMsats: 1_000, unit: 'job' },
        ...{ firstMs: 412, claimed: false, score: 61, scores: [{ router: pub(9), rank: 61 }] },
        ...{ slots: { total: 4, busy: 1, queued: 0 }, models: ['nano'] },
      },
      { node: pub(2), name: 'Eve\n\ngone', status: 'unknown', score: 7 },
    ])
    expect(lines.length).toBe(2)
    expect(lines[1]).not.toHaveProperty('firstMs')
  })

  test('another kind, and a router that says nothing', async () => {
    const speech = await say(['--relay', relay.url, '--json', '--kind', '5000'])
    expect(JSON.parse(speech.out)).toMatchObject({ node: pub(4), status: 'unknown' })
    const { out } = await say(['--relay', relay.url, '--json', '--router', npub(pub(5))])
    expect(out).not.toContain('score')
  })

  test('nobody there is said to people, and is no failure; no relay at all is one', async () => {
    const nobody = await say(['--relay', empty.url, '--json'])
    expect(nobody).toMatchObject({ code: 0, out: '' })
    expect(nobody.err).toContain('Nobody offers this work')
    const hand = handClock(clock.now())
    const asked = say(['--relay', 'ws://127.0.0.1:9', '--json'], { clock: hand })
    // The relay is asked once there is a timer for its answer.
    await vi.waitUntil(() => hand.waiting > 0, { interval: 1 })
    for (let at = 0; at < 10; at++) await hand.advance(1_000)
    const gone = await asked
    expect(gone).toMatchObject({ code: 1, out: '' })
    expect(gone.err).toContain('No relay answered')
  })

  test('a slip is told', async () => {
    await expect(say([])).rejects.toThrow('No relay given')
    await expect(say(['--relay', empty.url, '--router', 'bob'])).rejects.toThrow('--router npub1…')
    await expect(say(['--relay', empty.url, 'now'])).rejects.toThrow('give options only')
  })
})

describe('for people', () => {
  test('once: a table and the sheets below, without an escape of anybody', async () => {
    const { code, out } = await say(['--relay', relay.url, '--once'])
    expect(code).toBe(0)
    expect(out).toContain('2 services of kind 5050, 1 alive · 1 router')
    expect(out).toMatch(/^alive +Ann +npub1\S+ +nano +1 sat\/job +412 ms +30 +61 +1\/4 +\d+ s$/m)
    expect(out).toMatch(/^unknown +Eve gone +npub1\S+ +nano +1 sat\/job +7 +2 h$/m)
    expect(out).toMatch(/router npub1\S+ · policy default · fee 10 msat a route · 1 price$/m)
    expect(out).toContain('  nano: 900 msat … 1 sat … 2 sat/job · settled at 950 msat · 2 nodes · surge ×1.25')
    expect(out).not.toContain(esc)
    expect(out).not.toContain('\u202e')
  })

  test('what is no terminal gets it once; so does a terminal that can do nothing', async () => {
    const piped = await say(['--relay', relay.url])
    expect(piped.err).toBe('')
    const dumb = await say(['--relay', relay.url], {
      terminal: true,
      columns: 80,
      env: { TERM: 'dumb', NO_COLOR: '1' },
    })
    for (const { code, out } of [piped, dumb]) {
      expect(code).toBe(0)
      expect(out).toContain('Ann')
      expect(out).not.toContain(esc)
    }
  })

  test('a terminal is redrawn in place and left as it was', async () => {
    const seen = '61'
    const { code, out, err } = await say(['--relay', relay.url], { terminal: true, columns: 80, rows: 24 }, seen)
    expect({ code, out }).toEqual({ code: 0, out: '' })
    expect(err.startsWith(`${esc}[?1049h${esc}[?25l`)).toBe(true)
    expect(err).toMatch(/\[\?25h.\[\?1049l[^\u001b]*ended with 2 services seen, 1 alive/)
    expect(err).not.toContain(`${esc}[2J`)
    const frames = err.split(`${esc}[H`).slice(1)
    for (const frame of frames) expect(frame.split('\n').length).toBeLessThanOrEqual(24)
    expect(err).toContain(`${esc}[32malive${esc}[0m`)
    const plain = await say(
      ['--relay', relay.url],
      { terminal: true, columns: 80, rows: 24, env: { NO_COLOR: '1' } },
      seen,
    )
    expect(plain.err).not.toMatch(/\u001b\[[0-9;]*m/)
  })
})
