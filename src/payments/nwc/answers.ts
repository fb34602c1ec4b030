/**
 * What our wallet service answers to each NIP-47 method: a body, never an exception.
 * @module
 */
import { type Clock, seconds } from '../../clock.ts'
import { readInvoice } from '../bolt11.ts'
import { isHash } from '../hash.ts'
import { PaymentError, type PayOrder, type PayState, type Transaction, type Wallet } from '../payment.ts'
import type { HoldAnswers } from './answers-hold.ts'
import {
  amount,
  CODES,
  type Code,
  errorBody,
  type Fields,
  integer,
  type ReplyBody,
  resultBody,
  rowFields,
  text,
} from './body.ts'
import type { Budget } from './budget.ts'
import { HOLD_METHODS } from './hold.ts'
import { invoiceAsk, payOrder } from './invoice-ask.ts'

/** The methods that our service knows. */
export const METHODS = [
  'get_info',
  'get_balance',
  'make_invoice',
  'pay_invoice',
  'lookup_invoice',
  'list_transactions',
  'get_budget',
  ...HOLD_METHODS,
] as const

export type NwcMethod = (typeof METHODS)[number]

/** What notifications our service sends; the last one only for a wallet that can hold. */
export const NOTIFICATIONS = ['payment_received', 'payment_sent', 'hold_invoice_accepted'] as const

export interface AnswerOptions {
  readonly wallet: Wallet
  readonly clock: Clock
  readonly methods: readonly NwcMethod[]
  readonly budget: Budget | undefined
  readonly hold: HoldAnswers
  /** Pays what was reserved already. */
  pay(order: PayOrder): Promise<PayState>
}

/** A request that is ours to answer. */
export interface Asked {
  /** Id of the request event: it makes a repeated `make_invoice` the same invoice. */
  readonly id: string
  readonly method: string
  readonly params: Fields
  /** What `pay_invoice` means, where it was read already: reading an invoice is the dearest part of it. */
  readonly order?: PayOrder
  /**
   * The client wrote NIP-04, as old ones do (rust-nostr 0.44): a method or a state that it does not know makes the whole
   * answer unreadable, so hold methods and `accepted` are kept from it.
   */
  readonly old?: boolean
}

export interface Answers {
  answer(asked: Asked): Promise<ReplyBody>
  /** What the connection may do with this wallet. */
  offered(): Promise<{ readonly methods: readonly NwcMethod[]; readonly notifications: readonly string[] }>
}

/** NIP-47: pages of at most 20 rows, so that an answer fits into what relays carry. */
const PAGE = 20
/** Bytes of a list: NIP-44 pads to at most 40,960, and base64 with the event around it stays below 65,536. */
const MAX_LIST_BYTES = 40_000
const MAX_SCANNED = 2_000

/** One answerer per connection. */
export function nwcAnswers({ wallet, clock, methods, budget, hold, pay }: AnswerOptions): Answers {
  const offered: Answers['offered'] = async () => {
    const holds = await hold.payee()
    const isHold = (method: string) => HOLD_METHODS.some(name => name === method)
    return {
      methods: methods.filter(method => holds || !isHold(method)),
      notifications: NOTIFICATIONS.slice(0, holds && methods.some(isHold) ? 3 : 2),
    }
  }

  const answers: Readonly<Record<NwcMethod, (params: Fields, asked: Asked) => Promise<Fields>>> = {
    async get_info(_params, { old }) {
      const { alias, nodeKey, network } = await wallet.info()
      const { methods: names, notifications } = await offered()
      // An older rust-nostr refuses the whole answer for one method name that it does not know.
      const standard = names.filter(method => !(method === 'get_budget' || (old && method.includes('_hold_'))))
      const told = old ? notifications.slice(0, 2) : notifications
      return { alias, ...(nodeKey && { pubkey: nodeKey }), network, methods: standard, notifications: told }
    },
    get_balance: async () => ({ balance: integer(await wallet.balance()) }),
    async make_invoice(params, { id }) {
      const asked = invoiceAsk(params)
      const { key: _, expirySeconds: __, ...subject } = asked
      const bill = await wallet.bill({ ...asked, key: `nwc ${id}` })
      return rowFields({
        ...{ type: 'incoming', state: 'pending', hash: bill.hash, bolt11: bill.bolt11, feeMsats: 0n },
        ...{ createdAt: seconds(clock), expiresAt: bill.expiresAt },
        ...subject,
      })
    },
    ...hold.answers,
    async pay_invoice(params, { order = payOrder(params) }) {
      const state = await pay(order)
      return paidFields(state)
    },
    async lookup_invoice(params, { old }) {
      let hash = text(params['payment_hash'])?.toLowerCase()
      if (!hash) {
        const read = readInvoice(text(params['invoice']) ?? '')
        if (!read.ok) throw new PaymentError('OTHER', 'payment_hash or invoice must be given.')
        hash = read.invoice.hash
      }
      const row = isHash(hash) ? await wallet.transaction(hash) : undefined
      if (!row) throw new PaymentError('NOT_FOUND', 'This wallet does not know that payment hash.')
      return rowFields(row, old ? undefined : await hold.heldOf(row))
    },
    list_transactions: (params, { old }) => list(params, old),
    async get_budget() {
      if (!budget) return {}
      const now = seconds(clock)
      const renewsAt = budget.renewsAt(now)
      return {
        ...{ used_budget: integer(budget.used(now)), total_budget: integer(budget.totalMsats) },
        ...(renewsAt !== undefined && { renews_at: renewsAt }),
        renewal_period: budget.renewal,
      }
    },
  }

  async function list(params: Fields, old = false): Promise<Fields> {
    const from = amount(params['from']) ?? 0n
    const until = amount(params['until']) || BigInt(Number.MAX_SAFE_INTEGER)
    const limit = Math.min(Number(amount(params['limit']) || PAGE), PAGE)
    const offset = Number(amount(params['offset']) ?? 0n)
    const type = (['incoming', 'outgoing'] as const).find(known => known === params['type'])
    const query = { unpaid: params['unpaid'] === true, ...(type && { type }) }
    const all = from === 0n && until === BigInt(Number.MAX_SAFE_INTEGER)
    const rows = all
      ? await wallet.transactions({ ...query, limit, offset })
      : (await wallet.transactions({ ...query, limit: MAX_SCANNED, offset: 0 }))
          .filter(row => row.createdAt >= from && row.createdAt <= until)
          .slice(offset, offset + limit)
    const transactions = await Promise.all(
      rows.map(async row => rowFields(row, old ? undefined : await hold.heldOf(row))),
    )
    while (transactions.length > 1 && bytes(transactions) > MAX_LIST_BYTES) transactions.pop()
    return { transactions }
  }

  const answer: Answers['answer'] = async asked => {
    const { method, params } = asked
    const known = METHODS.find(name => name === method)
    if (!known) return errorBody(method, 'NOT_IMPLEMENTED', 'This wallet does not know that method.')
    if (!methods.includes(known)) return errorBody(method, 'RESTRICTED', 'This connection may not use that method.')
    return bodyOf(method, () => answers[known](params, asked))
  }
  return { answer, offered }
}

/** Turns what `run` gives, or how it fails, into a body. Never rejects. */
async function bodyOf(method: string, run: () => Fields | Promise<Fields>): Promise<ReplyBody> {
  try {
    return resultBody(method, await run())
  } catch (error) {
    if (!(error instanceof PaymentError)) return errorBody(method, 'INTERNAL', 'The wallet could not do this.')
    return errorBody(method, isCode(error.code) ? error.code : 'INTERNAL', error.message)
  }
}

/** What is answered to `pay_invoice` when the payment stands so: doubt is INTERNAL, never a failure. */
export const paidBody = (state: PayState): Promise<ReplyBody> => bodyOf('pay_invoice', () => paidFields(state))

function paidFields(state: PayState): Fields {
  if (state.state === 'paid') return { preimage: state.preimage, fees_paid: integer(state.feeMsats) }
  if (state.state === 'failed')
    throw new PaymentError(isPayCode(state.code) ? state.code : 'PAYMENT_FAILED', state.says)
  if (state.state === 'unsent') throw new PaymentError('PAYMENT_FAILED', 'The payment never left the wallet.')
  throw new PaymentError('INTERNAL', `The payment is ${state.state}: ask lookup_invoice.`)
}

/** A settled payment that a notification may tell of. */
export const isNews = (row: Transaction): boolean => row.state === 'settled'

const isCode = (code: string): code is Code => CODES.some(known => known === code)

/** `failed` means that nothing left, so a code that would leave the client in doubt is put plainly. */
const isPayCode = (code: string): boolean =>
  isCode(code) && code !== 'INTERNAL' && code !== 'OTHER' && code !== 'NOT_FOUND'

const bytes = (value: unknown): number => new TextEncoder().encode(JSON.stringify(value)).length
