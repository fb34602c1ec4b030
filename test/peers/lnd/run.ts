/**
 * `npm run peers:lnd`: our payments against real lnd. Builds what is not built, brings two nodes up, runs the shared
 * suite on them directly and over NIP-47, and prints what came of it; `--json` ends with one line for machines.
 * @module
 */
import { parseArgs } from 'node:util'
import type { TestModule } from 'vitest/node'
import { startVitest } from 'vitest/node'
import { buildLnd } from './build.ts'
import { tableOf } from './table.ts'
import { bringUp, type LndPlace, type Up } from './up.ts'

const say = (line: string) => void process.stderr.write(`${line}\n`)

const { values: flags } = parseArgs({
  options: { json: { type: 'boolean', default: false }, only: { type: 'string' } },
})
const stop = new AbortController()
let running: Up | undefined
for (const [signal, code] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
  ['SIGHUP', 129],
] as const)
  process.on(signal, () => {
    // No test is waited for: what it talks to is gone a moment later.
    stop.abort()
    void Promise.resolve(running?.close()).finally(() => process.exit(code))
  })

try {
  process.exitCode = await main()
} catch (error) {
  say(error instanceof Error ? error.message : String(error))
  process.exitCode = 1
}
if (!stop.signal.aborted) process.exit()

/** The exit code. */
async function main(): Promise<number> {
  const found = await buildLnd(say, stop.signal)
  if ('missing' in found) {
    say(`skipped: ${found.missing}`)
    if (flags.json) process.stdout.write(`${JSON.stringify({ skipped: found.missing })}\n`)
    return 0
  }
  const up = await bringUp(found.built, say, stop.signal)
  running = up
  try {
    const { modules, errors } = await test(up.place)
    const table = tableOf(modules, errors, {
      ...(found.built.seconds !== undefined && { 'build s': String(found.built.seconds) }),
      'bring-up s': String(up.seconds),
      'memory of btcd and two lnd, MB': String(Math.round(up.memoryBytes() / 1e6)),
    })
    process.stdout.write(`${table.text}\n`)
    if (flags.json) process.stdout.write(`${JSON.stringify(table.json)}\n`)
    return table.json.failed === 0 && table.json.passed > 0 ? 0 : 1
  } finally {
    await up.close()
  }
}

/** Runs the tests in a process of their own; what the user types ends them. */
async function test(place: LndPlace): Promise<{ modules: readonly TestModule[]; errors: readonly unknown[] }> {
  const config = `${import.meta.dirname}/vitest.config.ts`
  const filters = flags.only === undefined ? [] : [flags.only]
  const vitest = await startVitest('test', filters, { config, watch: false, provide: { lnd: place } })
  const ended = { modules: vitest.state.getTestModules(), errors: vitest.state.getUnhandledErrors() }
  await vitest.close()
  return ended
}
