/**
 * The other processes of the echo bench: `relay` is one embedded relay in memory, `nodes URL` is both answering nodes,
 * ours and the bare one. Each says by IPC when it is ready and ends with its parent.
 * @module
 */
import { startRelay } from '../relays/index.ts'
import { wallClock } from '../src/clock.ts'
import { connectRelays } from '../src/connect.ts'
import { openKeys } from '../src/keys.ts'
import { openNode } from '../src/node/node.ts'
import { echoRunner } from '../src/runners/echo.ts'
import { openBareNode } from './echo-bare.ts'

const clock = wallClock()
const keys = await openKeys()
const [role, url = ''] = process.argv.slice(2)
process.once('disconnect', () => process.exit())

if (role === 'relay') {
  // The speed limit per connection is lifted, for both sides alike: it is a guard against floods and this is one.
  const limits = { messagesPerSecond: 1_000_000, messagesBurst: 1_000_000 }
  const relay = await startRelay({ clock, verify: event => keys.verify(event), limits })
  process.send?.({ url: relay.url })
} else if (role === 'nodes') {
  const secret = keys.newSecret()
  const node = await openNode({
    relays: connectRelays({ urls: [url], keys, clock, secret }),
    keys,
    secret,
    clock,
    runner: echoRunner({ clock }),
    priceMsats: 0n,
    limits: { jobsPerCustomer: 64, requestsPerMinute: 1_000_000, arrivalsPerMinute: 1_000_000 },
    service: { id: 'echo', name: 'echo', about: 'bench', kinds: [5050], nodeKeys: [] },
  })
  if (!(await node.ready)) throw new Error('the node does not hear itself')
  const bare = keys.newSecret()
  await openBareNode({ url, keys, secret: bare })
  process.send?.({ ours: node.pubkey, bare: keys.publicKey(bare) })
} else throw new Error('say "relay" or "nodes URL"')
