/**
 * Opens what the verbs of `gridstr wallet` need and closes it after them.
 * @module
 */
import { existsSync, readFileSync } from 'node:fs'
import { type Clock, pause } from '../../../clock.ts'
import { type Journal, JournalError } from '../../../journal/journal.ts'
import { type Keys, openKeys } from '../../../keys.ts'
import { openConnection } from '../../../payments/nwc/connection.ts'
import { readNwcUri } from '../../../payments/nwc/uri.ts'
import { nwcWallet } from '../../../payments/nwc.ts'
import { PaymentError } from '../../../payments/payment.ts'
import { openSeal } from '../../../seal.ts'
import { type Arguments, clean, type Io, jsonLine, UsageError } from '../../command.ts'
import { homeOf } from '../../home.ts'
import { openScreen } from '../../screen.ts'
import { pool, reason } from '../../wiring.ts'
import type { Desk, Doors, OpenWallet } from './verb.ts'

/** Options that the verbs share: which wallet, which journals. */
export const deskOptions = {
  wallet: { type: 'string' },
  'wallet-file': { type: 'string' },
  journal: { type: 'string', multiple: true },
  json: { type: 'boolean' },
} as const

const ASK_MS = 20_000
/** Another command holds the journal for moments, a long question for a minute. */
const LOCKED_TRIES = 40
const LOCKED_MS = 250

/** A real wallet over its own relays. */
export function openWallet(text: string, io: Io, keys: Keys): OpenWallet {
  const { clock } = io
  const uri = readNwcUri(text)
  const seal = (secret: Uint8Array) => openSeal({ keys, secret })
  const relays = pool(uri.relays, keys, clock)
  const wallet = nwcWallet({ uri, relays, clock, keys, seal })
  let raw: ReturnType<typeof openConnection> | undefined
  return {
    wallet,
    async ask(method, signal) {
      raw ??= openConnection({ uri, relays, clock, keys, seal: seal(uri.secret), onNotification() {} })
      const outcome = await raw.request(method, {}, ASK_MS, signal)
      if (outcome.state === 'answered') return outcome.result
      throw new PaymentError(outcome.state === 'silent' ? 'TIMEOUT' : outcome.code, outcome.says)
    },
    async close() {
      raw?.close()
      await wallet.close()
      await relays.close()
    },
  }
}

/** The desk of one run, and the way to close it. */
export function openDesk(args: Arguments, io: Io, doors: Doors): Desk & { close(): Promise<void> } {
  const screen = openScreen(io)
  const json = args.flag('json')
  const home = homeOf(io)
  const opened: OpenWallet[] = []
  let keys: Promise<Keys> | undefined

  async function open(uri: string): Promise<OpenWallet> {
    keys ??= openKeys()
    const ready = await keys
    try {
      const wallet = doors.wallet(uri, io, ready)
      opened.push(wallet)
      return wallet
    } catch (error) {
      throw new UsageError(reason(error))
    }
  }

  async function findWallet(): Promise<OpenWallet | undefined> {
    const uri = uriOf(args, io) ?? home.wallet()
    return uri === undefined ? undefined : open(uri)
  }

  return {
    io,
    screen,
    json,
    home,
    open,
    findWallet,
    async wallet() {
      const wallet = await findWallet()
      if (wallet) return wallet
      throw new UsageError(
        'No wallet is connected: "gridstr wallet connect -" keeps one (for play money: gridstr wallet regtest), or add --wallet nostr+walletconnect://….',
      )
    },
    async write(use) {
      const named = args.texts('journal')
      if (named.length > 1) throw new UsageError('Name one --journal: own payments are written into one.')
      const path = named[0] ?? home.journalPath('client')
      const journal = await openPatiently(() => doors.journal(path), io.clock, io.signal)
      try {
        return use(journal)
      } finally {
        journal.close()
      }
    },
    async read(which, use) {
      const named = args.texts('journal')
      const missing = named.find(path => !existsSync(path))
      if (missing !== undefined) throw new UsageError(`There is no journal ${missing}: check --journal.`)
      const journals: Journal[] = []
      try {
        const there = which === 'all' ? home.journals() : [home.journalPath('client')].filter(path => existsSync(path))
        for (const path of named.length > 0 ? named : there)
          journals.push(await doors.journal(path, { readOnly: true }))
        return await use(journals)
      } finally {
        for (const journal of journals) journal.close()
      }
    },
    refuse(code, says, more = {}) {
      screen.line('failed', says)
      if (json) io.out(jsonLine({ ok: false, code, error: clean(says), ...more }))
      return 1
    },
    async close() {
      for (const wallet of opened) await wallet.close().catch(() => {})
    },
  }
}

/** The connection string of `--wallet`, `--wallet-file` or `GRIDSTR_WALLET`. */
function uriOf(args: Arguments, io: Io): string | undefined {
  const file = args.text('wallet-file')
  const named = args.text('wallet')
  if (named !== undefined) return named
  if (file === undefined) return io.env['GRIDSTR_WALLET'] || undefined
  try {
    return readFileSync(file, 'utf8').trim()
  } catch (error) {
    throw new UsageError(`The wallet file ${file} cannot be read: ${reason(error)}`)
  }
}

async function openPatiently(
  open: () => Journal | Promise<Journal>,
  clock: Clock,
  signal: AbortSignal,
): Promise<Journal> {
  for (let tries = 1; ; tries++)
    try {
      return await open()
    } catch (error) {
      const locked = error instanceof JournalError && error.code === 'locked'
      if (!locked || tries >= LOCKED_TRIES || signal.aborted) throw error
      await pause(clock, LOCKED_MS, signal)
    }
}
