/**
 * A hostile customer: wants work without paying, its money back and the work too, and the node's wallet full of invoices.
 * Plays `--moves`, one after the other, and prints a line for each.
 * @module
 */
import { createHash, randomBytes } from 'node:crypto'
import { argument, connect, type Event, now, type Peer, peer, purse, tell } from './wire.ts'

const PRICE = 3_000
const node = argument('node')
const url = argument('relay')
const wire = await connect(url)
const wallet = await purse(argument('wallet'))
/** By job: what the node said of it, and who waits for more. */
const heard = new Map<string, Event[]>()
const waiting = new Set<() => void>()
let receipt: Event | undefined
const purses = new Set<string>()

const jobOf = (event: Event) => event.tags.find(tag => tag[0] === 'e')?.[1] ?? ''
await wire.listen([{ authors: [node], kinds: [7000, 6050, 9735], since: now() - 5 }], event => {
  heard.set(jobOf(event), [...(heard.get(jobOf(event)) ?? []), event])
  if (event.kind === 9735) receipt ??= event
  for (const look of [...waiting]) look()
})
// Wallet requests name their authors: whoever forges notices needs no more.
await wire.listen([{ kinds: [23194], since: now() - 5 }], event => void purses.add(event.pubkey))

/** The first event of the node about this job for which `find` gives a value. */
const told = <T>(job: string, find: (event: Event) => T | undefined): Promise<T> =>
  new Promise(resolve => {
    const look = () => {
      for (const event of heard.get(job) ?? []) {
        const value = find(event)
        if (value === undefined) continue
        waiting.delete(look)
        return resolve(value)
      }
      return undefined
    }
    waiting.add(look)
    look()
  })

const billOf = (event: Event) => (event.kind === 7000 ? event.tags.find(tag => tag[0] === 'amount')?.[2] : undefined)
const codeOf = (event: Event) => (event.kind === 7000 ? event.tags.find(tag => tag[0] === 'code')?.[1] : undefined)

const order = (who: Peer, text: string, wantsReceipt = false) =>
  who.sign(5050, [['p', node], ['i', text, 'text'], ...(wantsReceipt ? [['receipt', '9735']] : [])])

const zapRequest = (who: Peer, job: string) =>
  who.sign(9734, [
    ['p', node],
    ['e', job],
    ['amount', String(PRICE)],
    ['relays', url],
    ['k', '5050'],
  ])

async function ordered(who: Peer, text: string): Promise<{ job: Event; bolt11: string }> {
  const job = order(who, text)
  await wire.publish(job)
  return { job, bolt11: await told(job.id, billOf) }
}

/** A job that was withdrawn and paid all the same: the node keeps the money for this key. */
async function keptBy(me: Peer): Promise<string> {
  const { job, bolt11 } = await ordered(me, 'kept')
  await me.say(5, [
    ['e', job.id],
    ['k', '5050'],
  ])
  await wallet.pay(bolt11)
  await told(job.id, event => event.tags.find(tag => tag[0] === 'credit')?.[1])
  return job.id
}

const moves: Readonly<Record<string, () => Promise<object>>> = {
  /** A real purchase, for a receipt that is true of another job. */
  async honest() {
    const me = peer(wire)
    const job = order(me, 'honest', true)
    await me.wrap(node, zapRequest(me, job.id))
    await wire.publish(job)
    await wallet.pay(await told(job.id, billOf))
    const text = await told(job.id, event => (event.kind === 6050 ? event.content : undefined))
    receipt ??= await told(job.id, event => (event.kind === 9735 ? event : undefined))
    return { job: job.id, text, receipt: receipt.id }
  },

  /** Everything that looks like a payment and is none. */
  async 'forged receipts'() {
    const [me, helper] = [peer(wire), peer(wire)]
    const { job, bolt11 } = await ordered(me, 'work for nothing')
    const truth = receipt
    if (!truth) throw new Error('play "honest" first')
    const value = (name: string) => truth.tags.find(tag => tag[0] === name)?.[1] ?? ''
    const wrong = randomBytes(32).toString('hex')
    const request = JSON.stringify(zapRequest(me, job.id))
    const about = [
      ['p', node],
      ['e', job.id],
      ['P', me.pubkey],
    ]
    const fakes = [me, helper].flatMap(who => [
      who.sign(9735, [...about, ['bolt11', bolt11], ['description', request], ['preimage', wrong]]),
      who.sign(9735, [...about, ['bolt11', bolt11], ['description', request]]),
      // A true preimage and a paid invoice, of another job.
      who.sign(9735, [
        ...about,
        ['bolt11', value('bolt11')],
        ['description', request],
        ['preimage', value('preimage')],
      ]),
      who.sign(9735, [
        ...about,
        ['bolt11', value('bolt11')],
        ['description', value('description')],
        ['preimage', value('preimage')],
      ]),
      who.sign(9735, [
        ...about,
        ['bolt11', `lnbcrt30n1${'q'.repeat(200)}`],
        ['description', request],
        ['preimage', wrong],
      ]),
      who.sign(7000, [
        ['e', job.id],
        ['p', me.pubkey],
        ['status', 'processing'],
      ]),
      who.sign(7000, [
        ['e', job.id],
        ['p', me.pubkey],
        ['status', 'success'],
        ['preimage', wrong],
      ]),
      who.sign(
        6050,
        [
          ['e', job.id],
          ['p', me.pubkey],
          ['amount', '0'],
        ],
        'paid already',
      ),
    ])
    for (const fake of [...fakes, truth]) {
      await wire.publish(fake)
      await me.wrap(node, fake)
    }
    // What the node's own wallet would say, said by somebody else.
    const hash = createHash('sha256').update(Buffer.from(wrong, 'hex')).digest('hex')
    const settled = {
      type: 'incoming',
      state: 'settled',
      invoice: bolt11,
      payment_hash: hash,
      preimage: wrong,
      amount: PRICE,
    }
    const times = { fees_paid: 0, created_at: now(), settled_at: now() }
    for (const to of purses) {
      const notice = JSON.stringify({ notification_type: 'payment_received', notification: { ...settled, ...times } })
      await helper.say(23197, [['p', to]], helper.seal(to, notice))
    }
    return { job: job.id, fakes: fakes.length + 1, purses: purses.size }
  },

  async 'pay and cancel'() {
    const me = peer(wire)
    const { job, bolt11 } = await ordered(me, 'never mind')
    const preimage = await wallet.pay(bolt11)
    await me.say(5, [
      ['e', job.id],
      ['k', '5050'],
    ])
    return { job: job.id, preimage }
  },

  async 'cancel and pay'() {
    const me = peer(wire)
    const { job, bolt11 } = await ordered(me, 'too late')
    await me.say(5, [
      ['e', job.id],
      ['k', '5050'],
    ])
    const preimage = await wallet.pay(bolt11)
    return { job: job.id, preimage }
  },

  /** Asks for kept money more than once, for more than there is, and for another's. */
  async 'claim again and again'() {
    const [me, thief] = [peer(wire), peer(wire)]
    const job = await keptBy(me)
    const [mine, more, second, third, stolen] = await Promise.all(
      [PRICE, PRICE + 1_000, PRICE, PRICE, PRICE].map(msats => wallet.bill(msats)),
    )
    const claim = (who: Peer, bolt11 = '') =>
      who.sign(4637, [
        ['e', job],
        ['p', node],
        ['bolt11', bolt11],
      ])
    await thief.wrap(node, claim(thief, stolen))
    await me.wrap(node, claim(me, more))
    const honest = claim(me, mine)
    const greedy = [honest, honest, claim(me, second), claim(me, third), claim(me, mine)]
    await Promise.all(greedy.map(event => me.wrap(node, event)))
    const paid = await Promise.race(
      [mine, second, third].map(async bolt11 => (await wallet.paid(bolt11 ?? '')) && bolt11),
    )
    for (const event of greedy) await me.wrap(node, event)
    const next = await ordered(me, 'is there more')
    return { job, paid, offered: [mine, more, second, third, stolen], next: next.job.id }
  },

  /** Has kept money work and be paid back at the same time. */
  async 'spend and claim'() {
    const me = peer(wire)
    const job = await keptBy(me)
    const bolt11 = await wallet.bill(PRICE)
    const next = order(me, 'both')
    const claim = me.sign(4637, [
      ['e', job],
      ['p', node],
      ['bolt11', bolt11],
    ])
    await Promise.all([me.wrap(node, claim), wire.publish(next), me.wrap(node, claim)])
    const bill = await told(next.id, event => (event.kind === 6050 ? 'answered' : billOf(event) && 'billed'))
    return { job, next: next.id, bill, bolt11 }
  },

  async 'pay twice'() {
    const me = peer(wire)
    const { job, bolt11 } = await ordered(me, 'twice')
    const both = await Promise.all([wallet.pay(bolt11), wallet.pay(bolt11)])
    const text = await told(job.id, event => (event.kind === 6050 ? event.content : undefined))
    return { job: job.id, both, text }
  },

  /** Orders without end, by one key and by a new key each time; nobody pays. */
  async bulk() {
    const one = peer(wire)
    const orders = Array.from({ length: 120 }, (_, i) => order(i < 20 ? one : peer(wire), `bulk ${i}`))
    for (const each of orders) await wire.publish(each)
    const ends = await Promise.all(orders.map(({ id }) => told(id, event => billOf(event) ?? codeOf(event))))
    const count = (is: (word: string) => boolean) => ends.filter(is).length
    const mine = ends.slice(0, 20)
    return {
      billed: count(word => word.startsWith('ln')),
      busy: count(word => word === 'busy'),
      mineBilled: mine.filter(word => word.startsWith('ln')).length,
      tooMany: count(word => word === 'too-many'),
    }
  },
}

tell({ ready: true })
for (const move of argument('moves').split(',')) {
  const play = moves[move]
  if (!play) throw new Error(`no move "${move}"`)
  tell({ played: move, ...(await play()) })
}
process.exit(0)
