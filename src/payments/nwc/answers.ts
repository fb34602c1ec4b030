/**
 * What our wallet service answers to each NIP-47 method: a body, never an exception.
 * @module
 */
import { type Clock, seconds } from '../../clock.ts'
import { readInvoice } from '../bolt11.ts'
import { isHash } from '../hash.ts'
import { PaymentError, type PayState, type Transaction, type Wallet } from '../payment.ts'
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

/** The methods that our service knows. */
export const METHODS = [
  'get_info',
  'get_balance',
  'make_invoice',
  'pay_invoice',
  'lookup_invoice',
  'list_transactions',
  'get_budget',
] as const

export type NwcMethod = (typeof METHODS)[number]

/** What notifications our service sends. */
export const NOTIFICATIONS = ['payment_received', 'payment_sent'] as const

export interface AnswerOptions {
  readonly wallet: Wallet
  readonly clock: Clock
  readonly methods: readonly NwcMethod[]
  readonly budget: Budget | undefined
}

/** Answers one request. `id` is the request event's: it makes a repeated `make_invoice` the same invoice. */
export type Answer = (method: string, params: Fields, id: string) => Promise<ReplyBody>

/** NIP-47: pages of at most 20 rows, so that an answer fits into what relays carry. */
const PAGE = 20
/** Bytes of a list: NIP-44 pads to at most 40,960, and base64 with the event around it stays below 65,536. */
const MAX_LIST_BYTES = 40_000
const MAX_SCANNED = 2_000
const YEAR_SECONDS = 31_536_000

/** One answerer per connection. */
export function nwcAnswers({ wallet, clock, methods, budget }: AnswerOptions): Answer {
  /** Payments under way: a second request for the same hash waits for the first. */
  const paying = new Map<string, Promise<PayState>>()

  const answers: Readonly<Record<NwcMethod, (params: Fields, id: string) => Promise<Fields>>> = {
    async get_info() {
      const { alias, nodeKey, network } = await wallet.info()
      // An older rust-nostr refuses the whole answer for one method name that it does not know.
      const standard = methods.filter(method => method !== 'get_budget')
      return { alias, ...(nodeKey && { pubkey: nodeKey }), network, methods: standard, notifications: NOTIFICATIONS }
    },
    get_balance: async () => ({ balance: integer(await wallet.balance()) }),
    async make_invoice(params, id) {
      const msats = amount(params['amount'])
      if (!msats) throw new PaymentError('OTHER', 'amount must be msats, more than 0.')
      const expirySeconds = params['expiry'] ?? 3_600
      if (!Number.isSafeInteger(expirySeconds) || Number(expirySeconds) < 1 || Number(expirySeconds) > YEAR_SECONDS)
        throw new PaymentError('OTHER', 'expiry must be 1 to 31536000 seconds.')
      const descriptionHash = text(params['description_hash'])?.toLowerCase()
      if (descriptionHash && !isHash(descriptionHash))
        throw new PaymentError('OTHER', 'description_hash must be 64 hex digits.')
      const description = text(params['description']) ?? ''
      const subject = descriptionHash ? { descriptionHash } : { description }
      const bill = await wallet.bill({ key: `nwc ${id}`, msats, expirySeconds: Number(expirySeconds), ...subject })
      return rowFields({
        ...{ type: 'incoming', state: 'pending', hash: bill.hash, bolt11: bill.bolt11, msats, feeMsats: 0n },
        ...{ createdAt: seconds(clock), expiresAt: bill.expiresAt },
        ...subject,
      })
    },
    async pay_invoice(params) {
      const read = readInvoice(text(params['invoice']) ?? '')
      if (!read.ok) throw new PaymentError('OTHER', `This is no usable invoice: ${read.says}`)
      const { hash, bolt11, msats: named } = read.invoice
      const asked = params['amount'] === undefined || params['amount'] === null ? named : amount(params['amount'])
      if (!asked || (named !== undefined && asked !== named))
        throw new PaymentError('OTHER', 'amount must be given for an invoice without one, and equal to the one it has.')
      const state = await pay(hash, bolt11, asked)
      if (state.state === 'paid') return { preimage: state.preimage, fees_paid: integer(state.feeMsats) }
      if (state.state === 'failed')
        throw new PaymentError(isPayCode(state.code) ? state.code : 'PAYMENT_FAILED', state.says)
      throw new PaymentError('INTERNAL', `The payment is ${state.state}: ask lookup_invoice.`)
    },
    async lookup_invoice(params) {
      let hash = text(params['payment_hash'])?.toLowerCase()
      if (!hash) {
        const read = readInvoice(text(params['invoice']) ?? '')
        if (!read.ok) throw new PaymentError('OTHER', 'payment_hash or invoice must be given.')
        hash = read.invoice.hash
      }
      const row = isHash(hash) ? await wallet.transaction(hash) : undefined
      if (!row) throw new PaymentError('NOT_FOUND', 'This wallet does not know that payment hash.')
      if (row.type === 'outgoing' && row.state === 'failed' && !paying.has(hash)) budget?.release(hash)
      return rowFields(row)
    },
    list_transactions: params => list(params),
    async get_budget() {
      if (!budget) return {}
      const { totalMsats } = budget
      return { used_budget: integer(budget.used()), total_budget: integer(totalMsats), renewal_period: 'never' }
    },
  }

  function pay(hash: string, bolt11: string, msats: bigint): Promise<PayState> {
    const running = paying.get(hash)
    if (running) return running
    if (budget && !budget.reserve(hash, msats))
      throw new PaymentError('QUOTA_EXCEEDED', 'This would go over the budget of the connection.')
    const state = wallet
      .pay({ bolt11, hash, msats })
      .then(end => {
        if (end.state === 'failed') budget?.release(hash)
        if (end.state === 'paid') budget?.settle(hash, msats + end.feeMsats)
        return end
      })
      .finally(() => paying.delete(hash))
    paying.set(hash, state)
    return state
  }

  async function list(params: Fields): Promise<Fields> {
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
    const transactions = rows.map(row => rowFields(row))
    while (transactions.length > 1 && bytes(transactions) > MAX_LIST_BYTES) transactions.pop()
    return { transactions }
  }

  return async (method, params, id) => {
    const known = METHODS.find(name => name === method)
    if (!known) return errorBody(method, 'NOT_IMPLEMENTED', 'This wallet does not know that method.')
    if (!methods.includes(known)) return errorBody(method, 'RESTRICTED', 'This connection may not use that method.')
    try {
      return resultBody(method, await answers[known](params, id))
    } catch (error) {
      if (!(error instanceof PaymentError)) return errorBody(method, 'INTERNAL', 'The wallet could not do this.')
      return errorBody(method, isCode(error.code) ? error.code : 'INTERNAL', error.message)
    }
  }
}

/** A settled payment that a notification may tell of. */
export const isNews = (row: Transaction): boolean => row.state === 'settled'

const isCode = (code: string): code is Code => CODES.some(known => known === code)

/** `failed` means that nothing left, so a code that would leave the client in doubt is put plainly. */
const isPayCode = (code: string): boolean =>
  isCode(code) && code !== 'INTERNAL' && code !== 'OTHER' && code !== 'NOT_FOUND'

const bytes = (value: unknown): number => new TextEncoder().encode(JSON.stringify(value)).length
