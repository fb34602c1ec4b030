/** The benches still run: figures of a few rounds mean little, so only their presence is asked for. */
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { describe, expect, test } from 'vitest'

const bench = fileURLToPath(new URL('../bench/index.ts', import.meta.url))
const run = (...args: string[]) => promisify(execFile)(process.execPath, [bench, ...args])

describe('bench', () => {
  test('the echo bench ends with one line of figures, among them the three ratios', async () => {
    const { stdout, stderr } = await run('echo', '--quick', '--json')
    const figures = JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '')
    for (const name of ['p50ratio', 'p99ratio', 'jobsratio']) {
      expect(figures[name], name).toBeGreaterThan(0)
      expect(Number.isFinite(figures[name]), name).toBe(true)
    }
    expect(stderr).toContain('| Echo job, p50 |')
  }, 30_000)

  test('the paid bench compares a job with its payment, and divides its time wholly', async () => {
    const { stdout, stderr } = await run('paid', '--quick', '--json')
    const figures = JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '')
    for (const name of ['p50ratio', 'p99ratio', 'jobsratio', 'job_p50_ms', 'wallet_p50_ms']) {
      expect(figures[name], name).toBeGreaterThan(0)
      expect(Number.isFinite(figures[name]), name).toBe(true)
    }
    expect(Object.keys(figures.shares)).toEqual(['wallet', 'journal', 'crypto', 'relay', 'rest'])
    for (const share of ['wallet', 'crypto', 'relay', 'journal'])
      expect(figures.shares[share], share).toBeGreaterThan(0)
    const sum = Object.values<number>(figures.shares).reduce((all, share) => all + share, 0)
    expect(sum).toBeCloseTo(1, 6)
    expect(stderr).toContain('| Paid job, p50 |')
  }, 120_000)

  test('the crypto bench compares with plain JavaScript', async () => {
    const { stdout } = await run('crypto', '--quick', '--json')
    const figures = JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '')
    expect(figures['verify plain us']).toBeGreaterThan(0)
    expect(figures['verify nostr-wasm times faster']).toBeGreaterThan(0)
  }, 30_000)

  test('a bench that is not there is an error that names those that are', async () => {
    await expect(run('ecko')).rejects.toMatchObject({ code: 1, stderr: expect.stringMatching(/ecko[\s\S]*echo/) })
  })
})
