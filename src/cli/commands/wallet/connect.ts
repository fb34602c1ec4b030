/**
 * `wallet connect` and `wallet disconnect`: checks a wallet and keeps its connection string as the default one.
 * @module
 */
import { amount } from '../../../payments/nwc/body.ts'
import { readNwcUri } from '../../../payments/nwc/uri.ts'
import { PaymentError } from '../../../payments/payment.ts'
import { jsonLine, UsageError } from '../../command.ts'
import { infoOf, reason } from '../../wiring.ts'
import { type NwcBudgetView, readBudget, wordsOfBudget } from './nwc-budget.ts'
import type { Desk, OpenWallet, Verb } from './verb.ts'
import { inSats, oneLine } from './words.ts'

/** What each missing method costs its user. */
const NEEDED = [
  ['pay_invoice', 'it cannot pay'],
  ['make_invoice', 'it cannot make invoices, so it cannot sell'],
  ['lookup_invoice', 'it cannot say what became of a payment'],
  ['list_transactions', 'it shows no history'],
] as const

interface Checked {
  readonly alias: string
  readonly network: string
  readonly nodeKey?: string
  readonly methods: readonly string[]
  readonly notifications: readonly string[]
  readonly holds: boolean
  readonly balanceMsats?: bigint
  readonly budget?: NwcBudgetView
}

export const connect: Verb = {
  name: 'connect',
  options: { force: { type: 'boolean' } },
  async run(args, desk) {
    const { io, home, screen } = desk
    const uri = await said(args.rest, desk)
    const kept = home.wallet()
    if (kept !== undefined && kept !== uri && !args.flag('force'))
      throw new UsageError(
        `Another wallet is connected already (${home.walletFile}): add --force to replace it, or run "gridstr wallet disconnect" first.`,
      )
    const wallet = await desk.open(uri)
    screen.progress('wallet', 'asking the wallet …')
    const info = await infoOf(wallet.wallet, io.signal)
    if (!info.ok) return desk.refuse('wallet', info.says)
    const checked = await check(wallet, info, io.signal)
    home.keepWallet(uri)
    show(checked, desk)
    screen.line('kept', `in ${home.walletFile}, for ask, node and wallet · whoever reads this file can spend`)
    const { alias, ...fields } = checked
    if (desk.json) io.out(jsonLine({ ok: true, alias: oneLine(alias), ...fields, kept: home.walletFile }))
    return 0
  },
}

export const disconnect: Verb = {
  name: 'disconnect',
  options: {},
  async run(_args, { io, home, json, screen, refuse }) {
    if (!home.keepWallet(undefined))
      return refuse('no-wallet', `No wallet is connected: there is no ${home.walletFile}.`)
    screen.line('wallet', 'forgotten here; the wallet itself still honours the string until you revoke it there')
    if (json) io.out(jsonLine({ ok: true, removed: home.walletFile }))
    return 0
  },
}

/** The string of the argument, of standard input, or of the environment, proven to be one. */
async function said(rest: readonly string[], { io }: Desk): Promise<string> {
  if (rest.length > 1) throw new UsageError('One connection string is connected: put it in quotes.')
  const [first] = rest
  const text = (first === '-' ? await io.stdin() : (first ?? io.env['GRIDSTR_WALLET'] ?? '')).trim()
  if (text === '')
    throw new UsageError(
      'No connection string: copy one (nostr+walletconnect://…) from your wallet and run "gridstr wallet connect -", paste, Enter, Ctrl-D.',
    )
  try {
    readNwcUri(text)
  } catch (error) {
    throw new UsageError(reason(error))
  }
  return text
}

/** Everything that a wallet tells of itself. What it does not tell is left out. */
async function check(
  { wallet, ask }: OpenWallet,
  info: { alias: string; network: string; nodeKey?: string; methods: readonly string[] },
  signal: AbortSignal,
): Promise<Checked> {
  const orNothing = async <T>(asked: Promise<T> | undefined): Promise<T | undefined> => {
    try {
      return await asked
    } catch (error) {
      if (error instanceof PaymentError) return undefined
      throw error
    }
  }
  const [raw, balance, holds, budget] = await Promise.all([
    orNothing(ask('get_info', signal)),
    orNothing(ask('get_balance', signal)),
    orNothing(wallet.hold?.(signal)),
    orNothing(ask('get_budget', signal)),
  ])
  const notifications = Array.isArray(raw?.['notifications']) ? raw['notifications'] : []
  const balanceMsats = amount(balance?.['balance'])
  const limit = budget && readBudget(budget)
  return {
    alias: info.alias,
    network: info.network,
    ...(info.nodeKey === undefined ? {} : { nodeKey: info.nodeKey }),
    methods: info.methods.map(oneLine),
    notifications: notifications
      .filter(one => typeof one === 'string')
      .slice(0, 20)
      .map(oneLine),
    holds: holds !== undefined,
    ...(balanceMsats === undefined ? {} : { balanceMsats }),
    ...(limit === undefined ? {} : { budget: limit }),
  }
}

function show(checked: Checked, { screen }: Desk): void {
  const { alias, network, nodeKey, methods, notifications, holds, balanceMsats, budget } = checked
  const real = network === 'mainnet' ? 'mainnet: real money' : `${network}: play money`
  screen.line(
    'wallet',
    `${oneLine(alias) || 'without a name'} · ${real}${nodeKey ? ` · node ${nodeKey.slice(0, 16)}…` : ''}`,
  )
  screen.line('balance', balanceMsats === undefined ? 'not told to this connection' : inSats(balanceMsats))
  screen.line('budget', wordsOfBudget(budget))
  screen.line('can', methods.join(', ') || 'nothing')
  screen.more(
    holds ? 'holds invoices: results can travel sealed under their payment' : 'no hold invoices: jobs are paid before',
  )
  screen.more(
    notifications.length > 0
      ? `tells of: ${notifications.join(', ')}`
      : 'tells of nothing by itself: it is asked every few seconds',
  )
  for (const [method, cost] of NEEDED) if (!methods.includes(method)) screen.line('note', `no ${method}: ${cost}`)
}
