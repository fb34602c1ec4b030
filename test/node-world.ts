/**
 * One node, a simulated Lightning and customers who speak to it event by event: time is the test's.
 * @module
 */
import {
  type Event,
  type Feedback,
  feedback,
  type Offered,
  type QuoteRequest,
  quote,
  quoteRequest,
  type TextRequest,
  type TextResult,
  textRequest,
  textResult,
} from '../kinds/index.ts'
import { memoryHub } from '../relays/memory.ts'
import { handClock, seconds } from '../src/clock.ts'
import { memoryJournal } from '../src/journal/memory.ts'
import { openKeys } from '../src/keys.ts'
import { type Node, type NodeEvent, type NodeOptions, openNode } from '../src/node/node.ts'
import { readInvoice } from '../src/payments/bolt11.ts'
import { simNet } from '../src/payments/sim.ts'
import { type EchoOptions, echoRunner } from '../src/runners/echo.ts'

export const keys = await openKeys()

export interface NodeWish extends Partial<NodeOptions> {
  readonly echo?: Partial<EchoOptions>
}

export function openTown() {
  const clock = handClock()
  const hub = memoryHub({ clock, verify: event => keys.verify(event) })
  const seen: Event[] = []
  hub.watch(event => seen.push(event))
  const net = simNet({ clock, pollMs: 50 })
  const payee = net.wallet({ alias: 'node', msats: 1_000_000n })
  const payer = net.wallet({ alias: 'customer', msats: 1_000_000n })
  const secret = keys.newSecret()
  const journal = memoryJournal()
  const told: NodeEvent[] = []
  const me = keys.publicKey(secret)

  /** Moves time in small steps, real promises between them, until there is a value. Fails after `ms`. */
  async function until<T>(what: string, look: () => T | undefined, ms = 30_000): Promise<T> {
    for (let passed = 0; passed <= ms; passed += 50) {
      const found = look()
      if (found !== undefined) return found
      await new Promise(resolve => setImmediate(resolve))
      await clock.advance(50)
    }
    throw new Error(`never came: ${what}`)
  }

  async function open({ echo, ...more }: NodeWish = {}): Promise<Node> {
    const opening = openNode({
      ...{ keys, secret, clock, journal, payee, relays: hub.connect(), priceMsats: 2_000n },
      runner: echoRunner({ clock, ...echo }),
      service: { id: 'x', name: 'x', about: '', kinds: [5050], nodeKeys: [] },
      onEvent: event => told.push(event),
      ...more,
    })
    let node: Node | undefined
    void opening.then(one => {
      node = one
    })
    const opened = await until('the node', () => node)
    let ready = false
    void opened.ready.then(() => {
      ready = true
    })
    await until('the first probe', () => ready || undefined)
    return opened
  }

  function customer(own = keys.newSecret()) {
    const relays = hub.connect()
    const pubkey = keys.publicKey(own)
    const send = (template: Parameters<typeof keys.sign>[0]): Event => {
      const event = keys.sign(template, own)
      void relays.publish(event, { want: 1 })
      return event
    }
    return {
      pubkey,
      send,
      /** Asks for a quote; `to` is the node where nothing else is said. */
      rfq(more: Partial<QuoteRequest> = {}): Event {
        const base = { kind: 5050, privacy: 0 as const, allow: [], deny: [], auctionMs: 500, to: [me], hops: 0 }
        const value = { ...base, relays: [], expiresAt: seconds(clock) + 30, ...more }
        return send(quoteRequest.write(value, seconds(clock)))
      },
      ask(text: string, more: Partial<TextRequest> = {}): Event {
        const inputs = [{ data: text, type: 'text' as const }]
        const base = { inputs, relays: [], providers: [me], stream: true, receipt: false }
        return send(textRequest.write({ ...base, ...more }, seconds(clock)))
      },
    }
  }

  const read = <V>(kind: { number: number; read(event: Event): { ok: boolean; value?: V } }) =>
    seen.flatMap(event => {
      if (event.kind !== kind.number || event.pubkey !== me) return []
      const found = kind.read(event)
      return found.ok && found.value !== undefined ? [{ event, value: found.value }] : []
    })
  const words = (job: Event): Feedback[] =>
    read<Feedback>(feedback).flatMap(({ value }) => (value.job === job.id ? [value] : []))

  return {
    ...{ clock, hub, seen, net, payee, payer, secret, journal, told, me, until, open, customer, read, words },
    quotes: () => read<Offered>(quote).map(({ event, value }) => ({ ...value, id: event.id })),
    bills: (job: Event) => words(job).filter(({ status }) => status === 'payment-required'),
    refusal: (job: Event) => words(job).find(({ status }) => status === 'error'),
    result: (job: Event): TextResult | undefined =>
      read<TextResult>(textResult).find(({ value }) => value.job === job.id)?.value,
    /** Pays a bill and gives its hash. */
    async pay({ bolt11 = '' }: Pick<Feedback, 'bolt11'>): Promise<string> {
      const invoice = readInvoice(bolt11)
      if (!invoice.ok) throw new Error(invoice.says)
      const { hash, msats = 0n } = invoice.invoice
      await payer.pay({ bolt11, hash, msats })
      return hash
    },
  }
}

export type Town = ReturnType<typeof openTown>

/** Pays whatever is billed for a job until its answer is there; gives what each bill asked for. */
export async function buy(town: Town, job: Event): Promise<{ text: string; msats: bigint[]; result: TextResult }> {
  const paid: bigint[] = []
  const result = await town.until('the result', () => {
    const bill = town.bills(job)[paid.length]
    if (bill?.bolt11 !== undefined) {
      paid.push(bill.msats ?? 0n)
      void town.pay(bill)
    }
    return town.result(job)
  })
  return { text: result.text, msats: paid, result }
}
