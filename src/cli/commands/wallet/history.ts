/**
 * `wallet history`: what the journals know of jobs and money beside what the wallet knows.
 * @module
 */
import { seconds } from '../../../clock.ts'
import { npub } from '../../../keys.ts'
import { PaymentError } from '../../../payments/payment.ts'
import { clean, jsonLine, UsageError } from '../../command.ts'
import { type Matched, matched } from './match.ts'
import { recentRows } from './rows.ts'
import { updateOwn } from './update.ts'
import type { Desk, Verb } from './verb.ts'
import { oneLine, sats, table, timeOf, utc } from './words.ts'

export const history: Verb = {
  name: 'history',
  options: { limit: { type: 'string' }, since: { type: 'string' }, update: { type: 'boolean' } },
  async run(args, desk) {
    const { io, json, screen } = desk
    if (args.rest.length > 0) throw new UsageError('history takes options only, such as --limit 50 --since 7d.')
    const limit = args.number('limit', 1, 1_000) ?? 20
    const said = args.text('since')
    const since = said === undefined ? 0 : timeOf('since', said, seconds(io.clock))
    if (args.flag('update')) {
      const changed = await updateOwn(desk, (await desk.wallet()).wallet)
      screen.line('update', changed === 0 ? 'the journal knew it all' : `${changed} rows written, as the wallet tells`)
    }
    const rows = await desk.read('all', async journals => {
      const own = recentRows(journals, since, limit)
      const opened = await desk.findWallet()
      const alone = () => own.map((row): Matched => ({ ...row, known: 'unasked' }))
      if (!opened) {
        screen.line('wallet', 'none is connected: these are the journals alone')
        return alone()
      }
      screen.progress('wallet', 'asking the wallet …')
      try {
        return await matched(own, journals, opened.wallet, { since, limit, signal: io.signal })
      } catch (error) {
        if (!(error instanceof PaymentError)) throw error
        screen.line('wallet', `it does not answer (${error.message}): these are the journals alone`)
        return alone()
      }
    })
    const alarms = rows.filter(row => row.alarm !== undefined).length
    screen.line(
      'rows',
      `${rows.length}${rows.length === limit ? ' (more with --limit)' : ''}${alarms === 0 ? '' : ` · ${alarms} to look at`}`,
    )
    if (json) for (const row of rows) io.out(jsonLine(shown(row)))
    else show(rows, desk)
    return 0
  },
}

/** Whatever came from a wallet or an invoice is a stranger's text. */
const shown = ({ at, endedAt, peer, ...row }: Matched): object => ({
  time: utc(at),
  ...Object.fromEntries(
    Object.entries(row).map(([key, value]) => [key, typeof value === 'string' ? clean(value) : value]),
  ),
  ...(endedAt === undefined ? {} : { ended: utc(endedAt) }),
  ...(peer === undefined ? {} : { npub: npub(peer) }),
})

const MARKS: Readonly<Record<Matched['known'], string>> = { both: '=', journal: 'J', wallet: 'W', unasked: '?' }

function show(rows: readonly Matched[], { io }: Desk): void {
  if (rows.length === 0) {
    io.out('nothing yet')
    return
  }
  const lines = table(
    [
      ['', 'time', 'what', 'sats', 'fee', 'state', 'with', 'job', 'hash', ''],
      ...rows.map(row => [
        MARKS[row.known],
        utc(row.at).slice(0, 16).replace('T', ' '),
        wordsOf(row),
        row.what === 'job'
          ? ''
          : `${row.direction === 'out' ? '-' : row.direction === 'in' ? '+' : ''}${sats(row.msats)}`,
        row.feeMsats === 0n ? '' : sats(row.feeMsats),
        row.state,
        row.peer === undefined ? '' : `${npub(row.peer).slice(0, 12)}…`,
        oneLine(row.job ?? '').slice(0, 8),
        oneLine(row.hash ?? '').slice(0, 8),
        row.alarm === undefined ? oneLine(row.description ?? '').slice(0, 40) : `! ${row.alarm}`,
      ]),
    ],
    [3, 4],
  )
  for (const line of lines) io.out(line)
  io.out('')
  io.out(`${legend(rows)}. Times are UTC.`)
}

function legend(rows: readonly Matched[]): string {
  const words: Readonly<Record<Matched['known'], string>> = {
    both: '= journal and wallet know it',
    journal: 'J only the journal knows it',
    wallet: 'W only the wallet knows it',
    unasked: '? the wallet was not asked',
  }
  const known = new Set(rows.map(row => row.known))
  return (['both', 'journal', 'wallet', 'unasked'] as const)
    .filter(one => known.has(one))
    .map(one => words[one])
    .join(' · ')
}

const wordsOf = ({ what, purpose, direction }: Matched): string => {
  if (what === 'job') return `job ${purpose}`
  if (what === 'credit') return 'credit'
  if (what === 'wallet') return direction === 'in' ? 'received' : 'sent'
  if (purpose === 'refund') return 'refund'
  return `${direction === 'in' ? 'bill' : 'payment'} ${purpose}`
}
