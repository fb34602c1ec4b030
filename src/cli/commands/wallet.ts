/** @module `gridstr wallet`: the own wallet, what it paid and was paid, and wallets for trying things out. */
import { JournalError } from '../../journal/journal.ts'
import { PaymentError } from '../../payments/payment.ts'
import { type Command, type Io, quoted, readArguments, UsageError } from '../command.ts'
import { balance } from './wallet/balance.ts'
import { budget } from './wallet/budget.ts'
import { connect, disconnect } from './wallet/connect.ts'
import { deskOptions, openDesk, openWallet } from './wallet/desk.ts'
import { exportReceipts } from './wallet/export.ts'
import { history } from './wallet/history.ts'
import { invoice } from './wallet/invoice.ts'
import { pay } from './wallet/pay.ts'
import { regtest } from './wallet/regtest.ts'
import type { Doors, Verb } from './wallet/verb.ts'

const verbs: readonly Verb[] = [connect, disconnect, balance, invoice, pay, budget, history, exportReceipts]

/** The command behind other doors: for tests. */
export const walletCommandWith = (doors: Doors): Command => ({
  name: 'wallet',
  says: 'Your wallet: connect, pay, invoice, budget, history, export; or play money',
  help: [
    'gridstr wallet connect [URI | -] [--force]     check a NIP-47 wallet and keep it for ask, node and these verbs',
    'gridstr wallet disconnect                      forget it',
    'gridstr wallet balance',
    'gridstr wallet invoice SATS [--description TEXT] [--expiry SECONDS] [--wait]',
    'gridstr wallet pay BOLT11 --max-sats N [--yes] pay once; without --yes show what would be paid, and pay nothing',
    'gridstr wallet budget [--set-hour-sats N] [--set-day-sats N] [--set-peer-day-sats N] [--clear]',
    'gridstr wallet history [--limit N] [--since 7d] [--update]',
    'gridstr wallet export [--format csv|json] [--since DATE] [--until DATE] [--out FILE]',
    'gridstr wallet regtest --relay URL… [--dir DIR] two Lightning nodes with play money, served as NIP-47 wallets',
    '',
    '  URI             the nostr+walletconnect:// string of your wallet; - reads it from standard input, which keeps it',
    '                  out of the list of processes. Whoever has the string can spend.',
    '  --wallet URI    another wallet for once; also --wallet-file FILE or GRIDSTR_WALLET',
    '  --journal FILE  another journal (history and export: repeat for more; default: all in the home folder)',
    '  --json          JSON lines on standard output',
    '',
    'pay: the intent is written before anything leaves. If the outcome stays unknown, run the same command again: it asks',
    '     the wallet and pays nothing twice. Standard output is the preimage.',
    'budget: caps of an hour and of a day (the last 24 hours), and of one peer in a day, obeyed by ask and wallet pay.',
    'history: = both know it, J only the journal, W only the wallet, ! look at it: money may be lost. --update writes what',
    '         the wallet knows of your own invoices and payments into the journal.',
    'export: one row per settled payment in or out; dates are UTC, --until includes its day. Text that a spreadsheet',
    '        would calculate gets an apostrophe in front.',
    'regtest: prints one string for a payer and one for a payee; --json prints {"ready":true,"payer":…,"payee":…}.',
    '         With --dir the same two wallets come back with their strings and balances, even after a kill.',
    '',
    'The home folder is GRIDSTR_HOME, else gridstr in XDG_STATE_HOME, else ~/.gridstr.',
  ],
  async run([name = '', ...argv], io) {
    if (name === 'regtest') return regtest(argv, io, doors)
    const verb = verbs.find(one => one.name === name)
    if (!verb)
      throw new UsageError(
        `${name === '' || name.startsWith('-') ? 'Say what to do' : `There is no gridstr wallet ${quoted(name)}`}: ${verbs.map(one => one.name).join(', ')}; for play money: gridstr wallet regtest --relay ws://…`,
      )
    const args = readArguments(argv, { ...deskOptions, ...verb.options })
    return atDesk(verb, args, io, doors)
  },
})

async function atDesk(verb: Verb, args: ReturnType<typeof readArguments>, io: Io, doors: Doors): Promise<number> {
  const desk = openDesk(args, io, doors)
  try {
    return await verb.run(args, desk)
  } catch (error) {
    if (error instanceof PaymentError)
      return desk.refuse('wallet', `The wallet did not do it (${error.code}): ${error.message}`)
    if (error instanceof JournalError) return desk.refuse(`journal-${error.code}`, error.message)
    throw error
  } finally {
    await desk.close()
  }
}

export const walletCommand = walletCommandWith({
  wallet: openWallet,
  async journal(path, options) {
    const { openJournal } = await import('../../journal/index.ts')
    return openJournal(path, options)
  },
})
