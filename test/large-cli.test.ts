/** `gridstr ask --file` and `--input job:`: what is larger than an event, and a chain of two jobs, as people type them. */
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type EmbeddedRelay, startRelay } from '../relays/embedded/relay.ts'
import { openPool } from '../relays/pool.ts'
import type { Io } from '../src/cli/command.ts'
import { runCommand } from '../src/cli/run.ts'
import { wallClock } from '../src/clock.ts'
import { openKeys } from '../src/keys.ts'
import { type Node, openNode } from '../src/node/node.ts'
import { letters, loudRunner } from './large/scene.ts'
import { doorOf } from './worlds.ts'

const clock = wallClock()
const keys = await openKeys()
const folder = mkdtempSync(join(tmpdir(), 'gridstr-large-cli-'))
let relay: EmbeddedRelay
let node: Node
const closers: (() => Promise<unknown>)[] = []

beforeAll(async () => {
  relay = await startRelay({ clock, verify: keys.verify })
  const relays = openPool({ urls: [relay.url], clock, admit: doorOf(keys) })
  const service = { id: 'loud', name: 'loud', about: '', kinds: [5050], nodeKeys: [] }
  node = await openNode({
    relays,
    keys,
    secret: keys.newSecret(),
    clock,
    runner: loudRunner(),
    priceMsats: 0n,
    service,
  })
  await node.ready
  closers.push(node.close, relays.close, relay.close)
})
afterAll(async () => {
  for (const close of closers) await close()
  rmSync(folder, { recursive: true, force: true })
})

async function ask(...argv: string[]) {
  const [out, err]: [string[], string[]] = [[], []]
  const io: Io = {
    out: text => void out.push(text),
    write: text => void out.push(text),
    err: text => void err.push(text),
    ...{ env: { GRIDSTR_HOME: folder }, clock, signal: new AbortController().signal, terminal: false },
    stdin: async () => '',
  }
  const code = await runCommand(['ask', '--relay', relay.url, '--json', ...argv], io)
  return { code, last: JSON.parse(out.at(-1) ?? '{}'), err: err.join('') }
}

const file = (name: string, text: string): string => {
  const path = join(folder, name)
  writeFileSync(path, text)
  return path
}

test('a file beyond an event is asked about, and its answer is the input of the next job', async () => {
  const text = letters(150_000)
  const journal = ['--journal', join(folder, 'chain.db')]
  const first = await ask(...journal, '--file', file('long.txt', text), 'and this')
  expect(first).toMatchObject({ code: 0, last: { ok: true } })
  expect(first.last.text).toBe(`${text}\n\nand this`.toUpperCase())
  const second = await ask(...journal, '--input', `job:${first.last.request}`, 'again')
  expect(second).toMatchObject({ code: 0, last: { ok: true } })
  expect(second.last.text).toBe(`${first.last.text}\n\nAGAIN`)
})

test.each([
  [['--input', 'job:12'], /64 hex digits/],
  [['--input', `event:${'ab'.repeat(32)}@nowhere`], /stands a relay/],
  [['--input', 'url:ftp://x'], /https/],
  [['--file', join(folder, 'none.txt')], /no such file/],
  [['--file', file('empty.txt', '')], /empty/],
  [['--file', file('huge.txt', 'x')], /divide it/],
] as const)('%s is refused with the way out', async (argv, says) => {
  truncateSync(join(folder, 'huge.txt'), 16 * 1024 * 1024 + 1)
  const { code, err } = await ask(...argv)
  expect(code).toBe(2)
  expect(err).toMatch(says)
})
