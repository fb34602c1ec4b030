/** The bench of routing still runs: figures of a few rounds mean little, so only their presence is asked for. */
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'

const bench = fileURLToPath(new URL('../bench/index.ts', import.meta.url))

test('the router bench ends with one line of figures, among them ratio and p99', async () => {
  const { stdout, stderr } = await promisify(execFile)(process.execPath, [bench, 'router', '--quick', '--json'])
  const figures = JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '')
  for (const name of ['verifyratio', 'route_p99_ms', 'events_per_second', 'known'])
    expect(figures[name], name).toBeGreaterThan(0)
  expect(stderr).toContain('One routing decision among')
}, 60_000)
