/** `gridstr sim` as people and scripts meet it. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import type { Io } from '../src/cli/command.ts'
import { runCommand } from '../src/cli/run.ts'
import { wallClock } from '../src/clock.ts'

const folder = mkdtempSync(join(tmpdir(), 'gridstr-sim-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
const small = ['--nodes', '40', '--jobs', '4000', '--seed', '5']

async function sim(argv: readonly string[], given: Partial<Io> = {}) {
  const [out, err]: [string[], string[]] = [[], []]
  const code = await runCommand(['sim', ...argv], {
    out: text => void out.push(text),
    write: text => void out.push(text),
    err: text => void err.push(text),
    env: {},
    clock: wallClock(),
    signal: new AbortController().signal,
    terminal: false,
    stdin: async () => '',
    ...given,
  })
  return { code, out, err: err.join('') }
}

describe('gridstr sim', () => {
  test('says one line to a script, the same for the same seed but for the time', async () => {
    const [once, twice] = [await sim([...small, '--json']), await sim([...small, '--json'])]
    expect(once.code).toBe(0)
    expect(once.out).toHaveLength(1)
    const { seconds, ...figures } = JSON.parse(once.out[0] ?? '')
    expect(seconds).toBeGreaterThan(0)
    for (const share of ['junk', 'auditOverhead', 'honestGraduated', 'sybilsInTop100'])
      expect(figures[share], share).toSatisfy((value: number) => value >= 0 && value <= 1)
    expect(JSON.parse(twice.out[0] ?? '')).toMatchObject(figures)
    expect(JSON.parse((await sim([...small.slice(0, 4), '--seed', '6', '--json'])).out[0] ?? '')).not.toMatchObject(
      figures,
    )
  })

  test('tells people what the figures are, and draws', async () => {
    const chart = join(folder, 'chart.svg')
    const { code, out, err } = await sim([...small, '--chart', chart])
    expect(code).toBe(0)
    expect(out[0]).toBe(
      '40 nodes: 0.00 % Sybils of one operator; of the others 90.00 % cheat, 99.00 % of those patiently.',
    )
    expect(out.join('\n')).toMatch(/bad answers +[0-9.]+ % {3}of all answers/)
    expect(readFileSync(chart, 'utf8')).toMatch(/^<svg [\s\S]*<\/svg>\n$/)
    expect(err).toContain(chart)
  })

  test('shows how far it is on a terminal', async () => {
    const { err } = await sim(small, { terminal: true, columns: 100 })
    expect(err).toContain('[###############...............] 50 %')
  })

  test('ends when it is asked to', async () => {
    const stop = new AbortController()
    stop.abort()
    expect((await sim(small, { signal: stop.signal })).code).toBe(130)
  })

  test.each([
    [['--bad', '2'], '--bad "2": give a share from 0 to 1'],
    [['--bad', 'most'], '--bad "most": give a share'],
    [['--nodes', '1'], '--nodes "1": give a whole number from 10 to 1000000'],
    [['--policy', 'nepotism'], '--policy "nepotism": there is default'],
    [['now'], '"now": "gridstr sim" takes options only'],
    [[...small, '--chart', '/nowhere/at/all.svg'], 'it cannot be written (ENOENT)'],
  ])('%j is answered with the way out', async (argv, says) => {
    const { code, err, out } = await sim(argv)
    expect({ code, out }).toEqual({ code: 2, out: [] })
    expect(err).toContain(says)
  })
})
