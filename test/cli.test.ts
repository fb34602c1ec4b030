/** The command line without a process: what it says to people, to scripts and to those who slip. */
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, describe, expect, test } from 'vitest'
import { type EmbeddedRelay, startRelay } from '../relays/embedded/relay.ts'
import { clean, type Io, jsonLine } from '../src/cli/command.ts'
import { commands } from '../src/cli/index.ts'
import { runCommand } from '../src/cli/run.ts'
import { money } from '../src/cli/screen.ts'
import { wallClock } from '../src/clock.ts'
import { nsec, openKeys, secretFromText } from '../src/keys.ts'

const folder = mkdtempSync(join(tmpdir(), 'gridstr-cli-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
const clock = wallClock()

interface Said {
  readonly code: number
  readonly out: string
  readonly err: string
}

const nowhere = 'ws://127.0.0.1:9'
const verify = (...argv: string[]) => ['verifier', '--relay', nowhere, ...argv]
const shares = (...percent: number[]) => percent.flatMap((one, i) => ['--split', `${[generator, twice][i]}:${one}`])
const generator = '79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798'
const twice = 'c6047f9441ed7d6d3045406e95c07cd85c778e4b8cef3ca7abac09b95c709ee5'

async function say(argv: readonly string[], given: Partial<Io> = {}): Promise<Said> {
  const [out, err]: [string[], string[]] = [[], []]
  const code = await runCommand(argv, {
    out: text => void out.push(`${text}\n`),
    write: text => void out.push(text),
    err: text => void err.push(text),
    env: {},
    clock,
    signal: new AbortController().signal,
    terminal: false,
    stdin: async () => '',
    ...given,
  })
  return { code, out: out.join(''), err: err.join('') }
}

describe('help', () => {
  test.each([[[]], [['help']], [['--help']], [['-h']]])('gridstr %j names every command', async argv => {
    const { code, out, err } = await say(argv)
    expect({ code, err }).toEqual({ code: 0, err: '' })
    for (const { name, says } of commands) expect(out).toContain(`gridstr ${name.padEnd(8)} ${says}`)
  })

  test.each(commands.map(({ name }) => name))('gridstr help %s shows its options', async name => {
    const asked = await say(['help', name])
    expect(asked.code).toBe(0)
    expect(asked.out).toMatch(/^gridstr /)
    if (name !== 'help') expect(await say([name, '--help'])).toEqual(asked)
  })
})

describe('a slip ends with status 2, one line and no stack', () => {
  const key = join(folder, 'no.key')
  writeFileSync(key, 'this is no key')
  const secretKey = nsec(new Uint8Array(32).fill(7))
  const uri = `nostr+walletconnect://${'ab'.repeat(32)}?relay=ws://127.0.0.1:9&secret=${'cd'.repeat(31)}`

  test.each<[string, string[], RegExp]>([
    ['an unknown command', ['sell'], /no command "sell"\. There are: demo, relay, .*, help/],
    ['help on an unknown command', ['help', 'sell'], /There are: demo/],
    ['an unknown option', ['relay', '--prt', '1'], /--prt/],
    ['an option without its value', ['relay', '--port'], /--port/],
    ['no relay', ['ask', 'x'], /--relay ws:\/\/… \(start one of your own with "gridstr relay"\)/],
    ['no relay for a node', ['node'], /--relay/],
    ['no relay for wallets', ['wallet', 'regtest'], /--relay/],
    ['a web address as relay', ['ask', '--relay', 'https://example.com', 'x'], /write ws:\/\/… or wss:\/\/…/],
    ['no address as relay', ['ask', '--relay', 'relay', 'x'], /write ws:\/\/…/],
    ['a number that is none', ['relay', '--port', 'seven'], /--port "seven": give a whole number from 0 to 65535/],
    ['a number out of bounds', ['relay', '--port', '65536'], /from 0 to 65535/],
    [
      'a broken number',
      ['ask', '--relay', nowhere, '--max-sats', '1.5', 'x'],
      /--max-sats "1\.5": give a whole number/,
    ],
    ['an empty question', ['ask', '--relay', nowhere], /write the question in quotes at the end/],
    ['a blank question', ['ask', '--relay', nowhere, '  '], /question/],
    ['an empty standard input', ['ask', '--relay', nowhere, '-'], /question/],
    ['no key of a node', ['ask', '--relay', nowhere, '--to', 'bob', 'x'], /"bob" is no public key: give npub1/],
    ['a secret key as node', ['ask', '--relay', nowhere, '--to', secretKey, 'x'], /SECRET key/],
    ['a price without a wallet', ['node', '--relay', nowhere, '--price-msats', '5'], /needs a wallet.*--wallet/],
    ['a wallet of no kind', ['wallet', 'mainnet', '--relay', nowhere], /gridstr wallet regtest --relay/],
    ['a bad key file', ['ask', '--relay', nowhere, '--key', key, 'x'], /must hold one nsec or 64 hex digits/],
    ['a key file in no folder', ['ask', '--relay', nowhere, '--key', join(folder, 'a/b'), 'x'], /cannot be written/],
    ['no wallet file', ['ask', '--relay', nowhere, '--wallet-file', join(folder, 'a'), 'x'], /cannot be read/],
    ['a wallet string cut short', ['ask', '--relay', nowhere, '--wallet', uri, 'x'], /secret is not 64 hex digits/],
    ['a secret key as relay', ['ask', '--relay', secretKey, 'x'], /write ws:\/\/…/],
    ['a secret key as command', [secretKey], /There are: demo/],
    ['a secret key as number', ['ask', '--relay', nowhere, '--max-sats', secretKey, 'x'], /whole number/],
    ['a judge that is none', ['verifier', '--relay', nowhere, '--judge', 'dice'], /write rerun or customer/],
    [
      'a runner beside the customer',
      verify('--judge', 'customer', '--runner', 'echo'),
      /no meaning for --judge customer/,
    ],
    ['a wait beside a rerun', verify('--wait', '5'), /--wait has no meaning for --judge rerun/],
    ['no key of a node for a verifier', verify('--allow', 'bob'), /--allow npub1/],
    ['no folder for a verifier', verify('--judge', 'customer'), /set GRIDSTR_HOME/],
    ['a share for nobody', ['node', '--relay', nowhere, '--split', 'bob:10'], /--split npub1…:10/],
    ['a share of nothing', ['node', '--relay', nowhere, '--split', `${'ab'.repeat(32)}:0`], /--split npub1…:10/],
    ['a share for a secret key', ['node', '--relay', nowhere, '--split', `${secretKey}:10`], /--split npub1…:10/],
    ['shares of more than all', ['node', '--relay', nowhere, ...shares(60, 60)], /at most 100 percent together/],
    ['a word about no job', ['ask', '--relay', nowhere, '--complain', 'x'], /64 hex digits/],
    ['no such runner', ['node', '--relay', nowhere, '--runner', 'magic'], /magic/],
    ['no such model', ['node', '--relay', nowhere, '--model', join(folder, 'a.gguf')], /a\.gguf/],
  ])('%s', async (_, argv, way) => {
    const { code, out, err } = await say(argv)
    expect({ code, out }).toEqual({ code: 2, out: '' })
    expect(err).toMatch(way)
    expect(err).not.toMatch(/\n\s+at /)
    expect(err).not.toContain('this is no key')
    expect(err).not.toContain('cdcd')
    expect(err).not.toContain(secretKey.slice(24))
  })
})

describe('keys', () => {
  test('a key file is made for its owner alone, and used again', async () => {
    const relay = await openRelay()
    const file = join(folder, 'new.key')
    const ask = ['ask', '--relay', relay.url, '--key', file, 'anybody?']
    const first = await say(ask)
    expect(first.err).toContain(`kept it in ${file}`)
    expect(statSync(file).mode & 0o777).toBe(0o600)
    const text = readFileSync(file, 'utf8')
    expect(secretFromText(text)).toHaveLength(32)
    const second = await say(ask)
    expect(second.err).not.toContain('kept it')
    expect(readFileSync(file, 'utf8')).toBe(text)
    for (const said of [first, second]) expect(said.out + said.err).not.toContain(text.trim())
    await relay.close()
  })

  test('without --key no file is left behind', async () => {
    const relay = await openRelay()
    expect((await say(['ask', '--relay', relay.url, 'anybody?'])).code).toBe(1)
    expect(existsSync('key')).toBe(false)
    await relay.close()
  })
})

const openRelay = async (): Promise<EmbeddedRelay> => {
  const keys = await openKeys()
  return startRelay({ clock, verify: event => keys.verify(event) })
}

describe('a session', () => {
  const jsonOnly = (out: string) =>
    out
      .split('\n')
      .filter(Boolean)
      .map((line): unknown => JSON.parse(line))

  test('with --json stdout has JSON lines alone, and the words go to stderr', async () => {
    const relay = await openRelay()
    const stop = new AbortController()
    let ready = () => {}
    const live = new Promise<void>(resolve => {
      ready = resolve
    })
    const lines: string[] = []
    const out = (text: string) => {
      lines.push(text)
      if (text.includes('"ready":true')) ready()
    }
    const node = say(['node', '--relay', relay.url, '--runner', 'echo', '--json'], { signal: stop.signal, out })
    await live
    const asked = await say(['ask', '--relay', relay.url, '--json', 'one two'])
    const rows = jsonOnly(asked.out)
    expect(asked.code).toBe(0)
    expect(rows.at(-1)).toMatchObject({ ok: true, text: 'one two', msats: 0 })
    expect(rows.slice(0, -1).every(row => (row as { event?: string }).event === 'chunk')).toBe(true)
    expect(asked.err).toContain('done')
    const plain = await say(['ask', '--relay', relay.url, '-'], { stdin: async () => 'from a pipe\n' })
    expect(plain).toMatchObject({ code: 0, out: 'from a pipe\n' })

    // A stranger's text is a stranger's text: the terminal is not theirs.
    const evil = 'a\u001b[2J\u001b]0;owned\u0007b\u202ec'
    const told = await say(['ask', '--relay', relay.url, evil])
    expect(told.out).toBe('abc\n')
    const raw = await say(['ask', '--relay', relay.url, '--json', evil])
    expect(jsonOnly(raw.out).at(-1)).toMatchObject({ text: evil })
    expect(raw.out).not.toContain('\u001b')
    stop.abort()
    expect((await node).code).toBe(0)
    expect(jsonOnly(lines.join('\n'))[0]).toMatchObject({ ready: true, kinds: [5050] })
    await relay.close()
  })

  test('a wallet that does not answer is named, and the question is not asked', async () => {
    const relay = await openRelay()
    const stop = new AbortController()
    let ready = () => {}
    const live = new Promise<void>(resolve => {
      ready = resolve
    })
    const out = (text: string) => text.includes('"ready":true') && ready()
    const node = say(['node', '--relay', relay.url, '--runner', 'echo', '--json'], { signal: stop.signal, out })
    await live
    const secret = '5e'.repeat(32)
    const uri = `nostr+walletconnect://${'ab'.repeat(32)}?relay=${relay.url}&secret=${secret}`
    // Patience passes fifty times faster than time.
    const hasty = { now: clock.now, after: (ms: number, run: () => void) => clock.after(ms / 50, run) }
    const argv = ['ask', '--relay', relay.url, '--max-sats', '5', '--wallet', uri, '--json', 'x']
    const asked = await say(argv, { clock: hasty })
    expect(asked.code).toBe(1)
    expect(jsonOnly(asked.out)).toMatchObject([{ ok: false, code: 'wallet' }])
    expect(asked.err).toMatch(/The wallet does not answer .*check that it is running/)
    expect(asked.out + asked.err).not.toContain(secret)
    stop.abort()
    await node
    await relay.close()
  })

  test('a relay that does not answer is named, with the way out', async () => {
    const stop = new AbortController()
    const asked = say(['ask', '--relay', nowhere, '--json', 'x'], { signal: stop.signal })
    const { code, out, err } = await asked
    expect(code).toBe(1)
    expect(jsonOnly(out)).toMatchObject([{ ok: false, code: 'no-relay' }])
    expect(err).toContain('gridstr relay')
  })

  test('a port that is taken', async () => {
    const relay = await openRelay()
    const { code, err } = await say(['relay', '--port', String(relay.port)])
    expect(code).toBe(2)
    expect(err).toMatch(/cannot start/)
    await relay.close()
  })
})

describe('words', () => {
  test('money in words', () => {
    expect([0n, 1n, 1000n, 2000n, 1234567000n, 1500n].map(money)).toEqual([
      'free',
      '1 msats',
      '1 sat (1,000 msats)',
      '2 sats (2,000 msats)',
      '1,234,567 sats (1,234,567,000 msats)',
      '1,500 msats',
    ])
    expect(jsonLine({ msats: 3000n })).toBe('{"msats":3000}')
  })

  test('clean leaves nothing that moves a cursor, whatever comes', () => {
    const pieces = fc.constantFrom('\u001b', '[', ']', '2J', '0;t', '\u0007', '\u009b', '\r', '\n', 'x', '\u202e', '\\')
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string({ unit: 'binary' }),
          fc.array(pieces).map(all => all.join('')),
        ),
        text => {
          const shown = clean(text)
          expect(shown).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/)
          expect(clean(shown)).toBe(shown)
        },
      ),
      { numRuns: 2_000 },
    )
    expect(clean('two\r\nlines\tand a tab')).toBe('two\nlines\tand a tab')
  })
})
