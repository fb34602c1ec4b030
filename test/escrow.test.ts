/** Escrow: the money of a job waits for a verdict, and however the three sides fail, it ends with one of the two that it can belong to. */
import { describe, expect, test } from 'vitest'
import { seconds } from '../src/clock.ts'
import type { Judge } from '../src/escrow/escrow.ts'
import { customerSays } from '../src/escrow/judges.ts'
import { memoryJournal } from '../src/journal/memory.ts'
import type { Bill } from '../src/payments/payment.ts'
import { type Book, escrowWorld, paid, price, unpaid } from './escrow-world.ts'
import { keeps } from './promises.ts'

const never: Judge = () => new Promise(() => {})

/** A job from its bill to both ends. */
async function trade(world: Awaited<ReturnType<typeof escrowWorld>>, text?: string, book: Book = {}) {
  let buying: Promise<string> = Promise.resolve('unbilled')
  const billed = (bill: Bill) => {
    buying = world.buy(bill)
  }
  const sold = await world.until(world.sell(book, { billed, ...(text === undefined ? {} : { text }) }))
  return { sold, bought: await world.until(buying) }
}

describe('a job in escrow', () => {
  test.each([true, false])('is paid when the work holds (sealed: %s)', async sealed => {
    const world = await escrowWorld({ sealed })
    const verifier = world.verify()
    expect(await trade(world)).toEqual({ sold: 'settled', bought: 'paid' })
    expect(await world.money()).toEqual(paid)
    expect(verifier.cases()).toMatchObject([{ state: 'released', msats: price, customer: world.customer }])
    const plain = JSON.stringify(world.seen)
    // Three letters come up in ciphertext by chance; spaces and quotes do not.
    for (const word of ['payment_hash', 'preimage', 'THE SKY', '"release"']) expect(plain).not.toContain(word)
  })

  test.each([true, false])('is not paid when it does not (sealed: %s)', async sealed => {
    const world = await escrowWorld({ sealed })
    world.verify()
    expect(await trade(world, 'garbage')).toEqual({ sold: 'cancelled: refund', bought: 'failed' })
    expect(await world.money()).toEqual(unpaid)
    expect(world.heardBy(world.nodeSecret).some(word => word.preimage !== undefined)).toBe(false)
  })

  test('goes back when the verifier vanishes: at its deadline, before the wallet would', async () => {
    const world = await escrowWorld()
    world.verify(never)
    expect(await trade(world)).toEqual({ sold: 'cancelled: refund', bought: 'failed' })
    expect(seconds(world.clock)).toBeGreaterThanOrEqual(world.deadline)
    expect(await world.money()).toEqual(unpaid)
  })

  keeps('pay.escrow', 'it goes back when the verifier dies after it gave the hash', async () => {
    const world = await escrowWorld()
    const verifier = world.verify()
    const book: Book = {}
    let buying: Promise<string> = Promise.resolve('unbilled')
    const billed = (bill: Bill) => {
      buying = world.buy(bill)
      void world.payee.hold?.().then(hold => hold?.watchHeld(bill.hash, () => verifier.close()))
    }
    const sold = world.sell(book, { billed })
    expect(await world.until(sold)).toBe('cancelled: vanished')
    expect(await world.until(buying)).toBe('failed')
    expect(seconds(world.clock)).toBeGreaterThanOrEqual(world.deadline)
    expect(await world.money()).toEqual(unpaid)
  })

  keeps('pay.escrow', 'it is never billed without a verifier', async () => {
    const world = await escrowWorld()
    expect(await trade(world)).toEqual({ sold: 'silent', bought: 'unbilled' })
    expect(await world.money()).toEqual(unpaid)
  })

  test('goes back when the provider vanishes with the money held: the wallet gives it back by itself', async () => {
    const world = await escrowWorld()
    const verifier = world.verify()
    const gone = new AbortController()
    let buying: Promise<string> = Promise.resolve('unbilled')
    const billed = (bill: Bill) => {
      buying = world.buy(bill)
      void world.payee.hold?.().then(hold => hold?.watchHeld(bill.hash, () => gone.abort(new Error('killed'))))
    }
    const sold = world.sell({}, { billed, signal: gone.signal })
    await expect(world.until(sold)).rejects.toThrow('killed')
    expect(await world.until(buying, 60_000)).toBe('failed')
    expect(await world.money()).toEqual(unpaid)
    expect(verifier.cases()).toMatchObject([{ state: 'refunded' }])
  })

  test('goes back when the customer pays after the deadline', async () => {
    const world = await escrowWorld()
    world.verify()
    const bills: Bill[] = []
    const sold = world.sell({}, { billed: bill => void bills.push(bill) })
    expect(await world.until(sold)).toBe('cancelled: late')
    const [bill] = bills
    if (!bill) throw new Error('nothing was billed')
    expect(await world.until(world.payer.pay(bill))).toMatchObject({ state: 'failed' })
    expect(await world.until(world.buy(bill))).toBe('refused')
    expect(await world.money()).toEqual(unpaid)
  })
})

describe('restarts', () => {
  const settle = async (world: Awaited<ReturnType<typeof escrowWorld>>, both: boolean) => {
    const journal = memoryJournal()
    const first = world.verify(never, journal)
    const book: Book = {}
    const killed = new AbortController()
    let buying: Promise<string> = Promise.resolve('unbilled')
    const billed = (bill: Bill) => {
      buying = world.buy(bill)
    }
    const selling = world.sell(book, { billed, ...(both ? { signal: killed.signal } : {}) })
    selling.catch(() => undefined)
    // The case is in the judge's hands when the processes die.
    while (first.cases()[0]?.state !== 'judging') await world.clock.advance(250)
    first.close()
    if (both) killed.abort(new Error('killed'))
    await world.clock.advance(30_000)
    const second = world.verify(undefined, journal)
    expect(second.cases()).toMatchObject([{ hash: book.hash }])
    const sold = both ? world.sell(book) : selling
    expect(await world.until(sold)).toBe('settled')
    expect(await world.until(buying)).toBe('paid')
    expect(await world.money()).toEqual(paid)
  }

  test('the verifier is killed while it judges: same hash, same case, one verdict', async () => {
    await settle(await escrowWorld({ sealed: true }), false)
  })

  test('verifier and provider are killed', async () => {
    await settle(await escrowWorld(), true)
  })

  test('the provider is killed between the preimage and its wallet: it is told again, by the same signed word', async () => {
    const world = await escrowWorld()
    const journal = memoryJournal()
    const first = world.verify(undefined, journal)
    const book: Book = {}
    let buying: Promise<string> = Promise.resolve('unbilled')
    const billed = (bill: Bill) => {
      buying = world.buy(bill)
    }
    expect(await world.until(world.sell(book, { billed, dies: true }))).toBe('died')
    first.close()
    world.verify(undefined, journal)
    expect(await world.until(world.sell(book))).toBe('settled')
    expect(await world.until(buying)).toBe('paid')
    const releases = world.heardBy(world.nodeSecret).filter(word => word.status === 'release')
    expect(releases.length).toBeGreaterThan(1)
    expect(new Set(releases.map(word => word.preimage)).size).toBe(1)
    expect(await world.money()).toEqual(paid)
  })

  test('a refund stays one, whatever the verifier would say after its restart', async () => {
    const world = await escrowWorld()
    const journal = memoryJournal()
    const book: Book = {}
    const first = world.verify(undefined, journal)
    await trade(world, 'garbage', book)
    first.close()
    world.verify(async () => ({ word: 'release', says: 'changed my mind' }), journal)
    expect(await world.until(world.sell(book))).toBe('decided')
    expect(world.heardBy(world.nodeSecret).some(word => word.preimage !== undefined)).toBe(false)
    expect(await world.money()).toEqual(unpaid)
  })
})

describe('the customer decides', () => {
  const says = async (word: 'accept' | 'complain' | undefined) => {
    const world = await escrowWorld({ sealed: true })
    world.verify(customerSays({ clock: world.clock, waitSeconds: 120 }))
    const begun = seconds(world.clock)
    let buying: Promise<string> = Promise.resolve('unbilled')
    const billed = (bill: Bill) => {
      buying = world.buy(bill)
      const { request, verifier: to } = world
      if (word)
        world.clock.after(60_000, () => {
          const said = { job: request.id, to, status: word, paymentHash: bill.hash, says: '' } as const
          void world.say(world.customerSecret, said)
        })
    }
    const sold = await world.until(world.sell({}, { billed }))
    return { world, sold, bought: await world.until(buying), took: seconds(world.clock) - begun }
  }

  test('accepts: released at once', async () => {
    const { world, sold, bought, took } = await says('accept')
    expect([sold, bought]).toEqual(['settled', 'paid'])
    expect(took).toBeLessThan(100)
    expect(await world.money()).toEqual(paid)
  })

  test('complains: refunded', async () => {
    const { world, sold, bought } = await says('complain')
    expect([sold, bought]).toEqual(['cancelled: refund', 'failed'])
    expect(await world.money()).toEqual(unpaid)
  })

  test('is silent: released after the time to complain', async () => {
    const { world, sold, bought, took } = await says(undefined)
    expect([sold, bought]).toEqual(['settled', 'paid'])
    expect(took).toBeGreaterThanOrEqual(120)
    expect(await world.money()).toEqual(paid)
  })
})
