/**
 * Orders, bills and credit in a journal's file. The columns are for finding; what a row says stands in its body.
 * @module
 */
import type { SQLInputValue } from 'node:sqlite'
import { decode, encode } from './codec.ts'
import type { Billed, Bills, CreditRow, Order, Orders } from './journal.ts'
import { type Cell, type Pages, type Table, table } from './pages.ts'
import { asPlain, checkSeconds, endedBill, endedOrder, newBill, newCredit, newOrder, pageOf } from './rules.ts'
import { openSpent } from './sqlite-spent.ts'

interface ListQuery {
  readonly since?: number
  readonly until?: number
  readonly limit?: number
  readonly offset?: number
}

/** Conditions on columns, and rows newest first. */
function newestFirst<C extends string>(
  rows: Table<C>,
  query: ListQuery,
  equal: { readonly [column: string]: string | undefined },
) {
  const { limit, offset } = pageOf(query)
  const conditions: string[] = []
  const values: SQLInputValue[] = []
  const add = (condition: string, value: SQLInputValue | undefined) => {
    if (value === undefined) return
    conditions.push(condition)
    values.push(value)
  }
  for (const [column, value] of Object.entries(equal)) add(`${column} = ?`, value)
  add('at >= ?', query.since)
  add('at <= ?', query.until)
  const where = conditions.length === 0 ? '1' : conditions.join(' AND ')
  return rows.rows(`${where} ORDER BY at DESC, n DESC LIMIT ? OFFSET ?`, ...values, limit, offset)
}

const bodyOf = (row: { readonly body: Cell }) => decode(String(row.body)) as object

export function ordersOf(pages: Pages): Orders {
  const orders = table(pages, 'orders', ['hash', 'job', 'peer', 'at', 'state', 'body'])
  const cells = (order: Order) => ({
    hash: order.hash,
    job: order.job ?? null,
    peer: order.peer ?? null,
    at: order.at,
    state: order.state,
    body: encode(asPlain(order)),
  })
  const find = (hash: string) => orders.row('hash = ?', hash)
  const spent = openSpent(pages, ({ since, peer, job }) => {
    const named = Object.entries({ job, peer }).flatMap(([column, value]) =>
      value === undefined ? [] : [{ column, value }],
    )
    const where = [...named.map(({ column }) => `${column} = ?`), 'at >= ?'].join(' AND ')
    return orders.rows(where, ...named.map(({ value }) => value), since).map(row => bodyOf(row) as Order)
  })
  return {
    plan(row, weight = 'money') {
      const order = newOrder(row)
      return pages.write(weight, () => {
        if (find(order.hash)) return false
        orders.insert(cells(order))
        spent.note(order)
        return true
      })
    },
    end(hash, end, weight = 'money') {
      pages.write(weight, () => {
        const row = find(hash)
        if (!row) throw new Error(`payment ${hash} was never ordered in this journal`)
        const order = bodyOf(row) as Order
        const ended = endedOrder(order, end)
        if (ended === order) return
        orders.update(row.n, cells(ended))
        spent.note(ended)
      })
    },
    get: hash =>
      pages.read(() => {
        const row = find(hash)
        return row && (bodyOf(row) as Order)
      }),
    spentMsats(query) {
      checkSeconds(query.since)
      return pages.read(() => spent.sum(query))
    },
    list: (query = {}) =>
      pages.read(() =>
        newestFirst(orders, query, { job: query.job, state: query.state }).map(row => bodyOf(row) as Order),
      ),
  }
}

export function billsOf(pages: Pages): Bills {
  const bills = table(pages, 'bills', ['hash', 'job', 'customer', 'at', 'state', 'body'])
  const credits = table(pages, 'credits', ['id', 'customer', 'job', 'at', 'body'])
  const cells = (bill: Billed) => ({
    hash: bill.hash,
    job: bill.job ?? null,
    customer: bill.customer ?? null,
    at: bill.at,
    state: bill.state,
    body: encode(asPlain(bill)),
  })
  const find = (hash: string) => bills.row('hash = ?', hash)
  const kept = (customer: string): bigint => {
    let msats = 0n
    for (const row of credits.rows('customer = ?', customer)) msats += (bodyOf(row) as CreditRow).msats
    return msats
  }
  return {
    add(row) {
      const bill = newBill(row)
      return pages.write('money', () => {
        if (find(bill.hash)) return false
        bills.insert(cells(bill))
        return true
      })
    },
    end(hash, end, weight = 'money') {
      pages.write(weight, () => {
        const row = find(hash)
        if (!row) throw new Error(`bill ${hash} was never written in this journal`)
        const bill = bodyOf(row) as Billed
        const ended = endedBill(bill, end)
        if (ended !== bill) bills.update(row.n, cells(ended))
      })
    },
    get: hash =>
      pages.read(() => {
        const row = find(hash)
        return row && (bodyOf(row) as Billed)
      }),
    list: (query = {}) =>
      pages.read(() =>
        newestFirst(bills, query, { job: query.job, customer: query.customer, state: query.state }).map(
          row => bodyOf(row) as Billed,
        ),
      ),
    credit(row) {
      const { id, customer, job, at, ...rest } = newCredit(row)
      const body = encode({ id, customer, job, at, ...rest })
      return pages.write('money', () => {
        if (credits.row('id = ?', id) || (rest.msats < 0n && kept(customer) + rest.msats < 0n)) return false
        credits.insert({ id, customer, job, at, body })
        return true
      })
    },
    creditMsats: customer => pages.read(() => kept(customer)),
    credits: (query = {}) =>
      pages.read(() =>
        newestFirst(credits, query, { customer: query.customer, job: query.job }).map(row => bodyOf(row) as CreditRow),
      ),
  }
}
