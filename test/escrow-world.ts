/**
 * A customer, a provider and a verifier on one relay in memory, with wallets that hold and a clock in hand.
 * @module
 */
import {
  type EscrowWord,
  type Event,
  escrowWord,
  messagesOf,
  type TextRequest,
  textRequest,
  textResult,
} from '../kinds/index.ts'
import { memoryHub } from '../relays/memory.ts'
import { type HandClock, handClock, seconds } from '../src/clock.ts'
import { openEscrowAsk } from '../src/escrow/asking.ts'
import { openEscrowView } from '../src/escrow/customer.ts'
import type { Judge } from '../src/escrow/escrow.ts'
import { matches } from '../src/escrow/judges.ts'
import type { Shelves } from '../src/escrow/shelves.ts'
import { type EscrowVerifier, openVerifier, type VerifierLimits } from '../src/escrow/verifier.ts'
import { memoryJournal } from '../src/journal/memory.ts'
import { openKeys } from '../src/keys.ts'
import type { Bill, HoldPayee, Wallet } from '../src/payments/payment.ts'
import { simNet } from '../src/payments/sim.ts'
import { openSeal, wrapEvent } from '../src/seal.ts'
import { doorOf } from './worlds.ts'

export const price = 21_000n
const funds = 1_000_000n

/** What a provider's own journal would keep of one job. */
export interface Book {
  hash?: string
  bill?: Bill
  result?: Event
}

/** The work: deterministic. */
export const shout = async (request: Pick<TextRequest, 'inputs'>): Promise<string> => {
  const read = messagesOf(request)
  return read.ok ? read.value.map(({ content }) => content.toUpperCase()).join() : ''
}

export const secretOf = (fill: number): Uint8Array => new Uint8Array(32).fill(fill)

/** Wallets that are not the simulated ones. */
export interface Rail {
  readonly payer: Wallet
  readonly payee: Wallet
  conserved(): boolean
  /** Lets the wallets do what they do outside of the clock in hand. */
  breathe(): Promise<void>
}

const simulated = (clock: HandClock): Rail => {
  const net = simNet({ clock, seed: 'escrow', pollMs: 1_000 })
  const payer = net.wallet({ alias: 'payer', msats: funds })
  const payee = net.wallet({ alias: 'payee', msats: 0n })
  return { payer, payee, conserved: net.conserved, breathe: async () => {} }
}

export async function escrowWorld(options: { sealed?: boolean; clock?: HandClock; rail?: Rail; input?: string } = {}) {
  const { clock = handClock() } = options
  const { payer, payee, conserved, breathe } = options.rail ?? simulated(clock)
  const keys = await openKeys()
  const hub = memoryHub({ clock, verify: event => keys.verify(event) })
  const seen: Event[] = []
  hub.watch(event => seen.push(event))
  const connect = () => hub.connect({ admit: doorOf(keys, clock) })
  const [customerSecret, nodeSecret, verifierSecret] = [secretOf(1), secretOf(2), secretOf(3)]
  const [customer, node, verifier] = [customerSecret, nodeSecret, verifierSecret].map(keys.publicKey) as [
    string,
    string,
    string,
  ]
  const side = (secret: Uint8Array) => ({ relays: connect(), keys, secret, clock, repeatMs: 5_000, waitMs: 30_000 })
  const sealTo = (secret: Uint8Array, to: string) =>
    options.sealed ? (plain: string) => openSeal({ keys, secret }).encrypt(to, plain) : undefined

  const request: Event = keys.sign(
    textRequest.write(
      {
        ...{ inputs: [{ data: options.input ?? 'why is the sky blue', type: 'text' }], relays: [], providers: [node] },
        ...{ stream: false, receipt: false, terms: { word: 'escrow', verifier } },
      },
      seconds(clock),
      sealTo(customerSecret, node),
    ),
    customerSecret,
  )
  const deadline = seconds(clock) + 600

  const resultOf = (text: string): Event =>
    keys.sign(
      textResult.write({ job: request.id, customer, text, msats: price }, seconds(clock), sealTo(nodeSecret, customer)),
      nodeSecret,
    )

  /** Waits for a promise while time goes by. */
  async function until<T>(promise: Promise<T>, stepMs = 250): Promise<T> {
    let over = false
    const done = promise.finally(() => {
      over = true
    })
    done.catch(() => undefined)
    for (let i = 0; i < 10_000 && !over; i++) {
      await breathe()
      await clock.advance(stepMs)
    }
    if (!over) throw new Error('it never ended')
    return done
  }

  function verify(
    judge: Judge = matches(shout),
    journal: Shelves = memoryJournal(),
    limits: Partial<VerifierLimits> = {},
  ): EscrowVerifier {
    return openVerifier({ ...side(verifierSecret), journal, judge, limits })
  }

  const holdOf = async (): Promise<HoldPayee> => {
    const hold = await payee.hold?.()
    if (!hold) throw new Error('the wallet cannot hold')
    return hold
  }

  /** The provider's part of one job, from the question to the money; `book` is what survives it. `dies`: before it settles. */
  async function sell(
    book: Book,
    parts: { text?: string; signal?: AbortSignal; billed?: (bill: Bill) => void; dies?: boolean } = {},
  ) {
    const { text = 'WHY IS THE SKY BLUE', signal, billed, dies = false } = parts
    const ask = openEscrowAsk(side(nodeSecret))
    try {
      const answer = await ask.hashFor({ request, verifier, msats: price, deadline }, signal)
      if (!answer.ok) return answer.rule
      const { hash } = answer
      if (book.hash !== undefined && book.hash !== hash) throw new Error('the verifier speaks of another hash now')
      book.hash = hash
      const hold = await holdOf()
      const ask1 = { key: request.id, msats: price, expirySeconds: 7_200, hash, description: 'job' }
      book.bill ??= await hold.holdBill(ask1)
      billed?.(book.bill)
      const came = await heldBefore(hold, hash, signal)
      if (!came || seconds(clock) >= deadline) {
        await hold.cancel(hash)
        return 'cancelled: late'
      }
      book.result ??= resultOf(text)
      const found = await ask.verdict({ request, verifier, hash, deadline, result: book.result }, signal)
      if (found.verdict !== 'release') {
        await hold.cancel(hash)
        return `cancelled: ${found.verdict}`
      }
      if (dies) return 'died'
      await hold.settle(found.preimage)
      return 'settled'
    } finally {
      ask.close()
    }
  }

  /** True when the money came before the deadline. */
  function heldBefore(hold: HoldPayee, hash: string, signal?: AbortSignal): Promise<boolean> {
    return new Promise((resolve, reject) => {
      const stop = hold.watchHeld(hash, () => resolve(true))
      clock.after(deadline * 1_000 - clock.now(), () => {
        stop()
        resolve(false)
      })
      signal?.addEventListener('abort', () => {
        stop()
        reject(signal.reason)
      })
    })
  }

  /** The customer's part: pays what the verifier vouches for. */
  async function buy(bill: Bill) {
    const view = openEscrowView(side(customerSecret))
    try {
      const vouched = await view.vouched({ job: request.id, verifier, hash: bill.hash, msats: bill.msats })
      if (!vouched.ok) return vouched.rule
      return (await payer.pay(bill)).state
    } finally {
      view.close()
    }
  }

  return {
    ...{ clock, keys, hub, seen, payer, payee, connect, side, until, verify, sell, buy, holdOf, resultOf },
    ...{ request, deadline, customer, node, verifier, customerSecret, nodeSecret, verifierSecret },
    /** Both balances, and that no msat appeared or vanished. */
    async money() {
      return { payer: await payer.balance(), payee: await payee.balance(), conserved: conserved() }
    },
    /** Says any word as anybody. */
    async say(secret: Uint8Array, word: EscrowWord) {
      const inner = keys.sign(escrowWord.write(word, seconds(clock)), secret)
      await connect().publish(wrapEvent(keys, inner, word.to, seconds(clock)))
    },
    /** Every word that this key was told, oldest first. */
    heardBy(secret: Uint8Array): EscrowWord[] {
      const seal = openSeal({ keys, secret })
      const me = keys.publicKey(secret)
      return seen.flatMap(wrap => {
        if (!wrap.tags.some(tag => tag[0] === 'p' && tag[1] === me)) return []
        try {
          const inner: Event = JSON.parse(seal.decrypt(wrap.pubkey, wrap.content))
          const read = escrowWord.read(inner)
          return read.ok ? [read.value] : []
        } catch {
          return []
        }
      })
    },
  }
}

export const paid = { payer: funds - price, payee: price, conserved: true }
export const unpaid = { payer: funds, payee: 0n, conserved: true }
