/** What a process that comes back late must not miss: answers that relays kept for it, and a wallet that wakes up after it. */
import { expect } from 'vitest'
import { type MemoryHub, memoryHub } from '../relays/memory.ts'
import type { Relays } from '../relays/relay.ts'
import { openClient } from '../src/client/client.ts'
import { type Clock, wallClock } from '../src/clock.ts'
import { memoryJournal } from '../src/journal/memory.ts'
import { openKeys } from '../src/keys.ts'
import { openNode } from '../src/node/node.ts'
import { type Payee, PaymentError } from '../src/payments/payment.ts'
import { simNet } from '../src/payments/sim.ts'
import { echoRunner } from '../src/runners/echo.ts'
import { keeps } from './promises.ts'

const keys = await openKeys()
const clock = wallClock()
const priceMsats = 2_000n
const words = 'one two three four'

/** As relays over sockets are: what was kept is told before the subscription counts as live. */
function liveAfterStored(hub: MemoryHub): Relays {
  const inner = hub.connect()
  return {
    ...inner,
    listen(filters, options, signal) {
      let through = () => {}
      const stored = new Promise<void>(resolve => {
        through = resolve
      })
      const onEose = () => {
        options.onEose?.()
        through()
      }
      const listening = inner.listen(filters, { ...options, onEose }, signal)
      return { live: stored.then(() => listening.live), close: listening.close }
    },
  }
}

function town() {
  const hub = memoryHub({ clock })
  const net = simNet({ clock, pollMs: 20 })
  const payee = net.wallet({ alias: 'node', msats: 1_000_000n })
  const payer = net.wallet({ alias: 'client', msats: 1_000_000n })
  const nodeSecret = keys.newSecret()
  const secret = keys.newSecret()
  const pubkey = keys.publicKey(nodeSecret)
  const journals = { node: memoryJournal(), client: memoryJournal() }
  const told: string[] = []
  const node = (wallet: Payee, onEvent: (event: string) => void = () => {}) =>
    openNode({
      ...{ keys, clock, journal: journals.node, payee: wallet, secret: nodeSecret, priceMsats },
      relays: hub.connect(),
      runner: echoRunner({ clock }),
      service: { id: 'x', name: 'x', about: '', kinds: [5050], nodeKeys: [] },
      onEvent({ event }) {
        told.push(event)
        onEvent(event)
      },
    })
  const client = (time: Clock = clock, relays = liveAfterStored(hub)) =>
    openClient({ keys, clock: time, journal: journals.client, payer, secret, network: 'regtest', relays })
  const announcement = {
    ...{ id: 'x', kinds: [5050], topics: [], name: 'x', about: '', encrypted: true, models: [], nodeKeys: [] },
    ...{ zappers: [pubkey], custodial: false, relays: [], v: 1, priceMsats },
  }
  const question = { text: words, maxTokens: 4, node: { pubkey, announcement }, capMsats: priceMsats }
  return { hub, net, payee, payer, node, client, question, journals, told }
}

for (const hours of [0, 1])
  keeps('job.survives', `an answer that came while nobody was there is heard ${hours} hours later`, async () => {
    const { hub, payee, payer, node, client, question, journals } = town()
    let delivered = () => {}
    const done = new Promise<void>(resolve => {
      delivered = resolve
    })
    const seller = await node(payee, event => event === 'delivered' && delivered())
    // A client that hears the bill and then nothing more, because it was killed.
    const relays = hub.connect()
    const asking = client(clock, {
      ...relays,
      listen: (filters, options, signal) =>
        relays.listen(
          filters,
          { ...options, onEvent: (event, relay) => event.kind === 7000 && options.onEvent(event, relay) },
          signal,
        ),
    })
    const asked = asking.ask(question)
    await done
    const later: Clock = { ...clock, now: () => clock.now() + hours * 3_600_000 }
    const [resumed] = client(later).resume()
    expect(await resumed?.outcome).toMatchObject({ ok: true, text: words, msats: priceMsats })
    expect(journals.client.jobs.unfinished('client')).toEqual([])
    await relays.close()
    await seller.close()
    await payer.close()
    void asked
  })

keeps('job.survives', 'held money is taken by a node whose wallet slept when it came back', async () => {
  const { net, payee, payer, node, client, question } = town()
  let held = () => {}
  const running = new Promise<void>(resolve => {
    held = resolve
  })
  // Dies as soon as the money is held: its work never ends.
  const { holdBill, watchHeld, cancel } = await holderOf(payee)
  const dying = altered(payee, {
    hold: async () => ({ holdBill, watchHeld, cancel, settle: () => new Promise(() => {}) }),
  })
  const first = await node(dying, event => event === 'delivered' && held())
  const asked = client().ask({ ...question, terms: { word: 'hold' } })
  await running
  await first.close()
  let asleep = true
  const sleepy = altered(payee, {
    async hold(signal) {
      if (asleep) throw new PaymentError('TIMEOUT', 'get_info: no answer')
      return payee.hold?.(signal)
    },
  })
  const second = await node(sleepy)
  asleep = false
  expect(await asked).toMatchObject({ ok: true, text: words, msats: priceMsats })
  expect(net.conserved()).toBe(true)
  await second.close()
  await payer.close()
})

keeps('job.survives', 'who has paid for a part is not sent away because the wallet sleeps for a moment', async () => {
  const { payee, payer, node, client, question, told } = town()
  let bills = 0
  const sleepy = altered(payee, {
    async bill(ask, signal) {
      if (++bills === 2) throw new PaymentError('TIMEOUT', 'make_invoice: no answer')
      return payee.bill(ask, signal)
    },
  })
  const seller = await node(sleepy)
  const outcome = await client().ask({ ...question, terms: { word: 'parts', parts: 2 } })
  expect(outcome).toMatchObject({ ok: true, text: words, msats: priceMsats })
  expect(told).toContain('trouble')
  expect(bills).toBe(3)
  await seller.close()
  await payer.close()
})

/** A wallet with some of its calls done otherwise. */
function altered(payee: Payee, calls: Partial<Payee>): Payee {
  return {
    bill: (ask, signal) => payee.bill(ask, signal),
    billState: (hash, signal) => payee.billState(hash, signal),
    watch: (hash, onSettled) => payee.watch(hash, onSettled),
    hold: async signal => payee.hold?.(signal),
    close: () => payee.close(),
    ...calls,
  }
}

async function holderOf(payee: Payee) {
  const holder = await payee.hold?.()
  if (!holder) throw new Error('this wallet cannot hold')
  return holder
}
