import fc from 'fast-check'
import { beforeAll, describe, expect, test } from 'vitest'
import { type HandClock, handClock } from '../src/clock.ts'
import { type LdkPair, ldkPair } from '../src/payments/ldk.ts'
import type { Bill, Wallet } from '../src/payments/payment.ts'
import { BEGAN, faults, orderOf, secretOf, type TestStore, testStore } from './ldk-world.ts'

let clock: HandClock
let fresh: TestStore
beforeAll(async () => {
  clock = handClock()
  fresh = testStore()
  await (await ldkPair({ clock, store: fresh })).close()
})

/** What somebody outside was told, and the commits at that moment. */
interface Told {
  readonly what: 'paid' | 'failed' | 'settled' | 'billed' | 'held' | 'cancelled'
  readonly hash: string
  readonly at: number
  readonly detail: string
}

/**
 * Everything that two wallets do with each other. Whoever was interrupted runs it again from the start: every step says
 * the same once more or goes on where it was.
 */
async function story(pair: LdkPair, note: (what: Told['what'], hash: string, detail?: string) => void): Promise<void> {
  const { payer, payee } = pair
  const terms = { msats: 10_000n, expirySeconds: 86_400, description: 'a job' }
  const bill = async (wallet: Wallet, key: string, msats: bigint) => {
    const made = await wallet.bill({ ...terms, key, msats })
    note('billed', made.hash, made.bolt11)
    return made
  }
  const pays = async (wallet: Wallet, of: Bill) => {
    const end = await wallet.pay(orderOf(of))
    if (end.state === 'paid') note('paid', of.hash, end.preimage)
    if (end.state === 'failed') note('failed', of.hash)
    return end
  }
  const hold = async (name: string) => {
    const { hash, preimage } = secretOf(name)
    const made = await payee.holdBill({ ...terms, key: name, hash })
    payee.watchHeld(hash, () => note('held', hash))
    const sent = (await payer.payState(hash)).state === 'unsent' ? pays(payer, made) : undefined
    return { hash, preimage, sent }
  }
  for (const wallet of [payer, payee])
    wallet.onSettled(({ type, hash, preimage = '' }) => type === 'incoming' && note('settled', hash, preimage))

  const first = await bill(payee, 'first', 21_000n)
  await pays(payer, first)
  const kept = await hold('kept')
  const returned = await hold('returned')
  const late = await hold('late')
  if ((await payee.billState(returned.hash)).state !== 'unknown') await payee.cancel(returned.hash)
  note('cancelled', returned.hash)
  await pays(payee, await bill(payer, 'back', 5_000n))
  if ((await payee.billState(kept.hash)).state === 'held')
    note('settled', kept.hash, (await payee.settle(kept.preimage)).preimage)
  await kept.sent
  while ((await payee.billState(late.hash)).state === 'held') pair.net.mine(10)
  await pays(payer, first)
  await hold('for ever')
  await pays(payer, await bill(payee, 'last', 3_000n))
}

/** Balances after the story: 21,000 + 10,000 + 3,000 paid, 5,000 came back, 10,000 held. */
const END = { payer: BEGAN.payer - 39_000n, payee: BEGAN.payee + 29_000n }
const balances = async (pair: LdkPair) => ({ payer: await pair.payer.balance(), payee: await pair.payee.balance() })

describe('a pair killed after any commit', () => {
  let told: Told[]
  let copies: TestStore[]
  beforeAll(async () => {
    told = []
    const store = testStore(fresh)
    copies = [testStore(store)]
    store.committed = () => void copies.push(testStore(store))
    const pair = await ldkPair({ clock, store })
    await story(pair, (what, hash, detail = '') => told.push({ what, hash, at: store.commits, detail }))
    expect(await balances(pair)).toEqual(END)
    expect(await faults(pair)).toEqual([])
  })

  test('comes back to what was told, with all its money, and ends what it had begun, paying nothing twice', async () => {
    expect(copies.length).toBeGreaterThan(20)
    expect(new Set(told.map(({ what }) => what)).size).toBe(6)
    for (const [commits, copy] of copies.entries()) {
      const pair = await ldkPair({ clock, store: copy })
      await expectTold(
        pair,
        told.filter(({ at }) => at <= commits),
        `commit ${commits}`,
      )
      await story(pair, () => {})
      expect(await balances(pair), `after commit ${commits}`).toEqual(END)
      expect(await faults(pair), `after commit ${commits}`).toEqual([])
      await pair.close()
    }
  }, 300_000)

  test('tells nothing of what the store did not keep, whether it failed before or after the rows were there', async () => {
    let broke = true
    for (let commit = 1; broke; commit++) {
      const store = testStore(fresh)
      const said: Told[] = []
      const pair = await ldkPair({ clock, store })
      store.failAt(store.commits + commit, commit % 2 === 0)
      const note = (what: Told['what'], hash: string, detail = '') => said.push({ what, hash, at: commit, detail })
      const end = await story(pair, note).catch((error: unknown) => error)
      if (end !== undefined) expect(end).toMatchObject({ name: 'PaymentError' })
      await clock.advance(0)
      broke = pair.net.broken !== undefined
      if (!broke) expect(commit).toBeGreaterThan(20)
      await pair.close()
      const again = await ldkPair({ clock, store: testStore(store) })
      await expectTold(again, said, `failed commit ${commit}`)
      await again.close()
    }
  }, 300_000)
})

async function expectTold(pair: LdkPair, told: readonly Told[], when: string): Promise<void> {
  expect(await faults(pair), when).toEqual([])
  for (const { what, hash, detail } of told) {
    const holds = `${what} ${hash} after ${when}`
    const sent = [await pair.payer.payState(hash), await pair.payee.payState(hash)]
    const bills = [await pair.payer.billState(hash), await pair.payee.billState(hash)]
    const states = bills.map(({ state }) => state)
    if (what === 'paid') expect(sent, holds).toContainEqual({ state: 'paid', preimage: detail, feeMsats: 0n })
    if (what === 'failed') expect(sent[0]?.state, holds).toBe('failed')
    if (what === 'settled')
      expect(bills, holds).toContainEqual(expect.objectContaining({ state: 'settled', preimage: detail }))
    if (what === 'billed') expect(states, holds).not.toEqual(['unknown', 'unknown'])
    if (what === 'held') expect(sent[0]?.state, holds).not.toBe('unsent')
    if (what === 'cancelled') expect(states[1], holds).toBe('failed')
  }
}

describe('any sequence of payments, holds, blocks and kills', () => {
  const amount = fc.bigInt({ min: 1_000n, max: 3_000_000n })
  const which = fc.nat({ max: 4 })
  const step = fc.oneof(
    fc.record({ do: fc.constant('pay' as const), back: fc.boolean(), msats: amount }),
    fc.record({ do: fc.constant('hold' as const), msats: amount, stalled: fc.boolean() }),
    fc.record({ do: fc.constantFrom('settle' as const, 'cancel' as const, 'pay again' as const), which }),
    fc.record({ do: fc.constant('mine' as const), blocks: fc.integer({ min: 1, max: 60 }) }),
    fc.record({ do: fc.constant('wait' as const), ms: fc.constantFrom(1_000, 60_000, 240_000) }),
    fc.record({ do: fc.constant('kill' as const) }),
  )

  test('keeps every msat, pays nothing twice, and never takes back what was told', async () => {
    let made = 0
    // What LDK lends to JavaScript is given back between tasks only.
    const breathe = () => new Promise(resolve => void setImmediate(resolve))
    const run = async (steps: readonly (typeof step extends fc.Arbitrary<infer S> ? S : never)[]) => {
      await breathe()
      let store = testStore(fresh)
      let pair = await ldkPair({ clock, store })
      const ends = new Map<string, string>()
      const holds: { readonly preimage: string; readonly hash: string; readonly bill: Bill }[] = []
      const tell = (hash: string, state: string) => {
        if (state !== 'paid' && state !== 'failed') return
        expect(ends.get(hash) ?? state, hash).toBe(state)
        ends.set(hash, state)
      }
      const pays = (bill: Bill, wallet = pair.payer) =>
        void wallet.pay(orderOf(bill)).then(({ state }) => tell(bill.hash, state))
      for (const one of steps) {
        const terms = { key: `step ${++made}`, expirySeconds: 86_400, description: '' }
        const chosen = 'which' in one ? holds[one.which] : undefined
        if (one.do === 'pay') {
          const [from, to] = one.back ? [pair.payee, pair.payer] : [pair.payer, pair.payee]
          pays(await to.bill({ ...terms, msats: one.msats }), from)
        } else if (one.do === 'hold') {
          const secret = secretOf(terms.key)
          const bill = await pair.payee.holdBill({ ...terms, msats: one.msats, hash: secret.hash })
          holds.push({ ...secret, bill })
          pair.net.stall(pair.payerNode, pair.payeeNode, one.stalled)
          pays(bill)
        } else if (one.do === 'mine') {
          // A peer that is deaf until a deadline costs the channel, restart or not.
          pair.net.stall(pair.payerNode, pair.payeeNode, false)
          pair.net.mine(one.blocks)
        } else if (one.do === 'wait') await clock.advance(one.ms)
        else if (one.do === 'kill') {
          const dead = pair
          store = testStore(store)
          await dead.close()
          pair = await ldkPair({ clock, store })
        } else if (chosen && one.do === 'settle') {
          const before = await pair.payee.billState(chosen.hash)
          const settled = await pair.payee.settle(chosen.preimage).catch(() => undefined)
          expect(settled !== undefined).toBe(before.state === 'held' || before.state === 'settled')
          if (settled) expect(await pair.payee.settle(chosen.preimage)).toEqual(settled)
        } else if (chosen && one.do === 'cancel') {
          const before = await pair.payee.billState(chosen.hash)
          const gone = await pair.payee.cancel(chosen.hash).then(
            () => true,
            () => false,
          )
          expect(gone).toBe(before.state !== 'settled')
        } else if (chosen && ends.get(chosen.hash) !== 'failed') pays(chosen.bill)
      }
      store = testStore(store)
      await pair.close()
      pair = await ldkPair({ clock, store })
      expect(await faults(pair)).toEqual([])
      for (const [hash, state] of ends) {
        const both = [(await pair.payer.payState(hash)).state, (await pair.payee.payState(hash)).state]
        expect(both, hash).toContain(state)
      }
      for (const { hash, bill } of holds) {
        if ((await pair.payee.billState(hash)).state !== 'settled') await pair.payee.cancel(hash)
        const state = (await pair.payer.payState(hash)).state
        expect(state, bill.hash).not.toBe('pending')
      }
      expect(await faults(pair)).toEqual([])
      expect(pair.payerNode.channels()[0]?.pending).toBe(0)
      await pair.close()
    }
    await fc.assert(fc.asyncProperty(fc.array(step, { minLength: 3, maxLength: 14 }), run), {
      numRuns: 40,
      endOnFailure: true,
    })
  }, 300_000)
})
