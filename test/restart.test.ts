/** A node or a client that is gone in the middle of a job, and another that opens with its journal: the same job, the same money. */
import { describe, expect } from 'vitest'
import { memoryHub } from '../relays/memory.ts'
import { openClient } from '../src/client/client.ts'
import { wallClock } from '../src/clock.ts'
import type { Journal } from '../src/journal/journal.ts'
import { memoryJournal } from '../src/journal/memory.ts'
import { openKeys } from '../src/keys.ts'
import { openNode } from '../src/node/node.ts'
import type { Payee, Payer } from '../src/payments/payment.ts'
import { simNet } from '../src/payments/sim.ts'
import { echoRunner } from '../src/runners/echo.ts'
import { keeps } from './promises.ts'

const keys = await openKeys()
const clock = wallClock()
const start = 1_000_000n
const words = 'one two three four'

/** A journal that stops its process at the n-th fact: what was written stays, nothing more happens. */
function dyingAt(journal: Journal, n: number, die: () => void): Journal {
  let facts = 0
  const fact: Journal['jobs']['fact'] = (side, id, said, weight) => {
    if (facts >= n) throw new Error('this process is dead')
    journal.jobs.fact(side, id, said, weight)
    if (++facts === n) die()
  }
  return { ...journal, jobs: { ...journal.jobs, fact } }
}

/** One process that may die once. */
function mortality() {
  let living = true
  const { promise, resolve } = Promise.withResolvers<undefined>()
  const die = () => {
    living = false
    resolve(undefined)
  }
  return { alive: () => living, die, death: promise }
}

/** Nothing that is called after the death of a process happens. */
function mortal<T extends object>(thing: T, alive: () => boolean): T {
  return new Proxy(thing, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name)
      if (typeof value !== 'function') return value
      const gone = () => (String(name).startsWith('watch') ? () => {} : new Promise(() => {}))
      return (...args: unknown[]) => (alive() ? value.apply(target, args) : gone())
    },
  })
}

async function town(wish: 'before' | 'hold' | 'parts') {
  const hub = memoryHub({ clock })
  const net = simNet({ clock, pollMs: 20 })
  const payee = net.wallet({ alias: 'node', msats: start })
  const payer = net.wallet({ alias: 'client', msats: start })
  const nodeSecret = keys.newSecret()
  const clientSecret = keys.newSecret()
  const nodeJournal = memoryJournal()
  const clientJournal = memoryJournal()
  const node = (journal: Journal, wallet: Payee) =>
    openNode({
      ...{ keys, clock, journal, payee: wallet, secret: nodeSecret, priceMsats: 2_000n },
      relays: hub.connect(),
      runner: echoRunner({ clock }),
      service: { id: 'x', name: 'x', about: '', kinds: [5050], nodeKeys: [] },
    })
  const client = (journal: Journal, wallet: Payer) =>
    openClient({
      ...{ keys, clock, journal, payer: wallet, secret: clientSecret, network: 'regtest' as const },
      relays: hub.connect(),
    })
  const pubkey = keys.publicKey(nodeSecret)
  const announcement = {
    ...{ id: 'x', kinds: [5050], topics: [], name: 'x', about: '', encrypted: true, models: [], nodeKeys: [] },
    ...{ zappers: [pubkey], custodial: false, relays: [], v: 1, priceMsats: 2_000n },
  }
  const terms = wish === 'parts' ? { word: wish, parts: 2 } : { word: wish }
  const question = { text: words, maxTokens: 4, node: { pubkey, announcement }, capMsats: 2_000n, terms }
  const settled = async () => {
    expect(await payer.balance()).toBe(start - 2_000n)
    expect(await payee.balance()).toBe(start + 2_000n)
    expect(net.conserved()).toBe(true)
    expect(clientJournal.jobs.unfinished('client')).toEqual([])
    expect(clientJournal.orders.list({ state: 'planned' })).toEqual([])
    const orders = clientJournal.orders.list({ state: 'paid' })
    expect(orders.reduce((sum, order) => sum + order.msats, 0n)).toBe(2_000n)
    await payee.close()
    await payer.close()
  }
  return { net, payee, payer, nodeJournal, clientJournal, node, client, question, settled }
}

describe.each(['before', 'hold', 'parts'] as const)('paid %s', wish => {
  const facts = { before: 4, hold: 5, parts: 7 }[wish]
  for (let n = 1; n <= facts; n++)
    keeps('job.survives', `a node that is gone after fact ${n} is succeeded by one that finishes the job`, async () => {
      const { payee, payer, nodeJournal, clientJournal, node, client, question, settled } = await town(wish)
      const { alive, die, death } = mortality()
      const first = await node(dyingAt(nodeJournal, n, die), mortal(payee, alive))
      const asked = client(clientJournal, payer).ask(question)
      await Promise.race([death, asked])
      await first.close()
      const second = await node(nodeJournal, payee)
      const outcome = await asked
      expect(outcome).toMatchObject({ ok: true, text: words, msats: 2_000n })
      await settled()
      await second.close()
    })

  keeps('job.survives', 'a client that is gone after any fact is succeeded by one that finishes the job', async () => {
    for (let n = 1; n < 12; n++) {
      const { payee, payer, nodeJournal, clientJournal, node, client, question, settled } = await town(wish)
      const seller = await node(nodeJournal, payee)
      const { alive, die, death } = mortality()
      const first = client(dyingAt(clientJournal, n, die), mortal(payer, alive))
      const asked = first.ask(question).catch(() => undefined)
      const ended = await Promise.race([death, asked])
      if (ended === undefined) {
        const [resumed] = client(clientJournal, payer).resume()
        // The last fact of a job leaves nothing to be done but to look at it.
        expect(await resumed?.outcome).toMatchObject({ ok: true, text: words, msats: 2_000n })
      } else expect(ended).toMatchObject({ ok: true, text: words })
      await settled()
      await seller.close()
      if (ended !== undefined) return
    }
    throw new Error('the job never got to its end: the loop is too short')
  })
})

describe('withdrawn while the node was away', () => {
  keeps('job.survives', 'a job is not worked on by the node that comes back', async () => {
    const { payee, payer, nodeJournal, clientJournal, node, client, question } = await town('before')
    const { alive, die, death } = mortality()
    // Its first fact is the bill: nothing is paid yet.
    const first = await node(dyingAt(nodeJournal, 1, die), mortal(payee, alive))
    const leave = new AbortController()
    const asked = client(
      clientJournal,
      mortal(payer, () => false),
    ).ask({ ...question, giveUp: leave.signal }, leave.signal)
    await death
    await first.close()
    leave.abort()
    await asked
    const second = await node(nodeJournal, payee)
    expect(second.jobs()).toEqual([])
    await second.close()
    await payee.close()
    await payer.close()
  })
})
