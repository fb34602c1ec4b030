/**
 * `npm run -s judge [-- --json]`: an independent judge of OpenAI compatibility (compatcanary) looks at this network through
 * `gridstr/openai`: over a relay, sealed, paid over Lightning. Once with a runner that obeys it to the letter, once with
 * the small model that ships, which does what it can. Ends with 1 where the first misses a point.
 */
import { scanEndpoint } from 'compatcanary'
import { springs, trap } from '../../examples/stage/no-listening.ts'
import { startRelay } from '../../relays/index.ts'
import { wallClock } from '../../src/clock.ts'
import { connectRelays } from '../../src/connect.ts'
import { openKeys } from '../../src/keys.ts'
import { openNode } from '../../src/node/node.ts'
import { createFetch } from '../../src/openai/index.ts'
import { ldkPair } from '../../src/payments/ldk.ts'
import { echoKinds, echoRunner } from '../../src/runners/echo.ts'
import { llamaRunner } from '../../src/runners/llama.ts'

const json = process.argv.includes('--json')
const say = (text: string) => process.stderr.write(`${text}\n`)
const clock = wallClock()
const keys = await openKeys()
const relay = await startRelay({ clock, verify: keys.verify })
const { payer, payee, close } = await ldkPair({ clock })
const { nodeKey = '' } = await payee.info()
const connect = (secret: Uint8Array) => connectRelays({ urls: [relay.url], keys, clock, secret })
const runners = { echo: echoRunner({ clock, kinds: echoKinds }), nano: llamaRunner() }
const nodes = await Promise.all(
  Object.entries(runners).map(async ([name, runner]) => {
    const secret = keys.newSecret()
    const relays = connect(secret)
    const service = { id: name, name, about: 'For the judge.', kinds: runner.kinds, nodeKeys: [nodeKey] }
    const node = await openNode({ relays, keys, secret, clock, runner, payee, priceMsats: 1_000n, service })
    if (!(await node.ready)) throw new Error(`${name} does not hear itself`)
    return { node, relays, runner }
  }),
)

const trapped = trap()
const fetch = createFetch({ relays: [relay.url], wallet: payer, maxSats: 5, budgetSats: 200 })
globalThis.fetch = fetch
const found: Record<string, { score: number; compatible: boolean }> = {}
for (const model of Object.keys(runners))
  for (const profile of ['chat', 'modern']) {
    const report = await scanEndpoint({ baseUrl: 'http://gridstr.invalid/v1', model, profile })
    found[`${model} ${profile}`] = { score: report.score, compatible: report.compatible }
    say(`${model} · ${profile}: ${report.score} of 100`)
    for (const { id, status, summary } of report.results) say(`  ${status.padEnd(4)} ${id}: ${summary}`)
  }
const spent = (await fetch.session()).budget().spentMsats
await fetch.close()
const nobody = trapped.listened.length === 0 && (await springs(trapped))
say(`${spent} msats paid · ${nobody ? 'nobody listened' : 'somebody listened'} but the relay`)
const perfect = ['echo chat', 'echo modern'].every(one => found[one]?.score === 100)
if (json)
  process.stdout.write(
    `${JSON.stringify({ ok: perfect && nobody, ...found, msats: Number(spent), nobodyListened: nobody })}\n`,
  )
for (const { node, relays, runner } of nodes) {
  await node.close()
  await Promise.all([relays.close(), runner.close()])
}
await close()
await relay.close()
process.exitCode = perfect && nobody ? 0 : 1
