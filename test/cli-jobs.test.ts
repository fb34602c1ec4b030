/** `gridstr jobs` and `gridstr job`: a client that was killed finds its jobs again, finishes one and withdraws another. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { runCommand } from '../src/cli/run.ts'
import { wallClock } from '../src/clock.ts'
import { freshHome, openTown, type Row, rows, type Town, textOf } from './spawn.ts'

const is = (event: string) => (row: Row) => row['event'] === event
const home = { GRIDSTR_HOME: freshHome() }

async function run(...argv: string[]) {
  const [out, err]: [string[], string[]] = [[], []]
  const code = await runCommand(argv, {
    out: text => void out.push(text),
    write: text => void out.push(text),
    err: text => void err.push(text),
    ...{ env: home, clock: wallClock(), signal: new AbortController().signal, terminal: false },
    stdin: async () => '',
  })
  return { code, out, err: err.join(''), last: rows(out.slice(-1))[0] ?? {} }
}

describe('jobs of a killed client', () => {
  let town: Town
  let first = ''
  beforeAll(async () => {
    town = await openTown({ node: ['--runner', 'echo', '--price-msats', '3000', '--delay-ms', '4000'] })
  })
  afterAll(async () => {
    await town.close()
  })

  test('what cannot be done is said with the way out', async () => {
    const none = await run('jobs')
    expect(none).toMatchObject({ code: 0, out: [] })
    expect(none.err).toContain('none are written down')
    expect(await run('job', 'f'.repeat(64), '--json')).toMatchObject({ code: 1, last: { code: 'no-job' } })
    expect(await run('job', 'xyz')).toMatchObject({ code: 2, err: expect.stringContaining('gridstr jobs') })
    const wait = await run('job', 'f'.repeat(64), '--wait')
    expect(wait).toMatchObject({ code: 2, err: expect.stringContaining('--relay') })
  })

  test('one that was paid is listed, seen, and finished by the next process without a second payment', async () => {
    const ask = town.ask(['--max-sats', '5', '--wallet', town.payer, 'one two three'], home)
    first = textOf(await town.node.row(is('running')), 'job')
    // While it runs its journal is read beside it, and nobody else may finish it.
    const seen = await run('job', first.slice(0, 8), '--json')
    expect(seen).toMatchObject({ code: 0, last: { request: first } })
    const held = await run('job', first, '--wait', '--relay', town.url, '--json')
    expect(held).toMatchObject({ code: 1, last: { code: 'locked' } })
    await ask.kill()
    const listed = await run('jobs', '--json')
    expect(rows(listed.out)).toMatchObject([{ request: first, kind: 5050 }])
    expect(rows(listed.out)[0]).not.toHaveProperty('text')
    const waited = await run('job', first, '--wait', '--relay', town.url, '--wallet', town.payer, '--json')
    expect(waited).toMatchObject({
      code: 0,
      last: { ok: true, state: 'delivered', text: 'one two three', msats: 3000 },
    })
    expect(await run('job', first)).toMatchObject({ code: 0, out: ['one two three'] })
    const after = await run('jobs')
    expect(after.out).toHaveLength(1)
    expect(after.out[0]).toMatch(/delivered .* 3000 msats .* one two three$/)
    expect(rows(town.node.out).filter(is('paid'))).toHaveLength(1)
  })

  test('one that runs is withdrawn, and withdrawn once', async () => {
    const ask = town.ask(['--max-sats', '5', '--wallet', town.payer, 'four five'], home)
    const second = textOf(await town.node.row(row => is('running')(row) && row['job'] !== first), 'job')
    await ask.kill()
    const cancelled = await run('job', second, '--cancel', '--relay', town.url, '--wallet', town.payer, '--json')
    expect(cancelled).toMatchObject({ code: 0, last: { ok: true, request: second, state: 'cancelled' } })
    const again = await run('job', second, '--cancel', '--relay', town.url)
    expect(again).toMatchObject({ code: 0, err: expect.stringContaining('nothing to withdraw') })
    expect((await run('jobs')).out).toHaveLength(2)
  })
})
