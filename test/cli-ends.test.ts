/** Commands that wait for somebody who never comes: they say so, and end when they are asked to. */
import { describe, expect, test } from 'vitest'
import type { Io } from '../src/cli/command.ts'
import { runCommand } from '../src/cli/run.ts'
import { wallClock } from '../src/clock.ts'

const nowhere = 'ws://127.0.0.1:9'
const uri = `nostr+walletconnect://${'ab'.repeat(32)}?relay=${nowhere}&secret=${'5e'.repeat(32)}`
const real = wallClock()

async function run(argv: readonly string[], given: Partial<Io>) {
  const [out, err]: [string[], string[]] = [[], []]
  const io: Io = {
    out: text => void out.push(text),
    write: text => void out.push(text),
    err: text => void err.push(text),
    env: { GRIDSTR_WALLET: uri },
    clock: real,
    signal: new AbortController().signal,
    terminal: false,
    stdin: async () => '',
    ...given,
  }
  const code = await runCommand(argv, io)
  return { code, out: out.join('\n'), err: err.join('\n') }
}

describe('asked to end while it waits for', () => {
  test.each<[string, string[], number]>([
    ['a relay: node', ['node', '--relay', nowhere, '--runner', 'echo'], 0],
    ['a relay: wallet', ['wallet', 'regtest', '--relay', nowhere, '--json'], 0],
    ['a relay: ask', ['ask', '--relay', nowhere, 'x'], 1],
    ['a wallet: node', ['node', '--relay', nowhere, '--runner', 'echo', '--price-msats', '5'], 1],
  ])('%s', async (_, argv, code) => {
    const stop = new AbortController()
    // Long waits begin with their timer: as soon as one is armed, the command is asked to end.
    const clock = {
      now: real.now,
      after(ms: number, then: () => void) {
        if (ms >= 1_000) setImmediate(() => stop.abort(new Error('SIGTERM received')))
        return real.after(ms, () => {
          if (ms >= 10_000) ranOut.push(ms)
          then()
        })
      },
    }
    const ranOut: number[] = []
    expect((await run(argv, { clock, signal: stop.signal })).code).toBe(code)
    // Probes, wallets and publications are waited for ten seconds and more: none of these waits ran to its end.
    expect(ranOut).toEqual([])
  })
})

test('a node whose wallet does not answer says so, with the way out and without a stack', async () => {
  // Patience passes fifty times faster than time.
  const clock = { now: real.now, after: (ms: number, then: () => void) => real.after(ms / 50, then) }
  const argv = ['node', '--relay', nowhere, '--runner', 'echo', '--price-msats', '5', '--json']
  const { code, out, err } = await run(argv, { clock })
  expect(code).toBe(1)
  expect(JSON.parse(out)).toMatchObject({ ok: false, code: 'wallet' })
  expect(err).toMatch(/The wallet does not answer .*check that it is running/)
  expect(out + err).not.toContain('5e5e')
})
