/** `gridstr batch`: OpenAI's batch files over real sockets, paid by a real wallet, stopped and gone on with. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, describe, expect, test } from 'vitest'
import { askBatch, type BatchWork } from '../src/cli/batch/asking.ts'
import { parseBatch } from '../src/cli/batch/lines.ts'
import { openResults, type ResultLine } from '../src/cli/batch/results.ts'
import { runCommand } from '../src/cli/run.ts'
import { wallClock } from '../src/clock.ts'
import { openPurse } from '../src/session/purse.ts'
import { walletMsats } from './client-grid.ts'
import { paidStage } from './paid-stage.ts'
import { rows } from './spawn.ts'

const folder = mkdtempSync(join(tmpdir(), 'gridstr-batch-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const body = (content: string) => ({ model: 'auto', messages: [{ role: 'user', content }] })
const request = (id: string, content = `hello ${id}`) =>
  JSON.stringify({ custom_id: id, method: 'POST', url: '/v1/chat/completions', body: body(content) })
const read = (file: string) => rows(readFileSync(file, 'utf8').split('\n'))

describe('a batch over the market', () => {
  const town = paidStage([{ echo: { pieceMs: 40 } }])

  async function batch(argv: readonly string[], signal = new AbortController().signal) {
    const [out, err]: [string[], string[]] = [[], []]
    const code = await runCommand(['batch', '--relay', town().stage.url, '--json', ...argv], {
      out: text => void out.push(text),
      write: text => void out.push(text),
      err: text => void err.push(text),
      ...{ env: { GRIDSTR_HOME: folder, GRIDSTR_WALLET: town().uri }, clock: wallClock(), signal, terminal: false },
      stdin: async () => '',
    })
    return { code, end: rows(out).at(-1), err: err.join('') }
  }
  const spent = async () => walletMsats - (await town().grid.payer.balance())

  test('the budget ends it in order, and the next run pays only for what is left', async () => {
    const file = join(folder, 'one.jsonl')
    writeFileSync(file, `${['a', 'b', 'c'].map(id => request(id)).join('\n')}\n`)
    const argv = [file, '--max-sats-each', '3', '--concurrency', '2']
    const first = await batch([...argv, '--budget-sats', '6'])
    expect(first).toMatchObject({ code: 1, end: { ok: false, why: 'money', answered: 2, left: 1, msats: 4_000 } })
    expect(first.err).toContain('--budget-sats')
    expect(await spent()).toBe(4_000n)
    const second = await batch([...argv, '--budget-sats', '7'])
    expect(second).toMatchObject({ code: 0, end: { ok: true, answered: 1, left: 0, msats: 6_000 } })
    const lines = read(join(folder, 'one.results.jsonl'))
    expect(lines.map(line => line['custom_id']).sort()).toEqual(['a', 'b', 'c'])
    for (const line of lines) {
      expect(line).toMatchObject({ id: expect.stringMatching(/^batch_req_/), error: null, gridstr: { msats: 2_000 } })
      const { response } = line as { response: { status_code: number; request_id: string; body: unknown } }
      expect(response.status_code).toBe(200)
      expect(response.request_id).toMatch(/^[0-9a-f]{64}$/)
      const content = `hello ${String(line['custom_id'])}`
      expect(response.body).toMatchObject({ object: 'chat.completion', choices: [{ message: { content } }] })
    }
    expect(await batch([...argv, '--budget-sats', '7'])).toMatchObject({ code: 0, end: { ok: true, answered: 0 } })
    expect(await spent()).toBe(6_000n)
  })

  test('who stops it leaves what runs to the next run, which pays nothing twice', async () => {
    const before = await spent()
    const file = join(folder, 'two.jsonl')
    const text = 'one two three four five six seven eight nine ten eleven twelve'
    writeFileSync(file, request('slow', text))
    const stop = new AbortController()
    const argv = [file, '--max-sats-each', '3', '--out', join(folder, 'two.out')]
    const running = batch(argv, stop.signal)
    const runs = town().grid.nodes[0]?.events.filter(({ event }) => event === 'running').length ?? 0
    await town().grid.nodes[0]?.told('running', runs + 1)
    stop.abort()
    expect(await running).toMatchObject({ code: 1, end: { why: 'stopped', answered: 0, left: 1 } })
    expect(await batch(argv)).toMatchObject({ code: 0, end: { ok: true, answered: 1 } })
    expect(read(join(folder, 'two.out'))).toMatchObject([
      { response: { body: { choices: [{ message: { content: text } }] } } },
    ])
    expect((await spent()) - before).toBe(2_000n)
  })

  test('wrong lines are told with their numbers, and nothing is asked', async () => {
    const file = join(folder, 'bad.jsonl')
    const other = JSON.stringify({ custom_id: 'x', method: 'GET', url: '/v1/chat/completions', body: {} })
    writeFileSync(file, [request('a'), '{', '', request('a'), other].join('\n'))
    const before = await spent()
    const said = await batch([file, '--max-sats-each', '3'])
    expect(said.code).toBe(2)
    for (const words of ['2: this is no JSON', '4: custom_id "a" is that of line 1 already', '5: method: POST'])
      expect(said.err).toContain(words)
    expect(await spent()).toBe(before)
    expect(await batch([join(folder, 'none')])).toMatchObject({ code: 2 })
    expect(await batch([])).toMatchObject({ code: 2 })
  })
})

describe('lines', () => {
  test('any text is read without a throw, and every line is asked or named as wrong', () =>
    fc.assert(
      fc.property(
        fc.array(
          fc.oneof(
            fc.json(),
            fc.string(),
            fc.constantFrom('a', 'b').map(id => request(id)),
          ),
        ),
        said => {
          const text = said.map(one => one.replaceAll('\n', ' ')).join('\n')
          const { lines, wrong } = parseBatch(text)
          const full = text.split('\n').flatMap((one, at) => (one.trim() === '' ? [] : [at + 1]))
          expect([...lines, ...wrong].map(({ line }) => line).sort((a, b) => a - b)).toEqual(full)
          expect(new Set(lines.map(({ id }) => id)).size).toBe(lines.length)
        },
      ),
      { numRuns: 1_000 },
    ))
})

describe('results', () => {
  const line = (id: string, status: number, msats = 0): ResultLine => ({
    ...{ id: 'x', custom_id: id, error: null, gridstr: { msats } },
    response: { status_code: status, request_id: '', body: {} },
  })

  test('a torn last line and failures that may pass are asked again; what they cost is remembered', () => {
    const file = join(folder, 'results')
    const first = openResults(file)
    for (const one of [line('a', 200, 5), line('b', 503), line('c', 400), line('d', 504, 7)]) first.add(one)
    first.close()
    writeFileSync(file, `${readFileSync(file, 'utf8')}{"custom_id":"e","resp`)
    const second = openResults(file)
    expect([...second.done].sort()).toEqual(['a', 'c'])
    expect(second.msats).toBe(12n)
    second.add(line('b', 200, 1))
    second.close()
    expect(read(file).map(one => one['custom_id'])).toEqual(['a', 'c', 'd', 'b'])
    expect(openResults(file).msats).toBe(13n)
    writeFileSync(file, 'something else\nand more\n')
    expect(() => openResults(file)).toThrow(/line 1 is no result/)
    expect(readFileSync(file, 'utf8')).toBe('something else\nand more\n')
  })
})

describe('many lines', () => {
  const { lines } = parseBatch(['a', 'b', 'c', 'd', 'e', 'f'].map(id => request(id)).join('\n'))

  test('never more than the concurrency at once, never past the budget, each line once', () =>
    fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 4 }), fc.bigInt({ min: 0n, max: 30n }), async (concurrency, total) => {
        const purse = openPurse(total)
        let now = 0
        let most = 0
        const results: ResultLine[] = []
        const work: BatchWork = {
          ...{ lines, concurrency, capMsats: 5n, clock: wallClock(), signal: new AbortController().signal },
          budget: purse.budget,
          onResult: one => results.push(one),
          async fetch() {
            const hold = purse.hold(5n)
            if (!hold) throw new Error('asked past the budget')
            most = Math.max(most, ++now)
            await new Promise(resolve => setImmediate(resolve))
            now--
            hold.settle(3n)
            return Response.json({}, { headers: { 'x-gridstr-cost-msats': '3' } })
          },
        }
        const end = await askBatch(work)
        expect(most).toBeLessThanOrEqual(concurrency)
        expect(results.every(({ response }) => response?.status_code === 200)).toBe(true)
        expect(new Set(results.map(one => one.custom_id)).size).toBe(results.length)
        expect(end.answered).toBe(results.length)
        const fits = total < 5n ? 0 : Math.min(6, Number((total - 5n) / 3n) + 1)
        expect(results).toHaveLength(fits)
        expect(end.why).toBe(fits === 6 ? 'all' : 'money')
      }),
      { numRuns: 200 },
    ))
})
