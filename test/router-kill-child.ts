/**
 * A router process that is killed at work: `node router-kill-child.ts <journal> <requests as JSON> <kept|published> <count, 0: never>`.
 * Writes every routing event that reaches its relay, one JSON line each, and then `{"done":true}`.
 * @module
 */
import { writeSync } from 'node:fs'
import { type Event, parseEvent, routing } from '../kinds/index.ts'
import type { Relays } from '../relays/relay.ts'
import { openJournal } from '../src/journal/index.ts'
import type { Journal } from '../src/journal/journal.ts'
import { routerWorld } from './router-world.ts'

const [path = '', text = '[]', where = '', count = '0'] = process.argv.slice(2)
let left = Number(count)
const die = () => {
  if (left > 0 && --left === 0) process.kill(process.pid, 'SIGKILL')
}
const say = (row: object) => void writeSync(1, `${JSON.stringify(row)}\n`)

const world = await routerWorld()
await world.node({ bids: () => ({}) })
await world.node({ msats: 1_000n })

/** Dies between what is kept and its commit. */
function mortal(journal: Journal): Journal {
  const shelf: Journal['shelf'] = name => {
    const one = journal.shelf(name)
    if (where !== 'kept' || name !== 'router-log') return one
    return {
      ...{ get: one.get, set: one.set, delete: one.delete, entries: one.entries },
      claim(key, value, weight) {
        const free = one.claim(key, value, weight)
        die()
        return free
      },
      get size() {
        return one.size
      },
    }
  }
  const { jobs, outbox, orders, bills } = journal
  return {
    ...{ path, jobs, outbox, orders, bills, shelf },
    atomically: (write, weight) => journal.atomically(write, weight),
    prune: before => journal.prune(before),
    close: () => journal.close(),
  }
}

/** Dies when an entry that was kept is about to be published. */
function dying(relays: Relays): Relays {
  return {
    ...relays,
    publish(event, options) {
      if (event.kind === routing.number) {
        if (where === 'published') die()
        say({ event })
      }
      return relays.publish(event, options)
    },
  }
}

const relays = world.connect()
await world.router({
  ...{ journal: mortal(openJournal(path)), relays: dying(relays), secret: new Uint8Array(32).fill(99) },
  limits: { perCustomer: 100 },
})
const customer = world.connect()
for (const one of JSON.parse(text) as unknown[]) {
  const request: Event | undefined = parseEvent(JSON.stringify(one))
  if (request) void customer.publish(request)
  await world.clock.advance(700)
}
await world.clock.advance(5_000)
say({ done: true })
process.exit(0)
