/**
 * `wallet export`: receipts for an accountant, from the journals alone, so that the same journals give the same file.
 * @module
 */
import { seconds } from '../../../clock.ts'
import { jsonLine, quoted, UsageError } from '../../command.ts'
import { writeWhole } from '../../home.ts'
import { csv, json, receiptOf } from './csv.ts'
import { type Row, settledRows } from './rows.ts'
import { openBills } from './update.ts'
import type { Verb } from './verb.ts'
import { inSats, timeOf } from './words.ts'

export const exportReceipts: Verb = {
  name: 'export',
  options: {
    format: { type: 'string' },
    since: { type: 'string' },
    until: { type: 'string' },
    out: { type: 'string' },
  },
  async run(args, desk) {
    const { io, screen } = desk
    const file = args.text('out')
    const format = args.text('format') ?? (desk.json && file === undefined ? 'json' : 'csv')
    if (format !== 'csv' && format !== 'json')
      throw new UsageError(`--format ${quoted(format)}: there are csv and json.`)
    if (args.rest.length > 0) throw new UsageError('export writes to standard output, or to --out FILE.')
    const now = seconds(io.clock)
    const [from, to] = [args.text('since'), args.text('until')]
    const since = from === undefined ? 0 : timeOf('since', from, now)
    const until = to === undefined ? Number.MAX_SAFE_INTEGER : timeOf('until', to, now, true)
    const { rows, open } = await desk.read('all', journals => ({
      rows: settledRows(journals, since, until),
      open: journals.flatMap(openBills).filter(bill => bill.state === 'open' && bill.at <= until).length,
    }))
    const receipts = rows.map(receiptOf)
    const text = format === 'csv' ? csv(receipts) : json(receipts)
    if (file === undefined) io.write(text)
    else writeWhole(file, text)

    const [incoming, outgoing] = [total(rows, 'in'), total(rows, 'out')]
    screen.line('in', `${incoming.count} movements · ${inSats(incoming.msats)}`)
    screen.line(
      'out',
      `${outgoing.count} movements · ${inSats(outgoing.msats)} and ${inSats(outgoing.feeMsats)} of fees`,
    )
    if (open > 0)
      screen.line(
        'note',
        `${open} invoices of your own are open: "gridstr wallet history --update" asks the wallet for them`,
      )
    if (file !== undefined) screen.line('kept', `in ${file}`)
    if (file !== undefined && desk.json) io.out(jsonLine({ ok: true, file, in: incoming, out: outgoing }))
    return 0
  },
}

function total(rows: readonly Row[], direction: 'in' | 'out'): { count: number; msats: bigint; feeMsats: bigint } {
  const own = rows.filter(row => row.direction === direction)
  const sum = (of: (row: Row) => bigint) => own.reduce((all, row) => all + of(row), 0n)
  return { count: own.length, msats: sum(row => row.msats), feeMsats: sum(row => row.feeMsats) }
}
