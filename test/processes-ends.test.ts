/** How processes end when something else has ended before: never by hanging, always with a word. */
import { spawn } from 'node:child_process'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { keeps } from './promises.ts'
import { gridstr, isReady, openTown, type Row, rows, type Town, textOf } from './spawn.ts'

const is = (event: string) => (row: Row) => row['event'] === event
const last = (lines: readonly string[]): Row => rows(lines.slice(-1))[0] ?? {}

describe('a town in which one thing ends', () => {
  let town: Town
  beforeEach(async () => {
    town = await openTown({ node: ['--runner', 'echo', '--price-msats', '3000', '--delay-ms', '60000'] })
  })
  afterEach(async () => {
    await town.close()
  })
  const paying = (...argv: string[]) => town.ask(['--max-sats', '5', ...argv], { GRIDSTR_WALLET: town.payer })

  keeps('job.cancelled', 'SIGTERM withdraws the question, the node stops, and the asker keeps the proof', async () => {
    const ask = paying('one two')
    await town.node.row(is('running'))
    expect(await ask.stop()).toBe(1)
    expect(last(ask.out)).toMatchObject({ ok: false, code: 'cancelled', msats: 3000 })
    expect(textOf(last(ask.out), 'preimage')).toMatch(/^[0-9a-f]{64}$/)
    await town.node.row(is('cancelled'))
  })

  test('without a relay every process still ends when it is asked to', async () => {
    const ask = paying('one two')
    await town.node.row(is('running'))
    await town.relay.kill()
    expect(await ask.stop()).toBe(1)
    expect(await town.node.stop()).toBe(0)
    expect(await town.wallet.stop()).toBe(0)
  })
})

test('a reader that goes away ends the writer', async () => {
  const relay = gridstr(['relay', '--port', '0', '--json'])
  const url = textOf(await relay.row(isReady), 'url')
  const node = gridstr(['node', '--relay', url, '--runner', 'echo', '--json'])
  await node.row(isReady)
  // `gridstr ask … | head -c 1`
  const words = Array.from({ length: 2_000 }, (_, i) => `word${i}`).join(' ')
  const bin = new URL('../bin/gridstr.mjs', import.meta.url).pathname
  const ask = spawn(process.execPath, [bin, 'ask', '--relay', url, words], { stdio: ['ignore', 'pipe', 'ignore'] })
  ask.stdout.once('data', () => ask.stdout.destroy())
  const code = await new Promise<number | null>((resolve, reject) => {
    const late = setTimeout(() => {
      ask.kill('SIGKILL')
      reject(new Error('the asker hangs'))
    }, 20_000)
    ask.once('exit', status => {
      clearTimeout(late)
      resolve(status)
    })
  })
  expect([0, 1]).toContain(code)
  for (const one of [node, relay]) expect(await one.stop()).toBe(0)
})
