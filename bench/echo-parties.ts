/**
 * The other processes of the echo bench: `relay` is one embedded relay in memory, `nodes URL` is both answering nodes,
 * ours and the bare one. Each says by IPC when it is ready and ends with its parent.
 * @module
 */
import { kinds } from '../kinds/index.ts'
import { openPool, startRelay } from '../relays/index.ts'
import { wallClock } from '../src/clock.ts'
import { openIntake } from '../src/intake.ts'
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
  const { admit } = openIntake({
    verify: keys.signed,
    clock,
    kinds: kinds.map(kind => kind.number),
    windowSeconds: { past: Number.POSITIVE_INFINITY, ahead: 900 },
    seenMax: 0,
  })
  const node = await openNode({
    relays: openPool({ urls: [url], clock, admit, sign: template => keys.sign(template, secret) }),
    keys,
    secret,
    clock,
    runner: echoRunner({ clock }),
    priceMsats: 0n,
    limits: { jobsPerCustomer: 64, requestsPerMinute: 1_000_000 },
    service: { id: 'echo', name: 'echo', about: 'bench', kinds: [5050], nodeKeys: [] },
  })
  if (!(await node.ready)) throw new Error('the node does not hear itself')
  const bare = keys.newSecret()
  await openBareNode({ url, keys, secret: bare })
  process.send?.({ ours: node.pubkey, bare: keys.publicKey(bare) })
} else throw new Error('say "relay" or "nodes URL"')
